"""What is to be sent, in order of its time."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Agenda(Generic[T]):
    """Things and their times; of one time, what was told first comes first."""

    def __init__(self) -> None:
        self._queue: list[tuple[float, int, T]] = []
        self._told = 0

    @property
    def next_s(self) -> float:
        """Time of the first thing; infinity where there is none."""
        return self._queue[0][0] if self._queue else math.inf

    def add(self, time_s: float, thing: T) -> None:
        heapq.heappush(self._queue, (time_s, self._told, thing))
        self._told += 1

    def take(self) -> T:
        """The first thing, which must be there."""
        return heapq.heappop(self._queue)[2]

    def due(self, until_s: float) -> Iterator[T]:
        """Takes one after the other what is due by then."""
        while self._queue and self._queue[0][0] <= until_s:
            yield self.take()
