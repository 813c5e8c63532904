"""`dance_with_melody`: the captured dances of "Dance with Melody" (ACM Multimedia 2018).

    ROOT/
        DANCE_C_2.npz      joints, center, span_s, as `training.sources.melody` describes
        DANCE_C_2.opus     the music of exactly that span

The letter is the dance: C cha-cha, R rumba, T tango, W waltz. The set states no licence: measure on
it, train nothing that is handed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from d2m_core.errors import PoseError, SettingError
from d2m_core.pose.landmarks import ANKLES, EARS, ELBOWS, HEELS, HIPS, KNEES, SHOULDERS, TOES, WRISTS
from d2m_core.pose.world import front_view
from d2m_core.types import LANDMARKS, PoseSequence

from .joints import joint_table
from .names import safe_name
from .options import SourceOptions
from .recording import Recording, Unreadable

STYLES = {"C": "cha-cha", "R": "rumba", "T": "tango", "W": "waltz"}

_NAME = re.compile(r"DANCE_([A-Z])_\d+")


def read_dances(options: SourceOptions) -> Iterator[Recording | Unreadable]:
    """The dances by name. Raises `SettingError` where there are none."""
    for path in dances_in(options.root):
        match = _NAME.fullmatch(path.stem)
        yield Recording(
            name=safe_name(path.stem),
            source="dance_with_melody",
            song=f"dance with melody {path.stem}",
            performance=f"dance with melody {path.stem}",
            style=STYLES.get(match[1], "") if match else options.style,
            music=path.with_suffix(".opus"),
            poses=path,
            licence="none stated; research measurement only",
        )


def dance_poses(recording: Recording) -> PoseSequence:
    """The whole dance. Raises `PoseError`."""
    assert recording.poses is not None
    try:
        return captured_poses(recording.poses, None)
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise PoseError(f"{recording.poses.name} is no dance ({error}); copy it again.") from error


EXCERPT_S = 40.0
"""So much of each dance is read, from its start: madmom takes 0.2 s for a second of music."""

JOINT_OF = joint_table(
    0,
    {
        EARS: (1, 1),
        SHOULDERS: (12, 3),
        ELBOWS: (13, 4),
        WRISTS: (15, 6),
        HIPS: (16, 7),
        KNEES: (17, 8),
        ANKLES: (18, 9),
        HEELS: (19, 10),
        TOES: (20, 11),
    },
)
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
        world[:, None], image[:, None], given[:, None].astype(np.float32), np.ones((frames, 1), np.bool_), fps
    )
