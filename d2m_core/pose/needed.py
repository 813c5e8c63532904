"""How large a picture must be drawn for the landmark network to lose nothing of somebody."""

from __future__ import annotations

import numpy as np

from ..media.sizes import Sizes
from .landmarker import Body
from .track import BODY, body_height

_READ_PX = 200
"""Of the 256 pixels of the square that the network reads, the box of a body takes about so many, across."""
_CALM = 1.25
"""A smaller picture is taken only where it is more than enough by so much, so that sizes change seldom."""
_FILLS = 0.6
"""Who is so high (diagonal of the box around the joints, in frame heights) fills the picture."""


def needed_height(size: float) -> float:
    """Rows of a whole picture in which a body of `size` frame heights has as many as the network reads."""
    return _READ_PX / max(size, 1e-3)


class Needed:
    """The height to draw the next picture in, by what the last one showed of one person."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self.height = sizes.largest
        self.fills = False
        """Whether the person fills the picture."""

    def see(self, body: Body | None) -> None:
        """What the last picture showed; everything where that is nobody."""
        size = 0.0 if body is None else body_height(body.image[BODY], np.ones(len(BODY), np.bool_))
        self.fills = size > _FILLS
        least = self._sizes.enough(needed_height(size))
        ample = self._sizes.enough(_CALM * needed_height(size))
        self.height = max(least, min(self.height, ample))
