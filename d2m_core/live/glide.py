"""Follows the clock more gently than the clock follows its pulse: what is read faster sounds higher."""

from __future__ import annotations

import numpy as np

from .clock import Span

_FOLLOWS_S = 1.5
"""The usual speed comes to that of the clock in about this time."""
_CATCH = 0.8
"""Of a distance, in beats, so much is made good in a second, where the limits allow."""
_LEAN, _FAR_BEATS, _FAR_LEAN = 0.02, 0.05, 0.05
"""Faster or slower by at most this share: 34 cents. Further off than so many beats it leans more, by so much
for every such distance."""
_TUG = 0.25
"""How fast the share may change, per second."""
_LOST_BEATS = 1.0
"""From so far away nobody glides."""


class Glide:
    """A place that follows a clock block by block."""

    def __init__(self) -> None:
        self._beat: float | None = None
        self._usual = self._rate = 0.0

    def follow(self, span: Span) -> tuple[float, float]:
        """Places in beats at the begin and end of a block, of which the clock says `span`."""
        low, high = float(span.beats[0]), float(span.beats[-1])
        lasts_s = max(1e-6, float(span.times_s[-1] - span.times_s[0]))
        rate = (high - low) / lasts_s
        if self._beat is None or abs(low - self._beat) > _LOST_BEATS:
            self._beat, self._usual, self._rate = low, rate, rate
        self._usual += (rate - self._usual) * min(1.0, lasts_s / _FOLLOWS_S)
        away = low - self._beat
        most = _LEAN + _FAR_LEAN * max(0.0, abs(away) / _FAR_BEATS - 1)
        wanted = self._usual * (1 + float(np.clip(away * _CATCH / self._usual, -most, most)))
        tug = _TUG * self._usual * lasts_s
        self._rate += float(np.clip(wanted - self._rate, -tug, tug))
        before = self._beat
        self._beat += self._rate * lasts_s
        return before, self._beat
