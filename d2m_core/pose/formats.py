"""Poses from and to other formats: OpenPose dictionaries, COCO-17 arrays, and our own `.npz` files.

A joint that a source does not give, or gives with a score under `LEAST_SCORE`, gets visibility 0 and
coordinates 0; none is invented. What these formats call neck and mid hip are means of other joints:
written where both are there, and not read. How the missing half of picture and world coordinates is
made says `world`.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import PoseError, SettingError
from ..files import cause, replacing
from ..types import LANDMARKS, PoseSequence
from .landmarks import ANKLES, EARS, ELBOWS, EYES, HEELS, HIPS, KNEES, NOSE, SHOULDERS, TOES, WRISTS
from .track import Tracker
from .world import flat_world, front_view

COCO17 = (NOSE, *EYES, *EARS, *SHOULDERS, *ELBOWS, *WRISTS, *HIPS, *KNEES, *ANKLES)
"""Our landmark for each COCO-17 joint."""

_NECK, _MID_HIP, _NONE = -1, -2, -3
_LEFT_ARM, _RIGHT_ARM = zip(SHOULDERS, ELBOWS, WRISTS, strict=True)
_LEFT_LEG, _RIGHT_LEG = zip(HIPS, KNEES, ANKLES, strict=True)
_FACE = (*EYES[::-1], *EARS[::-1])  # OpenPose puts right before left
COCO18 = (NOSE, _NECK, *_RIGHT_ARM, *_LEFT_ARM, *_RIGHT_LEG, *_LEFT_LEG, *_FACE)
"""Our landmark for each of OpenPose's 18 COCO joints."""
_FEET = (TOES[0], _NONE, HEELS[0], TOES[1], _NONE, HEELS[1])  # but not here
BODY25 = (*(NOSE, _NECK, *_RIGHT_ARM, *_LEFT_ARM), *(_MID_HIP, *_RIGHT_LEG, *_LEFT_LEG), *(*_FACE, *_FEET))
"""Our landmark for each BODY_25 joint; the small toes have none."""
LAYOUTS = {"coco18": COCO18, "body25": BODY25}
RATE_KEY = "fps"
"""What `to_openpose` calls the rate in its dictionaries."""

LEAST_SCORE = 0.3
"""From this score on a joint is believed, as the nodes that draw keypoints do: some detectors give
every joint always, those that nobody sees with scores of 0.05 to 0.25 at places of their own."""

_NORMALISED_BELOW = 2.0
"""Whole sequences with no coordinate beyond this are fractions of the canvas: as pixels, everyone
would stand in its top left corner."""
_FILE_VERSION = 1
_KEYS = ("world", "image", "visibility", "present")


def to_openpose(
    poses: PoseSequence, width: int, height: int, *, layout: str = "coco18"
) -> list[dict[str, Any]]:
    """One OpenPose dictionary per frame, in pixels of a `width` x `height` canvas.

    Beside what others read each holds our `fps`, so that nobody need be told. `layout` is a
    key of `LAYOUTS`. Absent people are left out; `person_id` keeps their number.
    """
    if layout not in LAYOUTS:
        raise SettingError(f"Keypoint layout is {layout!r}; choose {', '.join(LAYOUTS)}.")
    image, seen = _joints_for(LAYOUTS[layout], poses)
    pixels = np.where(seen[..., None] > 0, image * height, 0.0)
    rows = np.concatenate([pixels, seen[..., None]], axis=-1)  # [F, P, joints, 3]
    frames = []
    for frame in range(poses.frames):
        people = [
            {"person_id": [int(person)], "pose_keypoints_2d": rows[frame, person].ravel().tolist()}
            for person in np.flatnonzero(poses.present[frame])
        ]
        canvas = {"canvas_width": width, "canvas_height": height}
        frames.append({"people": people, **canvas, RATE_KEY: float(poses.fps)})
    return frames


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

    Takes BODY_25 and the 18-joint COCO order, with coordinates in pixels or as fractions of the
    canvas (`normalised`; None tells them apart by their size). The people of each frame may come in
    any order. `people` is the number of slots; None takes the most seen in one frame. Joints with a
    score under `LEAST_SCORE` are taken as not seen. Raises `PoseError`.
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
        flats = [np.asarray(one["pose_keypoints_2d"] or [], np.float64) for one in people]
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
    bodies = [(_place(flat, index), number) for flat, number in zip(flats, ids, strict=True)]
    bodies = [(points, number) for points, number in bodies if (points[:, 2] > 0).any()]
    joints = np.array([points for points, _ in bodies]).reshape(-1, LANDMARKS, 3)
    return joints, canvas, [number for _, number in bodies]


def _place(flat: np.ndarray, index: int) -> np.ndarray:
    """Our landmarks [J, 3] out of one person's flat list; zeros where the list has none."""
    points = np.zeros((LANDMARKS, 3))
    if flat.size == 0:  # a hand or a face without a body
        return points
    layout = {len(layout) * 3: layout for layout in LAYOUTS.values()}.get(flat.size)
    if layout is None or flat.ndim != 1:
        raise PoseError(
            f"Frame {index} of the pose keypoints has {flat.size} numbers per person; "
            "use 18 COCO joints (54 numbers) or 25 BODY_25 joints (75)."
        )
    rows = flat.reshape(-1, 3)
    rows = np.where(np.isfinite(rows).all(axis=1, keepdims=True), rows, 0.0)
    for joint, landmark in enumerate(layout):
        if landmark >= 0 and rows[joint, 2] >= LEAST_SCORE:
            points[landmark] = rows[joint]
    return points


def _numbered(ids: list[int], slots: int) -> bool:
    """Whether a frame says itself who is who."""
    return len(set(ids)) == len(ids) and all(0 <= number < slots for number in ids)


def from_coco17(
    joints: np.ndarray,
    fps: float,
    *,
    scores: np.ndarray | None = None,
    height: int | None = None,
    up: str = "y",
    unit_m: float | None = None,
) -> PoseSequence:
    """Poses of one dancer from COCO-17 joints: 2D [F, 17, 2], or 3D [F, 17, 3] such as AIST++'s.

    2D needs the picture's `height` in pixels. 3D is in units of `unit_m` metres (None finds metres,
    centimetres or millimetres by the body's size) with the axis `up` pointing up ("y", "z", or "-y"
    for a camera's); its picture is a level front view, so jumps and travel stay. `scores` [F, 17]
    are confidences. Joints with a score under `LEAST_SCORE` or no finite position are masked. Raises
    `PoseError`.
    """
    joints = np.asarray(joints, np.float64)
    if joints.ndim != 3 or joints.shape[1] != len(COCO17) or joints.shape[2] not in (2, 3):
        raise PoseError(f"COCO-17 joints have shape {joints.shape}; give [frames, 17, 2 or 3].")
    seen = _seen(joints, scores)
    frames = len(joints)
    points = np.zeros((frames, 1, LANDMARKS, joints.shape[2]), np.float32)
    visibility = np.zeros((frames, 1, LANDMARKS), np.float32)
    points[:, 0, COCO17] = np.where(seen[..., None] > 0, joints, 0.0)
    visibility[:, 0, COCO17] = seen
    present = np.any(visibility > 0, axis=-1)
    if joints.shape[2] == 2:
        if height is None or height <= 0:
            raise PoseError(f"2D joints need the picture's height in pixels, got {height}.")
        image = points / np.float32(height)
        world = flat_world(image, visibility, present)
    else:
        world = np.zeros((frames, 1, LANDMARKS, 3), np.float32)
        image = np.zeros((frames, 1, LANDMARKS, 2), np.float32)
        world[:, 0], image[:, 0] = front_view(points[:, 0], visibility[:, 0] > 0, up, unit_m)
    return PoseSequence(world, image, visibility, present, fps)


def _seen(joints: np.ndarray, scores: np.ndarray | None) -> np.ndarray:
    """How visible joints [F, n, 2 or 3] are, float32 [F, n]; 0 where they have no finite place."""
    seen = np.isfinite(joints).all(axis=-1).astype(np.float32)
    if scores is not None:
        if np.shape(scores) != seen.shape:
            raise PoseError(f"Scores have shape {np.shape(scores)}; give {seen.shape}.")
        given = np.nan_to_num(np.asarray(scores, np.float32))
        seen *= np.where(given >= np.float32(LEAST_SCORE), np.clip(given, 0.0, 1.0), 0.0)
    if not (seen > 0).any():
        raise PoseError(
            f"None of the {len(joints)} frames has a joint with a score of {LEAST_SCORE:g} or more; "
            "give a whole dancer."
        )
    return seen


def save_poses(poses: PoseSequence, path: Path | str) -> Path:
    """Writes poses to a `.npz` file, whole or not at all. Raises `PoseError`."""
    path = Path(path)
    if path.suffix != ".npz":
        raise PoseError(f"Poses are saved as .npz, not as {path.name}; change the name's ending.")
    arrays = {key: getattr(poses, key) for key in _KEYS}
    try:
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez_compressed(
                file,
                version=_FILE_VERSION,
                fps=poses.fps,
                cuts_s=np.array(poses.cuts_s, np.float64),
                aspect=0.0 if poses.aspect is None else poses.aspect,
                **arrays,
            )
    except OSError as error:
        raise PoseError(f"Poses could not be written to {path.name}: {cause(path, error)}.") from error
    return path


def load_poses(path: Path | str) -> PoseSequence:
    """Reads poses that `save_poses` wrote, checking everything. Raises `PoseError`."""
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise ValueError("one array, not a set of them")
            version = int(file["version"])
            if version != _FILE_VERSION:
                raise ValueError(f"version {version}, this program knows {_FILE_VERSION}")
            arrays = {key: file[key] for key in _KEYS}
            fps = float(file["fps"])
            # Files of version 0.2.0 and before have neither.
            cuts_s = tuple(file["cuts_s"].astype(float).tolist()) if "cuts_s" in file else ()
            aspect = (float(file["aspect"]) or None) if "aspect" in file else None
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise ValueError("numbers that are not finite")
        if not ((arrays["visibility"] >= 0) & (arrays["visibility"] <= 1)).all():
            raise ValueError("visibility outside 0..1")
        return PoseSequence(
            arrays["world"], arrays["image"], arrays["visibility"], arrays["present"], fps, cuts_s, aspect
        )
    except OSError as error:
        raise PoseError(
            f"Poses cannot be read from {path} ({error.strerror or error}); check the path."
        ) from error
    except (ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise PoseError(f"{path.name} is not a pose file of ours ({error}); save the poses again.") from error
