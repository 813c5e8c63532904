"""From an activation curve to beats: a steady, slightly breathing grid over the whole clip.

The tracker is the bar-pointer model in its beat-only form (Krebs, Böck, Widmer: An Efficient
State-Space Model for Joint Tempo and Meter Tracking, ISMIR 2015): a hidden state walks through
each beat and may change tempo only where a beat starts. Its beats are then moved to the curve's
peaks and smoothed over their neighbours, which gives times finer than a frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.interpolate import CubicSpline

from .config import TEMPO_RANGE_BPM
from .grid import steady_beats, tempo_of

DEFAULT_BPM = 120.0
"""Tempo of the grid that is given where nothing moves."""

_RATE = 100
"""States per second."""
_BEAT_SHARE = 16
"""One state in so many, at the start of a beat, expects an active curve."""
_STEADY = 100.0
"""How strongly a tempo change is punished: exp(-_STEADY * relative change) at each beat."""
_PRIOR_BPM, _PRIOR_OCTAVES = 110.0, 0.7
"""Log-normal tempo prior."""
_FLAT = 0.02
"""A curve that never rises over this holds no beat."""
_METRES = {4: 0.0, 3: 0.5}
"""Beats in a bar, and by how much (in log odds per beat) each has to be better than the others."""
_FOLD_BINS = 48
_STRETCH_S = 8.0
_NEAR = 0.06
"""Tempi within so much (natural log) are the same."""
_RELATED = np.array([1, 2, 1 / 2, 3, 1 / 3, 3 / 2, 2 / 3, 4 / 3, 3 / 4, 4, 1 / 4])


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
) -> BeatGrid:
    """The likeliest beat grid behind a curve of beat probabilities.

    Args:
        beat: 0..1 per frame, [F].
        fps: Rate of the curve.
        downbeat: 0..1 per frame, [F]; without it the first beat starts the first bar.
        tempo_bpm: A tempo to keep exactly; only the phase is then looked for.
    """
    duration_s = len(beat) / fps
    curve = _at_rate(np.nan_to_num(np.asarray(beat, np.float64)), fps)
    if curve.max() < _FLAT:
        beats = steady_beats(tempo_bpm or DEFAULT_BPM, duration_s)
        return BeatGrid(beats, _every(len(beats), 0, 4), tempo_bpm or DEFAULT_BPM, 0.0)
    found, weights = _on_peaks(_track(curve, tempo_bpm), curve)
    if tempo_bpm is not None:
        beats = steady_beats(tempo_bpm, duration_s, _phase(found, weights, 60 / tempo_bpm))
        tempo = tempo_bpm
    else:
        beats = cover(_smoothed(found, weights), duration_s)
        tempo = tempo_of(beats) if len(beats) > 1 else DEFAULT_BPM
    if downbeat is None:
        downbeats = _every(len(beats), 0, 4)
    else:
        wide = ndimage.maximum_filter1d(np.nan_to_num(downbeat), 3)
        downbeats = bars(np.interp(beats, np.arange(len(wide)) / fps, wide))
    return BeatGrid(beats, downbeats, float(tempo), _confidence(curve, 60 / tempo))


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


def _every(count: int, first: int, metre: int) -> np.ndarray:
    return np.arange(count) % metre == first % metre


def _at_rate(curve: np.ndarray, fps: float) -> np.ndarray:
    """The curve at the state rate, [S]."""
    times = np.arange(max(1, round(len(curve) / fps * _RATE))) / _RATE
    if len(curve) < 4:
        return np.interp(times, np.arange(len(curve)) / fps, curve)
    times = np.minimum(times, (len(curve) - 1) / fps)
    return np.clip(CubicSpline(np.arange(len(curve)) / fps, curve)(times), 0.0, 1.0)


# --- tracking ---


def _track(curve: np.ndarray, tempo_bpm: float | None = None) -> np.ndarray:
    """Times [M] of the beats on the likeliest path through the states; of one tempo where given."""
    low, high = TEMPO_RANGE_BPM if tempo_bpm is None else (tempo_bpm, tempo_bpm)
    lengths = np.arange(int(60 * _RATE / high), int(np.ceil(60 * _RATE / low)) + 1)  # states a beat
    ends = np.cumsum(lengths)
    starts = ends - lengths
    inside = np.concatenate([np.arange(n) for n in lengths])
    active = inside < np.repeat(lengths, lengths) / _BEAT_SHARE
    change = -_STEADY * np.abs(lengths[None, :] / lengths[:, None] - 1)  # [from, to]
    change -= np.log(np.exp(change).sum(1, keepdims=True))
    octaves = np.log2(60 * _RATE / lengths / _PRIOR_BPM) / _PRIOR_OCTAVES
    score = np.repeat(-0.5 * octaves**2 - np.log(lengths), lengths)
    curve = np.clip(curve, 1e-3, 1 - 1e-3)
    hit, miss = np.log(curve), np.log((1 - curve) / (_BEAT_SHARE - 1))
    came_from = np.zeros((len(curve), len(lengths)), np.int16)
    columns = np.arange(len(lengths))
    for step in range(len(curve)):
        if step:
            arriving = score[ends - 1][:, None] + change  # [from, to]
            best = arriving.argmax(0)
            came_from[step] = best
            score[1:] = score[:-1].copy()
            score[starts] = arriving[best, columns]
        score += np.where(active, hit[step], miss[step])
    return _walk_back(int(score.argmax()), len(curve), lengths, starts, came_from)


def _walk_back(
    state: int, steps: int, lengths: np.ndarray, starts: np.ndarray, came_from: np.ndarray
) -> np.ndarray:
    tempo = int(np.searchsorted(starts, state, side="right")) - 1
    step = steps - 1 - (state - int(starts[tempo]))
    found = []
    while step >= 0:
        found.append(step + lengths[tempo] / _BEAT_SHARE / 2)  # the middle of the active stretch
        tempo = int(came_from[step, tempo])
        step -= int(lengths[tempo])
    return np.array(found[::-1], np.float64) / _RATE


def _on_peaks(beats_s: np.ndarray, curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each beat moved to the curve's centre of mass nearby, and how much there is, [M] and [M]."""
    reach_s = 0.08
    moved, weights = beats_s.copy(), np.full(len(beats_s), 1e-3)
    for index, time_s in enumerate(beats_s):
        first = max(0, int((time_s - reach_s) * _RATE))
        part = curve[first : int((time_s + reach_s) * _RATE) + 2]
        if len(part) and part.max() > _FLAT:
            peak = first + int(part.argmax())
            left = max(0, peak - 4)
            mass = curve[left : peak + 5] ** 2
            moved[index] = (left + (mass * np.arange(len(mass))).sum() / mass.sum()) / _RATE
            weights[index] += float(curve[peak])
    return moved, weights


def _smoothed(beats_s: np.ndarray, weights: np.ndarray, reach: int = 5) -> np.ndarray:
    """Beats on local straight lines (tricube-weighted least squares over `reach` neighbours)."""
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


def _folded(curve: np.ndarray, period_s: float) -> np.ndarray:
    """Mean of the curve at each phase of a period, [_FOLD_BINS], smoothed a little."""
    phase = (np.arange(len(curve)) / _RATE / period_s) % 1.0
    bins = np.minimum((phase * _FOLD_BINS).astype(int), _FOLD_BINS - 1)
    total = np.bincount(bins, curve, _FOLD_BINS)
    mean = total / np.maximum(np.bincount(bins, minlength=_FOLD_BINS), 1)
    return ndimage.gaussian_filter1d(mean, 1.0, mode="wrap")


def _confidence(curve: np.ndarray, period_s: float) -> float:
    """0..1: how far the pulse found stands out over unrelated tempi, averaged over stretches.

    A tempo's score is how uneven the curve is when it is folded at that tempo. Simple multiples of
    the pulse are left out: they fold the same peaks onto each other.
    """
    low, high = TEMPO_RANGE_BPM
    periods = 60 / np.geomspace(low, high, 120)
    distance = np.abs(np.log(periods / period_s) - np.log(_RELATED)[:, None])  # [ratios, periods]
    ours, related = distance[0] < _NEAR, (distance < _NEAR).any(0)
    size = min(len(curve), int(_STRETCH_S * _RATE))
    marks = []
    for start in range(0, max(1, len(curve) - size // 2), max(1, size // 2)):
        part = curve[start : start + size]
        scores = np.array([np.ptp(_folded(part, period)) for period in periods])
        mine, others = scores[ours].max(initial=0.0), scores[~related].max(initial=_FLAT)
        marks.append(np.clip(mine / others - 1, 0, 1))
    return float(np.mean(marks))


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
