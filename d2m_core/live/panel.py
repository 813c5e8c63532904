"""What a session says of itself in its picture: beats of the bar, tempo, energy, hits, a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..pictures.colours import BEAT, DARK, DOWNBEAT, Colour
from .sources import import_opencv

_ENERGY: Colour = (90, 220, 160)
_HIT: Colour = (255, 70, 190)
_GLOW_BEATS = 0.6
"""A beat's dot shines for so long."""
_HIT_S = 0.25
_STRIP, _METER = 0.11, 0.5
"""Shares of the picture's height: of the strip below, and of the meter at the right."""
_FONT = 0  # OpenCV's plain one


@dataclass(frozen=True)
class Mood:
    """What is shown, as it is heard now."""

    energy: float = 0.0
    """0..1."""
    beat: float | None = None
    """From the piece's first bar line; None where nothing plays."""
    metre: int = 4
    title: str = ""
    """Such as "118 BPM  house  verse"."""
    hit_s: float = np.inf
    """Seconds since the last hit."""
    hit: float = 0.0
    """How strong it was, 0..1."""
    words: str = ""
    """A sentence for the dancer."""


def draw_panel(rgb: np.ndarray, mood: Mood) -> np.ndarray:
    """Draws it into a picture uint8 [H, W, 3], and returns that."""
    cv2 = import_opencv()
    height, width = rgb.shape[:2]
    tall = max(14, round(min(height * _STRIP, width * 0.16)))
    strip = rgb[height - tall :]
    strip[:] = strip // 4 + np.array(DARK, np.uint8) * 3 // 4
    left = _draw_dots(cv2, strip, mood) if mood.beat is not None else tall // 3
    room = width - left - tall // 3
    _write(cv2, strip, mood.title if mood.beat is not None else mood.words, left, tall / 2, room, tall * 0.4)
    if mood.beat is not None and mood.words:
        _write_above(cv2, rgb, mood.words, tall)
    _draw_meter(cv2, rgb, mood.energy, tall)
    if mood.hit_s < _HIT_S:
        fresh = 1 - mood.hit_s / _HIT_S
        thick = max(2, round(height * 0.03 * (0.4 + 0.6 * mood.hit) * fresh))
        cv2.rectangle(rgb, (0, 0), (width - 1, height - tall - 1), _HIT, thick)
    return rgb


def _draw_dots(cv2: Any, strip: np.ndarray, mood: Mood) -> int:
    """A dot for each beat of the bar; where the text may begin, in pixels."""
    assert mood.beat is not None
    tall = len(strip)
    number, share = int(mood.beat // 1) % mood.metre, mood.beat % 1.0
    glow = max(0.0, 1 - share / _GLOW_BEATS)
    for k in range(mood.metre):
        centre = (round(tall * (0.6 + 0.72 * k)), tall // 2)
        colour = DOWNBEAT if k == 0 else BEAT
        lit = (0.35 + 0.65 * glow) if k == number else 0.0
        inside = tuple(round(dark + (shine - dark) * lit) for shine, dark in zip(colour, DARK, strict=True))
        radius = round(tall * (0.2 + 0.08 * glow * (k == number)))
        cv2.circle(strip, centre, radius, inside, -1, cv2.LINE_AA)
        cv2.circle(strip, centre, radius, colour, max(1, tall // 24), cv2.LINE_AA)
    return round(tall * (0.6 + 0.72 * mood.metre))


def _draw_meter(cv2: Any, rgb: np.ndarray, energy: float, tall: int) -> None:
    """A column at the right, filled from below."""
    height, width = rgb.shape[:2]
    wide, gap = max(6, tall // 4), max(4, tall // 4)
    low, high = height - tall - gap, height - tall - gap - round(_METER * height)
    left, right = width - gap - wide, width - gap
    column = rgb[high:low, left:right]
    column[:] = column // 4 + np.array(DARK, np.uint8) * 3 // 4
    level = round(np.clip(energy, 0, 1) * (low - high))
    rgb[low - level : low, left:right] = _ENERGY
    cv2.rectangle(rgb, (left - 1, high - 1), (right, low), BEAT, 1)


def _write(cv2: Any, rgb: np.ndarray, text: str, left: int, middle: float, room: int, size: float) -> None:
    """Text of so many pixels' height from a place on, smaller where it has no room."""
    if not text or room < 8:
        return
    (wide, tall), _ = cv2.getTextSize(text, _FONT, 1.0, 1)
    scale = min(size / tall, room / wide)
    spot = (left, round(middle + tall * scale / 2))
    cv2.putText(rgb, text, spot, _FONT, scale, BEAT, max(1, round(1.6 * scale)), cv2.LINE_AA)


def _write_above(cv2: Any, rgb: np.ndarray, text: str, tall: int) -> None:
    """A sentence at the top of the picture, on a dark ground."""
    strip = rgb[: round(tall * 0.7)]
    strip[:] = strip // 4 + np.array(DARK, np.uint8) * 3 // 4
    _write(cv2, strip, text, tall // 3, len(strip) / 2, rgb.shape[1] - 2 * (tall // 3), tall * 0.3)
