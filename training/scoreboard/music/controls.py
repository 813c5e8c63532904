"""Grids to compare with, and the figures of a sound by itself, for `scores`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from d2m_core.grid import steady_beats
from d2m_core.scores.metrics import TOLERANCE_S
from d2m_core.types import Waveform
from training.judges.sound import (
    between_hits_db,
    clear_tones_db,
    clipped_share,
    longest_loop_s,
    loudness_lufs,
    silent_pieces,
    silent_share,
)

from .making import Take

METRONOME_BPM = 120.0
_PHASES = 8
_GRID_BPM, _GRID_PHASES = np.arange(60.0, 180.25, 0.5), 24

Scores = dict[str, float]
"""Measure -> value; NaN where it cannot be said."""


def metronomes(duration_s: float) -> list[np.ndarray]:
    """Clicks at 120 BPM at eight phases."""
    period_s = 60 / METRONOME_BPM
    return [steady_beats(METRONOME_BPM, duration_s, period_s * n / _PHASES) for n in range(_PHASES)]


def best_steady_grid(times_s: np.ndarray, duration_s: float) -> np.ndarray:
    """Of all steady grids of 60 to 180 BPM the one with the best F against `times_s`.

    A time counts once it lies within 70 ms of the grid. Without times, a metronome.
    """
    times_s = np.asarray(times_s, np.float64)
    if len(times_s) == 0:
        return steady_beats(METRONOME_BPM, duration_s)
    best, grid = -1.0, times_s
    for tempo in _GRID_BPM:
        period = 60 / tempo
        firsts = np.arange(_GRID_PHASES) / _GRID_PHASES * period
        away = np.abs((times_s - firsts[:, None] + period / 2) % period - period / 2)
        hits = (away <= TOLERANCE_S).sum(1)
        number = int(hits.argmax())
        found = steady_beats(tempo, duration_s, float(firsts[number]))
        score = 2 * hits[number] / (len(times_s) + len(found))
        if score > best:
            best, grid = score, found
    return grid


def sound(wave: Waveform) -> Scores:
    """Level, faults, and how clear it is."""
    return {
        "lufs": loudness_lufs(wave),
        "clipped": clipped_share(wave),
        "silent": silent_share(wave),
        "clear_tones_db": clear_tones_db(wave),
        "between_hits_db": between_hits_db(wave),
    }


def loop_s(take: Take) -> float:
    """The longest stuck loop of tokens that one can hear."""
    steps = take.codes.shape[1]
    rate = steps / take.wave.duration_s
    pieces = ~silent_pieces(take.wave)
    at = np.minimum((np.arange(steps) / rate * 10).astype(int), len(pieces) - 1)
    return longest_loop_s(take.codes, rate, pieces[at])


def mean_of(scores: Sequence[Mapping[str, float]]) -> Scores:
    """Mean of each measure over the scores that have it; nothing where there are none."""
    found: dict[str, list[float]] = {}
    for each in scores:
        for name, value in each.items():
            found.setdefault(name, []).append(value)
    known = {name: [v for v in values if not np.isnan(v)] for name, values in found.items()}
    return {name: float(np.mean(values or [np.nan])) for name, values in known.items()}
