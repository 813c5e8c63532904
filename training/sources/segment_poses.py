"""Poses of segments, by the shape of the array that holds them."""

from __future__ import annotations

from d2m_core.errors import PoseError
from d2m_core.types import PoseSequence

from .joints import AIST_FPS, body25_picture, coco_picture, read_npy
from .recording import Recording
from .smpl import WIDTH, smpl_poses

TIKTOK_FPS = 30.0
LORIS_S = 25.0


def motion_poses(recording: Recording) -> PoseSequence:
    """Motion of D2M-GAN or CDCD: SMPL [F, 219], or BODY_25. Raises `PoseError`, `SettingError`."""
    assert recording.poses is not None
    motion = read_npy(recording.poses)
    if motion.ndim == 2 and motion.shape[1] == WIDTH:
        return smpl_poses(motion, AIST_FPS)
    if motion.size == 0 or motion.size % 75:
        raise PoseError(
            f"{recording.poses.name} holds {motion.shape}; give [frames, {WIDTH}] or [frames, 75]."
        )
    return body25_picture(motion.reshape(-1, 75), TIKTOK_FPS)


def loris_poses(recording: Recording) -> PoseSequence:
    """Keypoints [F, 17, 3], F frames over 25 s. Raises `PoseError`, `SettingError`."""
    assert recording.poses is not None
    joints = read_npy(recording.poses)
    return coco_picture(joints, len(joints) / LORIS_S)
