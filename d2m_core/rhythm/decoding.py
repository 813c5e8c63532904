"""From activation curves to beats: a steady, slightly breathing grid over the whole clip.

`beat_tracking` finds the likeliest chain of beats and bars; its beats are then moved to the curve's
peaks and smoothed over their neighbours, which gives times finer than a frame. How sure they are
says `beat_confidence`; where that is hardly at all, a dance gets `steady_fallback` instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import find_peaks

from ..grid import steady_beats, tempo_of
from .confidence import confidence, contrast
from .gains import (
    RATE,
    accent_gain,
    at_rate,
    beat_lengths,
    bump_gain,
    bump_height,
    clearness,
    onset_gain,
    tempo_gain,
)
from .search import Chain, likeliest_bars, track

DEFAULT_BPM = 120.0
"""Tempo of the grid that is given where nothing moves."""

STEADY_BELOW = 0.1
"""Under this confidence a dance's grid is `steady_fallback`. That cost nothing: the 7 of 350
studio dances that fell below with an earlier network had a beat F of 0.25 with it, 0.22 without."""

_DANCE_STEADY, _MUSIC_STEADY = 200.0, 100.0
"""How strongly tempo changes are punished. With 100, 200 and 400, beat F on 200 studio dances was
0.881, 0.887 and 0.883."""
_BEAT_HEIGHT, _BEAT_FAVOURED = 0.7, 3.0
_BAR_HEIGHT, _BAR_FAVOURED, _BAR_WEIGHT = 0.7, 6.0, 0.5
"""Usual height of the network's bumps, how much its training favoured them
(`training.train_rhythm`), and how much bar lines count beside beats."""
_BEAT_SHARE, _BAR_SHARE = 0.2, 0.05
"""So many peaks of the beat and of the bar curve are surely beats and bar lines."""
_FLAT = 0.02
"""A curve that never rises over this holds no beat."""
_STILL = 0.05
"""A dance whose accents never rise over this holds none either: nothing moves."""
_METRES = {4: 0.0, 3: 0.5}
"""Beats in a bar, and by how much (in log odds per beat) each has to be better than the others."""
_SIXTEENTHS = 4
_STRONG = 0.5
"""Onsets of at least this share of the highest choose the fallback's phase."""


@dataclass(frozen=True, eq=False)
class BeatGrid:
    """Beats over a whole clip."""

    beats_s: np.ndarray
    """float64 [M]."""
    downbeats: np.ndarray
    """bool [M]."""
    tempo_bpm: float
    confidence: float


def decode_beats(
    beat: np.ndarray,
    fps: float,
    downbeat: np.ndarray | None = None,
    tempo_bpm: float | None = None,
    onset: np.ndarray | None = None,
    tempi: np.ndarray | None = None,
    fall_back: bool = True,
    metre: int | None = None,
    accents: np.ndarray | None = None,
) -> BeatGrid:
    """The likeliest beat grid behind the curves of a dance, or behind an onset curve of music.

    A dance has `downbeat`; beats and bars of four or three are then found together, and the
    confidence is the probability that beats are right. Below `STEADY_BELOW` the grid is
    `steady_fallback` on `onset`, at the tempo found. Without `downbeat` the first beat starts the
    first bar, and the confidence is the pulse's `contrast`. Curves without any peak or accent give
    a steady grid at `tempo_bpm` or `DEFAULT_BPM`, with confidence 0.

    Args:
        beat: 0..1 per frame, [F].
        fps: Rate of the curves.
        downbeat: 0..1 per frame, [F].
        tempo_bpm: A tempo to keep exactly; only the phase is then looked for.
        onset: Accents as a network feels them, 0..1 per frame, [F]; `beat` where not given.
        tempi: How likely each tempo is, [F, bins] spread evenly in octaves over the tempo range.
        fall_back: False keeps the grid found, however unsure.
        metre: Beats in a bar where that is known.
        accents: The visible accents (`accents.accent_curve`), [F]; beats then lean towards them.
    """
    duration_s = len(beat) / fps
    curve = at_rate(beat, fps)
    felt = np.nan_to_num(np.asarray(beat if onset is None else onset, np.float64))
    if curve.max() < _FLAT or (downbeat is not None and felt.max() < _STILL):
        beats = steady_beats(tempo_bpm or DEFAULT_BPM, duration_s)
        downbeats = likeliest_bars(beats, None, metre)
        return BeatGrid(beats, downbeats, tempo_bpm or DEFAULT_BPM, 0.0)
    gain, bar_gain = _gains(curve, fps, downbeat, tempi if tempo_bpm is None else None)
    if accents is not None:
        gain = gain + accent_gain(at_rate(accents, fps))[:, None]
    if tempo_bpm is None:
        steady = _MUSIC_STEADY if bar_gain is None else _DANCE_STEADY
        chain = track(gain, bar_gain, steady, metre)
        found = _smoothed(*_on_peaks(chain.beats_s, curve))
        beats = cover(found, duration_s)
        tempo = tempo_of(beats) if len(beats) > 1 else DEFAULT_BPM
        downbeats = _carried(chain, found, beats)
    else:
        tempo = float(tempo_bpm)
        beats = _locked(gain, curve, tempo, duration_s)
        downbeats = likeliest_bars(beats, bar_gain, metre)
    if downbeat is None:
        return BeatGrid(beats, downbeats, tempo, contrast(curve, 60 / tempo))
    sure = confidence(curve, beats, tempo, felt)
    if fall_back and sure < STEADY_BELOW:
        beats = steady_fallback(felt, fps, tempo)
        downbeats = likeliest_bars(beats, bar_gain, metre)
    return BeatGrid(beats, downbeats, tempo, sure)


def steady_fallback(curve: np.ndarray, fps: float, tempo_bpm: float) -> np.ndarray:
    """Beats float64 [M] of one tempo, laid so that the strongest onsets fall on sixteenths.

    What a clip gets whose beats nobody can tell: music at an even tempo that still meets what is
    seen. Of the four sixteenths the beat is the one where the curve is highest. A curve [F] without
    onsets gives beats from 0 s on.
    """
    fine = at_rate(curve, fps)
    step_s = 60 / tempo_bpm / _SIXTEENTHS
    peaks, _ = find_peaks(fine, height=max(_FLAT, _STRONG * float(fine.max())))
    first_s = _phase(peaks / RATE, fine[peaks] ** 2, step_s)
    places = [first_s + k * step_s for k in range(_SIXTEENTHS)]
    beats = [steady_beats(tempo_bpm, len(curve) / fps, place) for place in places]
    return max(beats, key=lambda times: _total(fine, times))


def cover(beats_s: np.ndarray, duration_s: float) -> np.ndarray:
    """Beats continued at their end tempi so that they fill 0 <= t < duration_s, and no further."""
    if len(beats_s) < 2:
        first_s = float(beats_s[0]) if len(beats_s) else 0.0
        return steady_beats(DEFAULT_BPM, duration_s, first_s)
    before_s, after_s = beats_s[1] - beats_s[0], beats_s[-1] - beats_s[-2]
    head = beats_s[0] - before_s * np.arange(np.floor(beats_s[0] / before_s), 0, -1)
    tail = np.arange(beats_s[-1] + after_s, duration_s, after_s)
    beats = np.concatenate([head, beats_s, tail])
    return beats[(beats >= 0) & (beats < duration_s)]


# --- from states to times ---


def _gains(
    curve: np.ndarray, fps: float, downbeat: np.ndarray | None, tempi: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """What a beat gains at each state, [S, L] or [S, 1], and what the start of a bar does, [S]."""
    if downbeat is None:
        return onset_gain(curve, beat_lengths()), None
    bars_curve = at_rate(downbeat, fps)
    height = bump_height(curve, _BEAT_HEIGHT, _BEAT_FAVOURED, _BEAT_SHARE)
    gain = bump_gain(curve, height, _BEAT_FAVOURED)[:, None]
    if tempi is not None:
        gain = gain + clearness(height, _BEAT_HEIGHT) * tempo_gain(tempi, len(gain))
    bar_height = bump_height(bars_curve, _BAR_HEIGHT, _BAR_FAVOURED, _BAR_SHARE)
    return gain, _BAR_WEIGHT * bump_gain(bars_curve, bar_height, _BAR_FAVOURED)


def _locked(gain: np.ndarray, curve: np.ndarray, tempo_bpm: float, duration_s: float) -> np.ndarray:
    """Beats of exactly this tempo at their likeliest phase, [M]."""
    nearest = int(np.abs(beat_lengths() - 60 * RATE / tempo_bpm).argmin())
    column = min(nearest, gain.shape[1] - 1)
    phases = np.arange(0, 60 / tempo_bpm, 1 / RATE)
    grids = [steady_beats(tempo_bpm, duration_s, first) for first in phases]
    best = max(grids, key=lambda beats: _total(gain[:, column], beats))
    return steady_beats(tempo_bpm, duration_s, _phase(*_on_peaks(best, curve), 60 / tempo_bpm))


def _total(curve: np.ndarray, times_s: np.ndarray) -> float:
    """Sum of a curve at `RATE` over some moments."""
    return float(np.interp(times_s * RATE, np.arange(len(curve)), curve).sum())


def _on_peaks(beats_s: np.ndarray, curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each beat moved to the curve's centre of mass nearby, and how much there is, [M] and [M]."""
    reach_s = 0.08
    moved, weights = beats_s.copy(), np.full(len(beats_s), 1e-3)
    for index, time_s in enumerate(beats_s):
        first = max(0, int((time_s - reach_s) * RATE))
        part = curve[first : int((time_s + reach_s) * RATE) + 2]
        if len(part) and part.max() > _FLAT:
            peak = first + int(part.argmax())
            left = max(0, peak - 4)
            mass = curve[left : peak + 5] ** 2
            moved[index] = (left + (mass * np.arange(len(mass))).sum() / mass.sum()) / RATE
            weights[index] += float(curve[peak])
    return moved, weights


def _smoothed(beats_s: np.ndarray, weights: np.ndarray, reach: int = 8) -> np.ndarray:
    """Beats on local straight lines (tricube-weighted least squares over `reach` neighbours).

    Beat F of 100 studio dances with a reach of 3, 5 and 8: 0.876, 0.876, 0.882.
    """
    if len(beats_s) < 3:
        return beats_s
    index = np.arange(len(beats_s))
    out = np.empty_like(beats_s)
    for beat in index:
        near = (1 - np.clip(np.abs(index - beat) / (reach + 1), 0, 1) ** 3) ** 3
        weight = np.sqrt(near * weights + 1e-9)
        _slope, offset = np.polyfit(index - beat, beats_s, 1, w=weight)
        out[beat] = offset
    return np.maximum.accumulate(out + 1e-6 * index)


def _phase(beats_s: np.ndarray, weights: np.ndarray, period_s: float) -> float:
    """Where in its period a steady pulse lies that passes nearest to these beats, in seconds."""
    if len(beats_s) == 0:
        return 0.0
    mean = (weights * np.exp(2j * np.pi * beats_s / period_s)).sum()
    return float(np.angle(mean) / (2 * np.pi) * period_s % period_s)


# --- bars ---


def bars(likely: np.ndarray) -> np.ndarray:
    """Which beats start a bar: the best phase of bars of four, or of three if far better.

    `likely`: how likely each beat starts one, 0..1, [M].
    """
    likely = np.clip(likely, 1e-3, 1 - 1e-3)
    odds = np.log(likely / (1 - likely))
    best, choice = -np.inf, (0, 4)
    for metre, handicap in _METRES.items():
        for first in range(min(metre, len(odds))):
            ours = _every(len(odds), first, metre)
            others = odds[~ours].mean() if (~ours).any() else 0.0
            score = odds[ours].mean() - others - handicap
            if score > best:
                best, choice = score, (first, metre)
    return _every(len(odds), *choice)


def _every(count: int, first: int, metre: int) -> np.ndarray:
    return np.arange(count) % metre == first % metre


def _carried(chain: Chain, found_s: np.ndarray, beats_s: np.ndarray) -> np.ndarray:
    """The chain's bars on the beats that its own, at `found_s` by now, were continued to."""
    starts = np.flatnonzero(chain.downbeats)
    if len(starts) == 0 or len(beats_s) == 0:
        return _every(len(beats_s), 0, 4)
    metre = int(starts[1] - starts[0]) if len(starts) > 1 else 4
    middle = found_s[starts[len(starts) // 2]]  # the ends may lie outside the clip
    return _every(len(beats_s), int(np.abs(beats_s - middle).argmin()), metre)
