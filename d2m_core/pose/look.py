"""Looks for everybody in stills: which parts of a picture to look at, on all cores."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from .landmarker import Body, Landmarker, Landmarkers
from .sightings import Sighting, sightings_of
from .views import View, find_in, tiles, whole

MOST_IN_A_STILL = 12
"""So many bodies are looked for in one part of a picture."""
_LEAST_SURE = 0.4
"""Confidence of MediaPipe's detector; what is found is judged again."""
_WIDE = 1.2
"""Wider pictures are looked at in squares: the detector shrinks what it sees to 224 x 224."""
_BAND, _BAND_ROOM = 0.8, 0.2
"""Upright pictures are looked at again in the rows with people, if these are less than so many of all;
so much of their height more above and below."""
_CLOSER = 0.6
"""Where people are small, the squares are this much of the picture's shorter side."""


class Looker:
    """Finds the people in pictures, several pictures at a time."""

    def __init__(self, open_one: Callable[[], Landmarker], workers: int) -> None:
        self._free: queue.SimpleQueue[Landmarker] = queue.SimpleQueue()
        for _ in range(workers):
            self._free.put(open_one())
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="d2m-look")

    def look(self, rgb: np.ndarray, closer: Sequence[View] = ()) -> Future[list[Sighting]]:
        """The people in a picture [H, W, 3], once it has been looked at; in `closer` parts of it too."""
        return self._pool.submit(self._look, rgb, closer)

    def _look(self, rgb: np.ndarray, closer: Sequence[View]) -> list[Sighting]:
        landmarker = self._free.get()
        try:
            plain = _bodies(landmarker, rgb, parts_of(rgb))
            near = {view: _bodies(landmarker, rgb, [view]) for view in closer}
            found = [one for some in (plain, *near.values()) for one in some]
            band = _band(rgb, [body for body, _cut_off in found])
            if band is not None:
                plain += (more := _bodies(landmarker, rgb, [band]))
                found += more
        finally:
            self._free.put(landmarker)
        seen = sightings_of(found, rgb)
        return [replace(one, part=_only_in(near, plain, one)) for one in seen] if closer else seen

    def close(self) -> None:
        """Ends when what is being looked at is done; what waits is left."""
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def looker(opens: Landmarkers, workers: int) -> Iterator[Looker]:
    """A `Looker` with so many landmarkers."""
    made = Looker(lambda: opens.of_stills(MOST_IN_A_STILL, _LEAST_SURE), workers)
    try:
        yield made
    finally:
        made.close()


def _bodies(landmarker: Landmarker, rgb: np.ndarray, views: list[View]) -> list[tuple[Body, bool]]:
    """What is found in parts of a picture, and whether their edges may cut it."""
    return [
        (body, view.cuts_off(body, rgb.shape)) for view in views for body in find_in(landmarker, rgb, view)
    ]


def _band(rgb: np.ndarray, bodies: list[Body]) -> View | None:
    """The rows of an upright picture in which people are, where these are much fewer than all."""
    height, width = rgb.shape[:2]
    if not bodies or width > _WIDE * height:
        return None
    rows = np.concatenate([body.image[:, 1] for body in bodies]) * height
    room = _BAND_ROOM * float(np.ptp(rows))
    top, bottom = max(0, round(rows.min() - room)), min(height, round(rows.max() + room))
    worth = 0 < bottom - top < _BAND * height
    return View(0, top, width, bottom - top) if worth else None


def parts_of(rgb: np.ndarray) -> list[View]:
    """The parts of a picture that are looked at."""
    wide = rgb.shape[1] > _WIDE * rgb.shape[0]
    return tiles(rgb, 1.0) if wide else [whole(rgb)]


def closer_parts(rgb: np.ndarray) -> list[View]:
    """Those in which small people are large."""
    return tiles(rgb, _CLOSER)


def _only_in(
    near: dict[View, list[tuple[Body, bool]]], plain: list[tuple[Body, bool]], one: Sighting
) -> View | None:
    """The closer part that shows somebody whom no other part does; None for who is seen without."""
    if any(one.same_as(body) for body, _cut_off in plain):
        return None
    return next((view for view, found in near.items() if any(body is one.body for body, _ in found)), None)
