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
from d2m_core.motion import extract_motion
from d2m_core.pose import from_coco17, from_openpose, load_poses, save_poses, to_openpose
from d2m_core.pose.formats import COCO17, LAYOUTS, LEAST_SCORE
from d2m_core.types import LANDMARKS, PoseSequence


def body(rng: np.random.Generator, frames: int, people: int) -> PoseSequence:
    """Random bodies at fixed places, some absent, some joints not given."""
    image = rng.uniform(0.0, 0.1, (frames, people, LANDMARKS, 2))
    image += np.arange(people)[:, None, None] * 0.4 + 0.2
    present = rng.uniform(size=(frames, people)) < 0.8
    present[0] = True
    visibility = rng.uniform(0.05, 1.0, (frames, people, LANDMARKS))
    visibility[rng.uniform(size=visibility.shape) < 0.2] = 0.0
    visibility[np.abs(visibility - LEAST_SCORE) < 1e-6] = 0.5
    visibility[..., 0] = 0.9
    visibility[~present] = 0.0
    image[visibility == 0] = 0.0
    return PoseSequence(
        np.zeros((frames, people, LANDMARKS, 3), np.float32),
        image.astype(np.float32),
        visibility.astype(np.float32),
        present,
        25.0,
    )


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(1, 6),
    st.integers(1, 3),
    st.sampled_from(sorted(LAYOUTS)),
    st.integers(32, 4000),
    st.integers(32, 4000),
)
def test_openpose_and_back_keeps_every_believed_joint_it_can_hold(
    seed: int, frames: int, people: int, layout: str, width: int, height: int
) -> None:
    poses = body(np.random.default_rng(seed), frames, people)
    back = from_openpose(to_openpose(poses, width, height, layout=layout), 25.0, people)
    held = [landmark for landmark in LAYOUTS[layout] if landmark >= 0]
    believed = poses.visibility[..., held] >= LEAST_SCORE
    visibility = np.where(believed, poses.visibility[..., held], 0.0)
    image = np.where(believed[..., None], poses.image[..., held, :], 0.0)
    np.testing.assert_array_equal(back.present, poses.present)
    np.testing.assert_allclose(back.visibility[..., held], visibility, atol=1e-6)
    np.testing.assert_allclose(back.image[..., held, :], image, atol=1e-6)
    others = sorted(set(range(LANDMARKS)) - set(held))
    assert not back.visibility[..., others].any()
    assert not back.image[..., others, :].any()
    assert not back.world[back.visibility == 0].any()


def person(points: dict[int, tuple[float, float]], joints: int = 18) -> dict[str, Any]:
    flat = np.zeros((joints, 3))
    for joint, place in points.items():
        flat[joint] = (*place, 1.0)
    return {"pose_keypoints_2d": flat.ravel().tolist()}


def frame(*people: dict[str, Any], width: int = 640, height: int = 480) -> dict[str, Any]:
    return {"people": list(people), "canvas_width": width, "canvas_height": height}


UPRIGHT = {2: (300, 100), 5: (340, 100), 8: (305, 200), 11: (335, 200), 4: (250, 150)}
"""Shoulders, hips and the right wrist in pixels, COCO-18 order."""


def test_fractions_and_pixels_mean_the_same() -> None:
    pixels = from_openpose([frame(person(UPRIGHT))], 25.0)
    shares = {joint: (x / 640, y / 480) for joint, (x, y) in UPRIGHT.items()}
    fractions = from_openpose([frame(person(shares))], 25.0)
    np.testing.assert_allclose(fractions.image, pixels.image, atol=1e-6)
    np.testing.assert_allclose(pixels.image[0, 0, 16], (250 / 480, 150 / 480), atol=1e-6)
    forced = from_openpose([frame(person(shares))], 25.0, normalised=False)
    assert forced.image.max() < 0.01


def test_a_flat_body_gets_metres_around_its_hips() -> None:
    poses = from_openpose([frame(person(UPRIGHT))], 25.0)
    world = poses.world[0, 0]
    np.testing.assert_allclose(world[[23, 24]].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(world[[11, 12]].mean(axis=0), (0, -0.5, 0), atol=1e-6)
    np.testing.assert_allclose(world[16], (-0.35, -0.25, 0), atol=1e-6)
    assert not world[[0, 13, 15, 25, 26]].any()


def test_without_hips_nothing_but_the_origin_is_guessed() -> None:
    poses = from_openpose([frame(person({2: (300, 100), 5: (340, 100), 4: (250, 150)}))], 25.0)
    assert not poses.visibility[0, 0, [23, 24]].any()
    np.testing.assert_allclose(poses.world[0, 0, [11, 12]].mean(axis=0), (0, -0.5, 0), atol=1e-6)


def test_people_listed_in_any_order_keep_their_slot() -> None:
    def moved(by: float) -> dict[str, Any]:
        return person({joint: (x + by, y) for joint, (x, y) in UPRIGHT.items()})

    frames = [frame(moved(t), moved(-200 - t)) for t in range(8)]
    for index in (1, 2, 5):
        frames[index]["people"].reverse()
    poses = from_openpose(frames, 25.0)
    assert poses.present.all()
    assert np.abs(np.diff(poses.image[:, :, 11, 0], axis=0)).max() < 0.01


def test_frames_without_a_person_stay() -> None:
    hand_only = {"pose_keypoints_2d": [], "hand_left_keypoints_2d": [1, 1, 1] * 21}
    frames = [frame(person(UPRIGHT)), frame(), frame(hand_only), frame(person(UPRIGHT))]
    poses = from_openpose(frames, 25.0)
    assert poses.present[:, 0].tolist() == [True, False, False, True]


def test_joints_that_are_not_numbers_are_missing() -> None:
    points = {**UPRIGHT, 4: (float("nan"), 10.0), 7: (5.0, float("inf"))}
    poses = from_openpose([frame(person(points))], 25.0)
    assert not poses.visibility[0, 0, [15, 16]].any()
    assert np.isfinite(poses.image).all()


def scored(rng: np.random.Generator, unseen: float | None) -> list[dict[str, Any]]:
    """A dancer seen down to the hips; legs stray at a score of `unseen`, or are not given."""
    frames = []
    for time_s in np.arange(100) / 25:
        flat = np.zeros((18, 3))
        for joint, (x, y) in UPRIGHT.items():
            flat[joint] = (x + 30 * np.sin(2 * np.pi * 2 * time_s) * (joint == 4), y, 0.9)
        if unseen is not None:
            flat[8:14] = np.column_stack([rng.uniform(0, 640, 6), rng.uniform(0, 480, 6), [unseen] * 6])
        else:
            flat[8:14] = 0.0
        frames.append(frame({"pose_keypoints_2d": flat.ravel().tolist()}))
    return frames


@pytest.mark.parametrize("unseen", [0.05, 0.15, 0.25, 0.2999])
def test_joints_that_nobody_sees_are_not_believed(unseen: float) -> None:
    """Some detectors give all joints always, with low scores where there is nothing to see."""
    rng = np.random.default_rng(0)
    given, without = (from_openpose(scored(rng, score), 25.0) for score in (unseen, None))
    np.testing.assert_array_equal(given.visibility, without.visibility)
    np.testing.assert_array_equal(given.image, without.image)
    np.testing.assert_array_equal(extract_motion(given).values, extract_motion(without).values)
    at_limit = from_openpose(scored(rng, LEAST_SCORE), 25.0)
    assert (at_limit.visibility[0, 0, [23, 24, 25, 26]] > 0).all()


def test_arrays_with_scores_are_believed_from_the_same_score_on() -> None:
    scores = np.full((2, 17), 0.9)
    scores[:, 11:], scores[0, 0] = 0.25, LEAST_SCORE
    poses = from_coco17(np.full((2, 17, 2), 50.0), 25.0, scores=scores, height=100)
    assert not poses.visibility[..., COCO17[11:]].any()
    assert not poses.image[..., COCO17[11:], :].any()
    assert poses.visibility[0, 0, 0] == pytest.approx(LEAST_SCORE)


@pytest.mark.parametrize(
    ("frames", "sentence"),
    [
        ([], "no frames"),
        (None, "are of type NoneType; give a list"),
        ("people", "are of type str; give a list"),
        (frame(person(UPRIGHT)), "are of type dict; give a list"),
        ([frame()], "nobody in any of the 1 frames"),
        ([frame({"pose_keypoints_2d": [9.0, 9.0, 0.2] * 18})], "with a score of 0.3 or more"),
        ([{"people": []}], "Frame 0 .* not in OpenPose format"),
        ([frame(person(UPRIGHT)), 3], "Frame 1 .* not in OpenPose format"),
        ([frame({"hands": []})], "not in OpenPose format"),
        ([frame(person(UPRIGHT, joints=17))], "51 numbers per person"),
        ([frame(person(UPRIGHT), width=0)], "canvas of 0x480"),
        ([frame({"pose_keypoints_2d": ["a"] * 54})], "not in OpenPose format"),
    ],
)
def test_other_dictionaries_are_refused(frames: list[Any], sentence: str) -> None:
    with pytest.raises(PoseError, match=sentence):
        from_openpose(frames, 25.0)


def test_an_unknown_layout_is_refused() -> None:
    with pytest.raises(SettingError, match="coco18, body25"):
        to_openpose(body(np.random.default_rng(0), 1, 1), 64, 64, layout="coco133")


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
