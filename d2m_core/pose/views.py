"""Parts of a picture to look for people in: cut out, and what was found put back.

Upright: turned by a quarter, parts show no more of people on the floor (two drawn groups, 20 pictures: in all
but two or three the same people were found either way, and there upright did as well or better).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .landmarker import Body, Landmarker
from .track import BODY

_NEAR_EDGE = 0.04
"""A body this near to the edge of a part, in its sides, may go on beyond it."""


@dataclass(frozen=True)
class View:
    """A part of a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def cut(self, rgb: np.ndarray) -> np.ndarray:
        """This part of a picture [H, W, 3]; black where it reaches over the edge."""
        height, width = rgb.shape[:2]
        top, left = max(self.top, 0), max(self.left, 0)
        bottom, right = min(self.top + self.height, height), min(self.left + self.width, width)
        part = rgb[top:bottom, left:right]
        if part.shape[:2] != (self.height, self.width):
            whole = np.zeros((self.height, self.width, 3), np.uint8)
            whole[top - self.top : bottom - self.top, left - self.left : right - self.left] = part
            part = whole
        return part

    def put_back(self, body: Body, frame_height: int) -> Body:
        """A body found in the part, in the axes and heights of the whole picture."""
        image = (body.image * self.height + (self.left, self.top)) / frame_height
        return Body(body.world, image.astype(np.float32), body.visibility)

    def cuts_off(self, body: Body, shape: tuple[int, ...]) -> bool:
        """Whether a body, already put back, reaches an edge of the part that is none of the picture's."""
        height, width = shape[:2]
        points = body.image[BODY] * height
        near = _NEAR_EDGE * min(self.width, self.height)
        low, high = points.min(axis=0) - near, points.max(axis=0) + near
        inner = (self.left > 0, self.top > 0, self.left + self.width < width, self.top + self.height < height)
        over = (
            low[0] < self.left, low[1] < self.top,
            high[0] > self.left + self.width, high[1] > self.top + self.height,
        )  # fmt: skip
        return any(a and b for a, b in zip(inner, over, strict=True))


def find_in(landmarker: Landmarker, rgb: np.ndarray, view: View, time_ms: int = 0) -> list[Body]:
    """The bodies that a part of a picture shows, in heights of the whole picture."""
    found = landmarker.find(view.cut(rgb), time_ms)
    return [view.put_back(body, rgb.shape[0]) for body in found]


def whole(rgb: np.ndarray) -> View:
    """All of a picture."""
    return View(0, 0, rgb.shape[1], rgb.shape[0])


def tiles(rgb: np.ndarray, share: float = 0.6) -> list[View]:
    """Overlapping squares of `share` of the shorter side, in which small people are large."""
    height, width = rgb.shape[:2]
    side = max(64, round(share * min(width, height)))
    return [View(left, top, side, side) for top in _starts(height, side) for left in _starts(width, side)]


def _starts(length: int, side: int) -> list[int]:
    count = max(1, int(np.ceil(1.5 * length / side)) - 1) if length > side else 1
    return [round(v) for v in np.linspace(0, length - side, count)]
