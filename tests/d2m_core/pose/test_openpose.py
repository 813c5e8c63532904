"""Poses to OpenPose's dictionaries and back: nothing lost that they can hold, nothing invented."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d2m_core.errors import PoseError, SettingError
from d2m_core.motion import extract_motion
from d2m_core.pose import from_openpose, to_openpose
from d2m_core.pose.landmarks import ANKLES, HEELS, TOES
from d2m_core.pose.openpose import FEET_LIST, LAYOUTS, LEAST_SCORE
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
    held = sorted({landmark for landmark in (*LAYOUTS[layout], *FEET_LIST) if landmark >= 0})
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


@pytest.mark.parametrize("layout", LAYOUTS)
def test_written_scores_are_one_or_nought(layout: str) -> None:
    """Nodes that read what DWPose writes take a score under 1 for a joint that nobody saw."""
    poses = body(np.random.default_rng(3), 4, 2)
    for frame in to_openpose(poses, 640, 480, layout=layout):
        for one in frame["people"]:
            rows = np.reshape(one["pose_keypoints_2d"], (-1, 3))
            assert set(np.unique(rows[:, 2])) <= {0.0, 1.0}
            assert not rows[rows[:, 2] == 0].any()
            assert rows[0, 2] == 1.0  # the nose


def test_every_part_that_drawing_nodes_read_is_there() -> None:
    (frame,) = to_openpose(body(np.random.default_rng(3), 1, 1), 640, 480)
    (one,) = frame["people"]
    sizes = {key: len(numbers) // 3 for key, numbers in one.items() if key.endswith("_2d")}
    assert sizes == {
        "pose_keypoints_2d": 18,
        "foot_keypoints_2d": 6,
        "face_keypoints_2d": 70,
        "hand_left_keypoints_2d": 21,
        "hand_right_keypoints_2d": 21,
    }


def test_feet_of_their_own_list_are_read() -> None:
    """Left big toe, left small toe, left heel, then right: pixels, or fractions as the body's."""
    points = {2: (300, 100), 5: (340, 100), 10: (305, 300), 13: (335, 300)}
    feet = np.zeros((6, 3))
    feet[0], feet[2], feet[3], feet[5] = (345, 312, 0.9), (333, 308, 0.8), (300, 313, 0.9), (306, 309, 0.1)
    pixels = person(points) | {"foot_keypoints_2d": feet.ravel().tolist()}
    poses = from_openpose([frame(pixels)], 25.0)
    image, seen = poses.image[0, 0], poses.visibility[0, 0]
    np.testing.assert_allclose(image[TOES[0]], (345 / 480, 312 / 480), atol=1e-6)
    np.testing.assert_allclose(image[HEELS[0]], (333 / 480, 308 / 480), atol=1e-6)
    np.testing.assert_allclose(image[TOES[1]], (300 / 480, 313 / 480), atol=1e-6)
    assert seen[[*TOES, HEELS[0]]] == pytest.approx([0.9, 0.9, 0.8])
    assert seen[HEELS[1]] == 0  # under `LEAST_SCORE`
    assert seen[list(ANKLES)] == pytest.approx([1, 1])
    shares = person({joint: (x / 640, y / 480) for joint, (x, y) in points.items()})
    shares["foot_keypoints_2d"] = (feet / [640, 480, 1]).ravel().tolist()
    np.testing.assert_allclose(from_openpose([frame(shares)], 25.0).image, poses.image, atol=1e-6)


@pytest.mark.parametrize("feet", [None, [], [1.0, 2.0, 1.0], [[0.0] * 18], ["a"] * 18])
def test_feet_of_another_shape_are_left_out_or_told(feet: Any) -> None:
    one = person(UPRIGHT) | {"foot_keypoints_2d": feet}
    if feet == ["a"] * 18:
        with pytest.raises(PoseError, match="not in OpenPose format"):
            from_openpose([frame(one)], 25.0)
    else:
        poses = from_openpose([frame(one)], 25.0)
        assert not poses.visibility[..., [*HEELS, *TOES]].any()
        assert poses.present.all()
