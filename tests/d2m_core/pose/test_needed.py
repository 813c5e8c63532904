"""Pictures are drawn no larger than the landmark network reads, and never too small for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from d2m_core.media import iter_frames, open_clip
from d2m_core.media.sizes import Sizes
from d2m_core.media.video import frames_at
from d2m_core.pose.landmarker import Body
from d2m_core.pose.landmarks import ANKLES
from d2m_core.pose.needed import Needed
from d2m_core.types import LANDMARKS, VideoClip


def body(size: float) -> Body:
    """Somebody whose joints lie in a box with a diagonal of `size` frame heights."""
    corner = size / np.sqrt(2)
    image = np.zeros((LANDMARKS, 2), np.float32)
    image[list(ANKLES)] = corner
    return Body(np.zeros((LANDMARKS, 3), np.float32), image, np.ones(LANDMARKS, np.float32))


@given(height=st.integers(16, 5000), most=st.integers(16, 2000), wish=st.floats(0, 6000))
def test_heights_are_whole_parts_and_enough(height: int, most: int, wish: float) -> None:
    path = Path("no.mp4")
    sizes = Sizes(replace(_FACTS, path=path, width=height, height=height), most)
    assert sizes.largest == min(height, most)
    assert list(sizes.heights) == sorted(set(sizes.heights), reverse=True)
    assert all(height // (height // one) == one for one in sizes.heights[1:])
    assert sizes.smallest >= min(144, sizes.largest)
    assert sizes.enough(wish) in sizes.heights
    assert sizes.enough(wish) >= min(wish, sizes.largest)


_FACTS = VideoClip(Path("no.mp4"), 2.0, 64, 48, 4.0, "h264", 25, 0.0)  # type: ignore[arg-type]


def test_who_fills_the_picture_needs_a_small_one() -> None:
    sizes = Sizes(replace(_FACTS, width=1920, height=1080), 720)
    assert sizes.heights == (720, 540, 360, 270, 216, 180, 154)
    needed = Needed(sizes)
    heights = []
    for size in (0.3, 0.9, 0.72, 0.7, 0.3, 0.45, 0.5, 0.0, 0.9):
        needed.see(body(size) if size else None)
        heights.append(needed.height)
    assert heights == [720, 360, 360, 360, 720, 720, 540, 720, 360], "smaller only where it is ample"
    assert needed.fills


def test_a_picture_is_drawn_as_iter_frames_draws_it(make_clip: Callable[..., Path]) -> None:
    clip = open_clip(make_clip(duration_s=1.0, width=96, height=64, fps=10))
    sizes = Sizes(clip)
    drawn = [sizes.draw(shown.frame, 64) for shown in frames_at(clip)]
    for rgb, frame in zip(drawn, iter_frames(clip), strict=True):
        np.testing.assert_array_equal(rgb, frame.rgb)
    assert drawn[0] is drawn[1], "the same picture, shown for longer"
