"""How loud music that was written before is played now: by the dance's energy, its hits, start and end."""

from __future__ import annotations

import numpy as np

_QUIETEST, _LOUDEST, _THINNED = 0.6, 1.2, 0.5
"""Within a beat, music is softer or louder than it was written by at most so much; and while the dancer
stands still by so much."""
_LEAST_PLANNED = 0.2
_EASE = 0.12
"""How much of the way to a new level is gone from block to block."""
_SWELL, _SWELL_BEATS = 0.6, 0.4
"""A hit is so much louder, and fades in about so many beats."""
_HITS_KEPT_BEATS = 4.0
_START_BEATS = 0.02
_RING_BEATS = 1.5
"""The end rings for so long."""


class Levels:
    """Gains for a piece; beats count from its first bar line."""

    def __init__(self) -> None:
        self._now = 1.0
        self._planned: dict[int, float] = {}
        self._hits: list[tuple[float, float]] = []
        self._first, self._end = -np.inf, np.inf
        self._energy, self._thin = 0.5, False

    def start_at(self, beat: float) -> None:
        """Silence before a beat."""
        self._first = beat

    def planned(self, beat: int, energy: float) -> None:
        """A beat is written for so much energy; another thread may say so."""
        self._planned[beat] = energy

    def feel(self, energy: float, thin: bool) -> None:
        """How much is going on now, 0..1, and whether the dancer stands still."""
        self._energy, self._thin = energy, thin

    def hit(self, beat: float, strength: float) -> None:
        """Louder from a beat on, for a moment."""
        self._hits.append((beat, strength))

    def end_on(self, beat: float) -> None:
        """What begins on a beat still rings, and then there is silence."""
        self._end = beat

    def gains(self, beats: np.ndarray) -> np.ndarray:
        """The next block's, float32 [n], at beats that rise."""
        number = int(beats[0])
        planned = max(_LEAST_PLANNED, self._planned.get(number, self._energy))
        self._planned.pop(number - 1, None)
        self._hits = [hit for hit in self._hits if hit[0] > beats[0] - _HITS_KEPT_BEATS]
        wanted = float(np.clip(0.5 + 0.5 * self._energy / planned, _QUIETEST, _LOUDEST))
        before = self._now
        self._now += _EASE * (wanted * (_THINNED if self._thin else 1.0) - self._now)
        gains = np.linspace(before, self._now, len(beats))
        for beat, strength in self._hits:
            since = np.maximum(beats - beat, 0.0)
            gains *= 1 + np.where(beats < beat, 0.0, _SWELL * strength * np.exp(-since / _SWELL_BEATS))
        gains *= np.clip((beats - self._first) / _START_BEATS, 0.0, 1.0)
        gains *= 0.5 + 0.5 * np.cos(np.pi * np.clip((beats - self._end) / _RING_BEATS, 0.0, 1.0))
        return gains.astype(np.float32)
