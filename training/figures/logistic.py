"""Confidence by logistic regression: how likely something is right, from a few signs of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .calibration import reliability

FOLDS = 5
_RIDGE = 2e-4


@dataclass(frozen=True, eq=False)
class Example:
    """One thing that was right or not."""

    cues: np.ndarray
    """float64 [cues]."""
    right: bool
    weight: float
    group: int
    """What belongs together is never in two folds."""


def fit(examples: Sequence[Example]) -> np.ndarray:
    """Bias and weights float64 [1 + cues] of a ridge logistic regression, by Newton steps."""
    signs = np.stack([np.r_[1.0, e.cues] for e in examples])
    right = np.array([e.right for e in examples], float)
    weight = np.array([e.weight for e in examples]) / len(examples)
    ridge = np.diag([0.0] + [_RIDGE] * (signs.shape[1] - 1))
    found = np.zeros(signs.shape[1])
    for _ in range(50):
        sure = 1 / (1 + np.exp(-signs @ found))
        slope = signs.T @ (weight * (right - sure)) - ridge @ found
        curvature = (signs.T * (weight * sure * (1 - sure))) @ signs + ridge
        found = found + np.linalg.solve(curvature + 1e-9 * np.eye(len(found)), slope)
    return found


def probabilities(examples: Sequence[Example], found: np.ndarray) -> np.ndarray:
    """What the fit says of each example, [N]."""
    return 1 / (1 + np.exp(-np.stack([np.r_[1.0, e.cues] for e in examples]) @ found))


def cross_validated_error(examples: Sequence[Example]) -> float:
    """Calibration error on whole groups that the fit did not see."""
    sure, right = [], []
    for fold in range(FOLDS):
        rest = [e for e in examples if e.group % FOLDS != fold]
        ours = [e for e in examples if e.group % FOLDS == fold and e.weight == 1.0]
        sure.append(probabilities(ours, fit(rest)))
        right.append(np.array([e.right for e in ours]))
    return reliability(np.concatenate(sure), np.concatenate(right)).error


def report_of(examples: Sequence[Example], names: Sequence[str]) -> str:
    """What a fit to the examples found, as JSON; `names` are those of the cues."""
    found = fit(examples)
    report = {
        "bias": round(float(found[0]), 2),
        "weights": dict(zip(names, found[1:].round(2).tolist(), strict=True)),
        "examples": len(examples),
        "right": round(float(np.mean([e.right for e in examples])), 3),
        "calibration_error": round(cross_validated_error(examples), 3),
    }
    return json.dumps(report, indent=1) + "\n"
