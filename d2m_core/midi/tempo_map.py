"""Between seconds and ticks: beats on whole ticks, and a tempo event wherever the next beat needs one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import gcd

import numpy as np

from ..errors import SettingError
from ..types import Rhythm

TICKS_PER_BEAT = 960
"""A tick is half a millisecond at 120 BPM; 64th and triplet notes are whole ticks."""
MOST_TEMPO_US = 0xFFFFFF
"""The slowest tempo that a file can hold, in microseconds per quarter note."""
_KEPT_US = 50
"""A tempo goes on as long as no beat is more than this beside its place."""
_NOTHING_S = 0.0005
_FINE, _FINEST = 16, 64
"""Parts of a beat that a bar before the first beat is made of: 64th notes, or 256th ones."""
_LONGEST_BAR = 32

Signature = tuple[int, int, int]
"""(tick, numerator, denominator)."""


@dataclass(frozen=True, eq=False)
class TempoMap:
    """Which tempo holds from which tick on."""

    ticks: np.ndarray
    """int64 [E], rising, the first 0."""
    tempi_us: np.ndarray
    """int64 [E]: microseconds per quarter note."""
    ticks_per_beat: int = TICKS_PER_BEAT

    def seconds(self, ticks: np.ndarray) -> np.ndarray:
        """Seconds, float64, of ticks. Sums are whole numbers, so that nothing drifts."""
        ticks = np.asarray(ticks, np.int64)
        index = np.searchsorted(self.ticks, ticks, side="right") - 1
        gone = self._gone[index] + (ticks - self.ticks[index]) * self.tempi_us[index]
        return gone / (self.ticks_per_beat * 1e6)

    def ticks_at(self, times_s: np.ndarray) -> np.ndarray:
        """The nearest ticks, int64, of times from 0 s on."""
        gone = np.maximum(np.asarray(times_s, np.float64), 0.0) * self.ticks_per_beat * 1e6
        index = np.searchsorted(self._gone, gone, side="right") - 1
        return self.ticks[index] + np.round((gone - self._gone[index]) / self.tempi_us[index]).astype(
            np.int64
        )

    @property
    def _gone(self) -> np.ndarray:
        """Ticks times microseconds before each event, int64 [E]."""
        return np.concatenate([[0], np.cumsum(np.diff(self.ticks) * self.tempi_us[:-1])]).astype(np.int64)


@dataclass(frozen=True, eq=False)
class BeatTicks:
    """A rhythm's beats on ticks."""

    tempi: TempoMap
    beats: np.ndarray
    """int64 [M]: the tick of each beat."""
    signatures: tuple[Signature, ...]
    """Bars, so that every bar line lies on a downbeat."""


def tempo_map_of(rhythm: Rhythm) -> BeatTicks:
    """Ticks for a rhythm: every beat within 0.1 ms of its place, at any length, as its beats drift.

    A beat is a quarter note. What comes before the first one is as many whole beats as fit, after a
    bar of 64ths for the rest. Raises `SettingError` where two beats are too far apart for a file.
    """
    beats_s = rhythm.beats_s
    usual_us = round(np.clip(_usual_s(rhythm) * 1e6, 1, MOST_TEMPO_US))
    if len(beats_s) == 0:
        tempi = TempoMap(np.zeros(1, np.int64), np.array([usual_us], np.int64))
        return BeatTicks(tempi, np.zeros(0, np.int64), ())
    rest, whole = _lead(float(beats_s[0]), usual_us / 1e6)
    lead = rest + whole * TICKS_PER_BEAT
    beats = lead + TICKS_PER_BEAT * np.arange(len(beats_s), dtype=np.int64)
    edges = np.concatenate([[0], beats]) if lead else beats
    places_s = np.concatenate([[0.0], beats_s]) if lead else beats_s
    return BeatTicks(_tempi(edges, places_s, usual_us), beats, _signatures(rhythm, rest, whole))


def _usual_s(rhythm: Rhythm) -> float:
    """How long a beat lasts at the start."""
    if len(rhythm.beats_s) < 2:
        return 60.0 / rhythm.tempo_bpm
    return float(np.median(np.diff(rhythm.beats_s)[:8]))


def _lead(first_s: float, usual_s: float) -> tuple[int, int]:
    """(ticks, whole beats) before the first beat, the ticks a whole number of 64th notes."""
    if first_s < _NOTHING_S:
        return 0, 0
    parts = round(first_s / usual_s * _FINE)
    if parts == 0:
        return TICKS_PER_BEAT // _FINEST, 0
    whole, rest = divmod(parts, _FINE)
    return rest * TICKS_PER_BEAT // _FINE, whole


def _tempi(edges: np.ndarray, places_s: np.ndarray, usual_us: int) -> TempoMap:
    """Tempi that reach each of `places_s` at its tick; what rounding leaves, the next one makes good."""
    ticks, tempi = [0], [usual_us]
    gone = 0  # in ticks times microseconds: whole numbers
    for tick, after, place_s in zip(edges[:-1], edges[1:], places_s[1:], strict=True):
        span = int(after - tick)
        wanted = round((place_s * 1e6 * TICKS_PER_BEAT - gone) / span)
        if not 1 <= wanted <= MOST_TEMPO_US:
            raise SettingError(
                f"Before the beat at {place_s:g} s there is none for {wanted / 1e6:.3g} s, and a beat of "
                f"MIDI lasts {MOST_TEMPO_US / 1e6:.1f} s at most; add beats between."
            )
        first = int(tick) == 0
        if first or abs(wanted - tempi[-1]) * span > _KEPT_US * TICKS_PER_BEAT:
            ticks, tempi = ([0], [wanted]) if first else ([*ticks, int(tick)], [*tempi, wanted])
        gone += tempi[-1] * span
    return TempoMap(np.array(ticks, np.int64), np.array(tempi, np.int64))


def _signatures(rhythm: Rhythm, rest: int, whole: int) -> tuple[Signature, ...]:
    """A time signature wherever the length of bars changes."""
    found: list[Signature] = []
    if rest:
        parts, unit = rest * _FINEST // TICKS_PER_BEAT, 4 * _FINEST  # 256th notes
        common = gcd(parts, unit // 4)
        found.append((0, parts // common, unit // common))
    tick = rest
    for beats in _bar_lengths(rhythm, whole):
        if not found or found[-1][1:] != (beats, 4):
            found.append((tick, beats, 4))
        tick += beats * TICKS_PER_BEAT
    return tuple(found)


def _bar_lengths(rhythm: Rhythm, whole: int) -> list[int]:
    """Beats of each bar, the `whole` beats before the first one among them."""
    starts = np.flatnonzero(rhythm.downbeats) + whole
    first = int(starts[0]) if len(starts) else 0
    edges = [0, *(int(start) for start in starts if start > 0)]
    lengths: list[int] = []
    for low, high in pairwise(edges):
        bars, left = divmod(high - low, rhythm.metre)
        if low == 0 < first:  # what leads to the first downbeat: its odd beats first
            lengths += [left] * (left > 0) + [rhythm.metre] * bars
        elif high - low <= _LONGEST_BAR:
            lengths.append(high - low)
        else:
            lengths += [rhythm.metre] * bars + [left] * (left > 0)
    return [*lengths, rhythm.metre]
