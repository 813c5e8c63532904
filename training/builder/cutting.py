"""Where to cut: changes of shot, and the windows between them.

A change of shot is where the colours of the whole picture jump from one frame to the next, and stay
so. A dancer, however fast, changes few of a picture's colours and keeps changing them; a camera
that pans changes them bit by bit; a flash gives them back. So a jump counts only if it is large,
stands out from the jumps around it, and the picture before differs from the one after.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from d2m_core.media import iter_frames
from d2m_core.types import VideoClip

from .gates import SHOT_CHANGE, TOO_SHORT
from .settings import Cutting

SHOT_FPS = 25.0
SHOT_HEIGHT = 96
"""Rate and height of the pictures that are compared."""

_BINS = (12, 4, 4)
"""Of hue, saturation and value."""
_PARTS = 2
"""The picture is compared in so many rows and columns of parts, that the median of them tells."""
_LEAST_JUMP = 0.2
"""Smallest change, 0 (same colours) to 1 (none in common)."""
_STANDS_OUT = 4.0
"""How many times larger than usual changes nearby."""
_AROUND_S = 1.0
_FLASH_S = 0.28
"""A change that is taken back within this time is a flash."""
_STEP_S = 0.2
"""Clips shorter than asked are a multiple of this long, which every rate of frames can show."""


@dataclass(frozen=True)
class Cut:
    """A window of a recording."""

    number: int
    start_s: float
    """From the recording's start."""
    seconds: float
    drop: str = ""
    """Why it is not even looked at; empty if it is."""


def find_shots(clip: VideoClip) -> list[float]:
    """Times in a clip at which another shot begins, seconds from its start, rising."""
    looks = [_look(frame.rgb) for frame in iter_frames(clip, SHOT_FPS, SHOT_HEIGHT)]
    return changes(np.array(looks), SHOT_FPS)


def changes(looks: np.ndarray, fps: float) -> list[float]:
    """Times at which the looks of pictures [F, parts, bins] change for good."""
    if len(looks) < 3:
        return []
    jumps = _difference(looks[1:], looks[:-1])  # [F - 1], the first from picture 0 to 1
    reach, flash = round(_AROUND_S * fps), max(1, round(_FLASH_S * fps))
    found: list[int] = []
    for place in np.flatnonzero(jumps >= _LEAST_JUMP).tolist():
        nearby = jumps[max(0, place - reach) : place + reach + 1]
        others = np.sort(nearby)[: max(1, int(0.9 * len(nearby)))]
        usual = float(np.median(others)) + 2 * float(np.std(others))
        if jumps[place] < _STANDS_OUT * usual or jumps[place] < nearby.max() * 0.8:
            continue
        before = looks[max(0, place - flash + 1)]
        after = looks[min(place + flash, len(looks) - 1)]
        if _difference(before[None], after[None])[0] < _LEAST_JUMP:
            continue
        if found and place - found[-1] <= flash:
            continue
        found.append(place)
    return [(place + 1) / fps for place in found]


def _look(rgb: np.ndarray) -> np.ndarray:
    """Colour histograms [parts, bins] of a picture's parts, each with sum 1."""
    import cv2

    colours = cv2.cvtColor(cv2.GaussianBlur(rgb, (5, 5), 0), cv2.COLOR_RGB2HSV)
    histograms = []
    for rows in np.array_split(colours, _PARTS, axis=0):
        for part in np.array_split(rows, _PARTS, axis=1):
            ranges = [0, 180, 0, 256, 0, 256]
            flat = cv2.calcHist([np.ascontiguousarray(part)], [0, 1, 2], None, list(_BINS), ranges)
            histograms.append(flat.ravel() / max(1.0, float(flat.sum())))
    return np.array(histograms, np.float32)


def _difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Difference 0..1 of looks [n, parts, bins]: of all parts but the most and least changed."""
    shared = np.sqrt(one * other).sum(-1)  # Bhattacharyya, [n, parts]
    return np.median(np.sqrt(np.maximum(0.0, 1.0 - shared)), axis=-1)


# --- windows ---


def cut(seconds: float, shots: Iterable[float], how: Cutting) -> list[Cut]:
    """Windows of a recording of so many seconds in which the given shots begin."""
    edges = [0.0, *(shot for shot in shots if 0.0 < shot < seconds), seconds]
    if how.shots == "ignore":
        edges = [0.0, seconds]
    spans = list(pairwise(edges)) if how.shots == "split" else [(0.0, seconds)]
    cuts: list[Cut] = []
    for start_s, end_s in spans:
        for first_s, length_s in _windows(end_s - start_s, how):
            at_s = round(start_s + first_s, 3)
            drop = "" if length_s >= how.least_s - 1e-3 else TOO_SHORT
            if not drop and any(at_s < edge < at_s + length_s for edge in edges[1:-1]):
                drop = SHOT_CHANGE
            cuts.append(Cut(len(cuts), at_s, length_s, drop))
    return cuts


def _windows(seconds: float, how: Cutting) -> list[tuple[float, float]]:
    """Start and length of the windows of one shot; what is left at its end comes last."""
    found, start_s = [], 0.0
    while seconds - start_s >= how.seconds - 1e-3:
        found.append((start_s, how.seconds))
        start_s += how.seconds - how.overlap
    new_s = start_s + how.overlap if found else 0.0  # from here on nothing was taken yet
    rest_s = round(int((seconds - start_s) / _STEP_S + 1e-6) * _STEP_S, 3)
    if rest_s > 0 and seconds - new_s > _STEP_S:
        found.append((start_s, rest_s))
    return found
