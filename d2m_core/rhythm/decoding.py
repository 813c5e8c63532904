"""From activation curves to beats: a steady, slightly breathing grid over the whole clip.

`gains` weighs the curves, `search` finds the likeliest chain of beats and bars in them, `refining`
moves its beats to the curve's peaks and smooths them over their neighbours. How sure they are says
`confidence`; where that is hardly at all, a dance gets `steady_fallback` instead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy

from ..grid import steady_beats, tempo_of
from ..types import TempoGuess
from .confidence import confidence, contrast
from .curves import RATE, BeatCurves, read_at
from .gains import Gains, gains_of
from .refining import DEFAULT_BPM, FLAT, on_peaks, phase, refined
from .search import best_phase, likeliest_bars, track
from .tempo import SAME, band, chance_of_any_octave, chance_of_spans, chances, evidence_of, guesses, spans

STEADY_BELOW = 0.1
"""Under this confidence a dance's grid is `steady_fallback`. That cost nothing: the 7 of 350
studio dances that fell below with an earlier network had a beat F of 0.25 with it, 0.22 without."""

_DANCE_STEADY, _MUSIC_STEADY = 200.0, 100.0
"""How strongly tempo changes are punished. With 100, 200 and 400, beat F on 200 studio dances was
0.881, 0.887 and 0.883."""
STILL = 0.05
"""A dance whose felt accents never rise over this holds no beat either: nothing moves."""
_SIXTEENTHS = 4
_STRONG = 0.5
"""Felt accents of at least this share of the highest choose the fallback's phase."""
_SEEN_SHARE = 0.5
"""How much visible accents count beside the beat curve where beats are moved to its peaks. With 0, 0.5
and 1, the share of accents on a beat was 0.451, 0.476 and 0.485 on seven real clips, and 0.609, 0.622 and
0.641 on 20 drawn dances, with a beat F of 0.981, 0.980 and 0.976."""


@dataclass(frozen=True, eq=False)
class BeatGrid:
    """Beats over a whole clip."""

    beats_s: np.ndarray
    """float64 [M]."""
    downbeats: np.ndarray
    """bool [M]."""
    tempo_bpm: float
    confidence: float
    tempi: tuple[TempoGuess, ...] = ()
    """Tempi that it may have, likeliest first; empty where it changes, and for music."""


@dataclass(frozen=True)
class Asked:
    """What is known of a grid before it is looked for."""

    tempo_bpm: float | None = None
    """A tempo to keep exactly; only the phase is then looked for."""
    metre: int | None = None
    """Beats in a bar; else four or three, whichever fits better."""
    fall_back: bool = True
    """False keeps the grid found, however unsure."""


def decode_beats(curves: BeatCurves, fps: float, asked: Asked | None = None) -> BeatGrid:
    """The likeliest beat grid behind the curves of a dance, or behind an onset curve of music.

    A dance has `curves.downbeat`; its tempo is then settled first, from the whole clip (`tempo`), beats
    and bars of four or three are found together near it, and the confidence is the probability that
    beats are right. Below `STEADY_BELOW` the grid is
    `steady_fallback` on the felt accents, at the tempo found. Without, the first beat starts the
    first bar, and the confidence is the pulse's `contrast`. Curves without any peak or accent give
    a steady grid at the tempo asked for or `DEFAULT_BPM`, with confidence 0.
    """
    asked = asked or Asked()
    duration_s = len(curves.beat) / fps
    fine = curves.fine(fps)
    felt = np.nan_to_num(np.asarray(curves.felt_or_beat, np.float64))  # as it was: heights count
    if fine.beat.max() < FLAT or (curves.downbeat is not None and felt.max() < STILL):
        return _nothing(asked, duration_s)
    gains = gains_of(fine, known_tempo=asked.tempo_bpm is not None)
    if curves.downbeat is None:
        grid = _likeliest(gains, fine.beat, asked, duration_s)
        return replace(grid, confidence=contrast(fine.beat, 60 / grid.tempo_bpm))
    evidence = evidence_of(fine)
    if asked.tempo_bpm is None:
        held = spans(fine, evidence)
        gains = replace(gains, beat=gains.beat + band(held, len(fine.beat)))
        likely = chance_of_spans(evidence, held)
        tempi = guesses(chances(evidence)) if len(held) == 1 else ()  # else it has no one tempo
    else:
        likely = chance_of_any_octave(evidence, asked.tempo_bpm)
        tempi = (TempoGuess(asked.tempo_bpm, 1.0),)
    towards = fine.beat if fine.seen is None else fine.beat + _SEEN_SHARE * fine.seen
    grid = _likeliest(gains, towards, asked, duration_s)
    sure = confidence(fine.beat, grid.tempo_bpm, felt, likely)
    grid = replace(grid, tempi=_with_tempo(tempi, grid.tempo_bpm), confidence=sure)
    if not asked.fall_back or grid.confidence >= STEADY_BELOW:
        return grid
    beats = steady_fallback(fine.felt_or_beat, duration_s, grid.tempo_bpm)
    return replace(grid, beats_s=beats, downbeats=likeliest_bars(beats, gains.bar, asked.metre))


def _with_tempo(found: tuple[TempoGuess, ...], tempo_bpm: float) -> tuple[TempoGuess, ...]:
    """The guesses, of which the one that was followed has the tempo that its beats came to."""
    return tuple(
        replace(guess, bpm=tempo_bpm) if abs(np.log(guess.bpm / tempo_bpm)) <= SAME else guess
        for guess in found
    )


def _nothing(asked: Asked, duration_s: float) -> BeatGrid:
    """The grid of a clip in which nothing happens."""
    tempo = asked.tempo_bpm or DEFAULT_BPM
    beats = steady_beats(tempo, duration_s)
    tempi = () if asked.tempo_bpm is None else (TempoGuess(asked.tempo_bpm, 1.0),)
    return BeatGrid(beats, likeliest_bars(beats, None, asked.metre), tempo, 0.0, tempi)


def _likeliest(gains: Gains, curve: np.ndarray, asked: Asked, duration_s: float) -> BeatGrid:
    """The grid that gains most, moved to the peaks of a curve [S] at `RATE`; its confidence is open."""
    if asked.tempo_bpm is not None:
        # The best phase to a state, then between states where the peaks on average are.
        tempo = float(asked.tempo_bpm)
        best = best_phase(gains.beat, tempo, duration_s)
        first_s = phase(*on_peaks(best, curve), 60 / tempo)
        beats = steady_beats(tempo, duration_s, first_s)
        return BeatGrid(beats, likeliest_bars(beats, gains.bar, asked.metre), tempo, 0.0)
    steady = _MUSIC_STEADY if gains.bar is None else _DANCE_STEADY
    chain = track(gains.beat, gains.bar, steady, asked.metre)
    beats, downbeats = refined(chain, curve, duration_s)
    return BeatGrid(beats, downbeats, tempo_of(beats) if len(beats) > 1 else DEFAULT_BPM, 0.0)


def steady_fallback(felt: np.ndarray, duration_s: float, tempo_bpm: float) -> np.ndarray:
    """Beats float64 [M] of one tempo, laid so that the strongest accents fall on sixteenths.

    What a clip gets whose beats nobody can tell: music at an even tempo that still meets what is
    felt. Of the four sixteenths the beat is the one where the curve is highest. A curve without
    accents, [S] at `RATE`, gives beats from 0 s on.
    """
    step_s = 60 / tempo_bpm / _SIXTEENTHS
    peaks, _ = scipy.signal.find_peaks(felt, height=max(FLAT, _STRONG * float(felt.max())))
    first_s = phase(peaks / RATE, felt[peaks] ** 2, step_s)
    places = [first_s + k * step_s for k in range(_SIXTEENTHS)]
    beats = [steady_beats(tempo_bpm, duration_s, place) for place in places]
    return max(beats, key=lambda times: float(read_at(felt, times).sum()))
