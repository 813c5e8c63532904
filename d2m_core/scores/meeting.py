"""How the beats heard in music meet those asked for, in one figure, its neighbour and three words.

Beat F alone does not tell a song that keeps perfect time half a beat off from one that keeps none: both
have 0. So AMLt stands beside it wherever it is shown, and where a grid fits another way, that is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..grid import seconds_at
from .metrics import beat_f, continuity

HALF_OFF, TWICE, AT_HALF = "half a beat off", "counted twice as fast", "counted at half the tempo"

_CLEARLY, _FITS = 0.2, 0.6
"""A way is told where its F is higher than beat F by so much, and so high at least."""


@dataclass(frozen=True)
class Meeting:
    """How beats found meet beats asked for."""

    f: float
    """Beat F at 70 ms."""
    amlt: float
    """The same with half, double and off-beat counted as well, by beats in a row (mir_eval)."""
    way: str
    """`HALF_OFF`, `TWICE` or `AT_HALF` where the grid fits so and not otherwise; else empty."""

    def __str__(self) -> str:
        """As in `F 0.00, AMLt 1.00: half a beat off`."""
        return f"F {self.f:.2f}, AMLt {self.amlt:.2f}" + (f": {self.way}" if self.way else "")


def meeting_of(wanted_s: np.ndarray, found_s: np.ndarray) -> Meeting:
    """How beats found, [M'] in seconds, meet those wanted, [M]."""
    wanted_s, found_s = np.sort(wanted_s), np.sort(found_s)
    f = beat_f(wanted_s, found_s)
    ways = _ways(wanted_s, found_s)
    best = max(ways, key=lambda way: ways[way], default="")
    told = bool(best) and ways[best] >= max(_FITS, f + _CLEARLY)
    return Meeting(f, continuity(wanted_s, found_s).amlt, best if told else "")


def _ways(wanted_s: np.ndarray, found_s: np.ndarray) -> dict[str, float]:
    """Beat F of the same grid read in other ways."""
    if len(wanted_s) < 3 or len(found_s) < 2:
        return {}
    halves = seconds_at(wanted_s, np.arange(2 * len(wanted_s)) / 2)
    every_other = (wanted_s[::2], wanted_s[1::2], halves[1::4], halves[3::4])
    return {
        HALF_OFF: beat_f(halves[1::2], found_s),
        TWICE: beat_f(halves, found_s),
        AT_HALF: max(beat_f(beats, found_s) for beats in every_other),
    }
