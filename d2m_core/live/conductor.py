"""Beats that were found again and again become one pulse to follow, and somebody decides when to play."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..rhythm.decoding import BeatGrid
from ..types import METRE, metre_of_bars
from .clock import Clock, Pulse

_FITTED = 8
"""A pulse is fitted to so many of the last beats."""
_FADE = 0.85
"""How much less a beat counts than the one after it."""
_LEAST_SURE = 0.05
"""Grids that are less sure say nothing."""
_NEAR_TEMPO, _NEAR_PHASE = 0.08, 0.2
"""A pulse whose tempo (share) and phase (beats) are so near to the one followed goes on with it."""
_OCTAVE = 0.15
"""So near (log2) half or double a tempo is taken for it; 2 / 3 of it is another."""
_TAKEN = 0.5
"""How much of what a new reading says is taken at once, where it goes on with the pulse."""
_AGREEING = 4
"""So many readings in a row that agree with each other, and not with the pulse, are believed."""
_READY = 3
"""So many readings that agree make a beginning,"""
_READY_S = 3.0
"""not before so much was seen; after"""
_IMPATIENT_S = 7.0
"""so much whatever was found will do."""


def pulse_of(grid: BeatGrid, now_s: float) -> Pulse | None:
    """The pulse of the last beats up to now; None where there are fewer than three."""
    beats = grid.beats_s[grid.beats_s <= now_s + 0.5 * 60 / grid.tempo_bpm][-_FITTED:]
    if len(beats) < 3 or grid.confidence < _LEAST_SURE:
        return None
    number = np.arange(len(beats)) - (len(beats) - 1)
    slope, last = np.polyfit(number, beats, 1, w=_FADE ** (-number / 2.0))
    return Pulse(float(last), 60 / float(slope))


def in_octave(pulse: Pulse, bpm: float) -> Pulse:
    """The pulse with half or twice the beats, where that comes near a tempo; else as it is."""
    for octave in (0.5, 2.0):
        if abs(np.log2(octave * pulse.bpm / bpm)) < _OCTAVE:
            return Pulse(pulse.time_s, octave * pulse.bpm)
    return pulse


@dataclass(frozen=True)
class Start:
    """How a piece begins."""

    bpm: float
    metre: int
    place: float
    """In the bar, in beats, at the moment of the start."""


class Conductor:
    """Follows what is read of a dance: `pulse` is where the band should be."""

    def __init__(self, metre: int | None = None) -> None:
        self._metre = metre
        self.pulse: Pulse | None = None
        self._other: Pulse | None = None
        self._others = self._agreed = 0
        self._grid: BeatGrid | None = None
        self._first_s = np.inf

    def read(self, grid: BeatGrid, now_s: float, playing: bool = True) -> None:
        """Takes in a grid that was found at a moment; while nobody plays, the last one is right."""
        self._first_s = min(self._first_s, now_s)
        found = pulse_of(grid, now_s)
        if found is None:
            return
        self._grid = grid
        if self.pulse is None:
            self.pulse, self._agreed = found, 1
            return
        found = in_octave(found, self.pulse.bpm)
        if _near(found, self.pulse, now_s):
            self._others, self._agreed = 0, self._agreed + 1
            self.pulse = _between(self.pulse, found, now_s)
            return
        self._others = self._others + 1 if self._other and _near(found, self._other, now_s) else 1
        self._other, self._agreed = found, 0
        if self._others >= _AGREEING or not playing:
            self.pulse, self._others, self._agreed = found, 0, 1

    def ready(self, now_s: float) -> bool:
        """Whether there is a pulse to begin with."""
        seen_s = now_s - self._first_s
        return self.pulse is not None and (
            (self._agreed >= _READY and seen_s >= _READY_S) or seen_s >= _IMPATIENT_S
        )

    def start(self, time_s: float) -> Start:
        """How to begin at a moment; only where it is `ready`."""
        assert self.pulse is not None
        assert self._grid is not None
        metre = self._metre or metre_of_bars(self._grid.downbeats) or METRE
        phase = self.pulse.phase(time_s)
        return Start(self.pulse.bpm, metre, (self._beats_before(time_s, metre) + phase) % metre)

    def _beats_before(self, time_s: float, metre: int) -> int:
        """Whole beats since the last bar line, at a moment."""
        assert self.pulse is not None
        assert self._grid is not None
        period_s = 60 / self.pulse.bpm
        last_s = time_s - self.pulse.phase(time_s) * period_s
        lines = self._grid.beats_s[self._grid.downbeats]
        votes = np.bincount(np.round((last_s - lines) / period_s).astype(int) % metre, minlength=metre)
        return int(votes.argmax())


def clock_at(start: Start, time_s: float) -> Clock:
    """A clock that begins as a piece does: its beat 0 is the bar line before."""
    return Clock(time_s, start.place, start.bpm)


def _near(one: Pulse, other: Pulse, now_s: float) -> bool:
    away = (one.phase(now_s) - other.phase(now_s) + 0.5) % 1.0 - 0.5
    return abs(np.log(one.bpm / other.bpm)) < _NEAR_TEMPO and abs(away) < _NEAR_PHASE


def _between(old: Pulse, new: Pulse, now_s: float) -> Pulse:
    """The old pulse moved towards the new one."""
    bpm = old.bpm * (new.bpm / old.bpm) ** _TAKEN
    away = (new.phase(now_s) - old.phase(now_s) + 0.5) % 1.0 - 0.5
    phase = old.phase(now_s) + _TAKEN * away
    return Pulse(now_s - phase * 60 / bpm, bpm)
