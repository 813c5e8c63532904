"""People who are read in few pictures: smooth curves in between, told where one of them is followed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from d2m_core.pose import events, kept_poses
from d2m_core.pose.seldom import between
from d2m_core.types import LANDMARKS, PoseSequence, VideoClip

FPS, FRAMES = 25.0, 101


def waving(hz: float = 0.8) -> PoseSequence:
    """Two people whose joints swing by a tenth of the picture's height, seen in every frame."""
    times = np.arange(FRAMES) / FPS
    swing = 0.1 * np.sin(2 * np.pi * hz * times)[:, None, None, None]
    points = np.linspace(0, 1, LANDMARKS * 3).reshape(1, 1, LANDMARKS, 3) + np.zeros((FRAMES, 2, 1, 1))
    points = (points + swing).astype(np.float32)
    seen = np.full((FRAMES, 2, LANDMARKS), 0.9, np.float32)
    return PoseSequence(points, points[..., :2].copy(), seen, np.ones((FRAMES, 2), np.bool_), FPS)


def of_stills(poses: PoseSequence, person: int, step: int = 5) -> PoseSequence:
    """What is left of somebody who was read in every `step`-th frame."""
    present = poses.present.copy()
    present[:, person] &= np.arange(poses.frames) % step == 0
    arrays = [np.where(present.reshape(FRAMES, 2, *[1] * (a.ndim - 2)), a, 0).astype(np.float32)
              for a in (poses.world, poses.image, poses.visibility)]  # fmt: skip
    return PoseSequence(*arrays, present, FPS)


def test_curves_come_near_to_a_smooth_movement_and_nearer_than_straight_lines() -> None:
    truth = waving()
    curves = between(of_stills(truth, 1), [1], 0.4)
    assert curves.present.all()
    np.testing.assert_array_equal(curves.image[:, 0], truth.image[:, 0])
    off = np.abs(curves.image[:, 1] - truth.image[:, 1]).max()
    straight = np.interp(np.arange(FRAMES), np.arange(0, FRAMES, 5), truth.image[::5, 1, 0, 0])
    assert off < 0.4 * np.abs(straight - truth.image[:, 1, 0, 0]).max()
    np.testing.assert_allclose(curves.visibility[:, 1], 0.9)


def test_nothing_is_filled_over_long_gaps_cuts_or_around_a_single_picture() -> None:
    poses = of_stills(waving(), 1)
    present = poses.present.copy()
    present[25:40, 1] = False  # 0.8 s
    present[60:, 1] = False
    present[80, 1] = True  # alone
    found = between(replace(poses, present=present, cuts_s=(0.3,)), [1], 0.4).present[:, 1]
    assert found[:6].all()
    assert not found[6:10].any()
    assert found[10:21].all()
    assert not found[21:40].any()
    assert found[40:56].all()
    assert np.flatnonzero(found[56:]).tolist() == [24]


def test_who_was_read_seldom_keeps_the_mark_and_is_told_when_followed(tmp_path: Path) -> None:
    poses = replace(waving(), seldom=(1,))
    assert poses.people_at([1, 0]).seldom == (0,)
    assert poses.people_at([0]).seldom == ()
    assert poses.frames_at(slice(0, 10)).seldom == (1,)
    assert events(poses, [0]) == ()
    (told,) = events(poses, [1])
    assert told.kind == "seldom"
    assert "Dancer 1" in told.text
    (tmp_path / "clip").write_bytes(b"film")
    clip = VideoClip(tmp_path / "clip", 4.04, 640, 360, 4.04, "h264", Fraction(25), 0.0)
    for find in (lambda: poses, lambda: waving()):
        kept = kept_poses(find, clip, tmp_path / "clip", {}, tmp_path / "kept")
        assert kept.seldom == (1,)
