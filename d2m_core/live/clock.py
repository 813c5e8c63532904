"""The band's clock: which beat it is at each moment, steered towards a pulse and never set while music plays.

Pure arithmetic on seconds: no threads, no real time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEP_S = 0.01
"""The clock is steered so often."""
MOST_SLEW = 0.2
"""Tempo changes by at most this share of itself in a second."""
MOST_LEAN = 0.12
"""To come into phase it goes faster or slower by at most this share."""
MOST_TUG = 0.6
"""How fast that share may change, per second: nobody hears it begin."""
_CATCH_S = 0.4
"""A distance in phase is made good in about this time, as far as the limits allow."""
_SETTLE_S = 0.3
"""The tempo comes to that of the pulse in about this time, as far as the limit allows."""


@dataclass(frozen=True)
class Pulse:
    """A pulse to be followed: beats at `time_s` and every `60 / bpm` seconds before and after."""

    time_s: float
    bpm: float

    def phase(self, time_s: float) -> float:
        """How far from the last beat to the next a moment lies, 0..1."""
        return ((time_s - self.time_s) * self.bpm / 60) % 1.0


@dataclass(frozen=True, eq=False)
class Span:
    """A stretch of time and its beats, straight between the rows."""

    times_s: np.ndarray
    """float64 [n >= 2], rising."""
    beats: np.ndarray
    """float64 [n], rising."""

    def seconds(self, beat: float) -> float:
        """When a beat within the stretch comes."""
        return float(np.interp(beat, self.beats, self.times_s))


class Clock:
    """Tells beats at any tempo, and glides to another tempo and phase.

    Between any two steps the rate changes by no more than `MOST_SLEW` and `MOST_TUG` allow, and it is within
    `MOST_LEAN` of the tempo; so a click track of it has no jump.
    """

    def __init__(self, time_s: float, beat: float, bpm: float) -> None:
        self.time_s, self.beat, self.bpm = time_s, beat, bpm
        self._lean = 0.0
        self._pulse: Pulse | None = None

    @property
    def rate(self) -> float:
        """Beats per second, now."""
        return self.bpm / 60 * (1 + self._lean)

    def follow(self, pulse: Pulse | None) -> None:
        """From now on glides towards this pulse; None keeps the tempo."""
        self._pulse = pulse

    def error(self) -> float:
        """How far the pulse followed is ahead, in beats, -0.5..0.5; 0 without one."""
        if self._pulse is None:
            return 0.0
        return (self._pulse.phase(self.time_s) - self.beat + 0.5) % 1.0 - 0.5

    def advance(self, to_s: float) -> Span:
        """Goes on to a later moment."""
        times, beats = [self.time_s], [self.beat]
        while self.time_s < to_s - 1e-9:
            self._step(min(STEP_S, to_s - self.time_s))
            times.append(self.time_s)
            beats.append(self.beat)
        return Span(np.array(times), np.array(beats))

    def _step(self, step_s: float) -> None:
        if self._pulse is not None:
            away = np.log(self._pulse.bpm / self.bpm)
            most = MOST_SLEW * step_s
            self.bpm *= float(np.exp(np.clip(away * step_s / _SETTLE_S, -most, most)))
        wanted = np.clip(self.error() / _CATCH_S / (self.bpm / 60), -MOST_LEAN, MOST_LEAN)
        tug = MOST_TUG * step_s
        self._lean += float(np.clip(wanted - self._lean, -tug, tug))
        self.beat += self.rate * step_s
        self.time_s += step_s
