"""Where decoded sound lies: by its time stamps where they mean it, end to end where they only shake."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_AHEAD = 8
"""Frames that must agree before sound is moved: one stray time stamp moves nothing."""

_AHEAD_S = 0.25
"""Of long frames, fewer."""

_LONGEST_GAP_S = 30.0
"""A longer hole in the sound is a wrong time stamp, not silence, unless there are pictures for it."""

_LONGEST_OVERLAP_S = 0.5
"""Where sound is stamped to lie over the sound before it by more, its clock has started again."""

_EXACT_S, _SHAKY_S, _ROUGH_S = 0.002, 0.005, 0.05
"""Steps in time stamps that are rounding or shaking: of MP4 and MOV, of most formats, of `_ROUGH` ones."""

_ROUGH = ("avi", "asf", "aac", "loas", "mp3", "ac3", "eac3", "dts")
"""Formats whose time stamps are reckoned from sizes, by FFmpeg or whoever wrote them: they cut no sound."""


@dataclass
class _Item:
    time_s: float | None
    samples: int
    data: np.ndarray | None


class Places:
    """Takes frames of sound in their order, and gives each with the sample at which it starts.

    Samples count from `zero_s` of the file's clock. `until` is the sample at which the pictures end, if
    there are any.
    """

    def __init__(self, kind: str, rate: int, zero_s: float, until: int | None) -> None:
        self.next: int | None = None
        """The sample after the last frame that was given back, None before the first."""
        self._rate, self._until = rate, until
        self._cuts = kind not in _ROUGH
        step_s = _EXACT_S if "mp4" in kind else _SHAKY_S if self._cuts else _ROUGH_S
        self._step = round(step_s * rate)
        self._zero_s = zero_s
        self._anchor = 0
        """What is added to time stamps since a clock that nobody knows started again."""
        self._queue: deque[_Item] = deque()

    @property
    def tail(self) -> int:
        """The sample after all frames so far, if they lie end to end."""
        return (self.next or 0) + sum(item.samples for item in self._queue)

    def at(self, time_s: float) -> int:
        """The sample that a time stamp names."""
        return round((time_s - self._zero_s) * self._rate) + self._anchor

    def add(self, time_s: float | None, samples: int, data: np.ndarray | None) -> Iterator[_Placed]:
        """Takes one frame; `data` of what was passed over is None."""
        self._queue.append(_Item(time_s, samples, data))
        waiting = sum(item.samples for item in self._queue) - samples
        if len(self._queue) > _AHEAD or waiting > _AHEAD_S * self._rate:
            yield self._given()

    def rest(self) -> Iterator[_Placed]:
        """Gives what waits for frames to follow."""
        while self._queue:
            yield self._given()

    def _given(self) -> _Placed:
        at = self._place()
        item = self._queue.popleft()
        self.next = at + item.samples
        return _Placed(at, item.data)

    def _place(self) -> int:
        first = self._queue[0]
        if self.next is None:
            return 0 if first.time_s is None else self.at(first.time_s)
        if first.time_s is None:
            return self.next
        late = self._late()
        if late < 0 and not self._cuts:
            return self.next
        if abs(late) <= self._step:
            return self.next
        too_long = late > _LONGEST_GAP_S * self._rate
        if too_long and self._until is not None:
            too_long = self.next + late > self._until
        if too_long or late < -_LONGEST_OVERLAP_S * self._rate:
            self._anchor -= late
            return self.next
        return self.next + late

    def _late(self) -> int:
        """How far the frames that wait all lie behind (or before) where they would lie end to end."""
        assert self.next is not None
        least, counted = None, self.next
        for item in self._queue:
            if item.time_s is not None:
                late = self.at(item.time_s) - counted
                if least is not None and (late > 0) != (least > 0):
                    return 0
                least = late if least is None or abs(late) < abs(least) else least
            counted += item.samples
        return least or 0


@dataclass(frozen=True)
class _Placed:
    at: int
    data: np.ndarray | None
