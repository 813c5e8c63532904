"""Beats of two clocks that agree up to an offset and a drift, brought together."""

from __future__ import annotations

import numpy as np

from d2m_core.scores.metrics import TOLERANCE_S

_OFFSETS_S = np.linspace(-0.6, 0.6, 61)
_DRIFTS = np.linspace(-0.02, 0.02, 41)
"""Seconds per second, either way."""


def fitted(beats_s: np.ndarray, reference_s: np.ndarray) -> np.ndarray:
    """The beats moved by the offset and drift that bring most of them within 70 ms of a reference.

    Offsets up to 0.6 s and drifts up to 20 ms per second are tried; of equals the smallest wins.
    This lifts any steady grid of about the right tempo, whatever its phase: give the control it
    too.
    """
    if len(beats_s) == 0 or len(reference_s) == 0:
        return beats_s
    away = beats_s - (beats_s[0] + beats_s[-1]) / 2
    drifts, offsets = (axis.ravel() for axis in np.meshgrid(_DRIFTS, _OFFSETS_S))
    moved = beats_s + offsets[:, None] + drifts[:, None] * away  # [tries, M]
    hits = (_distance(moved, reference_s) <= TOLERANCE_S).sum(1)
    size = np.abs(offsets) / _OFFSETS_S[-1] + np.abs(drifts) / _DRIFTS[-1]
    return moved[np.lexsort((size, -hits))[0]]


def _distance(times_s: np.ndarray, reference_s: np.ndarray) -> np.ndarray:
    """From each time to the nearest reference, in seconds; any shape."""
    after = np.searchsorted(reference_s, times_s)
    near = reference_s[np.clip([after - 1, after], 0, len(reference_s) - 1)]
    return np.abs(near - times_s).min(0)
