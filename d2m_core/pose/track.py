"""Who is who: gives the people found in each frame a slot that they keep for the whole clip."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..types import PoseSequence
from .landmarks import ANKLES, ELBOWS, HIPS, KNEES, NOSE, SHOULDERS


def fill_gaps(poses: PoseSequence, max_gap_s: float) -> PoseSequence:
    """Poses with gaps of up to `max_gap_s` between two sightings filled in a straight line.

    Nothing is filled across a cut. Filled frames count as present; a joint is as visible there as at
    the worse end of the gap.
    """
    arrays = [poses.world.copy(), poses.image.copy(), poses.visibility.copy()]
    present = poses.present.copy()
    longest = int(np.floor(max_gap_s * poses.fps + 1e-6))
    for person in range(poses.people):
        seen = np.flatnonzero(poses.present[:, person])
        for before, after in pairwise(seen):
            cut = any(before < cut_s * poses.fps <= after for cut_s in poses.cuts_s)
            if cut or not 0 < after - before - 1 <= longest:
                continue
            _fill(arrays, person, int(before), int(after))
            present[before:after, person] = True
    return replace(poses, world=arrays[0], image=arrays[1], visibility=arrays[2], present=present)


def _fill(arrays: list[np.ndarray], person: int, before: int, after: int) -> None:
    """Fills the frames between two sightings, in place."""
    world, image, visibility = arrays
    share = np.arange(1, after - before, dtype=np.float32) / np.float32(after - before)
    for points in (world, image):
        start, end = points[before, person], points[after, person]
        points[before + 1 : after, person] = start + share[:, None, None] * (end - start)
    visibility[before + 1 : after, person] = np.minimum(visibility[before, person], visibility[after, person])


BODY = np.array([NOSE, *SHOULDERS, *ELBOWS, *HIPS, *KNEES, *ANKLES])
"""Landmarks that place a body."""
_SAME_SIDE = np.arange(len(BODY))
_OTHER_SIDE = np.array([0, *(np.arange(1, len(BODY)).reshape(-1, 2)[:, ::-1].ravel())])
"""Where `BODY`'s landmarks of the other side stand in it."""


def body_distance(
    one: np.ndarray, other: np.ndarray, seen: tuple[np.ndarray, np.ndarray] | None = None
) -> np.ndarray:
    """Mean distance [...] of `BODY`'s joints [..., len(BODY), 2], left and right taken either way.

    The pose model changes its mind about left and right of somebody seen from behind. `seen`: how
    visible the joints of either are, 0..1 [..., len(BODY)]; where given they count by that.
    """
    straight, crossed = (_apart(one, other, seen, side) for side in (_SAME_SIDE, _OTHER_SIDE))
    return np.asarray(np.minimum(straight, crossed))


def _apart(
    one: np.ndarray, other: np.ndarray, seen: tuple[np.ndarray, np.ndarray] | None, side: np.ndarray
) -> np.ndarray:
    away = np.linalg.norm(one[..., side, :] - other, axis=-1)
    if seen is None:
        return np.asarray(away.mean(axis=-1))
    counts = np.minimum(seen[0][..., side], seen[1])
    return np.asarray((away * counts).sum(axis=-1) / np.maximum(counts.sum(axis=-1), 1e-6))


_NEAR = 0.15
"""A person may be this many body heights from where they are expected."""
_FORGET_PER_S = 2.5
"""For every second since they were seen, this many more: nobody dances across a room faster."""
_COLOUR_WEIGHT = 0.5
"""What fully different clothes cost, in body heights."""
_OTHER_CLOTHES = 0.25
"""Colours that differ by more (mean over red, green, blue) are never the same person's."""
_SAME_BODY = 0.08
"""Two detections nearer than this (body heights, mean over joints) are one person found twice."""
_FRESH_SLOT = 10.0
"""Cost of taking a slot nobody has had: more than any match, less than leaving a person out."""
_REFUSED = 1e6
_VELOCITY_MEMORY = 0.6
_VELOCITY_SPAN_S = 0.5
"""Someone out of sight is expected to walk on for so long, then to stand."""
_COLOUR_MEMORY = 0.95


@dataclass
class _Slot:
    """What is remembered of one person."""

    joints: np.ndarray  # [J, 2] where last seen, frame heights
    given: np.ndarray  # [J] bool
    velocity: np.ndarray  # [2] frame heights per second, of the body's middle
    colour: np.ndarray | None  # [3] mean colour of the clothes, 0..1
    time_s: float


class Tracker:
    """Assigns the people of one frame after another to `people` slots.

    A match costs the mean distance of the joints from where the slot's person is expected (in body
    heights), plus a difference in the clothes' colour if that is known; the cheapest assignment of
    all people at once is taken. Nobody jumps: who is too far from every slot's person waits until
    the person has been out of sight long enough to be there.
    """

    def __init__(self, people: int) -> None:
        self._slots: list[_Slot | None] = [None] * people

    def assign(
        self,
        time_s: float,
        joints: np.ndarray,  # [n, J, 2] frame heights
        given: np.ndarray,  # [n, J] bool
        colours: np.ndarray | None = None,  # [n, 3] 0..1
    ) -> dict[int, int]:
        """Detection index by slot for one frame; both in no more than one pair."""
        from scipy.optimize import linear_sum_assignment

        kept = distinct(joints, given)
        cost = np.full((len(self._slots), len(kept)), _REFUSED)
        for row, slot in enumerate(self._slots):
            for column, index in enumerate(kept):
                colour = None if colours is None else colours[index]
                cost[row, column] = _cost(slot, row, time_s, joints[index], given[index], colour)
        found = {}
        for row, column in zip(*linear_sum_assignment(cost), strict=True):
            if cost[row, column] < _REFUSED:
                index = int(kept[column])
                found[int(row)] = index
                colour = None if colours is None else colours[index]
                self._see(int(row), time_s, joints[index], given[index], colour)
        return found

    def _see(
        self, row: int, time_s: float, joints: np.ndarray, given: np.ndarray, colour: np.ndarray | None
    ) -> None:
        old = self._slots[row]
        velocity = np.zeros(2)
        if old is not None:
            both = _shared(old.given, given)
            if both.any() and time_s > old.time_s:
                moved = (joints[both] - old.joints[both]).mean(axis=0) / (time_s - old.time_s)
                velocity = _VELOCITY_MEMORY * old.velocity + (1 - _VELOCITY_MEMORY) * moved
            if old.colour is not None and colour is not None:
                colour = _COLOUR_MEMORY * old.colour + (1 - _COLOUR_MEMORY) * colour
        self._slots[row] = _Slot(joints, given, velocity, colour, time_s)


def distinct(joints: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Indices [n'] of the detections [n, J, 2], leaving out repeated finds of the same body."""
    kept: list[int] = []
    for index in range(len(joints)):
        size = body_height(joints[index], given[index])
        if not given[index].any() or size <= 0:
            continue
        distances = [_distance(joints[other], given[other], joints[index], given[index]) for other in kept]
        if all(distance > _SAME_BODY * size for distance in distances):
            kept.append(index)
    return np.array(kept, dtype=int)


def body_height(joints: np.ndarray, given: np.ndarray) -> float:
    """Rough size of a body [J, 2] in frame heights: the diagonal of the box around its joints."""
    points = joints[given]
    return float(np.hypot(*np.ptp(points, axis=0))) if len(points) else 0.0


def _cost(
    slot: _Slot | None,
    row: int,
    time_s: float,
    joints: np.ndarray,
    given: np.ndarray,
    colour: np.ndarray | None,
) -> float:
    if slot is None:
        return _FRESH_SLOT + row  # the first free slot first
    gap_s = time_s - slot.time_s
    expected = slot.joints + slot.velocity * min(gap_s, _VELOCITY_SPAN_S)
    size = max(body_height(joints, given), body_height(slot.joints, slot.given))
    distance = _distance(expected, slot.given, joints, given) / size
    if distance > _NEAR + _FORGET_PER_S * gap_s:
        return _REFUSED
    if slot.colour is not None and colour is not None:
        difference = float(np.abs(slot.colour - colour).mean())
        if difference > _OTHER_CLOTHES:
            return _REFUSED
        distance += _COLOUR_WEIGHT * difference
    return min(distance, _FRESH_SLOT - 1)


def _shared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Joints [J] both give: the body's own where there are any, else all."""
    both = a & b
    body = np.zeros_like(both)
    body[BODY] = both[BODY]
    return body if body.any() else both


def _distance(a: np.ndarray, a_given: np.ndarray, b: np.ndarray, b_given: np.ndarray) -> float:
    """Mean distance of the joints both give; of the middles where they share none."""
    both = _shared(a_given, b_given)
    if both.any():
        return float(np.linalg.norm(a[both] - b[both], axis=-1).mean())
    return float(np.linalg.norm(a[a_given].mean(axis=0) - b[b_given].mean(axis=0)))
