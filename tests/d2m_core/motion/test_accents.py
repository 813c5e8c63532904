"""Visible accents: found where a hand-made body makes them, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from d2m_core.motion import Accents, find_accents
from d2m_core.motion.accents import accent_curve
from d2m_core.motion.braking import braking_of
from d2m_core.types import LANDMARKS, MOTION_FPS, PoseSequence
from training.studio.any_scene import random_scene
from training.studio.stage.noise import mediapipe_like

HIPS, WRISTS = [23, 24], (15, 16)
_SKELETON = {
    0: (0.0, -0.93), 7: (0.05, -0.94), 8: (-0.05, -0.94), 11: (0.11, -0.81), 12: (-0.11, -0.81),
    13: (0.2, -0.66), 14: (-0.2, -0.66), 15: (0.25, -0.52), 16: (-0.25, -0.52),
    23: (0.06, -0.53), 24: (-0.06, -0.53), 25: (0.07, -0.28), 26: (-0.07, -0.28),
    27: (0.08, -0.04), 28: (-0.08, -0.04),
}  # fmt: skip
"""A standing body one unit tall: x to the picture's right, y down from the floor."""
_RATES = (12.0, 15.0, 24.0, 30.0, 50.0, 60.0)

Move = Callable[[np.ndarray, np.ndarray], None]
"""Moves points [F, J, 2] of a standing body in place, given the times [F]."""


def dancing(*moves: Move, fps: float = 25.0, size: float = 0.5, noise: float = 0.0) -> PoseSequence:
    """Four seconds of a body, `size` frame heights tall."""
    times = np.arange(round(4 * fps)) / fps
    points = np.zeros((len(times), LANDMARKS, 2))
    points[:, list(_SKELETON)] = list(_SKELETON.values())
    for move in moves:
        move(times, points)
    points += np.random.default_rng(0).normal(0, noise, points.shape)
    flat = np.concatenate([points, 0 * points[..., :1]], -1)
    world = 1.7 * (flat - flat[:, HIPS].mean(1, keepdims=True))
    seen = np.zeros((len(times), 1, LANDMARKS), np.float32)
    seen[:, :, list(_SKELETON)] = 1.0
    return PoseSequence(
        world[:, None].astype(np.float32),
        (points * size + np.array([0.8, 0.9]))[:, None].astype(np.float32),
        seen,
        np.ones((len(times), 1), bool),
        fps,
    )


def stop_at(stop_s: float, way: float = 0.5) -> Move:
    """The left hand rises for 0.3 s and stops dead."""

    def move(times: np.ndarray, points: np.ndarray) -> None:
        points[:, WRISTS[0], 1] -= way * np.clip((times - stop_s) / 0.3 + 1, 0, 1)

    return move


def clap(times: np.ndarray, points: np.ndarray) -> None:
    """The hands come together for 0.4 s, meet at 2 s and stay."""
    apart = np.interp(times, [1.6, 2.0], [0.25, 0.03])
    for wrist, side in zip(WRISTS, (1, -1), strict=True):
        points[:, wrist] = np.stack([side * apart, np.full(len(times), -0.7)], -1)


def jump(times: np.ndarray, points: np.ndarray) -> None:
    """The whole body flies from 1.4 s to 1.9 s."""
    share = np.clip((times - 1.4) / 0.5, 0, 1)
    points[..., 1] -= 0.6 * (share * (1 - share))[:, None]


def foot_down(times: np.ndarray, points: np.ndarray) -> None:
    """The left foot is raised and slammed down at 1.8 s."""
    points[:, 27, 1] -= np.interp(times, [0.8, 1.6, 1.8], [0, 0.25, 0])


def pendulum(times: np.ndarray, points: np.ndarray) -> None:
    """The left hand swings to and fro, turning back at 0.125 s and every 0.25 s from there."""
    points[:, WRISTS[0], 0] += 0.15 * np.sin(2 * np.pi * 2 * times)


def strongest(accents: Accents) -> tuple[float, str]:
    k = int(accents.strengths.argmax())
    return float(accents.times_s[k]), accents.kinds[k]


@pytest.mark.parametrize(
    ("move", "at", "kind"),
    [(stop_at(1.5), 1.5, "brake"), (clap, 2.0, "clap"), (jump, 1.9, "landing"), (foot_down, 1.8, "landing")],
)
def test_the_strongest_accent_is_where_it_was_made(move: Move, at: float, kind: str) -> None:
    found = find_accents(dancing(move))
    time_s, found_kind = strongest(found)
    assert time_s == pytest.approx(at, abs=0.04)
    assert found_kind == kind


def test_one_stop_is_one_accent_of_the_hand_that_made_it() -> None:
    found = find_accents(dancing(stop_at(1.5)))
    assert found.times_s == pytest.approx([1.5], abs=0.01)
    assert found.joints == ((WRISTS[0],),)


def test_a_pendulum_gives_each_of_its_reversals() -> None:
    found = find_accents(dancing(pendulum))
    inside = (found.times_s > 0.3) & (found.times_s < 3.7)
    turns = np.arange(0.375, 3.7, 0.25)
    assert inside.sum() == len(turns)
    assert np.abs(found.times_s[inside] - turns).max() < 0.06  # hardest just before the turn
    assert {found.kinds[k] for k in np.flatnonzero(inside)} == {"reversal"}


@pytest.mark.parametrize("noise", [0.0, 0.003, 0.01, 0.03])
def test_standing_still_gives_none(noise: float) -> None:
    assert len(find_accents(dancing(noise=noise))) == 0


def test_where_a_dancer_stands_hardly_changes_how_hard_they_brake() -> None:
    angles = 4 * np.pi * np.arange(200) / MOTION_FPS
    points = np.stack([0.15 * np.sin(angles + k)[:, None] * [1.0, 0.5] for k in range(5)], 1)
    here, there = (braking_of(points + away, np.ones((200, 5)))[0] for away in (0.0, 3.0))
    assert here.max() > 5
    assert np.abs(there - here).max() < 0.15


def test_a_stop_is_found_in_noise() -> None:
    found = find_accents(dancing(stop_at(1.5), noise=0.004))
    assert found.times_s == pytest.approx([1.5], abs=0.04)


def test_harder_is_stronger() -> None:
    strengths = [find_accents(dancing(stop_at(1.5, way))).strengths[0] for way in (0.15, 0.3, 0.6)]
    assert (np.diff(strengths) > 0.05).all()


@pytest.mark.parametrize("size", [0.1, 0.9])
def test_size_in_the_picture_does_not_matter(size: float) -> None:
    base = find_accents(dancing(stop_at(1.5), foot_down))
    other = find_accents(dancing(stop_at(1.5), foot_down, size=size))
    np.testing.assert_allclose(other.times_s, base.times_s, atol=0.005)
    np.testing.assert_allclose(other.strengths, base.strengths, atol=0.01)
    assert other.kinds == base.kinds


@pytest.mark.parametrize("fps", _RATES)
@pytest.mark.parametrize(("move", "count"), [(stop_at(1.5), 1), (pendulum, 14)])
def test_frame_rate_does_not_matter(fps: float, move: Move, count: int) -> None:
    base, other = find_accents(dancing(move)).times_s, find_accents(dancing(move, fps=fps)).times_s
    base, other = (t[(t > 0.25) & (t < 3.75)] for t in (base, other))
    assert len(base) == count
    np.testing.assert_allclose(other, base, atol=0.015)


@pytest.mark.parametrize("later_s", [0.013, 0.02, 0.52])
def test_a_later_dance_has_later_accents(later_s: float) -> None:
    base = find_accents(dancing(stop_at(1.3), stop_at(2.3)))
    later = find_accents(dancing(stop_at(1.3 + later_s), stop_at(2.3 + later_s)))
    np.testing.assert_allclose(later.times_s - base.times_s, later_s, atol=0.015)


def test_missing_frames_give_none() -> None:
    poses = dancing(pendulum)
    present, image = poses.present.copy(), poses.image.copy()
    present[30:33] = present[50:70] = False
    image[~present] = 0.0
    found = find_accents(PoseSequence(poses.world, image, poses.visibility, present))
    for start_s, end_s in ((1.2, 1.32), (2.0, 2.8)):
        assert not ((found.times_s > start_s - 0.1) & (found.times_s < end_s + 0.1)).any()
    nobody = PoseSequence(poses.world, image, poses.visibility, np.zeros_like(present))
    assert len(find_accents(nobody)) == 0


def test_left_taken_for_right_for_a_moment_changes_little() -> None:
    poses = dancing(stop_at(1.5))
    image = poses.image.copy()
    image[60:66, :, [15, 16]] = image[60:66, :, [16, 15]]
    found = find_accents(PoseSequence(poses.world, image, poses.visibility, poses.present))
    assert found.times_s == pytest.approx([1.5], abs=0.01)


@pytest.mark.parametrize("frames", [1, 2, 5, 8])
def test_short_clips_work(frames: int) -> None:
    poses = dancing(pendulum)
    short = PoseSequence(
        poses.world[:frames], poses.image[:frames], poses.visibility[:frames], poses.present[:frames]
    )
    assert len(find_accents(short)) <= 1


def test_a_person_who_is_not_there() -> None:
    with pytest.raises(IndexError, match="person 1 of 1"):
        find_accents(dancing(), person=1)


def test_strong_danced_accents_are_found_in_noise() -> None:
    danced = met = 0
    for seed in range(21_000_100, 21_000_110):
        scene = random_scene(seed, 10.0)
        found = find_accents(mediapipe_like(scene, np.random.default_rng(seed), 1.0)).times_s
        truth = scene.dances[0]
        strong = truth.accents_s[truth.accent_strengths >= 0.4]
        danced += len(strong)
        met += int((np.abs(strong[:, None] - found).min(1, initial=np.inf) <= 0.07).sum())
    assert met > 0.65 * danced


def test_the_curve_peaks_where_accents_are() -> None:
    accents = Accents(np.array([0.4, 1.2]), np.array([1.0, 0.5], np.float32), ("brake", "landing"))
    curve = accent_curve(accents, 50, 25.0)
    assert curve.dtype == np.float32
    assert curve[[10, 30]] == pytest.approx([1.0, 0.5])
    assert curve[20] < 1e-6
    assert accent_curve(accents.stronger_than(2.0), 50, 25.0).max() == 0


@pytest.mark.parametrize(
    ("times_s", "strengths", "kinds", "message"),
    [
        ([1.0, 0.5], [1, 1], ("brake",) * 2, "rise"),
        ([1.0], [1.5], ("brake",), "0..1"),
        ([1.0], [1], ("hop",), "kinds"),
        ([1.0], [1, 1], ("brake",), "strengths"),
    ],
)
def test_nonsense_is_refused(
    times_s: list[float], strengths: list[float], kinds: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Accents(np.array(times_s), np.array(strengths, np.float32), kinds)
