"""What a dancer does again: accents at the same place of the bar are expected there in the next one."""

from __future__ import annotations

import numpy as np

_STEPS = 2
"""Places in a beat."""
_NEAR = 0.17
"""An accent so near to a place, in beats, is at it."""
_KEPT = 0.7
"""What is left of what was seen, from bar to bar."""
_EXPECTED = 0.65
"""Accents of so much strength together, the old ones counting less, make another one likely."""
_USUAL = 1.5
"""What equal accents in every bar come to, as a multiple of one of them."""


class Habits:
    """Accents by their place in the bar.

    Args:
        metre: Beats in a bar.
    """

    def __init__(self, metre: int) -> None:
        self._metre = metre
        self._strengths = np.zeros(metre * _STEPS)
        self._bar = 0

    def see(self, beat: float, strength: float) -> None:
        """An accent was seen at a beat."""
        self._go_on(beat)
        place = round(beat * _STEPS)
        if abs(beat - place / _STEPS) <= _NEAR:
            self._strengths[place % len(self._strengths)] += strength

    def expected(self, beat: float) -> float:
        """How strong an accent at a beat, on one of the places, is expected to be; 0 for none."""
        self._go_on(beat)
        return self.foretold(beat)

    def foretold(self, beat: float) -> float:
        """The same of a beat that is still to come; may be asked any time ahead."""
        bars = max(0, int(beat // self._metre) - self._bar)
        found = float(self._strengths[round(beat * _STEPS) % len(self._strengths)]) * _KEPT**bars
        return min(1.0, found / _USUAL) if found >= _EXPECTED else 0.0

    def _go_on(self, beat: float) -> None:
        bar = int(beat // self._metre)
        if bar > self._bar:
            self._strengths *= _KEPT ** (bar - self._bar)
            self._bar = bar
