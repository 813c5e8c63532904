"""Poses out of the arrays that data sets keep them in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from d2m_core.errors import PoseError, SettingError
from d2m_core.pose import from_coco17, from_openpose
from d2m_core.pose.landmarks import NOSE
from d2m_core.types import PoseSequence

AIST_FPS = 60.0
AIST_HEIGHT = 1080
CANVAS = (1920, 1080)


def joint_table(nose: int, pairs: dict[tuple[int, int], tuple[int, int]]) -> dict[int, int]:
    """The joint of a skeleton for each landmark that has one, out of (left, right) pairs of both."""
    sides = {ours: theirs for pair, own in pairs.items() for ours, theirs in zip(pair, own, strict=True)}
    return {NOSE: nose, **sides}


def coco_picture(joints: np.ndarray, fps: float, height: int = AIST_HEIGHT) -> PoseSequence:
    """Poses from [F, 17, 3]: x and y in pixels of a picture of `height`, and confidence.

    Raises `PoseError`.
    """
    joints = np.asarray(joints, np.float64)
    if joints.ndim != 3 or joints.shape[1:] != (17, 3):
        raise PoseError(f"Keypoints have shape {joints.shape}; give [frames, 17, 3].")
    return from_coco17(joints[..., :2], fps, scores=joints[..., 2], height=height)


def body25_picture(joints: np.ndarray, fps: float) -> PoseSequence:
    """Poses from OpenPose's BODY_25 [F, 25, 3] or [F, 75] in pixels. Raises `PoseError`."""
    joints = np.asarray(joints, np.float64)
    if joints.ndim not in (2, 3) or joints[0].size != 75:
        raise PoseError(f"Keypoints have shape {joints.shape}; give [frames, 25, 3].")
    flats = np.nan_to_num(joints).reshape(len(joints), -1).tolist()
    frames: list[dict[str, Any]] = [
        {
            "people": [{"person_id": [0], "pose_keypoints_2d": flat}],
            "canvas_width": CANVAS[0],
            "canvas_height": CANVAS[1],
        }
        for flat in flats
    ]
    return from_openpose(frames, fps, people=1)


def read_npy(path: Path) -> np.ndarray:
    """The array of a `.npy` file, which may hold numbers only. Raises `SettingError`."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SettingError(f"{path.name} is no array of numbers ({error}); copy it again.") from error
    if not isinstance(array, np.ndarray):
        raise SettingError(f"{path.name} holds several arrays; give a .npy file.")
    return array
