"""What a MIDI file is made from and read to: notes that sound, and names that hold from a moment on."""

from __future__ import annotations

from typing import NamedTuple, Protocol

DRUM_CHANNEL = 9
"""General MIDI's channel 10, counted from 0: its pitches are pieces of a kit."""


class Note(Protocol):
    """A note of anybody's: the band's notes are such."""

    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def pitch(self) -> int: ...
    @property
    def velocity(self) -> int: ...
    @property
    def player(self) -> str: ...


class Moment(Protocol):
    """A section or a chord of anybody's."""

    @property
    def start_s(self) -> float: ...
    @property
    def name(self) -> str: ...


class SoundingNote(NamedTuple):
    """A note as it sounds."""

    start_s: float
    end_s: float
    pitch: int
    """0..127; on a drum player a piece of the General MIDI kit."""
    velocity: int
    """1..127."""
    player: str
    """Who plays it: the name of its track."""
    drum: bool = False
    """Whether it lies on the drum channel."""


class Named(NamedTuple):
    """A section or a chord."""

    start_s: float
    name: str
