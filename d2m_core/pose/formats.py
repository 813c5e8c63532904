"""Poses from COCO-17 arrays, and from and to our own `.npz` files; OpenPose's dictionaries are `openpose`.

A joint that a source does not give, or gives with a score under `LEAST_SCORE`, gets visibility 0 and
coordinates 0; none is invented. How the missing half of picture and world coordinates is made says
`world`.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from ..errors import PoseError
from ..files import cause, replacing
from ..types import LANDMARKS, PoseSequence
from .landmarks import ANKLES, EARS, ELBOWS, EYES, HIPS, KNEES, NOSE, SHOULDERS, WRISTS
from .openpose import LEAST_SCORE
from .world import flat_world, front_view

COCO17 = (NOSE, *EYES, *EARS, *SHOULDERS, *ELBOWS, *WRISTS, *HIPS, *KNEES, *ANKLES)
"""Our landmark for each COCO-17 joint."""

_FILE_VERSION = 1
_KEYS = ("world", "image", "visibility", "present")


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
