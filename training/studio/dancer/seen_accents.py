"""Accents as they are seen: where joints really come to a stop, and how hard."""

from __future__ import annotations

import numpy as np

from .tracks import smooth

_TOGETHER_S = 0.06
"""Accents nearer than this are one."""

_NEAR_S = 0.07
"""An accent is looked for within this of where it was meant."""

_FASTEST_JOINTS = 6
_WEAK_M_S2, _HARD_M_S2 = 1.5, 10.0
"""Decelerations below the first are no accent, those above the second a full one."""


def seen_accents(
    meant: tuple[tuple[float, float], ...], joints: np.ndarray, fps: float
) -> tuple[np.ndarray, np.ndarray]:
    """Times float64 [A], rising, and strengths float32 [A] in 0..1 of accents that can be seen.

    `meant` are (seconds, strength); each moves to the greatest deceleration of joints [F, J, 3]
    nearby, and those without one are left out.
    """
    stopping = deceleration(joints, fps)
    out: list[tuple[float, float]] = []
    for at, strength in sorted(meant):
        if strength <= 0.05 or not 0 <= at < len(joints) / fps:
            continue
        seen_s, hard = _nearest(stopping, at, fps)
        if hard < _WEAK_M_S2:
            continue
        strength *= 0.5 + 0.5 * min(1.0, hard / _HARD_M_S2)
        if out and seen_s - out[-1][0] < _TOGETHER_S:
            out[-1] = max(out[-1], (seen_s, strength), key=lambda accent: accent[1])
        else:
            out.append((seen_s, strength))
    table = np.array(out).reshape(-1, 2)
    return table[:, 0], np.clip(table[:, 1], 0.0, 1.0).astype(np.float32)


def deceleration(joints: np.ndarray, fps: float) -> np.ndarray:
    """Mean deceleration [F] in m/s² of the joints below the neck that slow down most."""
    if len(joints) < 4:
        return np.zeros(len(joints))
    steps = np.diff(joints[:, 11:33], axis=0)
    speed = smooth(np.sqrt(np.einsum("fjc,fjc->fj", steps, steps)) * fps, 0.02, fps)
    slowing = np.maximum(-np.diff(speed, axis=0) * fps, 0.0)  # [F - 2, J]
    most = np.partition(slowing, -_FASTEST_JOINTS, axis=1)[:, -_FASTEST_JOINTS:].mean(1)
    return np.pad(smooth(most, 0.02, fps), 1, mode="edge")


def _nearest(stopping: np.ndarray, at: float, fps: float) -> tuple[float, float]:
    """Time and height of the greatest value near a time, between frames by a parabola."""
    low = max(1, int(np.ceil((at - _NEAR_S) * fps)))
    high = min(len(stopping) - 1, int((at + _NEAR_S) * fps) + 1)
    here = stopping[low:high]
    top = (here >= stopping[low - 1 : high - 1]) & (here > stopping[low + 1 : high + 1])
    if high <= low or not top.any():
        return at, float(np.interp(at * fps, np.arange(len(stopping)), stopping))
    away = np.abs(np.arange(low, high) / fps - at) / _NEAR_S
    k = low + int(np.argmax(np.where(top, here * (1 - 0.6 * away), -1.0)))
    place = float(k)
    before, peak, after = (float(value) for value in stopping[k - 1 : k + 2])
    bend = before - 2 * peak + after
    place += 0.5 * (before - after) / bend if bend < 0 else 0.0
    return place / fps, peak
