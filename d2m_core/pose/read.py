"""Reads the landmarks of people whose way is known: each in a moving part of the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .landmarker import Body, Landmarker
from .landmarks import TORSO
from .tracks import Track
from .views import View, find_in

_ROOM = 2.0
"""Side of the part of the picture that a person is read in, in body heights."""
_ASTRAY = 0.2
"""A reading so far from the still's sighting (mean over joints, body heights) is of somebody else."""
_BOX_ROOM = 0.12
"""Room around the box of a person's joints, in body heights, that is theirs."""
_LEAST_PX = 32
"""Pixels of a side that a part of a picture has at least."""
_TRUSTED_S = 0.5
"""Further from any sighting, the part of the picture follows the reading."""


class Reader:
    """Follows one track through the frames with a landmarker of its own.

    Where a still shows that the landmarker has gone over to a neighbour, it is started again on a
    picture without the neighbours.
    """

    def __init__(
        self, track: Track, open_one: Callable[[], Landmarker], others: list[Track], cuts_s: Sequence[float]
    ) -> None:
        self._track, self._open, self._others = track, open_one, others
        self._cuts_s = cuts_s
        self._landmarker: Landmarker | None = None
        self._last: Body | None = None
        self._last_s = 0.0
        self._times = np.array(track.times_s)
        self._centres = np.array([one.centre for one in track.seen])
        self._sizes = _calm(np.array([one.size for one in track.seen]))

    def read(self, rgb: np.ndarray, time_s: float, time_ms: int) -> Body | None:
        """The person in the frame at `time_s`; None where they are not seen.

        A reading begins at a sighting, and goes on until the person is lost or the shot ends.
        """
        k = int(np.argmin(np.abs(self._times - time_s)))
        at_still = abs(self._times[k] - time_s) < 1e-3
        if any(self._last_s < cut_s <= time_s for cut_s in self._cuts_s):
            self._last = None
        if self._last is None and not at_still:
            return None
        if self._landmarker is None:
            self._landmarker = self._open()
        elif self._last is None:
            self._landmarker.forget()
        view = self._view(rgb, time_s)
        picture = self._alone(rgb, time_s) if self._last is None else rgb
        found = find_in(self._landmarker, picture, view, time_ms)
        body = found[0] if found else None
        if at_still:
            body = self._checked(body, k, rgb, view, time_s, time_ms)
        self._last, self._last_s = body, time_s
        return body

    def _checked(
        self, body: Body | None, k: int, rgb: np.ndarray, view: View, time_s: float, time_ms: int
    ) -> Body:
        """The reading where it agrees with the still; else that of a new start, else the still's."""
        sighting = self._track.seen[k]
        if body is not None and sighting.far_from(body) < _ASTRAY:
            return body
        assert self._landmarker is not None
        if body is not None:
            self._landmarker.forget()
        found = find_in(self._landmarker, self._alone(rgb, time_s), view, time_ms + 2)
        if found and sighting.far_from(found[0]) < _ASTRAY:
            return found[0]
        if found:
            self._landmarker.forget()
        return sighting.body

    def _view(self, rgb: np.ndarray, time_s: float) -> View:
        """The part of the picture around where the person is."""
        centre = np.array([np.interp(time_s, self._times, column) for column in self._centres.T])
        size = float(np.interp(time_s, self._times, self._sizes))
        if self._last is not None and np.abs(self._times - time_s).min() > _TRUSTED_S:
            centre = self._last.image[list(TORSO)].mean(axis=0)
        height, width = rgb.shape[:2]
        half = _ROOM * size / 2
        low, high = np.round((centre - half) * height), np.round((centre + half) * height)
        left, top = np.clip(low, 0, (width - _LEAST_PX, height - _LEAST_PX)).astype(int).tolist()
        right, bottom = (
            np.clip(high, (left + _LEAST_PX, top + _LEAST_PX), (width, height)).astype(int).tolist()
        )
        return View(left, top, right - left, bottom - top)

    def _alone(self, rgb: np.ndarray, time_s: float) -> np.ndarray:
        """The picture with everybody else greyed, but for what lies in the person's own box."""
        own = _box(self._track, time_s, rgb)
        out: np.ndarray | None = None
        for other in self._others:
            box = _box(other, time_s, rgb)
            if own is None or box is None:
                continue
            out = rgb.copy() if out is None else out
            out[box] = np.uint8(127)
        if out is None or own is None:
            return rgb
        out[own] = rgb[own]
        return out


def _box(track: Track, time_s: float, rgb: np.ndarray) -> tuple[slice, slice] | None:
    """Rows and columns of the box around a track's person at a still; None where none is near."""
    times = np.array(track.times_s)
    k = int(np.argmin(np.abs(times - time_s)))
    if abs(times[k] - time_s) > _TRUSTED_S:
        return None
    one = track.seen[k]
    room = _BOX_ROOM * one.size
    low, high = one.body.image.min(axis=0) - room, one.body.image.max(axis=0) + room
    height = rgb.shape[0]
    left, top = np.maximum(np.round(low * height), 0).astype(int)
    right, bottom = np.maximum(np.round(high * height), 0).astype(int)
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def _calm(sizes: np.ndarray) -> np.ndarray:
    """Sizes without the moments in which somebody crouches or is hidden: the largest of five."""
    padded = np.pad(sizes, 2, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 5).max(axis=1)
