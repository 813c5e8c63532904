"""From what the ear says of music to its beats and bars: the bar-pointer search, and how sure that is."""

from __future__ import annotations

import numpy as np

from ..ear import EAR_FPS, EarCurves
from ..grid import steady_beats, tempo_of
from .confidence import contrast, mean_at
from .curves import at_rate
from .decoding import BeatGrid
from .gains import beat_lengths, onset_gain
from .refining import DEFAULT_BPM, FLAT, on_peaks, phase, refined
from .search import best_phase, likeliest_bars, track

MUSIC_RANGE_BPM = (52.0, 208.0)
"""Tempi that are looked for in music."""
_STEADY = 100.0
"""How strongly tempo changes are punished (`search.track`)."""
_EAR_BAR_WEIGHT, _LEAST_BAR = 1.0, 0.02
"""How much what the ear says of bar lines counts beside its beats, and the least it may say."""

EAR_CUES = ("contrast", "on beats", "over offbeats")
"""What the confidence is made of, see `cues_of`."""
_EAR_BIAS = -5.48
_EAR_WEIGHTS = np.array([2.9, 4.55, 2.62])
"""Logistic regression on 140 grids of the shipped ear (`python -m training.fit_ear --pieces 20`: 20 s, plain
and hard, whole and cut short, some worn, and sound without a pulse); right is a beat F of 0.7.
Calibration error, cross-validated by piece: 0.012. Fit anew for a new ear."""


def beats_of_ear(said: EarCurves, tempo_bpm: float | None = None) -> BeatGrid:
    """The likeliest beats and bars behind what the ear says, with how sure they are.

    With `tempo_bpm` the tempo is kept exactly and its phase is looked for. Where nothing is heard, a
    steady grid comes back with confidence 0.
    """
    duration_s = len(said.beat) / EAR_FPS
    beat, bar = at_rate(said.beat, EAR_FPS), at_rate(said.downbeat, EAR_FPS)
    if beat.max() < FLAT:
        tempo = tempo_bpm or DEFAULT_BPM
        beats = steady_beats(tempo, duration_s)
        return BeatGrid(beats, likeliest_bars(beats, None), tempo, 0.0)
    lengths = beat_lengths(MUSIC_RANGE_BPM)
    gain, bar_gain = onset_gain(beat, lengths), bar_odds(beat, bar)
    if tempo_bpm is not None:
        best = best_phase(gain, tempo_bpm, duration_s, lengths)
        first_s = phase(*on_peaks(best, beat), 60 / tempo_bpm)
        beats, tempo = steady_beats(tempo_bpm, duration_s, first_s), float(tempo_bpm)
        downbeats = likeliest_bars(beats, bar_gain)
    else:
        beats, downbeats = refined(track(gain, bar_gain, _STEADY, lengths=lengths), beat, duration_s)
        tempo = tempo_of(beats) if len(beats) > 1 else DEFAULT_BPM
    return BeatGrid(beats, downbeats, tempo, sureness(beat, beats, tempo))


def bar_odds(beat: np.ndarray, bar: np.ndarray) -> np.ndarray:
    """What a beat gains at each state where it starts a bar, in log odds, [S]; 0 where no beat is heard.

    Of the two curves, [S] at `RATE`, the bar's is held against the beat's: both are low where
    the ear is unsure of a beat at all, and that says nothing about bars.
    """
    share = np.clip((bar + _LEAST_BAR / 2) / (np.maximum(beat, bar) + _LEAST_BAR), _LEAST_BAR, 1 - _LEAST_BAR)
    return _EAR_BAR_WEIGHT * np.log(share / (1 - share))


def sureness(beat: np.ndarray, beats_s: np.ndarray, tempo_bpm: float) -> float:
    """Probability, 0..1, that beats of music reach an F of 0.7 at 70 ms. Arguments as in `cues_of`."""
    odds = _EAR_BIAS + float(_EAR_WEIGHTS @ cues_of(beat, beats_s, tempo_bpm))
    return float(1 / (1 + np.exp(-odds)))


def cues_of(beat: np.ndarray, beats_s: np.ndarray, tempo_bpm: float) -> np.ndarray:
    """Signs that beats are right, each about 0..1, float64 [len(EAR_CUES)], in the order of `EAR_CUES`.

    Args:
        beat: What the ear says of beats at `RATE`, 0..1 [S].
        beats_s: Beats, [M].
        tempo_bpm: Their tempo.
    """
    on = mean_at(beat, beats_s)
    off = mean_at(beat, (beats_s[1:] + beats_s[:-1]) / 2)
    return np.array([contrast(beat, 60 / tempo_bpm, MUSIC_RANGE_BPM), on, on - off])
