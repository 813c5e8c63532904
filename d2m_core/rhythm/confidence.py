"""How sure a beat grid is: what stands out in its curve, and the probability that it is right."""

from __future__ import annotations

import numpy as np
import scipy

from ..grid import TEMPO_RANGE_BPM
from .curves import RATE, read_at

_FOLD_BINS = 48
_STRETCH_S = 8.0
_FLOOR = 0.02
"""Curves more even than this are even."""
_NEAR = 0.06
"""Tempi within so much (natural log) are the same."""
_RELATED = np.array([1, 2, 1 / 2, 3, 1 / 3, 3 / 2, 2 / 3, 4 / 3, 3 / 4, 4, 1 / 4])
_FELT_BY_DANCERS, _FELT_PERCENT = 0.3, 95.0
"""A curve of felt accents whose percentile lies here or higher belongs to somebody who surely dances."""

CUES = ("contrast", "tempo", "accents")
"""What the probability is made of, see `cues`."""
_BIAS = -4.57
_WEIGHTS = np.array([1.55, 2.46, 3.44])
"""Logistic regression on 320 grids of the shipped network (`python -m training.fit_confidence
--dances 160`: studio dances of 12 s, whole and halved, every second one hard to see); right is a beat F
of 0.7. Calibration error on whole dances that are easy to see, cross-validated: 0.092; an exact one would
show 0.05. Fit anew for a new network."""
_SUREST, _ODDS = 0.99, 4.0
"""No tempo is taken as surer than this, or as less sure than 1 less this; log odds in a cue of 1."""


def confidence(curve: np.ndarray, tempo_bpm: float, felt: np.ndarray, likely: float) -> float:
    """Probability, 0..1, that a dance's beats reach an F of 0.7 at 70 ms.

    Arguments as in `cues`.
    """
    odds = _BIAS + float(_WEIGHTS @ cues(curve, tempo_bpm, felt, likely))
    return float(1 / (1 + np.exp(-odds)))


def cues(curve: np.ndarray, tempo_bpm: float, felt: np.ndarray, likely: float) -> np.ndarray:
    """Signs that beats are right, each about 0..1, float64 [len(CUES)].

    In the order of `CUES`: `contrast`; the log odds of the tempo; and how high felt accents reach. How
    high the curve itself is on the beats is left out: a network's curves are low on dances unlike those
    that it learned, however right the beats are.

    Args:
        curve: Beat activation at `RATE`, 0..1 [S].
        tempo_bpm: The tempo of the beats.
        felt: Accents as the network feels them, 0..1 [F] at any rate.
        likely: How likely that tempo is by the whole clip, 0..1 (`tempo.chance_of`).
    """
    sure = float(np.clip(likely, 1 - _SUREST, _SUREST))
    reach = min(1.0, float(np.percentile(felt, _FELT_PERCENT)) / _FELT_BY_DANCERS)
    return np.array([contrast(curve, 60 / tempo_bpm), np.log(sure / (1 - sure)) / _ODDS, reach])


def contrast(curve: np.ndarray, period_s: float, range_bpm: tuple[float, float] = TEMPO_RANGE_BPM) -> float:
    """0..1: how far a pulse stands out over unrelated tempi, averaged over stretches.

    A tempo's score is how uneven the curve is when it is folded at that tempo. Simple multiples of
    the pulse are left out: they fold the same peaks onto each other.
    """
    low, high = range_bpm
    periods = 60 / np.geomspace(low, high, 120)
    distance = np.abs(np.log(periods / period_s) - np.log(_RELATED)[:, None])  # [ratios, periods]
    ours, related = distance[0] < _NEAR, (distance < _NEAR).any(0)
    size = min(len(curve), int(_STRETCH_S * RATE))
    marks = []
    for start in range(0, max(1, len(curve) - size // 2), max(1, size // 2)):
        part = curve[start : start + size]
        scores = np.array([np.ptp(_folded(part, period)) for period in periods])
        mine, others = scores[ours].max(initial=0.0), scores[~related].max(initial=_FLOOR)
        marks.append(np.clip(mine / others - 1, 0, 1))
    return float(np.mean(marks))


def _folded(curve: np.ndarray, period_s: float) -> np.ndarray:
    """Mean of the curve at each phase of a period, [_FOLD_BINS], smoothed a little."""
    phase = (np.arange(len(curve)) / RATE / period_s) % 1.0
    bins = np.minimum((phase * _FOLD_BINS).astype(int), _FOLD_BINS - 1)
    total = np.bincount(bins, curve, _FOLD_BINS)
    mean = total / np.maximum(np.bincount(bins, minlength=_FOLD_BINS), 1)
    return scipy.ndimage.gaussian_filter1d(mean, 1.0, mode="wrap")


def mean_at(curve: np.ndarray, times_s: np.ndarray) -> float:
    if len(times_s) == 0:
        return 0.0
    return float(read_at(curve, times_s).mean())
