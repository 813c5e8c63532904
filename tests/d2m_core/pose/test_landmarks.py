"""The names of landmarks, against MediaPipe's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from d2m_core.pose import formats, landmarks, openpose
from d2m_core.types import LANDMARKS

CORE = Path(landmarks.__file__).resolve().parents[1]


def test_every_landmark_has_one_name() -> None:
    named = [landmarks.NOSE, *(joint for pair in landmarks.PAIRS.values() for joint in pair)]
    assert sorted(named) == list(range(LANDMARKS))


def test_names_are_mediapipes() -> None:
    mediapipe = pytest.importorskip("mediapipe.tasks.python.vision.pose_landmarker")
    theirs = mediapipe.PoseLandmark
    ours = {
        "EYE_INNER": landmarks.INNER_EYES,
        "EYE": landmarks.EYES,
        "EYE_OUTER": landmarks.OUTER_EYES,
        "EAR": landmarks.EARS,
        "SHOULDER": landmarks.SHOULDERS,
        "ELBOW": landmarks.ELBOWS,
        "WRIST": landmarks.WRISTS,
        "PINKY": landmarks.LITTLE_FINGERS,
        "INDEX": landmarks.INDEX_FINGERS,
        "THUMB": landmarks.THUMBS,
        "HIP": landmarks.HIPS,
        "KNEE": landmarks.KNEES,
        "ANKLE": landmarks.ANKLES,
        "HEEL": landmarks.HEELS,
        "FOOT_INDEX": landmarks.TOES,
    }
    for name, pair in ours.items():
        assert pair == (theirs[f"LEFT_{name}"], theirs[f"RIGHT_{name}"]), name
    assert landmarks.MOUTH == (theirs.MOUTH_LEFT, theirs.MOUTH_RIGHT)
    assert theirs.NOSE == landmarks.NOSE


def test_openpose_joints_stand_where_openpose_has_them() -> None:
    assert formats.COCO17 == (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
    arms, legs, face = (12, 14, 16, 11, 13, 15), (24, 26, 28, 23, 25, 27), (5, 2, 8, 7)
    neck, middle, none = openpose._NECK, openpose._MID_HIP, openpose._NONE
    assert (0, neck, *arms, *legs, *face) == openpose.COCO18
    assert (0, neck, *arms, middle, *legs, *face, 31, none, 29, 32, none, 30) == openpose.BODY25


def test_landmarks_are_numbered_in_one_place() -> None:
    """Neighbours of two digits, left odd and right even, slices of them and sums with a side."""
    numbers = re.compile(
        r"\b(?:11, 12|13, 14|15, 16|23, 24|25, 26|27, 28|29, 30|31, 32|11:13|23:25|25:27|27:29)\b"
        r"|\b[1-3][1-9] [+-] side\b"
    )
    folders = [CORE / room for room in ("pose", "motion", "pictures", "rhythm", "scores")]
    studio = CORE.parent / "training" / "studio"
    files = [path for folder in folders for path in folder.glob("*.py")] + list(studio.rglob("*.py"))
    files += [CORE.parent / "training" / name for name in ("check_dancer.py", "sources/melody.py")]
    for path in sorted(files):
        if path.name != "landmarks.py":
            found = numbers.findall(path.read_text(encoding="utf-8"))
            assert not found, f"{path.name} writes out {found}: import pose.landmarks"
