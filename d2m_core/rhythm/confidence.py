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

CUES = ("contrast", "on beats", "over offbeats", "accents")
"""What the probability is made of, see `cues`."""
_BIAS = -3.57
_WEIGHTS = np.array([1.1, 2.45, 3.84, 0.25])
"""Logistic regression on 675 grids of the shipped network (`python -m training.fit_confidence
--dances 300`: studio dances of 10 s, some cut short, some with heavier errors or most frames lost);
right is a beat F of 0.7. Calibration error, cross-validated by dance: 0.024. Margins in likelihood
over chains of other tempi, and over half or double, and the clip's length changed the
log-likelihood of an earlier network's by less than 0.01. Fit anew for a new network."""


def confidence(curve: np.ndarray, beats_s: np.ndarray, tempo_bpm: float, felt: np.ndarray) -> float:
    """Probability, 0..1, that a dance's beats reach an F of 0.7 at 70 ms.

    Arguments as in `cues`.
    """
    odds = _BIAS + float(_WEIGHTS @ cues(curve, beats_s, tempo_bpm, felt))
    return float(1 / (1 + np.exp(-odds)))


def cues(curve: np.ndarray, beats_s: np.ndarray, tempo_bpm: float, felt: np.ndarray) -> np.ndarray:
    """Signs that beats are right, each about 0..1, float64 [len(CUES)].

    In the order of `CUES`: `contrast`; the curve's mean on beats; how much higher that is than
    halfway between them; and how high felt accents reach.

    Args:
        curve: Beat activation at `RATE`, 0..1 [S].
        beats_s: Beats, [M].
        tempo_bpm: Their tempo.
        felt: Accents as the network feels them, 0..1 [F] at any rate.
    """
    on = mean_at(curve, beats_s)
    off = mean_at(curve, (beats_s[1:] + beats_s[:-1]) / 2)
    reach = min(1.0, float(np.percentile(felt, _FELT_PERCENT)) / _FELT_BY_DANCERS)
    return np.array([contrast(curve, 60 / tempo_bpm), on, on - off, reach])


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
