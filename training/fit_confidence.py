"""Fits the confidence of `d2m_core.rhythm.confidence` to a rhythm network.

    python -m training.fit_confidence --weights weights/rhythm.safetensors

Studio dances that no other use takes are read, whole and halved, and every second one hard to see;
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
from d2m_core.rhythm.curves import BeatCurves
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
_SECONDS = 12.0
_PIECES_S = (0.0, 12.0), (0.0, 6.0), (6.0, 12.0)
"""First and last second: the whole, and the halves of which one is looked at as well."""
_LESS = 0.5
"""What a half counts, and a dance that is hard to see."""


def examples_of(net: RhythmNet, dances: int) -> Iterator[Example]:
    """Grids of studio dances, whole and of one half; every second dance is hard to see."""
    for seed in tqdm(range(DEVELOPMENT_SEED, DEVELOPMENT_SEED + dances), unit="dance"):
        scene = random_scene(seed, _SECONDS)
        rng = np.random.default_rng([seed, 0xC0F])
        hard = seed % 2 == 1
        poses = mediapipe_like(scene, rng, severity=rng.uniform(2.0, 5.0) if hard else None)
        seen = rhythm_curves(extract_motion(hard_to_see(poses, rng) if hard else poses), net)
        yield from pieces_of(seen, scene.dances[0].beats_s, hard, seed)


def pieces_of(seen: RhythmCurves, beats_s: np.ndarray, hard: bool, dance: int) -> Iterator[Example]:
    """What is known of a dance's beats, and of those of its first half if `hard`, else of its second."""
    for start_s, end_s in (_PIECES_S[0], _PIECES_S[1 if hard else 2]):
        beats = beats_s[(beats_s >= start_s) & (beats_s < end_s)] - start_s
        if len(beats) > 2:
            piece = seen.frames_at(slice(round(start_s * MOTION_FPS), round(end_s * MOTION_FPS)))
            weight = (_LESS if hard else 1.0) * (1.0 if end_s - start_s == _SECONDS else _LESS)
            yield _example(piece, beats, weight, dance)


def _example(piece: BeatCurves, beats_s: np.ndarray, weight: float, dance: int) -> Example:
    grid = decode_beats(piece, MOTION_FPS, Asked(fall_back=False))
    fine = piece.fine(MOTION_FPS)
    likely = chance_of(chances(evidence_of(fine)), grid.tempo_bpm)
    signs = cues(fine.beat, grid.tempo_bpm, piece.felt_or_beat, likely)
    return Example(signs, beat_f(beats_s, grid.beats_s) >= RIGHT_F, weight, dance)


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
