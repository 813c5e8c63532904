"""How well a live band keeps time with a dance, how soon it answers, and what it costs.

    python -m benchmarks.live --dances 12 --seconds 30
    python -m benchmarks.live --dances 0 --changes 4
    python -m benchmarks.live --dances 0 --clips FOLDER
    python -m benchmarks.live --dances 0 --loop 30
    python -m benchmarks.live --dances 0 --real dance.mp4 --seconds 60
    python -m benchmarks.live --dances 4 --player transformer

Dances and clips are stepped without real time, with the delays of `d2m_core.live.rehearsal.Delays`; `--loop`
does so for many minutes of one dance that ends and begins again, and looks at memory and slow blocks.
`--real` plays to a film at its own speed through all threads, to nobody; memory and work of each ten seconds
are in live.json. The first seconds do not count.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from d2m_core.band import installed_materials, plan_on
from d2m_core.live.eyes import open_eyes
from d2m_core.live.flags import PLAYERS
from d2m_core.live.player import MakePlayer
from d2m_core.live.rehearsal import Delays, Sight, rehearse, sights_of
from d2m_core.live.session import BLOCK, RATE, Heard, LiveSettings, Session
from d2m_core.live.sinks import Silence
from d2m_core.live.sources import Film
from d2m_core.live.stage import Stage
from d2m_core.live.transformer import transformer
from d2m_core.media import open_clip
from d2m_core.motion import extract_motion, find_accents
from d2m_core.music import prepare
from d2m_core.pipeline import load_models
from d2m_core.pose import estimate_poses
from d2m_core.rhythm import load_rhythm, rhythm_from_audio, rhythm_from_motion
from d2m_core.scores import beat_f
from d2m_core.types import PoseSequence, Waveform
from d2m_core.weights import default_weights
from training.figures.tables import table
from training.seeds import LIVE_SEED
from training.studio.any_scene import random_scene
from training.studio.stage.noise import mediapipe_like
from training.studio.stage.scene import stage

_SETTLED_S = 8.0
"""The band has begun by then, or counts as late."""
_NEAR_S = 0.1
_HEARD = 0.01
_CHANGE_S = 16.0
_NOT_SHOWN = {"gaps", "samples"}
"""Too long for a table: they are in live.json."""
_SHIFTS_S = np.arange(-0.95, 1.0, 0.1)
"""The control of hits: the same ones, at other times."""


Makers = Callable[[LiveSettings, Executor | None], MakePlayer | None]
"""Makes who makes players."""


def a_band(_settings: LiveSettings, _helper: Executor | None) -> None:
    """A session's own."""


def a_model(model: Path | None, codec: str | None) -> Makers:
    """Players of a transformer."""
    models = load_models(model, codec, device="cpu")
    prepare()
    return lambda settings, helper: transformer(models.model, models.codec, settings, helper)


def new_session(told: list[Heard], seed: int = 0, plays: Makers = a_band) -> Session:
    """A session of any style with what is installed."""
    net, settings = load_rhythm(default_weights("rhythm")), LiveSettings(seed=seed)
    player = plays(settings, None)
    return Session(net, installed_materials(), settings, tell=told.append, player=player)


def late(times_s: np.ndarray, end_s: float) -> np.ndarray:
    return times_s[(times_s >= _SETTLED_S) & (times_s < end_s)]


def octave_free(truth: np.ndarray, beats: np.ndarray) -> float:
    """The best beat F where half or twice as many beats count as well."""
    pairs = [
        (truth, beats),
        (truth[::2], beats),
        (truth[1::2], beats),
        (truth, beats[::2]),
        (truth, beats[1::2]),
    ]
    return max(beat_f(*pair) for pair in pairs)


def performed(session: Session, sights: Iterator[Sight], duration_s: float) -> tuple[np.ndarray, np.ndarray]:
    """(sound float32 [2, N], when its beats were played, float64 [M])."""
    blocks, times, beats = [], [], []
    for block in rehearse(session, sights, duration_s):
        blocks.append(block)
        clock = session.clock
        if clock is not None and (not beats or clock.beat > beats[-1]):
            times.append(clock.time_s)
            beats.append(clock.beat)
    whole = np.arange(np.ceil(beats[0]), beats[-1]) if beats else np.zeros(0)
    return np.concatenate(blocks, 1), np.interp(whole, beats, times) if beats else whole


def play_to(
    poses: PoseSequence, truth: np.ndarray | None, name: str, seed: int, plays: Makers = a_band
) -> dict[str, Any]:
    """One session to poses: how it went. `truth`: the dance's beats, where they are known."""
    told: list[Heard] = []
    session = new_session(told, seed, plays)
    began = time.process_time()
    sound, beats = performed(session, sights_of(poses), poses.duration_s)
    cost = (time.process_time() - began) / poses.duration_s
    end_s = poses.duration_s - 0.5
    beats = late(beats, end_s)
    heard = late(rhythm_from_audio(Waveform(torch.from_numpy(sound)[None], RATE)).beats_s, end_s)
    row: dict[str, Any] = {"dance": name, "style": session.style}
    if truth is None:
        row["F, whole clip read"] = beat_f(late(rhythm_from_motion(*_read(poses)).beats_s, end_s), beats)
    else:
        truth = late(truth, end_s)
        row |= {"F": beat_f(truth, beats), "F, octaves free": octave_free(truth, beats)}
        row["F, heard"] = octave_free(truth, heard)
        row["F, heard against played"] = octave_free(beats, heard)
    return (
        row
        | _hits(poses, told, end_s)
        | {"begins s": _first(told), "sounds s": _sounds(sound), "cores": round(cost, 3)}
    )


def _read(poses: PoseSequence) -> tuple[Any, Any]:
    return extract_motion(poses), load_rhythm(default_weights("rhythm"))


def _first(told: list[Heard]) -> float | None:
    return next((round(one.time_s, 2) for one in told if one.kind == "start"), None)


def _sounds(sound: np.ndarray) -> float | None:
    """When something is first heard."""
    loud = np.flatnonzero(np.abs(sound).max(0) > _HEARD)
    return round(float(loud[0]) / RATE, 2) if len(loud) else None


def _hits(poses: PoseSequence, told: list[Heard], end_s: float) -> dict[str, float | None]:
    """How late answers come, and how many expected hits meet an accent that is seen."""
    hits = [one for one in told if one.kind == "hit" and one.time_s < end_s]
    answers = [one.time_s - one.seen_s for one in hits if one.seen_s is not None]
    expected = np.array([one.time_s for one in hits if one.seen_s is None])
    accents = find_accents(poses).stronger_than(0.3).times_s
    met, shifted = (
        [np.abs(accents - time_s).min(initial=9.0) <= _NEAR_S for time_s in times.ravel()]
        for times in (expected, expected[:, None] + _SHIFTS_S)
    )
    return {
        "answers": len(answers),
        "late ms, median": 1000 * float(np.median(answers)) if answers else None,
        "late ms, 99 %": 1000 * float(np.quantile(answers, 0.99)) if answers else None,
        "expected": len(expected),
        "of them met": float(np.mean(met)) if met else None,
        "shifted": float(np.mean(shifted)) if shifted else None,
    }


def drawn(first: int, count: int, seconds: float, plays: Makers = a_band) -> Iterator[dict[str, Any]]:
    """Sessions to drawn dances, whose beats are known."""
    for seed in tqdm(range(LIVE_SEED + first, LIVE_SEED + first + count), unit="dance"):
        scene = random_scene(seed, seconds)
        poses = mediapipe_like(scene, np.random.default_rng([seed, 0x11FE]))
        yield play_to(poses, scene.dances[0].beats_s, str(seed), seed % 7, plays)


def changed(first: int, count: int, share: float = 1.2) -> Iterator[dict[str, Any]]:
    """Sessions to drawn dances whose tempo changes at once by a fifth, up or down, in their middle."""
    for seed in range(LIVE_SEED + 1000 + first, LIVE_SEED + 1000 + first + count):
        before_s, then = (60 / 110, 60 / 110 / share) if seed % 2 == 0 else (60 / 120, 60 / 120 * share)
        beats = np.arange(0.3, _CHANGE_S, before_s)
        beats = np.concatenate([beats, np.arange(beats[-1] + then, _CHANGE_S + 18.0, then)])
        plan = plan_on(beats, np.arange(len(beats)) % 4 == 0, _CHANGE_S + 18.0, seed, "pop")
        poses = mediapipe_like(stage(plan, seed), np.random.default_rng(seed))
        told: list[Heard] = []
        _, heard = performed(new_session(told), sights_of(poses), poses.duration_s)
        heard = heard[heard < poses.duration_s - 0.5]
        off = np.array([np.abs(beats - time_s).min() for time_s in heard]) > 0.07
        after = heard[off & (heard > _CHANGE_S)]
        before = (heard >= _SETTLED_S) & (heard < _CHANGE_S)
        tempi = np.log(1 / np.diff(heard))
        yield {
            "tempo": f"{60 / before_s:.0f} to {60 / then:.0f}",
            "on the beat before": float(np.mean(~off[before])),
            "s until back": float(after.max() - _CHANGE_S) if len(after) else 0.0,
            "greatest step between beats": float(np.expm1(np.abs(np.diff(tempi)).max())),
        }


def filmed(folder: Path) -> Iterator[dict[str, Any]]:
    """Sessions to real clips, as MediaPipe's lite model sees them; three times over, as they are short."""
    for path in sorted(folder.glob("*.mp4")):
        poses = estimate_poses(open_clip(path), "lite")
        yield play_to(thrice(poses), None, path.stem, 0)


def thrice(poses: PoseSequence) -> PoseSequence:
    """The poses three times, one after the other."""
    names = ("world", "image", "visibility", "present")
    return PoseSequence(*(np.concatenate([getattr(poses, name)] * 3) for name in names), poses.fps)


def looped(minutes: float) -> dict[str, Any]:
    """Many minutes of a dance that pauses and begins again: memory, and what the slowest block took."""
    scene = random_scene(LIVE_SEED, 40.0)
    poses = mediapipe_like(scene, np.random.default_rng(1))
    told: list[Heard] = []
    costs, sizes = [], []

    def sights() -> Iterator[Sight]:
        for turn in range(int(np.ceil(minutes * 60 / 45))):
            there = ((turn * 45 + time_s, body) for time_s, body in sights_of(poses))
            yield from chain(there, ((turn * 45 + 40 + k / 25, None) for k in range(125)))

    blocks = rehearse(new_session(told), sights(), minutes * 60)
    total = int(minutes * 60 * RATE / BLOCK)
    for k in tqdm(range(total), unit="block", mininterval=10):
        began = time.thread_time()
        next(blocks)
        costs.append(time.thread_time() - began)
        if k % (total // 10) == 0:
            sizes.append(_resident_mb())
    kinds = [one.kind for one in told]
    return {
        "minutes": minutes,
        "pieces": kinds.count("start"),
        "ended": kinds.count("end"),
        "cores": round(float(np.sum(costs)) / (minutes * 60), 3),
        "MB at a fifth": sizes[2],
        "MB at the end": sizes[-1],
        "block ms, 99 %": 1000 * float(np.quantile(costs, 0.99)),
    }


def _resident_mb() -> int:
    """What the process holds in memory now; its peak where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return round(pages * resource.getpagesize() / 1e6)
    except OSError:
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


def in_real_time(path: Path, seconds: float, plays: Makers = a_band) -> dict[str, Any]:
    """Plays to a film at its own speed, over and over where it is too short, with all threads."""
    clip, sink, settings = open_clip(path), Silence(RATE), LiveSettings()
    starts: list[Heard] = []

    def told(one: Heard) -> None:
        if one.kind == "start":  # the rest would grow with the session
            starts.append(one)

    with open_eyes() as eyes, ThreadPoolExecutor(1) as helper:
        net = load_rhythm(default_weights("rhythm"))
        player = plays(settings, helper)
        session = Session(net, installed_materials(), settings, helper=helper, tell=told, player=player)
        session.warm_up()
        film = Film(clip, int(np.ceil(seconds / clip.duration_s)))
        with every_ten_seconds() as samples:
            stage = Stage(session, film, eyes, sink)
            report = stage.run(lambda one: one.seconds < seconds)
    sizes, shares = [size for _, size, _ in samples], [share for _, _, share in samples]
    return {
        "film": path.stem,
        "seconds": report.seconds,
        "looked at": report.looked_at / max(1, report.pictures),
        "drops": report.drops,
        "cores": round(report.cpu_share, 3),
        "cores, most in 10 s": max(shares, default=None),
        "MB after a minute": sizes[5] if len(sizes) > 5 else None,
        "MB at the end": sizes[-1] if sizes else None,
        "begins s": _first(starts),
        "pieces": len(starts),
        "played to the end": type(session.player).__name__,
        "gaps": [(round(at_s, 2), round(gap_s, 3)) for at_s, gap_s in sink.gaps],
        "samples": samples,
    }


@contextmanager
def every_ten_seconds() -> Iterator[list[tuple[int, int, float]]]:
    """(seconds, MB held, share of a core since the one before) of this process, while the block runs."""
    samples: list[tuple[int, int, float]] = []
    over = threading.Event()
    began_s = time.monotonic()

    def sample() -> None:
        before_s, before_cpu_s = began_s, time.process_time()
        while not over.wait(10.0):
            now_s, cpu_s = time.monotonic(), time.process_time()
            share = (cpu_s - before_cpu_s) / (now_s - before_s)
            samples.append((round(now_s - began_s), _resident_mb(), round(share, 2)))
            before_s, before_cpu_s = now_s, cpu_s

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "benchmarks.live", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dances", type=int, default=12, help="drawn dances [%(default)s]")
    parser.add_argument("--first", type=int, default=0, help="which of them comes first [%(default)s]")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each [%(default)s]")
    parser.add_argument(
        "--changes", type=int, default=0, help="drawn dances whose tempo changes by 20 %% [0]"
    )
    parser.add_argument("--clips", type=Path, help="folder of real clips, .mp4")
    parser.add_argument(
        "--loop", type=float, default=0.0, metavar="MINUTES", help="of one dance, over and over"
    )
    parser.add_argument("--real", type=Path, metavar="FILM", help="play to this film in real time")
    parser.add_argument(
        "--player", choices=PLAYERS, default=PLAYERS[0], help="to --dances, --real [%(default)s]"
    )
    parser.add_argument("--model", type=Path, help="with --player transformer: its checkpoint")
    parser.add_argument("--codec", help="with --player transformer: its codec")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmark"), help="[%(default)s]")
    args = parser.parse_args(argv)
    plays = a_band if args.player == PLAYERS[0] else a_model(args.model, args.codec)
    rows = list(drawn(args.first, args.dances, args.seconds, plays))
    if rows:
        numbers = [name for name in rows[0] if name not in ("dance", "style")]
        means = {name: _mean([row[name] for row in rows]) for name in numbers}
        rows.append({"dance": "mean", **means})
    rows += list(changed(args.first, args.changes))
    rows += list(filmed(args.clips)) if args.clips else []
    rows += [looped(args.loop)] if args.loop else []
    rows += [in_real_time(args.real, args.seconds, plays)] if args.real else []
    args.out.mkdir(parents=True, exist_ok=True)
    found = {"delays": vars(Delays()), "rows": rows}
    (args.out / "live.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(table([{key: row[key] for key in row if key not in _NOT_SHOWN} for row in rows]))
    return 0


def _mean(values: list[Any]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


if __name__ == "__main__":
    raise SystemExit(main())
