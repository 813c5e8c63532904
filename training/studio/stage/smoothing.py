"""The filters between MediaPipe's networks and its answer, and noise with a memory."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

WORLD_FILTER = (0.1, 40.0)
IMAGE_FILTER = (0.05, 80.0)
"""Lowest cut-off in Hz and gain of MediaPipe's 1-euro filters (`pose_landmark_filtering.pbtxt`)."""

REGION_M = 2.2
"""Side of the square around a body that picture speeds are measured against, in metres."""

_DERIVATIVE_HZ = 1.0
VISIBILITY_MEMORY = 0.9
"""Share of the last visibility that stays (the same graph's low-pass filter)."""


def one_euro(values: np.ndarray, fps: float, filters: np.ndarray) -> np.ndarray:
    """The 1-euro filter (Casiez et al. 2012) over frames [F, ..., C].

    `filters` [C, 2]: lowest cut-off in Hz and gain of the speed, by channel.
    """
    steps = np.diff(values, axis=0, prepend=values[:1]) * fps
    share = _alpha(np.array(_DERIVATIVE_HZ), fps)
    speed = lfilter([share], [1.0, share - 1.0], steps, axis=0)
    alpha = _alpha(filters[:, 0] + filters[:, 1] * np.abs(speed), fps)
    out = np.empty_like(values)
    last = out[0] = values[0]
    keep, fresh = 1.0 - alpha, alpha * values
    for frame in range(1, len(values)):  # the weight changes with every step
        last = keep[frame] * last + fresh[frame]
        out[frame] = last
    return out


def _alpha(cutoff_hz: np.ndarray, fps: float) -> np.ndarray:
    """Weight of the newest value in a first-order low-pass filter."""
    return 1.0 / (1.0 + fps / (2 * np.pi * cutoff_hz))


def remembering(noise: np.ndarray, memory_s: float, fps: float) -> np.ndarray:
    """White unit noise [F, ...] -> unit noise that forgets in `memory_s` seconds."""
    keep = float(np.exp(-1.0 / (memory_s * fps)))
    push = np.sqrt(1.0 - keep * keep)
    start = noise[:1] * keep  # so that the spread is 1 from the first frame on
    out, _ = lfilter([push], [1.0, -keep], noise, axis=0, zi=start)
    return out


def low_passed(values: np.ndarray, keep: float) -> np.ndarray:
    """First-order low-pass [F, ...] that starts at the first value."""
    out, _ = lfilter([1.0 - keep], [1.0, -keep], values, axis=0, zi=keep * values[:1])
    return out
