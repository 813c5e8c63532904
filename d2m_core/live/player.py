"""What a session asks of whoever plays: `LiveBand` does it, and any other that writes music as it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from .clock import Span
from .conductor import Start


class Player(Protocol):
    """Plays on a clock that somebody else steers. Beats count from the piece's first bar line."""

    @property
    def style(self) -> str:
        """One of `STYLES`."""

    @property
    def metre(self) -> int:
        """Beats in a bar."""

    @property
    def section(self) -> str:
        """What the part of the piece is called that sounds now."""

    @property
    def delay_s(self) -> float:
        """So much later sound comes out of `render` than its block began."""

    @property
    def struck(self) -> float:
        """The beat of the last hit; -inf before the first."""

    @property
    def ends(self) -> float | None:
        """The beat of the last sound, once that is known."""

    @property
    def behind(self) -> bool:
        """Whether it cannot keep up, so that somebody else had better go on."""

    def start_at(self, beat: float) -> None:
        """Nothing is played before a beat."""

    def feel(self, energy: float, thin: bool) -> None:
        """How much is going on now, 0..1, and whether the dancer stands still."""

    def foresee(self, expected: Callable[[float], float]) -> None:
        """Is told for every piece what says how strong an accent is expected to be at a place that is still
        to come, 0..1; another thread may ask it."""

    def place_after(self, beat: float, quick: bool = False) -> float:
        """The first place for a hit that is played at a beat or later; `quick`: the finest that there is."""

    def played_at(self, place: float) -> float:
        """The beat at which a place is played: later, where it swings."""

    def hit(self, beat: float, strength: float) -> bool:
        """Strikes on a place that has not been played yet; False where there is to be no hit."""

    def end_on(self, beat: float) -> None:
        """The piece ends on a beat that has not come yet."""

    def rest(self) -> None:
        """The piece is over; the next one begins with its first bar."""

    def render(self, span: Span) -> np.ndarray:
        """The next block, float32 [2, n], heard in the time of `span`."""


MakePlayer = Callable[[str, Start], Player]
"""Makes a player of a style for a piece that begins so; may take seconds, in a thread of its own."""


def nothing_expected(_place: float) -> float:
    """What `Player.foresee` is told where nobody knows."""
    return 0.0
