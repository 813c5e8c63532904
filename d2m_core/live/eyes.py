"""Who dances before the camera: MediaPipe's lite model follows one person, and says which one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..pose import pose_model
from ..pose.landmarker import Body, Landmarker, landmarkers
from ..pose.landmarks import TORSO
from ..pose.sightings import Sighting, sightings_of
from ..pose.views import find_in, whole

MODEL = "lite"
MAX_HEIGHT = 480
"""Pictures are made no higher than this: the network looks at 256 x 256 of a person."""
_MOST = 6
_SURE = 0.5
_GONE_S = 0.6
"""Whoever was followed and has not been seen for so long is gone: somebody else may be followed."""
_LOOK_EVERY_S = 1.0
"""While nobody is followed, stills are looked at so often."""
_FAR = 0.5
"""A body whose middle jumps by so many of its own heights from one picture to the next is somebody else."""
_ROOM = 0.25
"""Of a person's box, left around it while others are painted over."""


class Eyes:
    """Follows one person: the largest at first sight, and then that one until gone."""

    def __init__(self, film: Landmarker, stills: Landmarker) -> None:
        self._film, self._stills = film, stills
        self._last: Body | None = None
        self._seen_s = self._looked_s = -np.inf
        self.people = 0
        """How many were seen when somebody was last chosen."""
        self.note = ""
        """A sentence about whom is followed; changes where that changes."""

    def see(self, rgb: np.ndarray, time_s: float) -> Body | None:
        """The person followed in a picture uint8 [H, W, 3]; None where not seen. Times rise."""
        time_ms = round(1000 * time_s)
        if self._last is None:
            return self._choose(rgb, time_s, time_ms)
        found = self._film.find(rgb, time_ms)
        body = found[0] if found else None
        if body is not None and _jumped(self._last, body):
            self._film.forget()
            body = None
        if body is not None:
            self._last, self._seen_s = body, time_s
        elif time_s - self._seen_s > _GONE_S:
            self._last = None
        return body

    def _choose(self, rgb: np.ndarray, time_s: float, time_ms: int) -> Body | None:
        """Looks for everybody and takes the largest; the others are painted over once, so that the film's
        landmarker begins with that one."""
        if time_s - self._looked_s < _LOOK_EVERY_S:
            return None
        self._looked_s = time_s
        found = [(body, False) for body in find_in(self._stills, rgb, whole(rgb))]
        seen = [one for one in sightings_of(found, rgb) if one.sure >= _SURE]
        if not seen:
            self.note = "Nobody is seen; step back until your whole body is in the picture."
            return None
        largest = max(seen, key=lambda one: one.size)
        self.people = len(seen)
        bodies = self._film.find(_alone(rgb, largest), time_ms)
        if not bodies:
            return None
        self._last, self._seen_s = bodies[0], time_s
        self.note = _whom(largest, len(seen), rgb.shape[1] / rgb.shape[0])
        return bodies[0]


@contextmanager
def open_eyes(model_folder: Path | None = None) -> Iterator[Eyes]:
    """Eyes that are ready. Raises `ModelError` or `PoseModelError`, as `pose_model` and MediaPipe do."""
    with landmarkers(pose_model(MODEL, model_folder)) as opens:
        yield Eyes(opens.of_film(1), opens.of_stills(_MOST))


def _jumped(before: Body, after: Body) -> bool:
    middle = [body.image[list(TORSO)].mean(0) for body in (before, after)]
    height = float(np.ptp(before.image[:, 1]))
    return float(np.linalg.norm(middle[1] - middle[0])) > _FAR * max(height, 0.05)


def _alone(rgb: np.ndarray, one: Sighting) -> np.ndarray:
    """The picture with everything black but the box around one person."""
    height, width = rgb.shape[:2]
    low, high = (corner * height for corner in one.box)
    room = _ROOM * (high - low)
    (left, top), (right, bottom) = (low - room).astype(int), (high + room).astype(int)
    out = np.zeros_like(rgb)
    rows, columns = slice(max(0, top), min(height, bottom)), slice(max(0, left), min(width, right))
    out[rows, columns] = rgb[rows, columns]
    return out


def _whom(one: Sighting, people: int, aspect: float) -> str:
    if people == 1:
        return "One person is seen and followed."
    place = float(one.centre[0]) / aspect
    where = "on the left" if place < 0.4 else "on the right" if place > 0.6 else "in the middle"
    return f"{people} people are seen; the largest, {where}, is followed until gone."
