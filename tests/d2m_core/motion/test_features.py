"""Motion features: what they mean, and what they must not depend on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d2m_core.motion import MOTION_NAMES, extract_motion, find_accents, mirror_motion
from d2m_core.types import LANDMARKS, MOTION_FPS, PoseSequence

HIPS, ANKLES, WRISTS = (23, 24), (27, 28), (15, 16)
_SKELETON = {
    0: (0.0, -0.93), 7: (0.05, -0.94), 8: (-0.05, -0.94), 11: (0.11, -0.81), 12: (-0.11, -0.81),
    13: (0.2, -0.66), 14: (-0.2, -0.66), 15: (0.25, -0.52), 16: (-0.25, -0.52),
    23: (0.06, -0.53), 24: (-0.06, -0.53), 25: (0.07, -0.28), 26: (-0.07, -0.28),
    27: (0.08, -0.04), 28: (-0.08, -0.04),
}  # fmt: skip
"""A standing body one unit tall: x to the picture's right, y down from the floor."""


def bouncing(
    fps: float = 25.0, duration_s: float = 4.0, bpm: float = 120.0, size: float = 0.5
) -> PoseSequence:
    """A body, `size` frame heights tall, that dips on every beat and swings its left arm."""
    times = np.arange(round(duration_s * fps)) / fps
    points = np.zeros((len(times), LANDMARKS, 3))
    for joint, (x, y) in _SKELETON.items():
        points[:, joint, :2] = x, y
    dip = 0.03 * (0.5 + 0.5 * np.cos(2 * np.pi * bpm / 60 * times))
    above = [j for j, (_, y) in _SKELETON.items() if y < -0.1]
    points[:, above, 1] += dip[:, None] * np.where(np.array(above) < 25, 1.0, 0.5)
    points[:, 25:27, 2] -= 2 * dip[:, None]
    points[:, 15, 0] += 0.1 * np.sin(2 * np.pi * bpm / 120 * times)
    image = points[..., :2] * size + np.array([0.8, 0.9])
    world = (points - points[:, HIPS].mean(1, keepdims=True)) * 1.7
    return _poses(world, image, fps)


def _poses(world: np.ndarray, image: np.ndarray, fps: float) -> PoseSequence:
    frames = len(world)
    seen = np.zeros((frames, 1, LANDMARKS), np.float32)
    seen[:, :, list(_SKELETON)] = 1.0
    return PoseSequence(
        world[:, None].astype(np.float32),
        image[:, None].astype(np.float32),
        seen,
        np.ones((frames, 1), bool),
        fps,
    )


def column(poses: PoseSequence, name: str) -> np.ndarray:
    return extract_motion(poses).values[:, MOTION_NAMES.index(name)]


def test_columns_rate_and_length() -> None:
    motion = extract_motion(bouncing(duration_s=3.0))
    assert motion.values.shape == (75, len(MOTION_NAMES))
    assert motion.fps == 25.0
    assert len(set(MOTION_NAMES)) == len(MOTION_NAMES)


def test_hips_fall_onto_the_beat_and_stand_on_their_feet() -> None:
    height = column(bouncing(bpm=120), "hip_height")
    inside = height[10:85]
    assert inside.mean() == pytest.approx(0.475, abs=0.03)  # hips 0.53, ankles 0.04 of the height
    lowest = np.flatnonzero((inside[1:-1] < inside[:-2]) & (inside[1:-1] <= inside[2:])) + 11
    away = np.abs((lowest / 25.0) % 0.5 - 0.25)
    assert (away > 0.25 - 0.045).all()  # low on multiples of half a second


def test_bounce_velocity_has_its_true_size() -> None:
    speed = column(bouncing(bpm=60), "bounce_v")
    assert speed[20:80].max() == pytest.approx(0.03 / 2 * 2 * np.pi, rel=0.1)


def test_knees_bend_with_the_dip() -> None:
    bend = column(bouncing(bpm=60), "knee_bend_l")
    assert bend[25] > bend[12] + 0.1


def test_travel_is_kept() -> None:
    still = bouncing()
    moved = still.image.copy()
    moved[..., 0] += np.linspace(0, 0.5, still.frames)[:, None, None]  # one body height in 4 s
    walked = PoseSequence(still.world, moved, still.visibility, still.present, still.fps)
    assert np.ptp(column(walked, "root_x")) == pytest.approx(1.0, rel=0.08)
    assert np.median(column(walked, "root_vx")) == pytest.approx(0.25, rel=0.08)


@settings(max_examples=15, deadline=None)
@given(size=st.floats(0.1, 0.9), metres=st.floats(0.5, 2.5))
def test_size_in_the_picture_and_of_the_body_do_not_matter(size: float, metres: float) -> None:
    base = extract_motion(bouncing(size=0.5)).values
    poses = bouncing(size=size)
    other = PoseSequence(
        poses.world * np.float32(metres), poses.image, poses.visibility, poses.present, poses.fps
    )
    np.testing.assert_allclose(extract_motion(other).values, base, atol=0.04, rtol=0.01)


@settings(max_examples=15, deadline=None)
@given(fps=st.floats(12.0, 120.0), bpm=st.floats(60.0, 120.0))
def test_frame_rate_does_not_matter(fps: float, bpm: float) -> None:
    base = extract_motion(bouncing(25.0, bpm=bpm)).values
    other = extract_motion(bouncing(fps, bpm=bpm)).values
    count = min(len(base), len(other))
    assert abs(len(base) - len(other)) <= 2
    for name in ("hip_height", "bounce_v", "wrist_vx_l", "root_vy", "knee_bend_l"):
        index = MOTION_NAMES.index(name)
        one, two = base[12 : count - 12, index], other[12 : count - 12, index]
        assert np.abs(one - two).max() < 0.2 * np.ptp(one) + 1e-3, name


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_a_mirrored_clip_gives_mirrored_features(seed: int) -> None:
    rng = np.random.default_rng(seed)
    base = bouncing(duration_s=2.0)
    shake = rng.normal(0, 0.01, (base.frames, 1, LANDMARKS, 3)).cumsum(0) * 0.1
    world = (base.world + shake).astype(np.float32)
    image = (base.image + shake[..., :2]).astype(np.float32)
    poses = PoseSequence(world, image, base.visibility, base.present, base.fps)
    swap = np.arange(LANDMARKS)
    for left in (7, 11, 13, 15, 23, 25, 27):
        swap[left], swap[left + 1] = left + 1, left
    mirrored = PoseSequence(
        world[:, :, swap] * np.float32([-1, 1, 1]),
        image[:, :, swap] * np.float32([-1, 1]) + np.float32([1.7, 0]),
        base.visibility[:, :, swap],
        base.present,
        base.fps,
    )
    expected = mirror_motion(extract_motion(poses)).values
    np.testing.assert_allclose(extract_motion(mirrored).values, expected, atol=2e-2, rtol=1e-2)


def test_mirroring_twice_changes_nothing() -> None:
    motion = extract_motion(bouncing())
    np.testing.assert_array_equal(mirror_motion(mirror_motion(motion)).values, motion.values)


def _without(poses: PoseSequence, frames: slice, joints: list[int] | None = None) -> PoseSequence:
    visibility, present = poses.visibility.copy(), poses.present.copy()
    image = poses.image.copy()
    if joints is None:
        present[frames] = False
        image[frames] = 0.0
    else:
        visibility[frames, :, joints] = 0.0
        image[frames, :, joints] = 7.0  # must not be looked at
    return PoseSequence(poses.world, image, visibility, present, poses.fps)


def test_a_short_gap_is_interpolated() -> None:
    whole, gap = bouncing(bpm=60), _without(bouncing(bpm=60), slice(40, 44))
    one, two = extract_motion(whole).values, extract_motion(gap).values
    assert two[:, 0].all()
    index = MOTION_NAMES.index("hip_height")
    assert np.abs(one[:, index] - two[:, index]).max() < 0.01


def test_a_long_absence_is_zero_and_marked() -> None:
    values = extract_motion(_without(bouncing(), slice(30, 70))).values
    assert (values[30:70] == 0).all()
    assert values[:30, 0].all()
    assert values[70:, 0].all()
    whole = extract_motion(bouncing()).values
    assert (np.abs(values).max(0) <= 1.5 * np.abs(whole).max(0) + 0.5).all()  # no jolt at its edges


def test_hidden_feet_leave_the_rest_alone() -> None:
    hidden = extract_motion(_without(bouncing(), slice(None), list(ANKLES))).values
    shown = extract_motion(bouncing()).values
    for name in ("ankle_y_l", "hip_height", "contact_r"):
        assert (hidden[:, MOTION_NAMES.index(name)] == 0).all(), name
    for name in ("wrist_speed_l", "bounce_v"):
        index = MOTION_NAMES.index(name)
        np.testing.assert_allclose(hidden[:, index], shown[:, index], rtol=0.15, atol=0.02)


def test_nobody_gives_zeros() -> None:
    values = extract_motion(_without(bouncing(), slice(None))).values
    assert (values == 0).all()


def test_one_frame_is_enough() -> None:
    assert extract_motion(bouncing(duration_s=0.04)).values.shape == (1, len(MOTION_NAMES))


def test_flat_poses_without_depth_work() -> None:
    poses = bouncing()
    flat = PoseSequence(np.zeros_like(poses.world), poses.image, poses.visibility, poses.present, poses.fps)
    np.testing.assert_allclose(column(flat, "hip_height"), column(poses, "hip_height"), atol=1e-5)
    assert np.isfinite(extract_motion(flat).values).all()


def test_a_person_who_is_not_there() -> None:
    with pytest.raises(IndexError, match="person 1 of 1"):
        extract_motion(bouncing(), person=1)


def test_braking_and_accents_are_those_of_the_pose() -> None:
    poses = bouncing(bpm=200, duration_s=6.0)
    accents = find_accents(poses)
    curve = column(poses, "accent")
    peaks = np.flatnonzero(curve > 0.05)
    assert len(accents) > 0
    assert np.abs(peaks[:, None] / MOTION_FPS - accents.times_s).min(1).max() < 0.15
    brake = column(poses, "brake")
    at = np.round(accents.times_s * MOTION_FPS).astype(int)
    np.testing.assert_allclose(brake[at], accents.strengths, atol=0.02)
    swing = column(poses, "wrist_steady_vx_l")
    assert np.corrcoef(swing, column(poses, "wrist_vx_l"))[0, 1] > 0.95


def test_swapped_hands_do_not_shake_steady_speeds() -> None:
    """Left taken for right in single frames, as estimators do."""
    poses = bouncing(bpm=60, duration_s=6.0)
    image = poses.image.copy()
    image[20::30] = image[20::30][..., _swapped_hands(), :]
    confused = replace(poses, image=image)
    plain = np.ptp(column(confused, "wrist_vx_l")) / np.ptp(column(poses, "wrist_vx_l"))
    steady = column(confused, "wrist_steady_vx_l") - column(poses, "wrist_steady_vx_l")
    assert plain > 2
    assert np.abs(steady).max() < 0.1 * np.ptp(column(poses, "wrist_steady_vx_l"))


def _swapped_hands() -> list[int]:
    order = list(range(LANDMARKS))
    order[15], order[16] = order[16], order[15]
    return order


def test_only_some_features_in_any_order() -> None:
    motion = extract_motion(bouncing())
    two = motion.only(("clap", "present"))
    assert two.names == ("clap", "present")
    np.testing.assert_array_equal(two.values[:, 1], motion.values[:, 0])
    assert motion.only(MOTION_NAMES) is motion
    with pytest.raises(ValueError, match="lack waltz"):
        motion.only(("present", "waltz"))


def test_a_leap_from_shot_to_shot_is_no_movement() -> None:
    """Somebody who stands elsewhere after a cut has not moved; without the cut known, they have."""
    poses = bouncing()
    image = poses.image.copy()
    image[60:] += (0.4, 0.1)
    leaping = replace(poses, image=image)
    told = replace(leaping, cuts_s=(60 / poses.fps,))
    for name in ("total_speed", "wrist_speed_l", "root_vx", "brake", "speed_band_3", "bounce_energy_2"):
        assert np.abs(column(leaping, name)).max() > 2 * np.abs(column(told, name)).max(), name
        assert np.abs(column(told, name)).max() <= np.abs(column(poses, name)).max() + 0.02, name
    assert column(told, "present").all()
    assert len(find_accents(told)) <= len(find_accents(poses)) < len(find_accents(leaping))
