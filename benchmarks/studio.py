"""How fast the studio makes pairs, on what the time goes, whether memory grows, what a kill costs.

    python -m benchmarks.studio [--pairs 56] [--groove DIR --samples DIR]
    python -m benchmarks.studio --kills 10

Without `--kills`: the share of each stage on one core, then a run on all cores with its real-time
factor (seconds of pairs per second, without pixels) and the resident memory of all its processes in
every tenth of it. With: one data set is made in one go and once more with that many SIGKILLs at
random moments, on other numbers of workers; then all files must be the same, byte for byte.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.memory import Memory
from d2m_core.band import Materials, find_materials, play
from d2m_core.band.plan import loosen
from d2m_core.styles import STYLES
from training.figures.tables import table
from training.pairs.pair import to_members
from training.pairs.shards import write_shard
from training.run.processes import one_thread
from training.run.provenance import digest
from training.seeds import PAIRS_SEED
from training.studio.dancer import dance as dancer
from training.studio.factory import Order, make_data
from training.studio.pairs import assemble, plan_of, see, stage_of
from training.studio.settings import PairSettings

# --- time of each stage ---


def stages(settings: PairSettings, seeds: range) -> list[dict[str, object]]:
    """CPU seconds per pair of each stage on one core; the pairs that warm up do not count."""
    one_thread()
    spent: dict[str, float] = defaultdict(float)
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(2):
            spent.clear()
            for seed in list(seeds)[: len(seeds) if turn else 3]:
                marks = [("", time.process_time())]
                plan = plan_of(seed, settings)
                marks.append(("plan", time.process_time()))
                song = play(plan, settings.materials)
                marks.append(("band", time.process_time()))
                heard = loosen(plan, settings.looseness, np.random.default_rng(seed))
                dancer.dance(heard, seed)
                marks.append(("dance", time.process_time()))
                scene = stage_of(plan, settings)
                marks.append(("stage with dance", time.process_time()))
                pair = assemble(plan, song, scene, see(scene), settings)
                marks.append(("noise", time.process_time()))
                to_members(pair)
                marks.append(("flac and arrays", time.process_time()))
                write_shard(Path(folder) / "shard.tar", [pair])
                marks.append(("those and the tar", time.process_time()))
                for (_, before), (name, after) in itertools.pairwise(marks):
                    spent[name] += after - before
    each = {name: seconds / len(seeds) for name, seconds in spent.items()}
    parts = {
        "plan": each["plan"],
        "band": each["band"],
        "dance": each["dance"],
        "stage": each["stage with dance"] - each["dance"],
        "noise": each["noise"],
        "flac and arrays": each["flac and arrays"],
        "pack": each["those and the tar"] - each["flac and arrays"],
    }
    whole = sum(parts.values())
    rows = [{"stage": n, "CPU seconds": s, "share": f"{s / whole:.0%}"} for n, s in parts.items()]
    return [*rows, {"stage": "whole", "CPU seconds": whole, "share": "100%"}]


# --- a whole run ---


def whole_run(settings: PairSettings, pairs: int, workers: int) -> str:
    """A run on `workers` processes, from start to manifest and sheet."""
    hours = pairs * settings.seconds / 3600
    with tempfile.TemporaryDirectory() as folder, Memory() as memory:
        order = Order(Path(folder), hours, PAIRS_SEED, per_shard=14, workers=workers)
        start = time.perf_counter()
        make_data(order, settings)
        took_s = time.perf_counter() - start
        shards = sorted(Path(folder).glob("shard-*.tar"), key=lambda path: path.stat().st_mtime_ns)
        size = sum(path.stat().st_size for path in shards)
        begun = time.time() - time.perf_counter() + start
        made_s = shards[-1].stat().st_mtime - begun
        warm_s = made_s - (shards[0].stat().st_mtime - begun)
        warm_pairs = pairs - min(workers, len(shards)) * order.per_shard
    lines = [
        f"{pairs} pairs of {settings.seconds:g} s, {workers} workers: {made_s:.1f} s, "
        f"{pairs * settings.seconds / made_s:.1f} x real time from the first import on; "
        f"{took_s - made_s:.1f} s more for index, manifest and sheet; "
        f"{size / pairs / 1e6:.2f} MB per pair"
    ]
    if warm_pairs > 0 and warm_s > 0:
        lines.append(
            f"once all workers have a shard done: {warm_pairs * settings.seconds / warm_s:.1f} x real time"
        )
    return "\n".join(lines) + "\n\n" + table(memory.tenths(0.0, made_s))


# --- kills ---


@dataclass(frozen=True)
class KillRun:
    """What came out of a data set that was killed and resumed."""

    kills: int
    moments_s: tuple[float, ...]
    shards_there: tuple[int, ...]
    """Finished shards at each kill."""
    leftovers: int
    """Half-written files that the kills left, in all."""
    same: bool
    """Whether all files are, byte for byte, those of a run in one go."""


def kill_and_resume(
    command: list[str],
    out: Path,
    reference: Path,
    kills: int,
    longest_s: float,
    seed: int,
    workers: tuple[int, ...] = (1, 2, 3),
) -> KillRun:
    """Runs `command` with `--out` and `--workers`, SIGKILLs its parent `kills` times, ends it."""
    rng = random.Random(seed)
    moments: list[float] = []
    there: list[int] = []
    leftovers, same = 0, True
    while len(moments) < kills:
        moment = rng.uniform(0.5, longest_s)
        process = _start(command, out, workers[len(moments) % len(workers)])
        try:
            same &= process.wait(moment) == 0 and digest(out) == digest(reference)
            shutil.rmtree(out)  # done before it could be killed: begin anew
            continue
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        moments.append(round(moment, 1))
        there.append(len(list(out.glob("shard-*.tar"))))
        leftovers += len(list(out.glob(".*")))
    same &= _start(command, out, workers[0]).wait() == 0 and digest(out) == digest(reference)
    return KillRun(kills, tuple(moments), tuple(there), leftovers, same)


def _start(command: list[str], out: Path, workers: int) -> subprocess.Popen[bytes]:
    given = [*command, "--out", str(out), "--workers", str(workers), "--quiet"]
    return subprocess.Popen(given, stdout=subprocess.DEVNULL)


def _kills(args: argparse.Namespace) -> str:
    command = [
        sys.executable,
        "-m",
        "training.studio",
        "--hours",
        str(args.pairs * 6 / 3600),
        "--seconds",
        "6",
        "--per-shard",
        "2",
        "--pixels",
        "0.05",
    ]
    for flag, path in (("--groove", args.groove), ("--samples", args.samples)):
        command += [flag, str(path)] if path is not None else []
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        start = time.perf_counter()
        if _start(command, whole, 2).wait() != 0:
            raise RuntimeError("the reference run failed")
        took_s = time.perf_counter() - start
        found = kill_and_resume(command, killed, whole, args.kills, took_s * 0.9, args.kill_seed)
        files, size = len(list(whole.iterdir())), sum(p.stat().st_size for p in whole.iterdir())
    kills = zip(found.moments_s, found.shards_there, strict=True)
    moments = ", ".join(f"{moment:g} s ({there} shards there)" for moment, there in kills)
    return (
        f"{found.kills} kills at {moments}; {found.leftovers} half-written files removed.\n"
        f"{files} files, {size / 1e6:.1f} MB: "
        f"{'the same, byte for byte' if found.same else 'NOT THE SAME'} as in one go.\n"
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Speed, memory and kills of the studio.")
    parser.add_argument("--pairs", type=int, default=56, help="in the run [%(default)s]")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--groove", type=Path, help="Groove MIDI Dataset")
    parser.add_argument("--samples", type=Path, help="CC0 samples")
    parser.add_argument("--kills", type=int, default=0, help="SIGKILLs, instead of the speed")
    parser.add_argument("--kill-seed", type=int, default=1, help="of their moments [%(default)s]")
    args = parser.parse_args(argv)
    if args.kills:
        sys.stdout.write(_kills(args))
        return 0
    materials: Materials = find_materials((), args.groove, args.samples)
    settings = PairSettings(materials=materials)
    sys.stdout.write(whole_run(settings, args.pairs, args.workers) + "\n")
    rows = stages(settings, range(PAIRS_SEED, PAIRS_SEED + len(STYLES)))
    sys.stdout.write("One core, mean of one pair per style:\n" + table(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
