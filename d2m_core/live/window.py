"""A window on a session: the picture, the skeleton, and what the band does (`panel`). Keys: q ends."""

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
from .panel import Mood, draw_panel
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
    rgb, body = stage.shown.frame.rgb, stage.shown.body
    picture = rgb.copy() if body is None else draw_skeleton(rgb, body.image, body.visibility)
    return draw_panel(picture, mood_of(session, stage.seconds, stage.note))


def mood_of(session: Session, now_s: float, note: str) -> Mood:
    """What there is to show of a session at a moment."""
    clock, hit = session.clock, session.last_hit
    since_s = np.inf if hit is None else now_s - hit.time_s
    struck = (since_s, hit.value) if hit is not None and since_s >= 0 else (np.inf, 0.0)
    if clock is None:
        return Mood(session.energy, None, session.metre, "", *struck, _waiting(session, note))
    beat = max(0.0, clock.beat - (clock.time_s - now_s) * clock.rate)
    title = "  ".join((f"{clock.bpm:.0f} BPM", session.style, session.section))
    return Mood(session.energy, beat, session.metre, title, *struck, note if _alarms(note) else "")


def _waiting(session: Session, note: str) -> str:
    if _alarms(note):
        return note
    return "Dance, and it begins anew." if session.played else "Dance: the band listens for your beat."


def _alarms(note: str) -> bool:
    """Whether a sentence about who is followed says more than that all is well."""
    return bool(note) and not note.startswith("One person")


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
