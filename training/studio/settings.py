"""What all pairs of a data set have in common."""

from __future__ import annotations

from dataclasses import dataclass, field

from d2m_core.band import Materials
from d2m_core.band.styles import STYLE_TABLE, STYLES
from d2m_core.errors import require

ANY_TEMPO_BPM = (70.0, 170.0)
"""Tempi that people dance at, whatever the style."""


@dataclass(frozen=True)
class PairSettings:
    """What all pairs of a data set have in common; a seed makes each one different."""

    seconds: float = 30.0
    styles: tuple[str, ...] = STYLES
    """They take turns, so that each is as frequent."""
    looseness: float = 0.35
    """How freely the dancers follow the music: 0 to the letter, 1 hardly more than the beat."""
    people: float = 0.15
    """Share of the pairs with two dancers and more."""
    bands: int = 0
    """So many bands a style has, each with instruments, mix and key of its own; 0: a new one plays
    every piece."""
    any_tempo: float = 0.0
    """Share of the pairs that are at any tempo of `ANY_TEMPO_BPM`, not one of their style."""
    straight: bool = False
    """Whether beats last whole token steps, on which all that is played begins."""
    answered: bool = False
    """Whether the band sees the dance, hits its accents and stops with it; else both follow one plan."""
    pixels: float = 0.0
    """Share of the pairs that are drawn as well."""
    music: bool = True
    dance: bool = True
    mono: bool = False
    materials: Materials = field(default_factory=Materials)
    made_by: str = "studio"

    def __post_init__(self) -> None:
        require(1.0 <= self.seconds <= 600.0, f"seconds is {self.seconds:g}; use 1 to 600.")
        require(self.bands >= 0, f"bands is {self.bands}; use 0 (a new one for every piece) or more.")
        for name in ("looseness", "people", "any_tempo", "pixels"):
            value = getattr(self, name)
            require(0.0 <= value <= 1.0, f"{name} is {value:g}; use 0 to 1.")
        require(bool(self.styles), "No style is given; name one or leave --style out.")
        for style in self.styles:
            require(style in STYLE_TABLE, f"Style is {style!r}; choose of {', '.join(STYLES)}.")
        require(self.music or self.dance, "Without music and without dance nothing is left.")
        require(self.dance or not self.answered, "A dance is answered; leave --no-dance out.")
        require(self.dance or self.pixels == 0, "Pixels need a dance; leave --no-dance out.")
