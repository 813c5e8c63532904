"""A window on a session: the picture, the skeleton, a dot that beats, a bar of energy. Keys: q ends."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import MediaError
from ..pictures import draw_skeleton
from .session import Session
from .sources import import_opencv
from .stage import Stage

_TITLE = "Dance to Music"
_ENDS = {ord("q"), 27}
_log = logging.getLogger(__name__)


class Window:
    """Shows what a stage sees and plays."""

    def __init__(self, cv2: Any, session: Session) -> None:
        self._cv2, self._session = cv2, session

    def look(self, stage: Stage) -> bool:
        """Draws anew; False once somebody has asked for the end."""
        if stage.shown is not None:
            picture = drawn(stage, self._session)
            self._cv2.imshow(_TITLE, picture[..., ::-1])
        return self._cv2.waitKey(1) & 0xFF not in _ENDS


@contextmanager
def open_window(session: Session, wanted: bool = True) -> Iterator[Window | None]:
    """A window, or None (said once) where there is no screen, or an OpenCV without windows."""
    cv2 = _with_windows() if wanted else None
    if cv2 is None:
        yield None
        return
    try:
        yield Window(cv2, session)
    finally:
        cv2.destroyAllWindows()


def drawn(stage: Stage, session: Session) -> np.ndarray:
    """What the window shows, uint8 [H, W, 3]."""
    assert stage.shown is not None
    rgb = stage.shown.frame.rgb
    body = stage.shown.body
    picture = rgb.copy() if body is None else draw_skeleton(rgb, body.image, body.visibility)
    height, width = picture.shape[:2]
    size = max(4, height // 30)
    level = round(session.energy * (height - 2 * size))
    picture[height - size - level : height - size, width - 2 * size : width - size] = (90, 220, 160)
    clock = session.clock
    if clock is not None:
        share = clock.beat % 1.0
        radius = max(2, round(2 * size * (1 - 0.6 * share)))
        rows, columns = np.ogrid[:height, :width]
        inside = (rows - 3 * size) ** 2 + (columns - 3 * size) ** 2 <= radius**2
        picture[inside] = (255, 190, 60) if clock.beat % session.metre < 1 else (240, 240, 240)
    return picture


def _with_windows() -> Any | None:
    """OpenCV, where it can show something here."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        _log.warning("There is no screen, so nothing is shown; Ctrl-C ends.")
        return None
    try:
        cv2 = import_opencv()
        cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL)
    except MediaError as error:
        _log.warning("%s", error)
        return None
    except Exception as error:  # an OpenCV without windows raises an error of its own
        _log.warning(
            "This OpenCV cannot open a window (%s), so nothing is shown; Ctrl-C ends.", str(error).strip()
        )
        return None
    return cv2
