"""Joints out of SMPL rotations, as D2M-GAN and CDCD keep the motion of AIST++.

A frame is 219 numbers: the rotations of SMPL's 24 joints as 3 x 3 matrices, and where the pelvis
is. The body that turns them into places is an average one of ours, in round centimetres; the model
behind SMPL, which may not be handed on, is not needed to see how someone moves.
"""

from __future__ import annotations

import numpy as np

from d2m_core.errors import PoseError
from d2m_core.pose.landmarks import ANKLES, EARS, ELBOWS, HIPS, INDEX_FINGERS, KNEES, SHOULDERS, TOES, WRISTS
from d2m_core.pose.world import front_view
from d2m_core.types import LANDMARKS, PoseSequence

from .joints import joint_table

WIDTH = 219

_JOINTS = 24
_TURNS = _JOINTS * 9
_PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
_BONES_CM = np.array(
    [
        (0, 0, 0), (7, -9, 0), (-7, -9, 0), (0, 11, -2), (3, -39, 0), (-3, -39, 0), (0, 14, 3),
        (-1, -42, -4), (1, -42, -4), (0, 6, 0), (4, -6, 12), (-4, -6, 12), (0, 22, -4),
        (8, 12, -2), (-8, 12, -2), (0, 9, 5), (11, 4, -1), (-11, 4, -1), (26, -1, -2),
        (-26, -1, -2), (25, 1, 0), (-25, 1, 0), (8, -1, -1), (-8, -1, -1),
    ],
    np.float64,
)  # fmt: skip
"""From each joint's parent to it, arms out to the sides, y up, x to the dancer's left."""

_JOINT_OF = joint_table(
    15,
    {
        EARS: (15, 15),
        SHOULDERS: (16, 17),
        ELBOWS: (18, 19),
        WRISTS: (20, 21),
        INDEX_FINGERS: (22, 23),
        HIPS: (1, 2),
        KNEES: (4, 5),
        ANKLES: (7, 8),
        TOES: (10, 11),
    },
)
"""The SMPL joint for each of our landmarks that has one; the head stands in for nose and ears."""

_MOST_BENT = 0.05
"""Rotation matrices may be so far from orthonormal, on average."""
_METRES_BELOW = 10.0
"""A pelvis that stays within so many units of the room's middle is in metres, else centimetres."""


def smpl_poses(frames: np.ndarray, fps: float) -> PoseSequence:
    """Poses from frames [F, 219], the place before or behind the rotations. Raises `PoseError`."""
    frames = np.asarray(frames, np.float64)
    if frames.ndim != 2 or frames.shape[1] != WIDTH or not len(frames):
        raise PoseError(f"SMPL motion has shape {frames.shape}; give [frames, {WIDTH}].")
    if not np.isfinite(frames).all():
        raise PoseError("SMPL motion holds numbers that are not finite; copy the file again.")
    places, turns = min(
        ((frames[:, :3], frames[:, 3:]), (frames[:, _TURNS:], frames[:, :_TURNS])),
        key=lambda parts: _bent(parts[1]),
    )
    if _bent(turns) > _MOST_BENT:
        raise PoseError("The motion's 219 numbers are no SMPL rotations; copy the file again.")
    unit_m = 1.0 if np.abs(places).max() < _METRES_BELOW else 0.01
    joints = _joints(places * unit_m, turns.reshape(-1, _JOINTS, 3, 3))
    points = np.zeros((len(frames), LANDMARKS, 3), np.float32)
    given = np.zeros((len(frames), LANDMARKS), bool)
    points[:, list(_JOINT_OF)] = joints[:, list(_JOINT_OF.values())]
    given[:, list(_JOINT_OF)] = True
    world, image = front_view(points, given, "y", 1.0)
    return PoseSequence(
        world[:, None],
        image[:, None],
        given[:, None].astype(np.float32),
        np.ones((len(frames), 1), np.bool_),
        fps,
    )


def _joints(places_m: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Places [F, 24, 3] of all joints, in metres, from the pelvis' and rotations [F, 24, 3, 3]."""
    joints, whole = np.zeros((len(turns), _JOINTS, 3)), np.zeros_like(turns)
    joints[:, 0], whole[:, 0] = places_m, turns[:, 0]
    for joint in range(1, _JOINTS):
        parent = _PARENTS[joint]
        whole[:, joint] = whole[:, parent] @ turns[:, joint]
        joints[:, joint] = joints[:, parent] + whole[:, parent] @ (_BONES_CM[joint] / 100)
    return joints


def _bent(turns: np.ndarray) -> float:
    """How far matrices [F, 216] are from being orthonormal, on average."""
    matrices = turns.reshape(-1, 3, 3)
    return float(np.abs(matrices @ matrices.swapaxes(1, 2) - np.eye(3)).mean())
