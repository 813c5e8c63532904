"""Pairs of dance and music on one beat grid, as training items.

    python -m training.studio.pairs --out runs/pairs --hours 3

One item: a tempo and a form are drawn; the dancer dances and the band plays them; the motion is
seen through MediaPipe-like noise, the sound through the codec. Items that exist are not made again,
so a stopped run goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from d2m_core.checkpoint import load_rhythm
from d2m_core.codec import Codec, encode_audio, load_codec
from d2m_core.config import STYLES
from d2m_core.grid import steady_beats
from d2m_core.motion import extract_motion
from d2m_core.rhythm import RhythmNet, rhythm_from_motion
from d2m_core.types import MOTION_FPS, MotionFeatures, Waveform
from training.data import TrainItem, as_float16, write_item
from training.seeds import PAIRS_SEED

from .band.song import Song, play, random_downbeats, random_form
from .dancer.dance import dance
from .stage.noise import mediapipe_like

TEMPO_BPM = (66.0, 174.0)


@dataclass(frozen=True)
class PairPlan:
    """What one pair is made from; equal plans give equal pairs."""

    seed: int
    duration_s: float
    codec: str
    rhythm: str | None
    """Rhythm network whose curves stand in for the band's own in half of the items."""
    style: str | None = None
    """One style for all; None draws one."""


def make_pair(plan: PairPlan) -> TrainItem:
    """One dance and its music. The dance follows the same grid and form as the band."""
    rng = np.random.default_rng([plan.seed, 77])
    tempo_bpm = float(np.exp(rng.uniform(*np.log(TEMPO_BPM))))
    beats_s = _grid(tempo_bpm, plan.duration_s, rng)
    downbeats = random_downbeats(len(beats_s), rng)
    energy = random_form(round(plan.duration_s * MOTION_FPS), tempo_bpm, rng)
    style = int(rng.integers(len(STYLES)))
    if plan.style is not None:
        style = STYLES.index(plan.style)
    song = play(STYLES[style], tempo_bpm, plan.duration_s, plan.seed, beats_s, downbeats, energy)
    motion = see_dance(beats_s, downbeats, plan.duration_s, plan.seed, energy, rng)
    codec = _codec(plan.codec)
    sound = torch.from_numpy(song.samples)[None, None]
    codes = encode_audio(codec, Waveform(sound, song.sample_rate)).codes
    return TrainItem(
        codes=codes[0].numpy().astype(np.int16),
        curves=_curves(plan, song, motion, rng).astype(np.float16),
        beats_s=beats_s,
        downbeats=downbeats,
        codec=codec.spec,
        tempo_bpm=tempo_bpm,
        motion=as_float16(motion.values),
        motion_names=motion.names,
        style=style,
    )


def see_dance(
    beats_s: np.ndarray,
    downbeats: np.ndarray,
    duration_s: float,
    seed: int,
    energy: np.ndarray,
    rng: np.random.Generator,
) -> MotionFeatures:
    """The motion features a noisy pose estimator would give of a dance to this grid."""
    danced = dance(beats_s, downbeats, duration_s, seed, energy=energy)
    return extract_motion(mediapipe_like(danced.poses, rng))


def _grid(tempo_bpm: float, duration_s: float, rng: np.random.Generator) -> np.ndarray:
    """A pulse of the given tempo that drifts slowly by up to 1.5 %."""
    beats_s = steady_beats(tempo_bpm, duration_s * 1.1, rng.uniform(0, 60.0 / tempo_bpm))
    wave_s, size = rng.uniform(8, 20), rng.uniform(0, 0.015)
    bend = size * wave_s / (2 * np.pi) * np.sin(2 * np.pi * (beats_s / wave_s + rng.random()))
    beats_s = beats_s + bend
    return beats_s[(beats_s >= 0) & (beats_s < duration_s)]


def _curves(
    plan: PairPlan, song: Song, motion: MotionFeatures, rng: np.random.Generator
) -> np.ndarray:
    """Rhythm curves float32 [F, R]: the band's own, or those read from the dance."""
    own = np.stack([song.onset, song.energy], axis=1)
    if plan.rhythm is None or rng.random() < 0.5:
        return own
    read = rhythm_from_motion(motion, _rhythm_net(plan.rhythm)).curves
    return read[: len(own)]


@lru_cache(maxsize=1)
def _codec(name: str) -> Codec:
    return load_codec(name)


@lru_cache(maxsize=1)
def _rhythm_net(path: str) -> RhythmNet:
    return load_rhythm(path)


def _make_and_write(plan: PairPlan, path: Path) -> None:
    torch.set_num_threads(1)
    write_item(path, make_pair(plan))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="folder for the items")
    parser.add_argument("--hours", type=float, default=1.0, help="music to make [%(default)s]")
    parser.add_argument(
        "--seconds", type=float, default=30.0, help="length of an item [%(default)s]"
    )
    parser.add_argument(
        "--seed", type=int, default=PAIRS_SEED, help="first item's seed [%(default)s]"
    )
    parser.add_argument("--codec", default="weights/codec", help="codec folder [%(default)s]")
    parser.add_argument("--rhythm", help="rhythm network for the curves of half of the items")
    parser.add_argument("--style", choices=STYLES, help="one style only; by default all")
    parser.add_argument("--workers", type=int, default=2, help="processes [%(default)s]")
    args = parser.parse_args(argv)
    count = max(1, round(args.hours * 3600 / args.seconds))
    plans = {}
    for seed in range(args.seed, args.seed + count):
        path = args.out / f"{seed:07d}.safetensors"
        if not path.exists():
            plans[path] = PairPlan(seed, args.seconds, args.codec, args.rhythm, args.style)
    with ProcessPoolExecutor(args.workers) as pool:
        jobs = [pool.submit(_make_and_write, plan, path) for path, plan in plans.items()]
        for job in tqdm(as_completed(jobs), total=len(jobs), desc="pairs", unit="item"):
            job.result()
    sys.stdout.write(f"{count} items in {args.out}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
