"""Somebody seen in a still: where, how large, how sure, and what they look like."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .landmarker import Body
from .landmarks import ANKLES, HIPS, KNEES, NOSE, SHOULDERS, TORSO
from .track import BODY, body_distance, body_height
from .views import View

_SAME = 0.12
"""Two bodies nearer than this (mean over joints, in body heights) are one found twice."""
_MIXED, _MIXED_PART = 0.12, 0.2
"""A body is a mixture where its joints lie so near to those of two others (mean, in body heights), a fair
part each."""
_AS_SURE = 0.9
"""But only of others that are nearly as sure: hands and feet seen by themselves explain nobody."""
_CUT_OFF = 0.7
"""How much is left of the certainty of a body that the edge of a part cuts."""
_SURE_INSIDE = 0.85
_LEAST_SEEN = 0.4
"""Mean visibility of shoulders, hips and knees below which nothing is believed."""


@dataclass(frozen=True, eq=False)
class Sighting:
    """One person in one still."""

    body: Body
    look: np.ndarray
    """float32 [12]: colours in 0..1 of chest, belly, thighs and shins."""
    sure: float
    """Mean visibility of trunk and knees, 0..1."""
    part: View | None = None
    """The closer part of the picture that alone shows them, if one does."""

    @cached_property
    def centre(self) -> np.ndarray:
        """Middle of the trunk [2] in frame heights."""
        return self.body.image[list(TORSO)].mean(axis=0)

    @cached_property
    def size(self) -> float:
        """Diagonal of the box around the joints, in frame heights."""
        return max(body_height(self.body.image[BODY], np.ones(len(BODY), np.bool_)), 1e-3)

    @cached_property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Upper left and lower right [2] of the box around the body's joints."""
        return self.body.image[BODY].min(axis=0), self.body.image[BODY].max(axis=0)

    def far_from(self, other: Body) -> float:
        """Mean distance of the joints from those of `other`, in body heights, whichever is left."""
        return float(body_distance(self.body.image[BODY], other.image[BODY])) / self.size

    def same_as(self, other: Body) -> bool:
        """Whether `other` is this very body, found again."""
        return self.far_from(other) < _SAME


def sightings_of(found: list[tuple[Body, bool]], rgb: np.ndarray) -> list[Sighting]:
    """The people that bodies found in parts of one picture stand for, each once, the surest first.

    With each body comes whether the edge of its part may cut it. Left out is what was found twice,
    mixed from two people, or imagined within somebody else's body.
    """
    seen = [
        Sighting(body, _look(rgb, body.image), _sure(body) * (_CUT_OFF if cut_off else 1.0))
        for body, cut_off in found
    ]
    seen = sorted((one for one in seen if one.sure >= _LEAST_SEEN), key=lambda one: -one.sure)
    kept: list[Sighting] = []
    for one in seen:
        if all(not _same(one, other) and not _imagined(one, other) for other in kept):
            kept.append(one)
    return _without_mixed(kept)


def _sure(body: Body) -> float:
    return float(body.visibility[[*TORSO, *KNEES, NOSE]].mean())


def _same(one: Sighting, other: Sighting) -> bool:
    """Whether the joints agree; or the trunks do, as where a part of the picture cut the legs off."""
    if one.same_as(other.body) or other.same_as(one.body):
        return True
    size = max(_trunk(one), _trunk(other))
    apart = np.linalg.norm(one.body.image[list(TORSO)] - other.body.image[list(TORSO)], axis=-1).mean()
    return float(apart) < 0.3 * size


def _imagined(one: Sighting, other: Sighting) -> bool:
    """Whether a doubtful body lies within another's box, as hands and folds of clothes make them."""
    (left, top), (right, bottom) = other.box
    room = 0.05 * other.size
    low, high = one.box
    inside = (
        low[0] > left - room and low[1] > top - room and high[0] < right + room and high[1] < bottom + room
    )
    odd = one.sure < _SURE_INSIDE or one.size < 0.4 * other.size or _trunk(one) < 0.15 * one.size
    return bool(inside and odd)


def _trunk(one: Sighting) -> float:
    """Length of the trunk, or its width where it is seen from above, in frame heights."""
    left, right, low_left, low_right = one.body.image[list(TORSO)]
    down = np.linalg.norm(left + right - low_left - low_right) / 2
    return max(float(down), float(np.linalg.norm(left - right)), 1e-3)


def _without_mixed(seen: list[Sighting]) -> list[Sighting]:
    """Those seen without bodies between bodies, the plainest left out first: it may explain others."""
    left = list(seen)
    while left:
        mixed = [_mixed(one, _as_sure(one, left)) for one in left]
        worst = int(np.argmin(mixed))
        if mixed[worst] >= _MIXED:
            break
        del left[worst]
    return left


def _as_sure(one: Sighting, seen: list[Sighting]) -> list[Sighting]:
    return [other for other in seen if other is not one and other.sure >= _AS_SURE * one.sure]


def _mixed(one: Sighting, others: list[Sighting]) -> float:
    """How far joints lie from the nearest of two others, in body heights; infinite with fewer."""
    if len(others) < 2:
        return np.inf
    joints = one.body.image[BODY]
    away = np.stack(
        [np.linalg.norm(joints[:, None] - other.body.image[BODY], axis=-1).min(axis=1) for other in others]
    )  # [others, len(BODY)]
    whose = np.bincount(away.argmin(axis=0), minlength=len(others)) / len(BODY)
    mean = float(away.min(axis=0).mean()) / one.size
    return mean if (whose > _MIXED_PART).sum() > 1 else np.inf


def _look(rgb: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Median colours [12] of chest, belly, thighs and shins of a body [J, 2] in frame heights.

    Not of the head: its colours change with every turn.
    """
    shoulders, hips = joints[list(SHOULDERS)], joints[list(HIPS)]
    across = np.linspace(0.25, 0.75, 5)[:, None]
    parts = []
    for near, far in ((0.1, 0.45), (0.5, 0.9)):
        rows = [shoulders + (hips - shoulders) * share for share in np.linspace(near, far, 4)]
        parts.append(np.concatenate([row[0] + (row[1] - row[0]) * across for row in rows]))
    knees, ankles = joints[list(KNEES)], joints[list(ANKLES)]
    for above, below in ((hips, knees), (knees, ankles)):
        parts.append(np.concatenate([above + (below - above) * share for share in (0.25, 0.4, 0.55, 0.7)]))
    height, width = rgb.shape[:2]
    colours = []
    for points in parts:
        spots = (points * height).astype(int)
        rows, columns = np.clip(spots[:, 1], 0, height - 1), np.clip(spots[:, 0], 0, width - 1)
        colours.append(np.median(rgb[rows, columns], axis=0))
    return (np.concatenate(colours) / 255.0).astype(np.float32)
