"""What the band reads off a dance: accents to hit, stillness to keep, bars where the dance changes.

All of it comes from motion features, or from the rhythm's curves where there is no motion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from ..types import MOTION_FPS, MotionFeatures, Rhythm

LEAST_ACCENT = 0.3
"""Strength from which an accent is answered."""
_STILL_SHARE, _STILL_SPEED = 0.2, 0.06
"""Of the dance's usual speed, and in body heights per second: slower than both is still."""
_STILL_S = 0.45
"""Stillness shorter than this is a breath, not a stop."""
_CHANGES = (
    *"total_speed total_decel brake speed_band_3 speed_band_4 bounce_energy_2 bounce_energy_3".split(),
    *"wrist_y_l wrist_y_r wrist_speed_l wrist_speed_r ankle_speed_l ankle_speed_r".split(),
    *"hip_height knee_bend_l knee_bend_r elbow_bend_l elbow_bend_r lean sway root_x turns present".split(),
    *"yaw_sin yaw_cos shoulder_yaw_v".split(),
)
"""Columns that tell one part of a dance from the next."""
_LONGEST, _SHORTEST = 16, 2
"""Bars of a section."""
_PRICE = 2.2
"""What one more section costs, in changes from bar to bar."""
_LEAST_NOISE = 0.02
"""Of each column's variance: what changes less from bar to bar does not change."""
_ODD_PRICE = 0.25
"""More, for a section whose length is no power of two."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What the band answers, per motion frame and moment."""

    accents_s: np.ndarray
    """float64 [A], rising."""
    strengths: np.ndarray
    """float64 [A] in 0..1."""
    energy: np.ndarray
    """float64 [F] in 0..1."""
    still: np.ndarray
    """bool [F]: nobody there, or nobody moves."""
    looks: np.ndarray
    """float64 [F, n]: what changes where the dance does, of unit deviation."""


def see_dance(rhythm: Rhythm, motion: MotionFeatures | None) -> Seen:
    """Reads a dance; without `motion` the rhythm's accent and energy have to do."""
    frames = len(rhythm.curves)
    energy = scipy.ndimage.gaussian_filter1d(
        rhythm.energy.astype(np.float64), 0.3 * MOTION_FPS, mode="nearest"
    )
    if motion is None or not {"accent", "total_speed", "present"} <= set(motion.names):
        times, heights = peaks_of(rhythm.accent)
        return Seen(times, heights, energy, np.zeros(frames, bool), _unit(rhythm.curves))
    accent = _column(motion, "accent", frames)
    times, heights = peaks_of(accent)
    columns = [_column(motion, name, frames) for name in _CHANGES if name in motion.names]
    return Seen(times, heights, energy, _still(motion, frames), _unit(np.stack(columns, axis=1)))


def _column(motion: MotionFeatures, name: str, frames: int) -> np.ndarray:
    """One column, float64 [frames]; the dance's end goes on where it is shorter."""
    values = motion.values[:, motion.names.index(name)].astype(np.float64)
    return np.pad(values, (0, max(0, frames - len(values))), mode="edge")[:frames]


def _unit(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, np.float64)
    away = values - values.mean(0)
    return away / np.maximum(away.std(0), 1e-3)


def peaks_of(curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Seconds and heights, float64 [A] each, of the bumps in a curve of accents.

    Bumps are Gaussian, so that a parabola through their logarithm finds where they are between
    frames.
    """
    padded = np.pad(np.asarray(curve, np.float64), 1)
    middle, before, after = padded[1:-1], padded[:-2], padded[2:]
    at = np.flatnonzero((middle >= LEAST_ACCENT) & (middle >= before) & (middle > after))
    one, two, three = (np.log(np.maximum(x[at], 1e-6)) for x in (before, middle, after))
    shift = np.clip(0.5 * (one - three) / np.minimum(one - 2 * two + three, -1e-9), -0.5, 0.5)
    height = np.exp(two - 0.25 * (one - three) * shift)
    return (at + shift) / MOTION_FPS, np.clip(height, 0.0, 1.0)


def _still(motion: MotionFeatures, frames: int) -> np.ndarray:
    """bool [frames]: stretches in which nobody is there, or moves."""
    speed = scipy.ndimage.uniform_filter1d(_column(motion, "total_speed", frames), 5, mode="nearest")
    here = _column(motion, "present", frames) > 0.5
    usual = float(np.median(speed[here])) if here.any() else 0.0
    still = ~here | (speed < min(_STILL_SPEED, _STILL_SHARE * usual))
    return long_runs(still, round(_STILL_S * MOTION_FPS))


def long_runs(marks: np.ndarray, least: int) -> np.ndarray:
    """bool [F]: `marks` without runs of fewer than `least` frames."""
    out = np.zeros(len(marks), bool)
    edges = np.flatnonzero(np.diff(np.r_[False, marks, False].astype(int)))
    for low, high in edges.reshape(-1, 2):
        out[low:high] = high - low >= least
    return out


def changes_of(looks: np.ndarray) -> list[int]:
    """First bars of sections, from what each bar looks like, float64 [bars, n].

    The cut with the least spread inside sections; each section costs something, an odd length more
    (penalised segmentation by dynamic programming, as in Killick et al. 2012, without pruning).
    """
    bars = len(looks)
    if bars < 2 * _SHORTEST:
        return [0]
    total = np.r_[np.zeros((1, looks.shape[1])), looks.cumsum(0)]
    square = np.r_[0.0, (looks**2).sum(1).cumsum()]
    noise = max(float((np.diff(looks, axis=0) ** 2).sum(1).mean()) / 2, _LEAST_NOISE * looks.shape[1])
    best, came = np.full(bars + 1, np.inf), np.zeros(bars + 1, int)
    best[0] = 0.0
    for end in range(1, bars + 1):
        for length in range(1, min(_LONGEST, end) + 1):
            short = length < _SHORTEST and end not in (length, bars)
            start = end - length
            mean = total[end] - total[start]
            spread = square[end] - square[start] - float(mean @ mean) / length
            odd = _ODD_PRICE * (length & (length - 1) != 0) + 1e6 * short
            cost = best[start] + spread + noise * (_PRICE + odd)
            if cost < best[end]:
                best[end], came[end] = cost, start
    firsts = [bars]
    while firsts[-1] > 0:
        firsts.append(int(came[firsts[-1]]))
    return sorted(firsts[1:])
