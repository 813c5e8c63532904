"""Changes a person may want to a rhythm: pure functions, each gives a new `Rhythm`.

Beats always fill the clip and stay within it. The curves show what was seen, so they keep their
place; only `scale_energy` changes them. Who sets, halves or doubles a tempo has chosen it: what else it
might have been is then forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import SettingError
from ..grid import TEMPO_RANGE_BPM, check_tempo, steady_beats, tempo_of
from ..types import METRE, RHYTHM_CURVES, Rhythm, TempoGuess
from .refining import cover

_LOOP_BARS = 4
"""Bars whose curves are repeated where a rhythm is made longer."""
_LAST_BEATS = 8
"""So many beats at an end tell at which tempo it goes on there."""


def with_tempo(rhythm: Rhythm, tempo_bpm: float) -> Rhythm:
    """A perfectly steady grid at `tempo_bpm` through the first bar line; confidence becomes 1."""
    check_tempo(tempo_bpm)
    anchor_s = _anchor_s(rhythm)
    beats = steady_beats(tempo_bpm, rhythm.duration_s, anchor_s)
    downbeats = _bars_through(beats, anchor_s, rhythm.metre)
    return replace(
        rhythm,
        beats_s=beats,
        downbeats=downbeats,
        tempo_bpm=float(tempo_bpm),
        confidence=1.0,
        tempi=(TempoGuess(float(tempo_bpm), 1.0),),
    )


def steady(rhythm: Rhythm) -> Rhythm:
    """The steady grid nearest to the beats found, at their own mean tempo; confidence stays."""
    if len(rhythm.beats_s) < 2:
        return rhythm
    index = np.arange(len(rhythm.beats_s))
    period_s, offset_s = np.polyfit(index, rhythm.beats_s, 1)
    tempo = float(np.clip(60 / period_s, *TEMPO_RANGE_BPM))
    bar_line = int(np.argmax(rhythm.downbeats)) if rhythm.downbeats.any() else 0
    anchor_s = offset_s + bar_line * period_s
    beats = steady_beats(tempo, rhythm.duration_s, anchor_s)
    downbeats = _bars_through(beats, anchor_s, rhythm.metre)
    return replace(rhythm, beats_s=beats, downbeats=downbeats, tempo_bpm=tempo)


def shift(rhythm: Rhythm, seconds: float) -> Rhythm:
    """All beats later by `seconds` (earlier when negative); the grid goes on where room appears."""
    if len(rhythm.beats_s) < 2:
        beats = rhythm.beats_s + seconds
        inside = (beats >= 0) & (beats < rhythm.duration_s)
        return replace(rhythm, beats_s=beats[inside], downbeats=rhythm.downbeats[inside])
    wide = _wide(rhythm.beats_s, abs(seconds)) + seconds
    beats = wide[(wide >= 0) & (wide < rhythm.duration_s)]
    downbeats = _bars_through(beats, _anchor_s(rhythm) + seconds, rhythm.metre)
    return replace(rhythm, beats_s=beats, downbeats=downbeats)


def double(rhythm: Rhythm) -> Rhythm:
    """Twice the tempo: a new beat half-way between every two."""
    tempo = check_tempo(rhythm.tempo_bpm * 2)
    if len(rhythm.beats_s) < 2:
        return replace(rhythm, tempo_bpm=tempo, tempi=())
    wide = _wide(rhythm.beats_s, 60 / rhythm.tempo_bpm)
    finer = np.sort(np.concatenate([wide, (wide[1:] + wide[:-1]) / 2]))
    beats = finer[(finer >= 0) & (finer < rhythm.duration_s)]
    downbeats = _bars_through(beats, _anchor_s(rhythm), rhythm.metre)
    return replace(rhythm, beats_s=beats, downbeats=downbeats, tempo_bpm=tempo, tempi=())


def halve(rhythm: Rhythm) -> Rhythm:
    """Half the tempo: every other beat, the first bar line among them."""
    tempo = check_tempo(rhythm.tempo_bpm / 2)
    if len(rhythm.beats_s) < 2:
        return replace(rhythm, tempo_bpm=tempo, tempi=())
    anchor_s, metre = _anchor_s(rhythm), rhythm.metre
    first = int(np.abs(rhythm.beats_s - anchor_s).argmin()) % 2
    beats = rhythm.beats_s[first::2]
    bars = _bars_through(beats, anchor_s, metre)
    return replace(rhythm, beats_s=beats, downbeats=bars, tempo_bpm=tempo, tempi=())


def swing(rhythm: Rhythm, percent: float) -> Rhythm:
    """Every second beat of a bar later: at `percent` of the way from the beat before to the next.

    50 is straight, 67 the swing of triplets, 75 that of dotted notes. Where the grid was doubled,
    beats are eighths. The last beat of a bar of three keeps its place, as the first of a pair.
    """
    if not 50 <= percent <= 75:
        raise SettingError(f"Swing is {percent:g} %; use 50 (straight) to 75.")
    beats = rhythm.beats_s.copy()
    place = _places_in_bars(rhythm)
    for index in range(1, len(beats) - 1):
        if place[index] % 2 == 1:
            before, after = rhythm.beats_s[index - 1], rhythm.beats_s[index + 1]
            beats[index] = before + percent / 100 * (after - before)
    return rhythm if percent == 50 else replace(rhythm, beats_s=beats)


def with_metre(rhythm: Rhythm, beats_per_bar: int) -> Rhythm:
    """Bars of so many beats through the first bar line."""
    if not 1 <= beats_per_bar <= 12:
        raise SettingError(f"Beats per bar are {beats_per_bar}; use 1 to 12.")
    downbeats = _bars_through(rhythm.beats_s, _anchor_s(rhythm), beats_per_bar)
    return replace(rhythm, downbeats=downbeats)


def lengthened(rhythm: Rhythm, duration_s: float) -> Rhythm:
    """The rhythm made `duration_s` long (whole frames): cut, or gone on with at its end's tempo.

    Curves go on with their last four bars over and over, so that accents stay where they were
    in the bar.
    """
    frames, known = max(1, round(duration_s * rhythm.fps)), len(rhythm.curves)
    step_s = beat_length(rhythm, at_end=True)
    beats = rhythm.beats_s
    if len(beats) and frames > known:
        beats = np.append(beats, np.arange(beats[-1] + step_s, frames / rhythm.fps, step_s))
    beats = beats[beats < frames / rhythm.fps]
    downbeats = _bars_through(beats, _anchor_s(rhythm), rhythm.metre)
    if rhythm.downbeats.any():  # those that were there stay, and the last one is gone on from
        start = int(np.flatnonzero(rhythm.downbeats)[-1])
        downbeats = (np.arange(len(beats)) - start) % rhythm.metre == 0
        kept = min(len(beats), len(rhythm.beats_s))
        downbeats[:kept] = rhythm.downbeats[:kept]
    period = _loop_frames(rhythm, step_s)
    index = np.arange(frames, dtype=np.float64)
    turns = np.ceil(np.maximum(index - known + 1, 0) / period)
    rows = np.clip(np.round(index - turns * period), 0, known - 1).astype(int)  # [F]
    parts = None if rhythm.parts is None else rhythm.parts[rows]
    return replace(rhythm, beats_s=beats, downbeats=downbeats, curves=rhythm.curves[rows], parts=parts)


def beat_length(rhythm: Rhythm, at_end: bool) -> float:
    """Seconds of a beat at the rhythm's start, or at its end."""
    steps = np.diff(rhythm.beats_s)
    near = steps[-_LAST_BEATS:] if at_end else steps[:_LAST_BEATS]
    return float(np.median(near)) if len(near) else 60 / rhythm.tempo_bpm


def led_in(rhythm: Rhythm, added_s: float) -> Rhythm:
    """The rhythm with `added_s` seconds in front, in which its beats come at the tempo of its first ones.

    Curves are there what they are in the first four bars.
    """
    if not added_s > 0:
        raise SettingError(f"{added_s:g} s are to be added in front; use more than 0.")
    beats = rhythm.beats_s + added_s
    step_s = beat_length(rhythm, at_end=False)
    count = int((beats[0] + 1e-6) / step_s) if len(beats) else 0
    beats = np.concatenate([beats[:1] - step_s * np.arange(count, 0, -1), beats]).clip(0)
    downbeats = np.concatenate([np.zeros(count, bool), rhythm.downbeats])
    if rhythm.downbeats.any():
        start = count + int(np.flatnonzero(rhythm.downbeats)[0])
        downbeats[:start] = (np.arange(start) - start) % rhythm.metre == 0
    rows = rows_led_in(rhythm, added_s)
    parts = None if rhythm.parts is None else rhythm.parts[rows]
    return replace(rhythm, beats_s=beats, downbeats=downbeats, curves=rhythm.curves[rows], parts=parts)


def _loop_frames(rhythm: Rhythm, beat_s: float) -> float:
    """Frames of the whole bars that are repeated; all there are where these make no bar."""
    bar, known = rhythm.metre * beat_s * rhythm.fps, len(rhythm.curves)
    return min(_LOOP_BARS, int(known / bar + 1e-6)) * bar or known


def rows_led_in(rhythm: Rhythm, added_s: float) -> np.ndarray:
    """Which frame of the old each frame of `led_in` shows, int [F]; those in front loop the first bars."""
    known = len(rhythm.curves)
    period = _loop_frames(rhythm, beat_length(rhythm, at_end=False))
    index = np.arange(-round(added_s * rhythm.fps), known, dtype=np.float64)
    turns = np.ceil(np.maximum(-index, 0) / period)
    return np.clip(np.round(index + turns * period), 0, known - 1).astype(int)


def scale_energy(rhythm: Rhythm, factor: float) -> Rhythm:
    """The energy curve times `factor`, kept within 0..1."""
    if not factor >= 0:
        raise SettingError(f"Energy factor is {factor:g}; use 0 or more.")
    curves = rhythm.curves.copy()
    column = rhythm.names.index(RHYTHM_CURVES[1])
    curves[:, column] = np.clip(curves[:, column] * factor, 0, 1)
    return replace(rhythm, curves=curves)


def with_beats(
    rhythm: Rhythm, beats_s: Sequence[float] | np.ndarray, downbeats: np.ndarray | None = None
) -> Rhythm:
    """The beats a person gives instead of those found; confidence becomes 1.

    Args:
        rhythm: Where the curves come from.
        beats_s: Times within the clip, in any order; at least two different ones.
        downbeats: Which of them, in rising order, start a bar; every fourth where not given.
    """
    beats = np.unique(np.asarray(beats_s, np.float64))
    beats = beats[np.isfinite(beats) & (beats >= 0) & (beats < rhythm.duration_s)]
    if len(beats) < 2:
        raise SettingError(
            f"{len(beats)} of the {len(beats_s)} beat times given fall within the clip"
            f" (0 to {rhythm.duration_s:g} s); give at least two."
        )
    if downbeats is None:
        downbeats = np.arange(len(beats)) % METRE == 0
    return replace(
        rhythm,
        beats_s=beats,
        downbeats=np.asarray(downbeats, bool),
        tempo_bpm=tempo_of(beats),
        confidence=1.0,
        tempi=(),
    )


def _anchor_s(rhythm: Rhythm) -> float:
    """Time of the first bar line, or of the first beat."""
    if rhythm.downbeats.any():
        return float(rhythm.beats_s[rhythm.downbeats][0])
    return float(rhythm.beats_s[0]) if len(rhythm.beats_s) else 0.0


def _bars_through(beats_s: np.ndarray, anchor_s: float, metre: int) -> np.ndarray:
    """Bar lines every `metre` beats; the beat nearest to `anchor_s` starts one."""
    if len(beats_s) == 0:
        return np.zeros(0, bool)
    step = np.diff(beats_s).mean() if len(beats_s) > 1 else 1.0
    nearest = int(np.abs(beats_s - anchor_s).argmin())
    away = round((anchor_s - float(beats_s[nearest])) / step)  # beats outside the clip, usually 0
    return (np.arange(len(beats_s)) - nearest - away) % metre == 0


def _places_in_bars(rhythm: Rhythm) -> np.ndarray:
    """Which beat of its bar each beat is, from 0, int [M]."""
    starts = np.flatnonzero(rhythm.downbeats)
    index = np.arange(len(rhythm.beats_s))
    if len(starts) == 0:
        return index % METRE
    last = starts[np.clip(np.searchsorted(starts, index, side="right") - 1, 0, None)]
    return np.where(index < last, (index - last) % rhythm.metre, index - last)


def _wide(beats_s: np.ndarray, reach_s: float) -> np.ndarray:
    """Beats continued at their end tempi by at least `reach_s` on both sides."""
    lead = np.ceil(reach_s / (beats_s[1] - beats_s[0])) * (beats_s[1] - beats_s[0])
    room_s = beats_s[-1] + lead + reach_s + 2 * (beats_s[-1] - beats_s[-2])
    start = beats_s - beats_s[0] + lead + (beats_s[1] - beats_s[0])
    return cover(start, room_s + lead) - start[0] + beats_s[0]
