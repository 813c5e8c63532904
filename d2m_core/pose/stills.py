"""Who is seen in stills that are looked at in the background while a film is read."""

from __future__ import annotations

from concurrent.futures import Future

import numpy as np

from ..types import PoseSequence
from .sightings import Sighting
from .tracks import unlike

STILLS_S = 0.2
"""One still in so many seconds is looked at where there are several people."""
SEVERAL = 2
"""So many stills with several people, and nobody is alone."""
SURE = 0.6
_WAITING = 4
"""Stills that may wait to be looked at: they are pictures in memory."""


class Stills:
    """What is seen in stills that are looked at in the background."""

    def __init__(self) -> None:
        self.frames: list[int] = []
        self.seen: list[list[Sighting]] = []
        self._waiting: list[Future[list[Sighting]]] = []

    def add(self, frame: int, looked: Future[list[Sighting]]) -> None:
        self.frames.append(frame)
        self._waiting.append(looked)
        self.wait(_WAITING)

    def wait(self, most: int) -> None:
        """Goes on when at most so many are still to be looked at."""
        while self._waiting and (len(self._waiting) > most or self._waiting[0].done()):
            self.seen.append(self._waiting.pop(0).result())

    @property
    def known(self) -> list[list[Sighting]]:
        """What was seen in all stills but the last few: the same by now on every machine, however fast."""
        return self.seen[: max(0, len(self.frames) - _WAITING)]

    def several(self) -> bool:
        """Whether somebody who was looked at is not alone."""
        return self.crowded() >= SEVERAL

    def crowded(self) -> int:
        """In how many of the stills that were looked at somebody is not alone."""
        self.wait(len(self._waiting))
        return sum(sum(one.sure >= SURE for one in seen) > 1 for seen in self.seen)

    def changes_s(self, poses: PoseSequence) -> list[float]:
        """When somebody who looks otherwise is there, up to the next change at least for two stills."""
        met = [
            (frame / poses.fps, max(seen, key=lambda one: one.sure).look)
            for frame, seen in zip(self.frames, self.seen, strict=True)
            if any(one.sure >= SURE for one in seen)
        ]
        changes, k = [], 0
        for i in range(1, len(met) - 1):
            if unlike(met[k][1], met[i][1]) and unlike(met[k][1], met[i + 1][1]):
                between = [cut_s for cut_s in poses.cuts_s if met[i - 1][0] < cut_s <= met[i][0]]
                changes.append(between[0] if between else met[i][0])
                k = i
        return changes

    def share_with_somebody(self) -> float:
        return float(np.mean([any(one.sure >= SURE for one in seen) for seen in self.seen]))
