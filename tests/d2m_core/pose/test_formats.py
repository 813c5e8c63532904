"""Poses to other formats and back: nothing lost that the format can hold, nothing invented."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d2m_core.errors import PoseError, SettingError
from d2m_core.pose import from_coco17, load_poses, save_poses
from d2m_core.pose.formats import COCO17
from d2m_core.pose.openpose import LEAST_SCORE

from .test_openpose import body


def test_arrays_with_scores_are_believed_from_the_same_score_on() -> None:
    scores = np.full((2, 17), 0.9)
    scores[:, 11:], scores[0, 0] = 0.25, LEAST_SCORE
    poses = from_coco17(np.full((2, 17, 2), 50.0), 25.0, scores=scores, height=100)
    assert not poses.visibility[..., COCO17[11:]].any()
    assert not poses.image[..., COCO17[11:], :].any()
    assert poses.visibility[0, 0, 0] == pytest.approx(LEAST_SCORE)


def capture(up: str, unit_m: float) -> np.ndarray:
    """A standing dancer [30, 17, 3] who travels to the right, jumps, and reaches to the camera."""
    rng = np.random.default_rng(1)
    metres = np.zeros((30, 17, 3))  # x right, y up, z towards the camera
    metres[..., 1] = np.array(
        [1.7] * 5 + [1.4] * 2 + [1.1] * 2 + [0.9] * 2 + [0.9] * 2 + [0.5] * 2 + [0.0] * 2
    )
    metres[:, 5::2, 0], metres[:, 6::2, 0] = 0.15, -0.15
    metres[..., 0] += np.linspace(0, 1, 30)[:, None]
    metres[10:15, :, 1] += 0.3
    metres[:, 9, 2] = 0.5
    metres += rng.normal(0, 0.001, metres.shape)
    axes = {"y": metres, "z": metres[..., [0, 2, 1]] * [1, -1, 1], "-y": metres * [1, -1, -1]}
    return axes[up] / unit_m


@pytest.mark.parametrize("up", ["y", "z", "-y"])
@pytest.mark.parametrize("unit_m", [1.0, 0.01, 0.001])
def test_capture_in_any_axes_and_units_is_one_dance(up: str, unit_m: float) -> None:
    poses = from_coco17(capture(up, unit_m), 60.0, up=up)
    reference = from_coco17(capture("y", 1.0), 60.0)
    np.testing.assert_allclose(poses.world, reference.world, atol=1e-5)
    np.testing.assert_allclose(poses.image, reference.image, atol=1e-5)
    left_wrist, left_shoulder = poses.world[:, 0, 15], poses.world[:, 0, 11]
    assert (left_wrist[:, 2] < -0.4).all()  # z points away from the camera
    assert np.allclose(left_shoulder[:, 1], -0.5, atol=0.02)
    hips = poses.image[:, 0, [23, 24]].mean(axis=1)
    assert hips[-1, 0] - hips[0, 0] == pytest.approx(1 / 2.4, abs=0.01)  # travel stays
    assert hips[9, 1] - hips[12, 1] == pytest.approx(0.3 / 2.4, abs=0.01)  # and so do jumps
    assert poses.fps == 60.0


def test_flat_coco17_is_in_frame_heights_and_masked() -> None:
    joints = np.random.default_rng(0).uniform(10, 400, (4, 17, 2))
    joints[1, 9] = np.nan
    scores = np.full((4, 17), 0.7)
    scores[2] = 0.0
    poses = from_coco17(joints, 30.0, scores=scores, height=480)
    np.testing.assert_allclose(poses.image[0, 0, COCO17], joints[0] / 480, atol=1e-6)
    assert poses.visibility[1, 0, 15] == 0
    assert poses.present[:, 0].tolist() == [True, True, False, True]
    assert not poses.visibility[..., [17, 18, 29, 30, 31, 32]].any()


def test_coco17_without_what_it_needs_is_refused() -> None:
    joints = np.ones((4, 17, 2))
    with pytest.raises(PoseError, match="height in pixels"):
        from_coco17(joints, 25.0)
    with pytest.raises(PoseError, match=r"\[frames, 17, 2 or 3\]"):
        from_coco17(np.ones((4, 18, 2)), 25.0, height=10)
    with pytest.raises(PoseError, match="Scores have shape"):
        from_coco17(joints, 25.0, scores=np.ones(4), height=10)
    with pytest.raises(PoseError, match="None of the 4 frames"):
        from_coco17(joints * np.nan, 25.0, height=10)
    with pytest.raises(SettingError, match="choose y, z, -y"):
        from_coco17(np.ones((4, 17, 3)), 25.0, up="x")


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 3))
def test_saved_poses_come_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, seed: int, frames: int, people: int
) -> None:
    poses = body(np.random.default_rng(seed), frames, people)
    path = save_poses(poses, tmp_path_factory.mktemp("poses") / "deep" / "a.npz")
    back = load_poses(path)
    for name in ("world", "image", "visibility", "present"):
        np.testing.assert_array_equal(getattr(back, name), getattr(poses, name))
    assert back.fps == poses.fps
    assert [file.name for file in path.parent.iterdir()] == ["a.npz"]


def good() -> dict[str, Any]:
    poses = body(np.random.default_rng(0), 3, 1)
    names = ("world", "image", "visibility", "present")
    return {"version": 1, "fps": 25.0, **{name: getattr(poses, name) for name in names}}


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"fps": -1.0},
        {"fps": "fast"},
        {"image": np.zeros((3, 1, 33, 3), np.float32)},
        {"world": np.zeros((3, 1, 33, 3), np.float64)},
        {"world": np.full((3, 1, 33, 3), np.nan, np.float32)},
        {"visibility": np.full((3, 1, 33), 2, np.float32)},
        {"present": np.ones(3, np.bool_)},
        {"present": np.array([[object()]] * 3)},
        {"image": None},
    ],
    ids=str,
)
def test_damaged_pose_files_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "poses.npz"
    arrays = {key: value for key, value in (good() | change).items() if value is not None}
    np.savez(path, allow_pickle=True, **arrays)
    with pytest.raises(PoseError, match=r"poses\.npz is not a pose file of ours"):
        load_poses(path)


def test_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    path = save_poses(body(np.random.default_rng(0), 3, 1), tmp_path / "poses.npz")
    whole = path.read_bytes()
    for content in (b"", b"hello", whole[: len(whole) // 2], whole[:-30]):
        path.write_bytes(content)
        with pytest.raises(PoseError, match="not a pose file"):
            load_poses(path)
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(PoseError, match="not a pose file"):
        load_poses(tmp_path / "one.npy")
    with pytest.raises(PoseError, match="cannot be read"):
        load_poses(tmp_path / "missing.npz")
    with pytest.raises(PoseError, match=r"saved as \.npz"):
        save_poses(body(np.random.default_rng(0), 3, 1), tmp_path / "poses.json")


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = save_poses(body(np.random.default_rng(0), 3, 1), tmp_path / "poses.npz")
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(PoseError, match="could not be written"):
            save_poses(body(np.random.default_rng(0), 300, 3), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["poses.npz"]
