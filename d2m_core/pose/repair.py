"""Wrong poses mended over a span: by what lies around it, by the other side, by hand, or not looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import SettingError, require
from ..settings import POSE_REPAIRS
from ..spans import Span
from ..types import LANDMARKS, PoseSequence
from .landmarks import ARMS, FACE, HIPS, LEGS, NOSE, PAIRS, SHOULDERS, TORSO

PARTS: Mapping[str, tuple[int, ...]] = {
    "whole body": tuple(range(LANDMARKS)),
    "left arm": ARMS[0::2],
    "right arm": ARMS[1::2],
    "left leg": LEGS[0::2],
    "right leg": LEGS[1::2],
    "head": FACE,
}
"""What may be wrong, and its landmarks; left and right are the dancer's."""

JOINTS: Mapping[str, int] = {"nose": NOSE} | {
    f"{side} {name}": pair[k] for name, pair in PAIRS.items() for k, side in enumerate(("left", "right"))
}
"""Landmarks by name, for points that are set by hand."""

_MIRRORED = np.arange(LANDMARKS)
for _one, _other in PAIRS.values():
    _MIRRORED[[_one, _other]] = _other, _one

_MIDDLES = {"arm": SHOULDERS, "leg": HIPS}
_SMOOTH_S = 0.12
"""So long before and after a span tells how fast the body moves there."""
_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
_POINT = re.compile(rf"{_NUMBER}\s*s?\s+([a-z ]+?)\s+{_NUMBER}[\s,]+{_NUMBER}", re.I)


@dataclass(frozen=True)
class Point:
    """Where a joint is at a moment, as seen in the picture."""

    time_s: float
    joint: str
    """One of `JOINTS`."""
    x: float
    """From the left edge, 0..1 of the width."""
    y: float
    """From the upper edge, 0..1 of the height."""


def parse_points(text: str) -> tuple[Point, ...]:
    """Points as `2.3 left wrist 0.41 0.22`: seconds, joint, and its place in shares of width and height.

    One a line, or with semicolons between. Raises `SettingError`.
    """
    points = []
    for line in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
        found = _POINT.fullmatch(line)
        joint = " ".join(found[2].lower().split()) if found else ""
        if found is None or joint not in JOINTS:
            raise SettingError(
                f"Point {line!r} is not understood; write seconds, joint, x and y (0 to 1), as in 2.3 left "
                f"wrist 0.41 0.22. Joints are {', '.join(JOINTS)}."
            )
        points.append(Point(float(found[1]), joint, float(found[3]), float(found[4])))
    return tuple(points)


def repair_poses(
    poses: PoseSequence,
    spans: Sequence[Span],
    method: str = POSE_REPAIRS[0],
    part: str = "whole body",
    points: Sequence[Point] = (),
) -> PoseSequence:
    """Poses with a part of everybody's body, of `PARTS`, mended within spans by one of `POSE_REPAIRS`.

    Frames within are then present, and as visible as at the worse end, but for those that are forgotten.
    Nothing is interpolated over a cut: the longer side's pose is held. Joints of `points` go through these
    within their span, of the first person. Raises `SettingError` where nobody is seen before or after a
    span, a method does not fit the part, or a point lies in no span.
    """
    require(method in POSE_REPAIRS, f"Method is {method!r}; choose {', '.join(POSE_REPAIRS)}.")
    require(part in PARTS, f"Part is {part!r}; choose {', '.join(PARTS)}.")
    require(
        method != "mirror" or part.endswith(("arm", "leg")),
        f"The {part} has no other side to mirror; choose an arm or a leg.",
    )
    stray = next((p for p in points if not any(s.start_s <= p.time_s <= s.end_s for s in spans)), None)
    if stray is not None:
        raise SettingError(f"A point lies at {stray.time_s:g} s, in none of the spans; add a span around it.")
    made = _Repaired.of(poses)
    for span in spans:
        inside = frames_of(span, poses)
        for person in range(poses.people):
            made.mend(inside, person, method, part)
        made.lead(inside, [point for point in points if span.start_s <= point.time_s <= span.end_s])
    return made.poses()


def frames_of(span: Span, poses: PoseSequence) -> range:
    """The frames of a span, at least one. Raises `SettingError` where it begins after the poses end."""
    first = round(span.start_s * poses.fps)
    if first >= poses.frames:
        raise SettingError(
            f"The span begins at {span.start_s:g} s and the poses last {poses.duration_s:g} s; choose an "
            "earlier one."
        )
    return range(first, min(max(round(span.end_s * poses.fps), first + 1), poses.frames))


@dataclass(frozen=True, eq=False)
class _Repaired:
    """Copies of the arrays of poses, mended in place."""

    source: PoseSequence
    world: np.ndarray
    image: np.ndarray
    visibility: np.ndarray
    present: np.ndarray

    @classmethod
    def of(cls, poses: PoseSequence) -> _Repaired:
        arrays = (poses.world, poses.image, poses.visibility, poses.present)
        return cls(poses, *(array.copy() for array in arrays))

    def poses(self) -> PoseSequence:
        return replace(
            self.source, world=self.world, image=self.image, visibility=self.visibility, present=self.present
        )

    def mend(self, inside: range, person: int, method: str, part: str) -> None:
        """Mends a part of one person."""
        if not self.present[:, person].any():
            return
        joints = list(PARTS[part])
        rows = np.arange(inside.start, inside.stop)
        if method == "forget":
            self.visibility[_at(rows, person, joints)] = 0.0
        elif method == "mirror":
            self._mirror(rows, person, part, joints)
        else:
            self._between(rows, person, method, joints)

    def _mirror(self, rows: np.ndarray, person: int, part: str, joints: list[int]) -> None:
        rows = rows[self.present[rows, person]]
        others = _MIRRORED[joints]
        left, right = _MIDDLES[part.rpartition(" ")[2]]
        for points in (self.world, self.image):
            own = points[rows, person].astype(np.float64)  # [F, J, n]
            middle = (own[:, left] + own[:, right])[:, None] / 2
            across = own[:, left] - own[:, right]
            if points is self.image:  # seen from the side, the line between two joints has no direction
                across = _steady_axis(across)
            across = across[:, None] / np.maximum(np.linalg.norm(across, axis=-1), 1e-9)[:, None, None]
            away = own[:, others] - middle
            turned = away - 2 * (away * across).sum(-1, keepdims=True) * across
            points[_at(rows, person, joints)] = (middle + turned).astype(np.float32)
        seen = self.visibility[_at(rows, person, others)]
        self.visibility[_at(rows, person, joints)] = seen

    def lead(self, inside: range, points: Sequence[Point]) -> None:
        """Leads joints of the first person through points."""
        require(
            not points or self.source.aspect is not None,
            "The shape of the picture is not known, so points cannot be placed; connect the video.",
        )
        rows = np.arange(inside.start, inside.stop)
        for joint in sorted({JOINTS[point.joint] for point in points}):
            own = [point for point in points if JOINTS[point.joint] == joint]
            frames = [min(max(round(p.time_s * self.source.fps), rows[0]), rows[-1]) for p in own]
            wanted = np.array([[point.x * (self.source.aspect or 1.0), point.y] for point in own])
            moved = wanted - self.image[frames, 0, joint]
            metres = moved / self._scale(frames)[:, None]
            knots = np.array([rows[0] - 1, *frames, rows[-1] + 1])
            for places, offset in ((self.image, moved), (self.world, metres)):
                bent = _path(knots, np.pad(offset, ((1, 1), (0, 0))), rows)
                places[rows, 0, joint, :2] += bent.astype(np.float32)
            self.visibility[rows, 0, joint] = 1.0
            self.present[rows, 0] = True

    def _scale(self, frames: Sequence[int]) -> np.ndarray:
        """Frame heights of a metre at the first person, in some frames."""
        seen, true = self.image[frames, 0][:, TORSO], self.world[frames, 0][:, TORSO, :2]
        spread = [
            np.linalg.norm(each - each.mean(1, keepdims=True), axis=-1).mean(1) for each in (seen, true)
        ]
        return np.maximum(spread[0], 1e-6) / np.maximum(spread[1], 1e-6)

    def _between(self, rows: np.ndarray, person: int, method: str, joints: list[int]) -> None:
        before, after = self._ends(rows, person)
        ends = [at for at in (before, after) if at is not None]
        if not ends:
            raise SettingError(
                f"Nobody is seen before or after {rows[0] / self.source.fps:.2f}-"
                f"{(rows[-1] + 1) / self.source.fps:.2f} s, so nothing can be put there; choose a shorter "
                "span, or forget."
            )
        knots = ends[:1]
        if method == "interpolate" and len(ends) == 2:
            reach = max(1, round(_SMOOTH_S * self.source.fps))
            around = (ends[0] - reach, *ends, ends[1] + reach)
            knots = [at for at in around if 0 <= at < self.source.frames and self.present[at, person]]
        for points in (self.world, self.image):
            values = points[_at(np.array(knots), person, joints)].astype(np.float64)
            points[_at(rows, person, joints)] = _path(np.array(knots), values, rows)
        seen = self.visibility[_at(np.array(ends), person, joints)].min(axis=0)
        self.visibility[_at(rows, person, joints)] = seen
        self.present[rows, person] = True

    def _ends(self, rows: np.ndarray, person: int) -> tuple[int | None, int | None]:
        """The last good frame before and the first after; over a cut only that of the longer side."""
        seen = np.flatnonzero(self.present[:, person])
        before, after = seen[seen < rows[0]], seen[seen > rows[-1]]
        last = int(before[-1]) if len(before) else None
        first = int(after[0]) if len(after) else None
        cuts = [cut_s * self.source.fps for cut_s in self.source.cuts_s]
        if last is None or first is None:
            return last, first
        cut = next((cut for cut in cuts if last < cut <= first), None)
        if cut is None:
            return last, first
        return (last, None) if cut - rows[0] >= rows[-1] + 1 - cut else (None, first)


def _at(
    rows: np.ndarray, person: int, joints: Sequence[int] | np.ndarray
) -> tuple[np.ndarray, int, np.ndarray]:
    """An index for joints of one person in some frames: [F, n, ...]."""
    return rows[:, None], person, np.asarray(joints)[None]


def _path(frames: np.ndarray, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Values [len(rows), ...] on a smooth way through those at some frames, which never overshoots them."""
    from scipy.interpolate import PchipInterpolator

    frames, first = np.unique(frames, return_index=True)
    if len(frames) == 1:
        return np.repeat(values[first], len(rows), axis=0)
    return np.asarray(PchipInterpolator(frames, values[first])(np.clip(rows, frames[0], frames[-1])))


def _steady_axis(across: np.ndarray) -> np.ndarray:
    """Directions [F, 2] that flatten to one side: where the line is short it lies level."""
    length = np.linalg.norm(across, axis=-1, keepdims=True)
    level = np.stack([np.ones(len(across)), np.zeros(len(across))], axis=-1)
    return np.where(length > 0.25 * length.max(), across, level)
