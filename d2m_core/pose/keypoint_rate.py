"""How fast another program's keypoints follow each other: told, or found from their video."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import SettingError
from ..media import shown_frames
from ..types import Progress, VideoClip
from .openpose import RATE_KEY, check_frames

_NTSC = 1000 / 1001
_COMMON = (8.0, 10.0, 12.0, 12.5, 15.0, 16.0, 20.0, 24 * _NTSC, 24.0, 25.0, 30 * _NTSC, 30.0, 50.0)
"""Rates to which people thin out a video's pictures."""
_EVERY = range(2, 11)
"""They also take every second to tenth picture."""
_OFF = 1.0
"""Programs that read a video differ by so many pictures."""


def rate_of_keypoints(
    frames: Sequence[Mapping[str, Any]],
    clip: VideoClip | None,
    fps: float = 0.0,
    on_progress: Progress | None = None,
) -> tuple[float, str]:
    """Frames of keypoints per second, and what the user should know of them ("" if all is well).

    `fps` above 0 is believed, and so is what our own keypoints say of themselves. Otherwise they are
    one for each picture of `clip`; fewer are its first part at its own rate, but where they may as
    well be every second picture, or a rate to which videos are thinned out, nothing is guessed.
    `on_progress` counts pictures where they must be. Raises `PoseError` and `SettingError`.
    """
    check_frames(frames)
    fps = fps or _stated(frames)
    if fps:
        return fps, "" if clip is None else _notice(len(frames), fps, clip)
    if clip is None:
        raise SettingError(
            "How fast the keypoints follow each other is not known; connect the video they come "
            "from, or set fps."
        )
    own = float(clip.rate)
    if abs(len(frames) - own * clip.duration_s) > _OFF:  # a header's rate may be wrong
        own = _pictures(clip, on_progress) / clip.duration_s
    _must_fit(len(frames), own, clip)
    return own, _notice(len(frames), own, clip)


def _stated(frames: Sequence[Mapping[str, Any]]) -> float:
    """The rate in our own dictionaries; 0 in those of others."""
    try:
        fps = float(frames[0].get(RATE_KEY, 0.0))
    except (LookupError, AttributeError, TypeError, ValueError):
        return 0.0
    return fps if fps > 0 and math.isfinite(fps) else 0.0


def _pictures(clip: VideoClip, on_progress: Progress | None) -> int:
    """How many pictures the clip really shows."""
    count = 0
    for shown in shown_frames(clip):
        count += 1
        if on_progress is not None:
            on_progress(round(1000 * shown.time_s), round(1000 * clip.duration_s))
    return count


def _must_fit(count: int, own: float, clip: VideoClip) -> None:
    """Raises `SettingError` where so many keypoints have several readings, or none."""
    pictures, spread = own * clip.duration_s, count / clip.duration_s
    if count > pictures + _OFF:
        raise SettingError(
            f"There are {count} frames of keypoints, but {clip.path.name} shows {round(pictures)} "
            f"pictures in {clip.duration_s:.2f} s; connect the video they come from, or set fps in Pose "
            f"from Keypoints ({spread:.4g} if they are spread over all of it)."
        )
    thinned = [pictures / step for step in _EVERY]
    thinned += [rate * clip.duration_s for rate in _COMMON if rate < own]
    if count < pictures - _OFF and any(abs(count - one) <= _OFF for one in thinned):
        raise SettingError(
            f"There are {count} frames of keypoints, but {clip.path.name} shows {round(pictures)} "
            f"pictures; set fps in Pose from Keypoints to {own:.4g} if they are its first "
            f"{count / own:.2f} s, or to {spread:.4g} if they are spread over all {clip.duration_s:.2f} s."
        )


def _notice(count: int, fps: float, clip: VideoClip) -> str:
    """What to tell where keypoints and video do not end together."""
    if abs(count - fps * clip.duration_s) <= _OFF:
        return ""
    return (
        f"{count} frames of keypoints at {fps:.4g} per second last {count / fps:.2f} s, "
        f"{clip.path.name} {clip.duration_s:.2f} s; set fps if they are spread over all of it "
        f"({count / clip.duration_s:.4g})."
    )
