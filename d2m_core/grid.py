"""Arithmetic on beat grids: pure functions on arrays of beat times."""

from __future__ import annotations

import numpy as np

from .errors import require

PHASE_NAMES = (
    *"beat_sin beat_cos eighth_sin eighth_cos sixteenth_sin sixteenth_cos".split(),
    *"bar_sin bar_cos log_tempo known".split(),
)
"""Columns of `phase_features`."""

REFERENCE_BPM = 120.0
"""Tempo at which the `log_tempo` column is zero."""


def steady_beats(tempo_bpm: float, duration_s: float, first_s: float = 0.0) -> np.ndarray:
    """Beats float64 [M] of a steady pulse that passes through `first_s`, in 0 <= t < duration_s."""
    period_s = 60.0 / tempo_bpm
    start_s = first_s - np.floor(first_s / period_s + 1e-9) * period_s
    return np.arange(max(start_s, 0.0), duration_s - 1e-9, period_s)


def tempo_of(beats_s: np.ndarray) -> float:
    """Tempo in BPM of a grid of at least two beats, by least squares."""
    if len(beats_s) < 2:
        raise ValueError(f"a tempo needs at least two beats, got {len(beats_s)}")
    return float(60.0 / np.polyfit(np.arange(len(beats_s)), beats_s, 1)[0])


def position(beats_s: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Position of each time in beats (first beat 0.0), float64; outside, the end tempo goes on."""
    if len(beats_s) < 2:
        raise ValueError(f"positions need at least two beats, got {len(beats_s)}")
    index = np.arange(len(beats_s), dtype=np.float64)
    inside = np.interp(times_s, beats_s, index)
    before = (times_s - beats_s[0]) / (beats_s[1] - beats_s[0])
    after = index[-1] + (times_s - beats_s[-1]) / (beats_s[-1] - beats_s[-2])
    return np.where(times_s < beats_s[0], before, np.where(times_s > beats_s[-1], after, inside))


def seconds_at(beats_s: np.ndarray, beat: np.ndarray) -> np.ndarray:
    """The inverse of `position`: seconds, float64; outside the grid the end tempo goes on."""
    if len(beats_s) < 2:
        raise ValueError(f"positions need at least two beats, got {len(beats_s)}")
    index = np.arange(len(beats_s), dtype=np.float64)
    inside = np.interp(beat, index, beats_s)
    before = beats_s[0] + beat * (beats_s[1] - beats_s[0])
    after = beats_s[-1] + (beat - index[-1]) * (beats_s[-1] - beats_s[-2])
    return np.where(beat < 0, before, np.where(beat > index[-1], after, inside))


def phase_features(beats_s: np.ndarray, downbeats: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Beat and bar phase, float32 [len(times_s), len(PHASE_NAMES)]; zeros without a grid."""
    out = np.zeros((len(times_s), len(PHASE_NAMES)), np.float32)
    if len(beats_s) < 2:
        return out
    beat = position(beats_s, times_s)
    for column, multiple in ((0, 1), (2, 2), (4, 4)):
        angle = 2 * np.pi * multiple * beat
        out[:, column], out[:, column + 1] = np.sin(angle), np.cos(angle)
    bar = _bar_position(downbeats, beat)
    if bar is not None:
        out[:, 6], out[:, 7] = np.sin(2 * np.pi * bar), np.cos(2 * np.pi * bar)
    out[:, 8] = np.log2(_local_tempo(beats_s, beat) / REFERENCE_BPM)
    out[:, 9] = 1.0
    return out


def _local_tempo(beats_s: np.ndarray, beat: np.ndarray) -> np.ndarray:
    interval = np.clip(np.floor(beat).astype(int), 0, len(beats_s) - 2)
    return 60.0 / np.diff(beats_s)[interval]


def _bar_position(downbeats: np.ndarray, beat: np.ndarray) -> np.ndarray | None:
    """Position in bars, or None where no bar is known."""
    starts = np.flatnonzero(downbeats).astype(np.float64)
    if len(starts) == 0:
        return None
    if len(starts) == 1:
        starts = np.array([starts[0], starts[0] + 4.0])
    return position(starts, beat)


TEMPO_RANGE_BPM = (60.0, 180.0)
"""Tempi that can be found in a dance or asked for."""


def check_tempo(tempo_bpm: float) -> float:
    """Returns `tempo_bpm`, or raises `SettingError` where it lies outside `TEMPO_RANGE_BPM`."""
    low, high = TEMPO_RANGE_BPM
    require(low <= tempo_bpm <= high, f"Tempo is {tempo_bpm:g} BPM; choose {low:g} to {high:g}.")
    return tempo_bpm
