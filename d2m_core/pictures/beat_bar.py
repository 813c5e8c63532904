"""The strip under a clip that shows its rhythm passing by."""

from __future__ import annotations

import numpy as np

from ..types import Rhythm
from .colours import ACCENT, BEAT, DARK, DOWNBEAT, Colour

_NOW: Colour = (255, 70, 70)
_SPAN_S = 4.0
"""Seconds of rhythm in the strip; now is its middle."""
_GLOW_S = 0.18


def draw_beat_bar(rgb: np.ndarray, rhythm: Rhythm, time_s: float) -> np.ndarray:
    """A copy of `rgb` with a strip below: accents and beats passing by, and a lamp on each beat."""
    import cv2

    height, width = rgb.shape[:2]
    tall = max(16, round(height * 0.085))
    out = rgb.copy()
    strip = out[height - tall :]
    strip[:] = (strip * 0.25 + np.array(DARK) * 0.75).astype(np.uint8)
    middle = width / 2

    def column(at_s: np.ndarray) -> np.ndarray:
        return np.round(middle + (at_s - time_s) * width / _SPAN_S).astype(int)

    # Time runs to the left through a red line in the middle, which is now.
    times_s = np.arange(len(rhythm.curves)) / rhythm.fps
    near = np.abs(times_s - time_s) <= _SPAN_S / 2 + 1 / rhythm.fps
    if near.sum() > 1:
        level = tall - 1 - np.round(rhythm.accent[near] * 0.8 * tall).astype(int)
        curve = np.stack([column(times_s[near]), level], axis=1)
        floor = np.array([[curve[-1, 0], tall], [curve[0, 0], tall]])
        shade = strip.copy()
        cv2.fillPoly(shade, [np.concatenate([curve, floor])], ACCENT, cv2.LINE_AA)
        strip[:] = cv2.addWeighted(shade, 0.55, strip, 0.45, 0)
    for at, strong in zip(column(rhythm.beats_s), rhythm.downbeats, strict=True):
        if 0 <= at < width:
            top = round(tall * (0.12 if strong else 0.35))
            line_width = max(1, tall // (14 if strong else 24))
            colour = DOWNBEAT if strong else BEAT
            cv2.line(strip, (int(at), top), (int(at), tall), colour, line_width, cv2.LINE_AA)
    cv2.line(strip, (round(middle), 0), (round(middle), tall), _NOW, max(2, tall // 20))
    return _with_lamp(out, rhythm, time_s)


def _with_lamp(rgb: np.ndarray, rhythm: Rhythm, time_s: float) -> np.ndarray:
    """Lights a lamp in the top right corner on each beat, in place; gold on downbeats."""
    import cv2

    height, width = rgb.shape[:2]
    radius = max(6, round(height * 0.032))
    centre = (width - 2 * radius, 2 * radius)
    since_s = time_s - rhythm.beats_s
    past = np.flatnonzero(since_s >= -1e-6)
    glow = max(0.0, 1 - float(since_s[past[-1]]) / _GLOW_S) if len(past) else 0.0
    colour = DOWNBEAT if len(past) and rhythm.downbeats[past[-1]] else BEAT
    lamp = tuple(round(d + (c - d) * glow) for c, d in zip(colour, DARK, strict=True))
    cv2.circle(rgb, centre, round(radius * (1 + 0.25 * glow)), lamp, -1, cv2.LINE_AA)
    cv2.circle(rgb, centre, round(radius * (1 + 0.25 * glow)), colour, 2, cv2.LINE_AA)
    return rgb
