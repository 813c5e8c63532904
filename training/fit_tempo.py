"""Fits the weights of `d2m_core.rhythm.tempo` to a rhythm network.

    python -m training.fit_tempo --weights weights/rhythm.safetensors

Studio dances that no other use takes are read, whole and cut short, and every second one hard to
see. A logistic regression on the signs of all tempi then gives the probability of each. Prints the
numbers to put there, and how the tempi fare, cross-validated by dance.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from tqdm import tqdm

from d2m_core.errors import require
from d2m_core.grid import tempo_of
from d2m_core.motion import extract_motion
from d2m_core.rhythm import RhythmCurves, RhythmNet, load_rhythm, rhythm_curves
from d2m_core.rhythm.tempo import SIGNS, TEMPI_BPM, evidence_of, guesses
from d2m_core.types import MOTION_FPS
from d2m_core.weights import default_weights
from training.figures.calibration import reliability
from training.rhythm.hidden import hard_to_see
from training.run.command import command_parser, run_command
from training.seeds import DEVELOPMENT_SEED
from training.studio.any_scene import random_scene
from training.studio.stage.noise import mediapipe_like

_SECONDS = 12.0
_CUTS_S = (0.0, 12.0), (0.0, 6.0), (6.0, 12.0)
"""First and last second of what is looked at."""
_TEMPO_SD = 0.012
"""Natural log: tempi so near to the true one are right as well."""
_RIGHT = 0.04
_RIDGE = 1e-4
_FOLDS = 5


@dataclass(frozen=True, eq=False)
class Example:
    """One dance, or a piece of it."""

    signs: np.ndarray
    """float64 [N, len(SIGNS)]."""
    prior: np.ndarray
    """Log probability of each tempo before, float64 [N]."""
    bpm: float
    dance: int


def examples_of(net: RhythmNet, dances: int) -> Iterator[Example]:
    """Studio dances, each whole and in halves; every second one hard to see."""
    for seed in tqdm(range(DEVELOPMENT_SEED, DEVELOPMENT_SEED + dances), unit="dance"):
        scene = random_scene(seed, _SECONDS)
        rng = np.random.default_rng([seed, 0x7E3])
        hard = seed % 2 == 1
        poses = mediapipe_like(scene, rng, severity=rng.uniform(2.0, 5.0) if hard else None)
        curves = rhythm_curves(extract_motion(hard_to_see(poses, rng) if hard else poses), net)
        yield from pieces_of(curves, scene.dances[0].beats_s, seed)


def pieces_of(curves: RhythmCurves, beats_s: np.ndarray, dance: int) -> Iterator[Example]:
    """What is known of the tempo in pieces of a dance that have beats."""
    for start_s, end_s in _CUTS_S:
        beats = beats_s[(beats_s >= start_s) & (beats_s < end_s)]
        if len(beats) > 2:
            piece = curves.frames_at(slice(round(start_s * MOTION_FPS), round(end_s * MOTION_FPS)))
            found = evidence_of(piece.fine(MOTION_FPS))
            yield Example(found.mean(), found.prior, tempo_of(beats), dance)


def fit(examples: Sequence[Example]) -> np.ndarray:
    """Weights float64 [len(SIGNS)] by which the true tempi are likeliest."""
    signs = np.stack([e.signs for e in examples])  # [E, N, K]
    before = np.stack([e.prior for e in examples])
    away = np.log(TEMPI_BPM) - np.log([[e.bpm] for e in examples])
    wanted = np.exp(-0.5 * (away / _TEMPO_SD) ** 2) + 1e-12
    wanted /= wanted.sum(1, keepdims=True)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        likely = _softmax(signs @ weights + before)
        short = -(wanted * np.log(likely + 1e-30)).sum(1).mean()
        slope = np.einsum("en,enk->k", likely - wanted, signs) / len(signs)
        return float(short + _RIDGE * weights @ weights), slope + 2 * _RIDGE * weights

    return minimize(loss, np.zeros(len(SIGNS)), jac=True, method="L-BFGS-B").x


def _softmax(odds: np.ndarray) -> np.ndarray:
    shares = np.exp(odds - odds.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def cross_validated(examples: Sequence[Example]) -> dict[str, float]:
    """How often the first guess is right, any guess is, and how well its probability says so."""
    sure, first, any_of = [], [], []
    for fold in range(_FOLDS):
        weights = fit([e for e in examples if e.dance % _FOLDS != fold])
        for example in (e for e in examples if e.dance % _FOLDS == fold):
            found = guesses(_softmax((example.signs @ weights + example.prior)[None])[0])
            right = [abs(np.log(guess.bpm / example.bpm)) <= _RIGHT for guess in found]
            sure.append(found[0].probability)
            first.append(right[0])
            any_of.append(any(right))
    error = reliability(np.array(sure), np.array(first)).error
    return {
        "first right": float(np.mean(first)),
        "any right": float(np.mean(any_of)),
        "first's probability": float(np.mean(sure)),
        "calibration error": float(error),
    }


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("fit_tempo", __doc__)
    found.add_argument("--weights", type=Path, help="rhythm network; the project's if not given")
    found.add_argument("--dances", type=int, default=350, help="[%(default)s]")
    return found


def _work(words: list[str]) -> str:
    args = parser().parse_args(words)
    require(args.dances >= _FOLDS, f"dances is {args.dances}; use {_FOLDS} or more.")
    net = load_rhythm(args.weights or default_weights("rhythm"))
    examples = list(examples_of(net, args.dances))
    report = {
        "weights": dict(zip(SIGNS, fit(examples).round(2).tolist(), strict=True)),
        "examples": len(examples),
        **{name: round(value, 3) for name, value in cross_validated(examples).items()},
    }
    return json.dumps(report, indent=1) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv)


if __name__ == "__main__":
    raise SystemExit(main())
