"""Poses from and to the OpenPose dictionaries that DWPose, SDPose and OpenPose nodes hand round.

A joint that a source does not give, or gives with a score under `LEAST_SCORE`, gets visibility 0 and
coordinates 0; none is invented. What these formats call neck and mid hip are means of other joints:
written where both are there, and not read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import PoseError, SettingError
from ..types import LANDMARKS, PoseSequence
from .landmarks import ANKLES, EARS, ELBOWS, EYES, HEELS, HIPS, KNEES, NOSE, SHOULDERS, TOES, WRISTS
from .track import Tracker
from .world import flat_world

_NECK, _MID_HIP, _NONE = -1, -2, -3
_LEFT_ARM, _RIGHT_ARM = zip(SHOULDERS, ELBOWS, WRISTS, strict=True)
_LEFT_LEG, _RIGHT_LEG = zip(HIPS, KNEES, ANKLES, strict=True)
_FACE = (*EYES[::-1], *EARS[::-1])  # OpenPose puts right before left
COCO18 = (NOSE, _NECK, *_RIGHT_ARM, *_LEFT_ARM, *_RIGHT_LEG, *_LEFT_LEG, *_FACE)
"""Our landmark for each of OpenPose's 18 COCO joints."""
FEET_LIST = (TOES[0], _NONE, HEELS[0], TOES[1], _NONE, HEELS[1])  # but not here
"""Our landmark for each joint of `FEET_KEY`; the small toes have none."""
BODY25 = (
    *(NOSE, _NECK, *_RIGHT_ARM, *_LEFT_ARM),
    *(_MID_HIP, *_RIGHT_LEG, *_LEFT_LEG),
    *(*_FACE, *FEET_LIST),
)
"""Our landmark for each BODY_25 joint."""
LAYOUTS = {"coco18": COCO18, "body25": BODY25}
RATE_KEY = "fps"
"""What `to_openpose` calls the rate in its dictionaries."""

BODY_KEY, FEET_KEY = "pose_keypoints_2d", "foot_keypoints_2d"
_UNREAD = {"face_keypoints_2d": 70, "hand_left_keypoints_2d": 21, "hand_right_keypoints_2d": 21}
"""Parts that we do not follow, and their joints: some nodes fail where a person lacks them."""
_VISIBILITY_KEY = "visibility"
"""What `to_openpose` calls our visibility of all landmarks: scores hold only 1, seen, and 0."""

LEAST_SCORE = 0.3
"""From this score on a joint is believed, as the nodes that draw keypoints do: some detectors give
every joint always, those that nobody sees with scores of 0.05 to 0.25 at places of their own."""

_NORMALISED_BELOW = 2.0
"""Whole sequences with no coordinate beyond this are fractions of the canvas: as pixels, everyone
would stand in its top left corner."""


def to_openpose(
    poses: PoseSequence, width: int, height: int, *, layout: str = "coco18"
) -> list[dict[str, Any]]:
    """One OpenPose dictionary per frame, in pixels of a `width` x `height` canvas.

    Joints seen with `LEAST_SCORE` or more have the score 1, others 0, as DWPose writes them: many nodes
    take any less for unseen. Feet stand beside the 18 COCO joints, in the 25 of BODY_25. Beside what
    others read each frame holds our `fps` and everyone's `visibility`, so that nobody need be told and
    `from_openpose` loses nothing. `layout` is a key of `LAYOUTS`. Absent people are left out;
    `person_id` keeps their number.
    """
    if layout not in LAYOUTS:
        raise SettingError(f"Keypoint layout is {layout!r}; choose {', '.join(LAYOUTS)}.")
    parts = {BODY_KEY: _rows(LAYOUTS[layout], poses, height)}
    if layout == "coco18":
        parts[FEET_KEY] = _rows(FEET_LIST, poses, height)
    unread = {key: [0.0] * (3 * joints) for key, joints in _UNREAD.items()}
    frames = []
    for frame in range(poses.frames):
        people = [
            {
                "person_id": [int(person)],
                **{key: rows[frame, person].ravel().tolist() for key, rows in parts.items()},
                **unread,
                _VISIBILITY_KEY: poses.visibility[frame, person].tolist(),
            }
            for person in np.flatnonzero(poses.present[frame])
        ]
        canvas = {"canvas_width": width, "canvas_height": height}
        frames.append({"people": people, **canvas, RATE_KEY: float(poses.fps)})
    return frames


def _rows(layout: Sequence[int], poses: PoseSequence, height: int) -> np.ndarray:
    """Place in pixels and score of a layout's joints, float64 [F, P, n, 3]; zeros where not believed."""
    image, seen = _joints_for(layout, poses)
    believed = (seen >= np.float32(LEAST_SCORE))[..., None]
    return np.concatenate([np.where(believed, image * height, 0.0), believed], axis=-1)


def _joints_for(layout: Sequence[int], poses: PoseSequence) -> tuple[np.ndarray, np.ndarray]:
    """Image points [F, P, n, 2] and visibility [F, P, n] of a layout's joints."""
    shape = (*poses.present.shape, len(layout))
    image, seen = np.zeros((*shape, 2)), np.zeros(shape)
    for joint, landmark in enumerate(layout):
        if landmark >= 0:
            image[:, :, joint] = poses.image[:, :, landmark]
            seen[:, :, joint] = poses.visibility[:, :, landmark]
        elif landmark != _NONE:
            pair = list(SHOULDERS if landmark == _NECK else HIPS)
            image[:, :, joint] = poses.image[:, :, pair].mean(axis=2)
            seen[:, :, joint] = poses.visibility[:, :, pair].min(axis=2)
    return image, seen


def from_openpose(
    frames: Sequence[Mapping[str, Any]],
    fps: float,
    people: int | None = None,
    *,
    normalised: bool | None = None,
) -> PoseSequence:
    """Poses from OpenPose dictionaries, one per frame at `fps` (DWPose, SDPose, OpenPose).

    Takes BODY_25 and the 18-joint COCO order, feet in a list of their own too, with coordinates in
    pixels or as fractions of the canvas (`normalised`; None tells them apart by their size). The people
    of each frame may come in any order. `people` is the number of slots; None takes the most seen in one
    frame. Joints with a score under `LEAST_SCORE` are taken as not seen. Raises `PoseError`.
    """
    check_frames(frames)
    found = [_read_frame(frame, index) for index, frame in enumerate(frames)]
    most = max(len(points) for points, _, _ in found)
    if most == 0:
        raise PoseError(
            f"There is nobody in any of the {len(frames)} frames of pose keypoints with a score of "
            f"{LEAST_SCORE:g} or more; use a clip that shows a whole dancer."
        )
    if normalised is None:
        normalised = max(np.abs(p[..., :2]).max(initial=0) for p, _, _ in found) <= (_NORMALISED_BELOW)
    image, visibility, present = _in_slots(found, fps, most if people is None else people, normalised)
    return PoseSequence(flat_world(image, visibility, present), image, visibility, present, fps)


def check_frames(frames: object) -> None:
    """Raises `PoseError` for what is no list of frames, or an empty one."""
    if isinstance(frames, str | bytes) or not isinstance(frames, Sequence):
        raise PoseError(
            f"The pose keypoints are of type {type(frames).__name__}; give a list of OpenPose "
            "dictionaries, one per frame."
        )
    if len(frames) == 0:
        raise PoseError("There are no frames in these pose keypoints; connect a whole clip.")


_Frame = tuple[np.ndarray, tuple[float, float], list[int]]
"""Joints [n, J, 3] (x, y, confidence) as given, the canvas, and the `person_id`s of a frame."""


def _in_slots(
    found: list[_Frame], fps: float, slots: int, normalised: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image [F, P, J, 2], visibility [F, P, J] and presence [F, P], everyone in one slot all along."""
    shape = (len(found), slots, LANDMARKS)
    image, visibility = np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32)
    present = np.zeros(shape[:2], np.bool_)
    tracker = Tracker(slots)
    numbered = all(_numbered(ids, slots) for _, _, ids in found)
    for index, (points, (width, height), ids) in enumerate(found):
        scale = (width / height, 1.0) if normalised else (1 / height, 1 / height)
        joints, given = points[..., :2] * scale, points[..., 2] > 0
        matches = (
            {number: row for row, number in enumerate(ids)}
            if numbered
            else tracker.assign(index / fps, joints, given)
        )
        for slot, row in matches.items():
            image[index, slot] = np.where(given[row, :, None], joints[row], 0.0)
            visibility[index, slot] = np.clip(points[row, :, 2], 0.0, 1.0)
            present[index, slot] = given[row].any()
    return image, visibility, present


def _read_frame(frame: Mapping[str, Any], index: int) -> _Frame:
    """What a frame holds; raises `PoseError` where it is in no OpenPose format."""
    try:
        canvas = (float(frame["canvas_width"]), float(frame["canvas_height"]))
        people = list(frame["people"] or [])
        flats = [_flat(one[BODY_KEY]) for one in people]
        feet = [_flat(one.get(FEET_KEY)) for one in people]
        seen = [_flat(one.get(_VISIBILITY_KEY)) for one in people]
        ids = [int(np.ravel(one.get("person_id", -1))[0]) for one in people]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise PoseError(
            f"Frame {index} of the pose keypoints is not in OpenPose format "
            f"({type(error).__name__}: {error}); use the output of a DWPose or SDPose node."
        ) from error
    if not (min(canvas) > 0 and math.isfinite(sum(canvas))):
        raise PoseError(
            f"Frame {index} of the pose keypoints has a canvas of {canvas[0]:g}x{canvas[1]:g}; "
            "give its size in pixels."
        )
    placed = [_person(*parts, index) for parts in zip(flats, feet, seen, strict=True)]
    bodies = list(zip(placed, ids, strict=True))
    bodies = [(points, number) for points, number in bodies if (points[:, 2] > 0).any()]
    joints = np.array([points for points, _ in bodies]).reshape(-1, LANDMARKS, 3)
    return joints, canvas, [number for _, number in bodies]


def _flat(numbers: Any) -> np.ndarray:
    return np.asarray(numbers or [], np.float64)


def _person(body: np.ndarray, feet: np.ndarray, seen: np.ndarray, index: int) -> np.ndarray:
    """Our landmarks [J, 3] out of one person's flat lists; zeros where the lists have none."""
    points = np.zeros((LANDMARKS, 3))
    if body.size == 0:  # a hand or a face without a body
        return points
    layout = {len(layout) * 3: layout for layout in LAYOUTS.values()}.get(body.size)
    if layout is None or body.ndim != 1:
        raise PoseError(
            f"Frame {index} of the pose keypoints has {body.size} numbers per person; "
            "use 18 COCO joints (54 numbers) or 25 BODY_25 joints (75)."
        )
    _place(points, body, layout)
    if feet.shape == (len(FEET_LIST) * 3,):
        _place(points, feet, FEET_LIST)
    if seen.shape == (LANDMARKS,) and np.isfinite(seen).all():
        points[:, 2] = np.where(points[:, 2] > 0, seen, 0.0)
    return points


def _place(points: np.ndarray, flat: np.ndarray, layout: Sequence[int]) -> None:
    """Puts the believed joints of a flat list into `points` [J, 3]."""
    rows = flat.reshape(-1, 3)
    rows = np.where(np.isfinite(rows).all(axis=1, keepdims=True), rows, 0.0)
    for joint, landmark in enumerate(layout):
        if landmark >= 0 and rows[joint, 2] >= LEAST_SCORE:
            points[landmark] = rows[joint]


def _numbered(ids: list[int], slots: int) -> bool:
    """Whether a frame says itself who is who."""
    return len(set(ids)) == len(ids) and all(0 <= number < slots for number in ids)
