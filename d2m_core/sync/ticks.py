"""MIDI clock: 24 ticks to a beat, laid between beats that are told a little ahead."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

TICKS_PER_BEAT = 24

_USUAL_BPM = 120.0
"""Where nobody tells the first beat's tempo."""
_WITHIN = TICKS_PER_BEAT // 2
"""What ticks are off is made up over at least so many of them."""
_MOST = 0.1
"""A tick is at most by this share longer or shorter than the tempo says, so that no one hears it."""


class _Beat(NamedTuple):
    tick: int
    time_s: float
    bpm: float
    """From here on."""


class TickClock:
    """The moments of ticks, which meet the beats: exactly where the tempo is steady, else soon.

    Beats are told in order, each before it comes. Up to the next beat known the ticks are spread evenly; a
    beat that comes otherwise than the tempo said is met little by little, never with a leap. Every beat has
    its 24 ticks, so that a receiver counts the same beats. After the last beat known ticks go on at its
    tempo.
    """

    def __init__(self) -> None:
        self._ahead: deque[_Beat] = deque()  # those to come, soonest first
        self._behind: _Beat | None = None  # the one whose tempo holds
        self._tick = 0  # the one to come
        self._next_s = math.inf

    @property
    def next_s(self) -> float:
        """When the next tick is due; infinity before the first beat."""
        return self._next_s

    @property
    def tick(self) -> int:
        """The number of the next tick; a multiple of `TICKS_PER_BEAT` is a beat."""
        return self._tick

    def beat(self, time_s: float, bpm: float = 0.0) -> None:
        """Tells the next beat, and the tempo from there on; 0 keeps that of before."""
        before = self._ahead[-1] if self._ahead else self._behind
        if before is None:
            self._behind, self._next_s = _Beat(0, time_s, bpm or _USUAL_BPM), time_s
        else:
            self._ahead.append(_Beat(before.tick + TICKS_PER_BEAT, time_s, bpm or before.bpm))

    def take(self) -> float:
        """The moment of the next tick, which is taken as sent."""
        now_s = self._next_s
        self._next_s += self._step_s(now_s)
        self._tick += 1
        return now_s

    def _step_s(self, now_s: float) -> float:
        """Seconds from the tick that is sent now to the next."""
        while self._ahead and self._ahead[0].tick <= self._tick:
            self._behind = self._ahead.popleft()
        assert self._behind is not None
        usual_s = 60 / self._behind.bpm / TICKS_PER_BEAT
        # Towards the next beat known; without any, along the line that the last one drew.
        aim = self._ahead[0] if self._ahead else self._behind
        left = aim.tick - self._tick
        off_s = aim.time_s - now_s - left * usual_s
        step_s = usual_s + off_s / max(left, _WITHIN)
        return min(max(step_s, (1 - _MOST) * usual_s), (1 + _MOST) * usual_s)
