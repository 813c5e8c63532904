"""Stick figures: few, to one scale, and never a line to a joint that nobody saw."""

from __future__ import annotations

import numpy as np

from d2m_core.pictures import stick_figures
from d2m_core.pose.landmarks import ANKLES, ELBOWS, HIPS, KNEES, SHOULDERS, WRISTS
from d2m_core.types import LANDMARKS, PoseSequence

HEIGHTS = {SHOULDERS: 0.2, ELBOWS: 0.3, WRISTS: 0.4, HIPS: 0.5, KNEES: 0.7, ANKLES: 0.9}


def standing(frames: int) -> PoseSequence:
    image = np.zeros((frames, 1, LANDMARKS, 2), np.float32)
    for (left, right), y in HEIGHTS.items():
        image[:, 0, left], image[:, 0, right] = (1.1, y), (0.9, y)
    visibility = np.ones((frames, 1, LANDMARKS), np.float32)
    world = np.zeros((frames, 1, LANDMARKS, 3), np.float32)
    return PoseSequence(world, image, visibility, np.ones((frames, 1), np.bool_))


def test_figures_fill_their_square_and_are_few() -> None:
    figures = stick_figures(standing(1000), most=40)
    assert len(figures) == 40
    assert [f.time_s for f in figures[:2]] == [0.0, 1.0]
    lines = figures[0].lines.reshape(-1, 2)
    np.testing.assert_allclose(lines[:, 1].min(), 0.0, atol=1e-5)
    np.testing.assert_allclose(lines[:, 1].max(), 1.0, atol=1e-5)
    np.testing.assert_allclose(lines[:, 0].min(), -lines[:, 0].max(), atol=1e-5)


def test_who_crouches_is_smaller_and_stands_on_the_floor() -> None:
    poses = standing(2)
    poses.image[1, 0, :, 1] = 0.9 + (poses.image[1, 0, :, 1] - 0.9) * 0.5
    tall, low = (figure.lines[:, [1, 3]] for figure in stick_figures(poses))
    assert np.ptp(low) == np.float32(0.5) * np.ptp(tall)
    np.testing.assert_allclose(low.max(), 1.0, atol=1e-5)


def test_unseen_joints_and_absent_people_are_left_out() -> None:
    poses = standing(3)
    poses.visibility[0, 0, list(ANKLES)] = 0
    poses.present[1] = False
    figures = stick_figures(poses)
    assert [round(f.time_s * poses.fps) for f in figures] == [0, 2]
    assert len(figures[0].lines) == len(figures[1].lines) - 2
    poses.present[:] = False
    assert stick_figures(poses) == []
