"""The form of a piece that nobody knows the end of: from bar to bar, what the dance asks for."""

from __future__ import annotations

from ..band.notes import Bar
from ..band.plan import Section

_LIVELY, _CALM = 0.62, 0.48
"""Energy from which a verse becomes a drop, and under which a drop becomes a verse again."""
_LEAST_BARS = 2
"""A section lasts at least so long."""
_PHRASE = 8
"""Bars after which a fill comes where nothing else happens."""
FLOOR, TOP = 0.4, 0.98
"""Between these lies the band's energy: a dancer who is there is answered."""


class Form:
    """Gives one bar after the other."""

    def __init__(self) -> None:
        self._section: Section | None = None
        self._index = 0
        self._energy = 0.5

    def next(self, energy: float) -> Bar:
        """The next bar of a dance with so much energy, 0..1."""
        self._energy += 0.7 * (energy - self._energy)
        level = FLOOR + (TOP - FLOOR) * self._energy
        section = self._section
        if section is None:
            section = Section("verse", 0, _PHRASE, level)
        elif self._index - section.first_bar >= _LEAST_BARS:
            kind = _kind(section.kind, level)
            if kind != section.kind:
                section = Section(kind, self._index, _PHRASE, level)
        self._section = section
        place = self._index - section.first_bar
        left = _PHRASE - place % _PHRASE
        bar = Bar(self._index, section, place, left, level, section.kind, self._index)
        self._index += 1
        return bar


def _kind(kind: str, level: float) -> str:
    if kind == "drop":
        return "verse" if level < _CALM else "drop"
    return "drop" if level >= _LIVELY else "verse"
