"""What it costs to write music in straight time and bend it back to a dance.

    python -m benchmarks.bend --dances 28

Dances of the studio, seen as MediaPipe sees them and read by the shipped rhythm network, are laid on straight
grids. The studio's band plays on the straight beats, is bent back, and beside it plays on the dance's own
beats. Printed: how far the pitch moves, how many need the stretcher, how far the map leaves the beats, which
beats our ear (and madmom, where installed) hears in both, how sharp the hits are, and seconds of work.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tqdm import tqdm

from d2m_core.align.bend import bend_back, plan_bend
from d2m_core.band import installed_materials, plan_on, play
from d2m_core.band.styles import STYLES
from d2m_core.motion import extract_motion
from d2m_core.rhythm import load_rhythm, rhythm_from_audio, rhythm_from_motion
from d2m_core.scores import meeting_of
from d2m_core.straight import lay_out
from d2m_core.types import Waveform
from d2m_core.weights import default_weights
from training.judges.madmom import installed, madmom_beats
from training.seeds import UNSEEN_SEED
from training.studio.pairs import plan_of, see, stage_of
from training.studio.settings import PairSettings

TOKEN_RATE = 50.0


@dataclass(frozen=True)
class Cost:
    """What was measured on one dance."""

    semitones: float
    stretched: bool
    off_ms: float
    """Beats, as the map leaves them."""
    heard: tuple[float, float, float, float]
    """Beat F and AMLt of the beats heard by our ear: bent, and those played on the dance's beats."""
    madmom: tuple[float, float, float, float] | None
    crest: tuple[float, float]
    """Mean rise of loudness in 10 ms at the beats in dB: bent, and in straight time."""
    seconds: float
    """Of work per second of music."""


def measured(seed: int, seconds: float) -> Cost | None:
    """One dance; None where it has no two beats."""
    settings = PairSettings(seconds=seconds, music=False, any_tempo=0.5)
    plan = plan_of(seed, settings)
    motion = extract_motion(see(stage_of(plan, settings)))
    rhythm = rhythm_from_motion(motion, load_rhythm(default_weights("rhythm")))
    if len(rhythm.beats_s) < 2:
        return None
    grid, way = lay_out(rhythm.beats_s, rhythm.downbeats, TOKEN_RATE)
    straight_s = grid.beats / TOKEN_RATE
    length_s = float(way.to_straight(seconds))
    wave = _band(straight_s, grid.downbeats, length_s, seed, plan.style)
    begun = time.perf_counter()
    bent = bend_back(wave, way.anchors, seconds)
    spent = (time.perf_counter() - begun) / seconds
    own = _band(rhythm.beats_s, rhythm.downbeats, seconds, seed, plan.style)
    bend = plan_bend(way.anchors, seconds)
    heard_s = np.interp(straight_s, *bend.read.T)
    if bend.stretched is not None:
        heard_s = np.interp(heard_s, *bend.stretched.T)
    inside = (rhythm.beats_s > 0) & (rhythm.beats_s < seconds)
    return Cost(
        bend.semitones,
        bend.stretched is not None,
        1000 * float(np.abs(heard_s - rhythm.beats_s)[inside].max()),
        _both(lambda w: rhythm_from_audio(w).beats_s, rhythm.beats_s, bent, own),
        _both(madmom_beats, rhythm.beats_s, bent, own) if installed() else None,
        (rise_db(bent, rhythm.beats_s), rise_db(wave, straight_s)),
        spent,
    )


def _both(
    hear: Callable[[Waveform], np.ndarray], beats_s: np.ndarray, bent: Waveform, own: Waveform
) -> tuple[float, float, float, float]:
    first, second = (meeting_of(beats_s, hear(wave)) for wave in (bent, own))
    return first.f, first.amlt, second.f, second.amlt


def _band(beats_s: np.ndarray, downbeats: np.ndarray, seconds: float, seed: int, style: str) -> Waveform:
    song = play(plan_on(beats_s, downbeats, seconds, seed, style), installed_materials())
    return Waveform(torch.from_numpy(song.samples.mean(0))[None, None], song.sample_rate)


def rise_db(wave: Waveform, beats_s: np.ndarray, width_s: float = 0.01) -> float:
    """How much louder the loudest 10 ms about each beat are than those before, in dB, mean over beats."""
    width = round(width_s * wave.sample_rate)
    sound = wave.samples[0, 0].double().numpy()
    level = (sound[: len(sound) // width * width].reshape(-1, width) ** 2).mean(1) + 1e-9
    rises = 10 * np.diff(np.log10(level))
    at = np.round(beats_s / width_s).astype(int)
    near = [rises[max(0, a - 3) : a + 3] for a in at if 0 < a < len(rises)]
    return float(np.mean([each.max() for each in near if len(each)]))


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--dances", type=int, default=len(STYLES), help="[%(default)s]")
    parser.add_argument("--seconds", type=float, default=12.0, help="of each [%(default)g]")
    args = parser.parse_args(argv)
    seeds = range(UNSEEN_SEED, UNSEEN_SEED + args.dances)
    costs = [cost for seed in tqdm(seeds) if (cost := measured(seed, args.seconds)) is not None]
    moved = np.abs([cost.semitones for cost in costs])
    rows = [
        ("dances", f"{len(costs)}"),
        ("pitch moves by, mean and most, semitones", f"{moved.mean():.2f}, {moved.max():.2f}"),
        ("need the stretcher", f"{np.mean([cost.stretched for cost in costs]):.2f}"),
        ("beat furthest off by the map, mean and most, ms", _mean_most([cost.off_ms for cost in costs])),
        ("beats heard by our ear, F and AMLt: bent; played", _means([cost.heard for cost in costs])),
        ("rise at the beats, dB: bent, straight", _means([cost.crest for cost in costs])),
        ("seconds of work per second", f"{np.mean([cost.seconds for cost in costs]):.3f}"),
    ]
    known = [cost.madmom for cost in costs if cost.madmom is not None]
    if known:
        rows.append(("beats heard by madmom, F and AMLt: bent; played", _means(known)))
    sys.stdout.write("".join(f"| {name} | {value} |\n" for name, value in rows))
    return 0


def _mean_most(values: list[float]) -> str:
    return f"{np.mean(values):.1f}, {np.max(values):.1f}"


def _means(values: Sequence[tuple[float, ...]]) -> str:
    return ", ".join(f"{mean:.3f}" for mean in np.mean(values, axis=0))


if __name__ == "__main__":
    raise SystemExit(main())
