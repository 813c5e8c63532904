"""Fits the confidence of `d2m_core.rhythm.confidence` to a rhythm network.

    python -m training.fit_confidence --weights weights/rhythm.safetensors

Studio dances that no other use takes are read, whole and cut short, and some with heavier errors;
a logistic regression on the `cues` then gives the probability that a grid is right (beat F of 0.7).
Prints the numbers to put there, and the calibration error, cross-validated by dance.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from d2m_core.errors import require
from d2m_core.motion import extract_motion
from d2m_core.rhythm import RhythmCurves, RhythmNet, load_rhythm, rhythm_curves
from d2m_core.rhythm.confidence import CUES, cues
from d2m_core.rhythm.decoding import Asked, decode_beats
from d2m_core.rhythm.tempo import chance_of, chances, evidence_of
from d2m_core.scores import beat_f
from d2m_core.types import MOTION_FPS
from d2m_core.weights import default_weights
from training.figures.logistic import FOLDS, Example, report_of
from training.rhythm.hidden import hard_to_see
from training.run.command import command_parser, run_command
from training.seeds import DEVELOPMENT_SEED
from training.studio.any_scene import random_scene
from training.studio.stage.noise import mediapipe_like

RIGHT_F = 0.7
_SECONDS = 10.0
_CUTS_S = (4.0, 6.0)


def examples_of(net: RhythmNet, dances: int) -> Iterator[Example]:
    """Grids of studio dances: whole, every second one cut as well, every fourth hard to see."""
    for seed in tqdm(range(DEVELOPMENT_SEED, DEVELOPMENT_SEED + dances), unit="dance"):
        scene = random_scene(seed, _SECONDS)
        beats_s = scene.dances[0].beats_s
        rng = np.random.default_rng([seed, 0xC0F])
        seen = rhythm_curves(extract_motion(mediapipe_like(scene, rng)), net)
        yield _example(seen, beats_s, _SECONDS, 1.0, seed)
        if seed % 2 == 0:
            for length_s in _CUTS_S:
                yield _example(seen, beats_s, length_s, 0.5, seed)
        if seed % 4 == 0:
            poses = hard_to_see(mediapipe_like(scene, rng, severity=rng.uniform(2.5, 5)), rng)
            yield _example(rhythm_curves(extract_motion(poses), net), beats_s, _SECONDS, 1.0, seed)


def _example(seen: RhythmCurves, beats_s: np.ndarray, length_s: float, weight: float, dance: int) -> Example:
    cut = seen.frames_at(slice(round(length_s * MOTION_FPS)))
    grid = decode_beats(cut, MOTION_FPS, Asked(fall_back=False))
    fine = cut.fine(MOTION_FPS)
    likely = chance_of(chances(evidence_of(fine)), grid.tempo_bpm)
    signs = cues(fine.beat, grid.tempo_bpm, cut.felt_or_beat, likely)
    right = beat_f(beats_s[beats_s < length_s], grid.beats_s) >= RIGHT_F
    return Example(signs, bool(right), weight, dance)


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("fit_confidence", __doc__)
    found.add_argument("--weights", type=Path, help="rhythm network; the project's if not given")
    found.add_argument("--dances", type=int, default=350, help="[%(default)s]")
    return found


def _work(words: list[str]) -> str:
    args = parser().parse_args(words)
    require(args.dances >= FOLDS, f"dances is {args.dances}; use {FOLDS} or more.")
    net = load_rhythm(args.weights or default_weights("rhythm"))
    examples = list(examples_of(net, args.dances))
    return report_of(examples, CUES)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv)


if __name__ == "__main__":
    raise SystemExit(main())
