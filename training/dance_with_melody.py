"""The captured dances of "Dance with Melody" (Tang, Jia, Mao, ACM Multimedia 2018), to score with.

Nothing is trained on them: they state no licence. A dance is `NAME.npz` with 23 joints and its
music `NAME.opus`. The set names no joints. What is known was read off the data: constant distances
give the limbs (4 to 6 and 13 to 15 are forearms of 25 and 23 cm, 10 to 11 and 19 to 20 feet of
21 cm), heights the rest. Knees and toes point forward, and with axes taken as right-handed joints 3
to 11 are then the dancer's right side; taken as left-handed, they are the left. Beats are the same
in a mirror. The two markers on the head, 10 cm apart, stand in for nose and ears. Markers without a
landmark (chest, forearms, a hand) are not used; landmarks without a marker stay unseen.

A song's clock agrees with its dance only up to an offset and a drift (`training.clock_fit`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from d2m_core.errors import PoseError, SettingError
from d2m_core.pose_world import front_view
from d2m_core.types import LANDMARKS, PoseSequence

EXCERPT_S = 40.0
"""So much of each dance is read, from its start: madmom takes 0.2 s for a second of music."""

JOINT_OF = {
    0: 0, 7: 1, 8: 1,
    12: 3, 14: 4, 16: 6, 24: 7, 26: 8, 28: 9, 30: 10, 32: 11,
    11: 12, 13: 13, 15: 15, 23: 16, 25: 17, 27: 18, 29: 19, 31: 20,
}  # fmt: skip
"""The captured joint for each of our landmarks that has one."""

_JOINTS = 23
_UNIT_M = 0.01


def dances_in(folder: Path) -> list[Path]:
    """The `.npz` files that have music beside them. Raises `SettingError` where there is none."""
    found = sorted(p for p in folder.glob("*.npz") if p.with_suffix(".opus").exists())
    if not found:
        raise SettingError(f"{folder} holds no dances; name the folder of NAME.npz and NAME.opus.")
    return found


def captured_poses(path: Path, most_s: float | None = EXCERPT_S) -> PoseSequence:
    """The first `most_s` seconds of one dance (None: all), seen level from the front.

    Raises `PoseError`.
    """
    with np.load(path, allow_pickle=False) as stored:
        joints, centre = stored["joints"].astype(np.float32), stored["center"].astype(np.float32)
        fps = len(joints) / float(stored["span_s"])
    if joints.shape[1:] != (_JOINTS, 3):
        raise PoseError(f"{path.name} holds joints {joints.shape}; give [frames, {_JOINTS}, 3].")
    frames = len(joints) if most_s is None else min(len(joints), round(most_s * fps))
    points = np.zeros((frames, LANDMARKS, 3), np.float32)
    given = np.zeros((frames, LANDMARKS), bool)
    points[:, list(JOINT_OF)] = (joints + centre[:, None])[:frames, list(JOINT_OF.values())]
    given[:, list(JOINT_OF)] = True
    world, image = front_view(points, given, "y", _UNIT_M)
    return PoseSequence(
        world[:, None], image[:, None], given[:, None].astype(np.float32),
        np.ones((frames, 1), np.bool_), fps,
    )  # fmt: skip
