"""How fast data sets are built, on what the time goes, what a kill costs, whether memory grows.

    python -m benchmarks.builder [--clips 24]       # clips per hour on one worker and on two
    python -m benchmarks.builder --kills 20         # killed at random moments, then compared
    python -m benchmarks.builder --memory --clips 200

The videos are drawn dances of the studio, saved as ordinary MP4 files with their music; a few are
drawn, and each is listed under many names. `--films DIR` keeps them for the next time.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from benchmarks.forks import Fork, load
from benchmarks.memory import Memory
from d2m_core.band import installed_materials
from d2m_core.errors import SettingError
from training.builder.build import Order, build
from training.builder.engine import cores
from training.builder.settings import ClipSettings, Cutting, Encoding, Seeing
from training.figures.tables import table
from training.run.kept import Kept, place_for, recipe
from training.run.processes import alone_in, run
from training.run.provenance import ROOT, digest
from training.seeds import BUILT_SEED
from training.sources import SourceOptions
from training.studio.materials import band_of
from training.studio.pairs import make_pair
from training.studio.settings import PairSettings

_STYLES = ("house", "hiphop", "latin", "pop", "disco", "funk", "rock", "swing")
CODEC = ROOT / "weights" / "codec_2"


# --- films ---


def films_in(folder: Path, count: int, seconds: float) -> list[Path]:
    """So many drawn dances of a length; draws those that are missing."""
    band = band_of(installed_materials())
    films = [
        place_for(folder, f"dance-{seconds:g}-{n}.mp4", recipe(_draw, number=n, seconds=seconds, band=band))
        for n in range(count)
    ]
    jobs = [(film, number, seconds) for number, film in enumerate(films) if not film.there]
    with closing(run(_draw, jobs, min(cores(), max(1, len(jobs))))) as drawn:
        for _ in drawn:
            continue
    return [film.path for film in films]


def _draw(place: Kept, number: int, seconds: float) -> None:
    style = _STYLES[number % len(_STYLES)]
    settings = PairSettings(
        seconds=seconds, styles=(style,), people=0.0, pixels=1.0, materials=installed_materials()
    )
    film = make_pair(BUILT_SEED + number, settings).film
    assert film is not None
    place.write(lambda path: path.write_bytes(film))


def listed(films: list[Path], count: int, folder: Path) -> Path:
    """A folder in which the films stand under `count` names."""
    folder.mkdir(parents=True)
    for number in range(count):
        place = folder / f"{number:04d}.mp4"
        try:
            os.link(films[number % len(films)], place)
        except OSError:  # another disk
            shutil.copy(films[number % len(films)], place)
    return folder


# --- speed and memory ---


def settings_of(args: argparse.Namespace) -> ClipSettings:
    """Whole films as clips, so that each listed film gives one."""
    return ClipSettings(
        Cutting(seconds=args.seconds),
        Seeing(pose_model=args.pose_model),
        encoding=Encoding(str(CODEC), args.bandwidth),
    )


def speed(args: argparse.Namespace, root: Path, out: Path) -> str:
    """Clips per hour and the share of each step, on one worker and on more."""
    lines, rows = [], []
    for workers in args.workers:
        order = Order(
            "folder",
            SourceOptions(root),
            out / str(workers),
            settings_of(args),
            workers=workers,
            engine=args.engine,
        )
        start = time.perf_counter()
        summary = build(order)
        took_s = time.perf_counter() - start
        busy_s, cpu_s = (sum(spent) for spent in zip(*summary.seconds.values(), strict=True))
        lines.append(
            f"{summary.made} clips of {args.seconds:g} s ({summary.kept} kept) on {workers}"
            f" workers: {took_s:.1f} s, {3600 * summary.made / took_s:.0f} clips per hour,"
            f" {summary.made * args.seconds / took_s:.2f} x real time; {busy_s:.1f} s of work,"
            f" {cpu_s:.1f} s of them on a core, {took_s - busy_s / workers:.1f} s start and end"
        )
        for step, (wall, cpu) in summary.seconds.items():
            rows.append(
                {
                    "workers": workers,
                    "step": step,
                    "s per clip": wall / summary.made,
                    "share": f"{wall / busy_s:.0%}",
                    "CPU s per clip": cpu / summary.made,
                }
            )
    return "\n".join(lines) + "\n\n" + table(rows)


def memory(args: argparse.Namespace, root: Path, out: Path) -> str:
    """Resident memory over a long run."""
    order = Order("folder", SourceOptions(root), out, settings_of(args), workers=args.workers[-1])
    with Memory() as watched:
        start = time.perf_counter()
        summary = build(order)
        took_s = time.perf_counter() - start
    return f"{summary.made} clips in {took_s:.0f} s\n\n" + table(watched.tenths(0.0, took_s))


# --- kills ---


@dataclass
class Killed:
    """What came out of a build that was killed again and again."""

    moments_s: list[float] = field(default_factory=list)
    there: list[int] = field(default_factory=list)
    """Finished clips at each kill."""
    leftovers: int = 0
    """Half-written files that the kills left."""
    remade: int = 0
    """Clips that were there at a kill and made once more all the same."""
    rounds: int = 1
    """Builds that were begun anew because they came to their end."""
    same: bool = True


def kill_and_resume(
    flags: list[str], out: Path, reference: Path, kills: int, longest_s: float, seed: int, fork: bool = False
) -> Killed:
    """SIGKILLs a build `kills` times on one to three workers, then lets it end, and compares."""
    rng, found = random.Random(seed), Killed()
    before: dict[Path, int] = {}
    bar = tqdm(total=kills, unit="kill")
    while len(found.moments_s) < kills:
        moment = rng.uniform(0.5, longest_s)
        process = _start(flags, out, 1 + len(found.moments_s) % 3, fork)
        try:
            found.same &= process.wait(moment) == 0 and digest(out) == digest(reference)
            shutil.rmtree(out)  # done before it could be killed: begin anew
            before, found.rounds = {}, found.rounds + 1
            continue
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        time.sleep(1.0)  # its workers see it and go
        _until_free(out)
        clips = {path: path.stat().st_mtime_ns for path in out.glob("work/clips/*/[!.]*.tar")}
        found.remade += sum(clips.get(path, at) != at for path, at in before.items())
        before = clips
        bar.update()
        found.moments_s.append(round(moment, 1))
        found.there.append(len(list(out.glob("work/clips/*/[!.]*.json"))))
        found.leftovers += len([path for path in out.rglob(".*") if path.is_file()])
    bar.close()
    found.same &= _start(flags, out, 1, fork).wait() == 0 and digest(out) == digest(reference)
    return found


def _until_free(folder: Path) -> None:
    """Waits for the last process that has the folder to itself; forked workers do too."""
    while folder.exists():
        try:
            with alone_in(folder):
                return
        except SettingError:
            time.sleep(0.2)


def _start(flags: list[str], out: Path, workers: int, fork: bool) -> Fork | subprocess.Popen[bytes]:
    flags = [*flags, "--out", str(out), "--workers", str(workers), "--quiet"]
    if fork:
        return Fork(flags)
    command = [sys.executable, "-m", "training.build_dataset", *flags]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT)


def kills(args: argparse.Namespace, root: Path, out: Path) -> str:
    """The whole comparison."""
    flags = [
        "--root",
        str(root),
        "--seconds",
        str(args.seconds),
        "--pose-model",
        args.pose_model,
        "--codec",
        str(CODEC),
        "--bandwidth",
        str(args.bandwidth),
        "--per-shard",
        "4",
        "--shares",
        "0.6",
        "0.2",
        "0.2",
    ]
    if args.fork:
        load()
    start = time.perf_counter()
    if _start(flags, out / "whole", 2, args.fork).wait() != 0:
        raise RuntimeError("the reference run failed")
    took_s = time.perf_counter() - start
    found = kill_and_resume(
        flags, out / "killed", out / "whole", args.kills, 0.9 * took_s, args.kill_seed, args.fork
    )
    files = [path for path in (out / "whole").rglob("*") if path.is_file()]
    moments = ", ".join(f"{at:g} s ({n} clips)" for at, n in zip(found.moments_s, found.there, strict=True))
    return (
        f"One go: {took_s:.0f} s. {args.kills} kills in {found.rounds} builds, after {moments};"
        f" {found.leftovers} half-written files, {found.remade} clips made twice.\n"
        f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB: "
        f"{'the same, byte for byte' if found.same else 'NOT THE SAME'} as in one go.\n"
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.builder",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--clips", type=int, default=24, help="in a run [%(default)s]")
    add("--seconds", type=float, default=10.0, help="length of a clip [%(default)g]")
    add("--pose-model", default="full", help="[%(default)s]")
    add("--bandwidth", type=float, default=2.0, help="kbit/s of the codec [%(default)g]")
    add("--workers", type=int, nargs="+", default=[1, 2], help="[1 2]")
    add("--engine", default="local", help="local or ray [%(default)s]")
    add("--films", type=Path, help="folder to keep the drawn films in")
    add("--drawn", type=int, default=8, help="different films [%(default)s]")
    add("--kills", type=int, default=0, help="SIGKILLs, instead of the speed")
    add("--kill-seed", type=int, default=1, help="of their moments [%(default)s]")
    add("--fork", action="store_true", help="kill copies of this process: they start at once")
    add("--memory", action="store_true", help="memory, instead of the speed")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        drawn = films_in(args.films or Path(folder) / "films", args.drawn, args.seconds)
        root = listed(drawn, args.clips, Path(folder) / "videos")
        how = kills if args.kills else memory if args.memory else speed
        sys.stdout.write(how(args, root, Path(folder) / "out"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
