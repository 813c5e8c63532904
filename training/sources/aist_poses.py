"""Poses out of AIST++'s pickles: exactly 60 frames per second, COCO-17.

3D keypoints are in centimetres of a room with y up: `from_coco17` turns them into metres with y
down, as everywhere here. 2D ones are pixels of the 1920 x 1080 pictures, per camera, with NaN where
nobody was found.
"""

from __future__ import annotations

import numpy as np

from d2m_core.errors import PoseError
from d2m_core.pose import from_coco17
from d2m_core.types import PoseSequence

from .aist_names import CAMERAS
from .joints import AIST_FPS, coco_picture
from .pickles import load_arrays
from .recording import Recording

UNIT_M = 0.01


def aist_poses(recording: Recording) -> PoseSequence:
    """The keypoints of a recording: 3D, or 2D of its camera. Raises `PoseError`, `SettingError`."""
    assert recording.poses is not None
    held = load_arrays(recording.poses)
    if not isinstance(held, dict):
        raise PoseError(f"{recording.poses.name} holds no dictionary; give AIST++'s own files.")
    joints = held.get("keypoints3d_optim", held.get("keypoints3d"))
    if isinstance(joints, np.ndarray):
        return from_coco17(joints, AIST_FPS, up="y", unit_m=UNIT_M)
    joints = held.get("keypoints2d")
    if not isinstance(joints, np.ndarray) or joints.ndim != 4 or len(joints) != CAMERAS:
        raise PoseError(
            f"{recording.poses.name} holds {', '.join(map(str, held)) or 'nothing'}; "
            f"give keypoints3d [frames, 17, 3] or keypoints2d [{CAMERAS}, frames, 17, 3]."
        )
    return coco_picture(joints[int(recording.camera) - 1], AIST_FPS)
