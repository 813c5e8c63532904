"""Poses before and after a repair, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from ..pose.repair import frames_of
from ..spans import Span, in_words
from ..types import PoseSequence, VideoClip
from .colours import PAPER
from .dancers import ground
from .skeleton import draw_poses

_MOST_SPANS = 4
_WIDTH, _GAP = 480, 6
_MENDED_INK = (255, 190, 60)


def repair_picture(
    before: PoseSequence,
    after: PoseSequence,
    spans: Sequence[Span],
    size: tuple[int, int],
    clip: VideoClip | None = None,
) -> np.ndarray:
    """Picture uint8 [H, W, 3]: a row for each of the first four spans, at its middle, before and after.

    `size` (width, height) is the picture's where there is no `clip`.
    """
    rows = [_row(before, after, span, size, clip) for span in spans[:_MOST_SPANS]]
    gap = np.full((_GAP, rows[0].shape[1], 3), PAPER, np.uint8)
    return np.concatenate([part for row in rows for part in (row, gap)][:-1])


def _row(
    before: PoseSequence, after: PoseSequence, span: Span, size: tuple[int, int], clip: VideoClip | None
) -> np.ndarray:
    inside = frames_of(span, before)
    frame = (inside.start + inside.stop - 1) // 2
    rgb = ground(size, clip, frame / before.fps)
    halves = []
    for poses, words in ((before, f"before, {in_words(span)}"), (after, "after")):
        drawn = rgb
        with suppress(ImportError):  # OpenCV comes with MediaPipe: without it the ground alone is shown
            drawn = draw_poses(rgb, poses, frame)
        halves.append(_named(drawn, words))
    gap = np.full((halves[0].shape[0], _GAP, 3), PAPER, np.uint8)
    return np.concatenate([halves[0], gap, halves[1]], axis=1)


def _named(rgb: np.ndarray, words: str) -> np.ndarray:
    from PIL import Image, ImageDraw, ImageFont

    height = max(1, round(rgb.shape[0] * _WIDTH / rgb.shape[1]))
    picture = Image.fromarray(rgb).resize((_WIDTH, height))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=18)
    draw.text((10, 8), words, fill=_MENDED_INK, font=font, stroke_width=3, stroke_fill=PAPER)
    return np.asarray(picture).copy()
