"""One frame of a clip with a box and a number for everybody, to see who is who."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..media import iter_frames
from ..types import PoseSequence, VideoClip
from .colours import PAPER, Colour
from .skeleton import draw_poses

if TYPE_CHECKING:
    from PIL import ImageDraw

_HEIGHT = 720
_CHOSEN, _OTHER = (255, 190, 60), (200, 205, 215)
_HEAD_ROOM = 0.09
"""Frame heights between the nose and the middle of a number."""


def dancer_picture(
    poses: PoseSequence, chosen: Sequence[int], size: tuple[int, int], clip: VideoClip | None = None
) -> np.ndarray:
    """Picture uint8 [H, W, 3] of the moment where most people are seen; the chosen stand out.

    Without `clip` the ground is dark, of the shape of `size` (width, height).
    """
    frame = _fullest(poses)
    rgb = ground(size, clip, frame / poses.fps)
    with suppress(ImportError):  # OpenCV comes with MediaPipe: the numbers do without
        rgb = draw_poses(rgb, poses, frame)
    return _numbered(rgb, poses, frame, chosen)


def picture_moment(poses: PoseSequence) -> float:
    """When the picture of `dancer_picture` was taken, in seconds: points are chosen on it."""
    return _fullest(poses) / poses.fps


def _fullest(poses: PoseSequence) -> int:
    """The frame with most people, as near to the middle as can be."""
    seen = poses.present.sum(1)
    best = np.flatnonzero(seen == seen.max())
    return int(best[np.abs(best - poses.frames / 2).argmin()])


def ground(size: tuple[int, int], clip: VideoClip | None, time_s: float) -> np.ndarray:
    """The clip's picture at a time, uint8 [H, W, 3], at most 720 high; dark without a clip."""
    if clip is None:
        height = min(_HEIGHT, size[1])
        width = max(1, round(size[0] * height / size[1]))
        return np.full((height, width, 3), PAPER, np.uint8)
    rest_s = max(clip.duration_s - time_s, 0.04)
    window = replace(clip, start_s=clip.start_s + time_s, duration_s=rest_s)
    frames = iter_frames(window, 25.0, _HEIGHT)
    return next(iter(frames)).rgb


def _numbered(rgb: np.ndarray, poses: PoseSequence, frame: int, chosen: Sequence[int]) -> np.ndarray:
    from PIL import Image, ImageDraw, ImageFont

    height, width = rgb.shape[:2]
    picture = Image.fromarray(rgb)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=max(14, height // 16))
    for person in np.flatnonzero(poses.present[frame]):
        given = poses.visibility[frame, person] > 0
        top = poses.image[frame, person][given]
        x, y = float(top[:, 0].mean()), float(top[:, 1].min()) - _HEAD_ROOM
        spot = (np.clip(x * height, 10, width - 10), np.clip(y * height, 0.05 * height, height))
        colour = _CHOSEN if int(person) in chosen else _OTHER
        _boxed(draw, poses.image[frame, person][given] * height, colour, int(person) in chosen)
        draw.text(
            spot, str(int(person)), fill=colour, font=font, anchor="mm", stroke_width=3, stroke_fill=PAPER
        )
    return np.asarray(picture).copy()


def _boxed(draw: ImageDraw.ImageDraw, joints: np.ndarray, colour: Colour, chosen: bool) -> None:
    """A frame around joints [n, 2] in pixels; that of the chosen is thick."""
    room = 0.08 * float(np.ptp(joints[:, 1]))
    corners = (*(joints.min(axis=0) - room).tolist(), *(joints.max(axis=0) + room).tolist())
    draw.rectangle(corners, outline=colour, width=4 if chosen else 2)
