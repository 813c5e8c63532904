"""What is known of every frame of a dance or of music, and the rate at which beats are looked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

RATE = 100
"""States per second of the beat decoder."""


@dataclass(frozen=True, eq=False)
class BeatCurves:
    """What beats are read from, 0..1 per frame at any rate [F], all of one length.

    Three of them tell of accents, and are never the same: `felt` is what a network says of them,
    `seen` what braking shows without a network (`motion.accents`), and `Rhythm.accent` the curve
    that music is written to in the end.
    """

    beat: np.ndarray
    downbeat: np.ndarray | None = None
    """A dance has it, music does not: its bars are found elsewhere."""
    felt: np.ndarray | None = None
    """Accents as a network feels them; `beat` stands in where not given."""
    tempo: np.ndarray | None = None
    """How likely each tempo is, [F, bins] spread evenly in octaves over the tempo range."""
    seen: np.ndarray | None = None
    """The visible accents as bumps, as high as they are strong; beats lean towards them."""

    @property
    def felt_or_beat(self) -> np.ndarray:
        """The felt accents [F], or what stands in for them."""
        return self.beat if self.felt is None else self.felt

    def frames_at(self, pick: slice) -> BeatCurves:
        """Some of the frames of the same."""
        return BeatCurves(
            self.beat[pick],
            None if self.downbeat is None else self.downbeat[pick],
            None if self.felt is None else self.felt[pick],
            None if self.tempo is None else self.tempo[pick],
            None if self.seen is None else self.seen[pick],
        )

    def fine(self, fps: float) -> BeatCurves:
        """The same at `RATE`, float64 [S] each, from curves at `fps`; `tempo` keeps its rows."""
        return BeatCurves(
            at_rate(self.beat, fps),
            None if self.downbeat is None else at_rate(self.downbeat, fps),
            at_rate(self.felt_or_beat, fps),
            self.tempo,
            None if self.seen is None else at_rate(self.seen, fps),
        )


def at_rate(curve: np.ndarray, fps: float) -> np.ndarray:
    """A curve [F] in 0..1 at `RATE`, float64 [S]; what is not a number counts as 0."""
    curve = np.nan_to_num(np.asarray(curve, np.float64))
    times = np.arange(max(1, round(len(curve) / fps * RATE))) / RATE
    if len(curve) < 4:
        return np.interp(times, np.arange(len(curve)) / fps, curve)
    times = np.minimum(times, (len(curve) - 1) / fps)
    return np.clip(scipy.interpolate.CubicSpline(np.arange(len(curve)) / fps, curve)(times), 0.0, 1.0)


def read_at(curve: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """A curve at `RATE` read between its states at some moments, same shape as `times_s`."""
    return np.interp(times_s * RATE, np.arange(len(curve)), curve)
