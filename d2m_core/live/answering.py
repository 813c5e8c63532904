"""Hits for what the dancer does: in time where it was expected, soon after where it was not."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from .clock import Clock
from .habits import Habits
from .player import Player
from .watching import Accent

_REACH_BEATS = 0.02
"""A hit is struck at least so long ahead."""
_ANSWERED, _ALONE_BEATS = 0.6, 2.0
"""Accents as strong as this are answered at once, where nothing expected them and no hit was so short ago."""
_BEFORE_BEATS = 0.12
"""Expected hits are struck no more than so long before the reach."""
_AT_PLACE = 0.17
"""An accent so near to a half beat may have been expected there."""

Struck = Callable[[float, float, float | None], None]
"""Is told the beat of a hit, its strength, and when the accent was seen that it answers, or None."""


class Answers:
    """Strikes a band's hits.

    Args:
        struck: See `Struck`.
    """

    def __init__(self, metre: int, struck: Struck) -> None:
        self._habits, self._struck = Habits(metre), struck
        self._seen: deque[Accent] = deque(maxlen=32)

    def see(self, accents: Iterable[Accent]) -> None:
        """Accents that are new; may be called by another thread."""
        self._seen.extend(accents)

    def foretold(self, place: float) -> float:
        """As `Habits.foretold`."""
        return self._habits.foretold(place)

    def strike(self, band: Player, clock: Clock) -> None:
        """Hits that are due now."""
        soonest = clock.beat + _REACH_BEATS
        while self._seen:
            accent = self._seen.popleft()
            beat = clock.beat - (clock.time_s - accent.time_s) * clock.rate
            near = abs(2 * beat - round(2 * beat)) < 2 * _AT_PLACE
            expected = self._habits.expected(beat) if near else 0.0
            self._habits.see(beat, accent.strength)
            alone = soonest - band.struck >= _ALONE_BEATS
            if accent.strength >= _ANSWERED and not expected and alone:
                self._hit(band, band.place_after(soonest, quick=True), accent.strength, accent.time_s)
        place = band.place_after(soonest)
        strength = self._habits.expected(place)
        if strength and band.played_at(place) - soonest < _BEFORE_BEATS:
            self._hit(band, place, strength, None)

    def _hit(self, band: Player, place: float, strength: float, seen_s: float | None) -> None:
        if band.hit(place, strength):
            self._struck(band.played_at(place), strength, seen_s)
