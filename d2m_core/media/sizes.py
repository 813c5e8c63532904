"""Pictures of a clip drawn as RGB in the size that somebody reads, and no larger."""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame

from ..types import VideoClip
from .video import RgbConverter

_LEAST_HEIGHT = 144
"""Smaller pictures cost no less."""


class Sizes:
    """Draws the decoded frames of one clip in one of a few heights, all of them `most` or less.

    Below the largest one the clip's own height is divided by whole numbers: between these scaling takes
    twice as long. Used by one thread at a time.
    """

    def __init__(self, clip: VideoClip, most: int | None = None) -> None:
        largest = clip.height if most is None else min(most, clip.height)
        parts = [clip.height // k for k in range(1, max(1, clip.height // _LEAST_HEIGHT) + 1)]
        self.heights = (largest, *(height for height in parts if height < largest))
        """From the largest down."""
        self._clip = clip
        self._converters: dict[int, RgbConverter] = {}
        self._drawn: tuple[VideoFrame, int, np.ndarray] | None = None

    @property
    def largest(self) -> int:
        return self.heights[0]

    @property
    def smallest(self) -> int:
        return self.heights[-1]

    def enough(self, height: float) -> int:
        """The smallest height that is not below `height`; where none is, the largest."""
        return next((one for one in reversed(self.heights) if one >= height), self.largest)

    def draw(self, frame: VideoFrame, height: int) -> np.ndarray:
        """A frame upright as uint8 [height, W, 3], to be read only: a picture that stays is drawn once."""
        if self._drawn is not None and self._drawn[0] is frame and self._drawn[1] == height:
            return self._drawn[2]
        converter = self._converters.get(height)
        if converter is None:
            width = max(1, round(self._clip.width * height / self._clip.height))
            converter = self._converters[height] = RgbConverter(width, height)
        rgb = converter(frame)
        self._drawn = frame, height, rgb
        return rgb
