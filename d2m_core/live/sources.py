"""Where pictures come from: a camera, or a film that is shown at its own speed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import numpy as np

from ..errors import MediaError
from ..media import Frame, iter_frames
from ..media.video import read_ahead
from ..types import VideoClip
from .eyes import MAX_HEIGHT

_FILM_FPS = 30.0
_LOST_S = 2.0
"""A camera that gives no picture for so long is gone."""
_SIZE = (640, 480)


class Newest:
    """Hands the newest picture from one thread to another; older ones that nobody took are gone."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._there = threading.Condition()
        self.put_count = self.taken = 0

    def put(self, frame: Frame) -> None:
        """Offers a picture in place of the one before."""
        with self._there:
            self._frame, self.put_count = frame, self.put_count + 1
            self._there.notify()

    def take(self, timeout_s: float) -> Frame | None:
        """The newest picture that was not taken; None where none comes in time."""
        with self._there:
            if self._frame is None:
                self._there.wait(timeout_s)
            frame, self._frame = self._frame, None
            self.taken += frame is not None
            return frame


class Film:
    """The pictures of a clip, each at its time; over and over with `loops`."""

    def __init__(self, clip: VideoClip, loops: int = 1) -> None:
        self.clip, self._loops = clip, loops
        self.size = (clip.width, clip.height)

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Pictures, their times in seconds since the first, not before their time."""
        start_s = time.monotonic()
        for loop in range(self._loops):
            with closing(read_ahead(iter_frames(self.clip, _FILM_FPS, MAX_HEIGHT))) as frames:
                for frame in frames:
                    time_s = loop * self.clip.duration_s + frame.time_s
                    if stop.wait(max(0.0, start_s + time_s - time.monotonic())):
                        return
                    yield Frame(time_s, frame.rgb)


class Camera:
    """A camera by its number, by OpenCV."""

    def __init__(self, number: int) -> None:
        cv2 = import_opencv()
        with suppress(AttributeError):  # it says in ten lines what is said here in one
            cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self._cv2, self._number = cv2, number
        self._made = cv2.VideoCapture(number)
        if not self._made.isOpened():
            self._made.release()
            raise MediaError(
                f"There is no camera {number}, or another program uses it; connect one, close the other "
                "program, or try another number."
            )
        self._made.set(cv2.CAP_PROP_FRAME_WIDTH, _SIZE[0])
        self._made.set(cv2.CAP_PROP_FRAME_HEIGHT, _SIZE[1])
        self._made.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Pictures as they come, seconds since the first, mirrored. Raises `MediaError` once it is gone."""
        start_s: float | None = None
        seen_s = time.monotonic()
        try:
            while not stop.is_set():
                there, picture = self._made.read()
                now_s = time.monotonic()
                if there:
                    start_s = now_s if start_s is None else start_s
                    seen_s = now_s
                    yield Frame(now_s - start_s, as_seen(picture))
                elif now_s - seen_s > _LOST_S:
                    raise MediaError(
                        f"Camera {self._number} gives no more pictures; it was unplugged, or another program "
                        "took it; connect it and start again."
                    )
                else:
                    stop.wait(0.02)
        finally:
            self._made.release()


def as_seen(picture: np.ndarray) -> np.ndarray:
    """A camera's picture, BGR [H, W, 3], as RGB in a mirror: one's right hand is on the right."""
    return np.ascontiguousarray(picture[:, ::-1, ::-1])


def import_opencv() -> Any:
    """OpenCV. Raises `MediaError` where it is missing."""
    try:
        import cv2
    except (ImportError, OSError) as error:
        raise MediaError(
            f"OpenCV cannot be loaded ({error}); it comes with `pip install mediapipe`, and on Linux needs "
            "`apt-get install libgl1`."
        ) from error
    return cv2
