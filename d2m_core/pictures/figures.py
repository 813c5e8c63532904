"""Bodies as a few lines each: small enough to be drawn beside every beat, wherever lines can be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..pose.landmarks import ANKLES, ELBOWS, HIPS, KNEES, SHOULDERS, WRISTS
from ..types import PoseSequence

_LINES = (
    *zip(SHOULDERS, HIPS, strict=True),
    SHOULDERS,
    HIPS,
    *(pair for side in (0, 1) for pair in pairwise(p[side] for p in (SHOULDERS, ELBOWS, WRISTS))),
    *(pair for side in (0, 1) for pair in pairwise(p[side] for p in (HIPS, KNEES, ANKLES))),
)
"""Pairs of landmarks that a line joins."""


@dataclass(frozen=True, eq=False)
class StickFigure:
    """A body at a moment, as lines in a square of side 1."""

    time_s: float
    lines: np.ndarray
    """float32 [L, 4]: x1, y1, x2, y2; x from -0.5 to 0.5 around the body's middle, y from 0 down to 1."""


def stick_figures(poses: PoseSequence, most: int = 120, person: int = 0) -> list[StickFigure]:
    """At most `most` figures of one person, evenly spread over the frames that show them.

    All are to one scale, the tallest figure's, so that one who crouches is small. Lines to joints that
    were not seen are left out.
    """
    shown = np.flatnonzero(poses.present[:, person])
    step = max(1, -(-poses.frames // most))
    boxes = {int(frame): _lines(poses, int(frame), person) for frame in shown if frame % step == 0}
    boxes = {frame: lines for frame, lines in boxes.items() if len(lines)}
    size = max((float(_extent(lines).max()) for lines in boxes.values()), default=0.0)
    if size <= 0:
        return []
    return [StickFigure(frame / poses.fps, _placed(lines, size)) for frame, lines in boxes.items()]


def _lines(poses: PoseSequence, frame: int, person: int) -> np.ndarray:
    """Lines [L, 4] in heights of the picture."""
    image, seen = poses.image[frame, person], poses.visibility[frame, person] > 0
    pairs = [pair for pair in _LINES if seen[list(pair)].all()]
    return image[pairs].reshape(-1, 4) if pairs else np.zeros((0, 4), np.float32)


def _extent(lines: np.ndarray) -> np.ndarray:
    """Width and height of lines [L, 4]."""
    return np.ptp(lines.reshape(-1, 2), axis=0)


def _placed(lines: np.ndarray, size: float) -> np.ndarray:
    """Lines [L, 4] in a square of side 1: feet at its floor, the body in its middle."""
    points = lines.reshape(-1, 2)
    low, high = points.min(axis=0), points.max(axis=0)
    origin = np.array([(low[0] + high[0]) / 2, high[1] - size])
    return ((points - origin) / size).reshape(-1, 4).astype(np.float32)
