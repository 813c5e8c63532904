"""Keypoints without a rate: what a video says of them, and what nobody can know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from d2m_core.errors import SettingError
from d2m_core.media import open_clip
from d2m_core.pose import rate_of_keypoints, to_openpose
from d2m_core.types import VideoClip
from tests.media import make_clip

from .test_openpose import body


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> VideoClip:
    """10 s at 25 pictures per second."""
    path = tmp_path_factory.mktemp("clips") / "dance.mp4"
    return open_clip(make_clip(path, duration_s=10.0, fps=25))


def keys(count: int) -> list[dict[str, Any]]:
    return [{"people": [], "canvas_width": 64, "canvas_height": 48}] * count


@pytest.mark.parametrize("count", [249, 250, 251])
def test_one_for_each_picture_is_the_videos_rate(video: VideoClip, count: int) -> None:
    rate, notice = rate_of_keypoints(keys(count), video)
    assert rate == pytest.approx(25.0)
    assert notice == ""


@pytest.mark.parametrize("count", [245, 97, 230])
def test_a_part_is_never_stretched_and_is_said(video: VideoClip, count: int) -> None:
    rate, notice = rate_of_keypoints(keys(count), video)
    assert rate == pytest.approx(25.0)
    assert f"{count} frames of keypoints at 25 per second last {count / 25:.2f} s" in notice
    assert "dance.mp4 10.00 s" in notice


@pytest.mark.parametrize(("count", "spread"), [(125, "12.5"), (83, "8.3"), (240, "24"), (160, "16")])
def test_what_has_two_readings_is_not_guessed(video: VideoClip, count: int, spread: str) -> None:
    """The first half of the pictures, or every second; both have been met."""
    with pytest.raises(SettingError, match=rf"to 25 if .* its first {count / 25:.2f} s, or to {spread} if"):
        rate_of_keypoints(keys(count), video)
    assert rate_of_keypoints(keys(count), video, float(spread)) == (float(spread), "")


def test_a_rate_that_is_given_counts_and_a_part_is_said(video: VideoClip) -> None:
    rate, notice = rate_of_keypoints(keys(125), video, 25.0)
    assert rate == 25.0
    assert "last 5.00 s, dance.mp4 10.00 s" in notice
    assert rate_of_keypoints(keys(250), video, 25.0) == (25.0, "")


def test_keypoints_of_the_whole_video_do_not_fit_a_part(video: VideoClip) -> None:
    part = open_clip(video.path, 2.0, 5.0)
    with pytest.raises(SettingError, match=r"250 frames of keypoints, but dance.mp4 shows 125 pictures"):
        rate_of_keypoints(keys(250), part)
    assert rate_of_keypoints(keys(125), part)[0] == pytest.approx(25.0)


def test_the_pictures_count_where_the_rate_changes(tmp_path: Path) -> None:
    """Two seconds at 30, one at 15: the first picture is no measure."""
    times = [i / 30 for i in range(60)] + [2 + i / 15 for i in range(15)]
    clip = open_clip(make_clip(tmp_path / "phone.mkv", times_s=times))
    rate, notice = rate_of_keypoints(keys(75), clip)
    assert (rate * clip.duration_s, notice) == (pytest.approx(75), "")


def test_our_own_keypoints_know_their_rate(video: VideoClip) -> None:
    poses = body(np.random.default_rng(0), 300, 1)
    frames = to_openpose(poses, 64, 48)
    assert rate_of_keypoints(frames, None) == (25.0, "")
    assert "last 12.00 s" in rate_of_keypoints(frames, video)[1]
    assert rate_of_keypoints(frames, video, 30.0) == (30.0, "")


def test_without_a_video_the_rate_must_be_given() -> None:
    with pytest.raises(SettingError, match="connect the video they come from, or set fps"):
        rate_of_keypoints(keys(10), None)
    with pytest.raises(SettingError, match="connect the video"):
        rate_of_keypoints([{"fps": "fast"}], None)
