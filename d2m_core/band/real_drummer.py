"""Real drummers: performances of the Groove MIDI Dataset fitted to a plan's grid.

Every drummer played to a click, so ticks are beats. What lies between the steps is the human part:
a constant lag is taken off, the drummer's own swing is replaced by the plan's, the rest is kept.
"""

from __future__ import annotations

import csv
import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from .materials import Materials, allowed

_log = logging.getLogger(__name__)

PIECES = {
    36: "kick", 35: "kick", 38: "snare", 40: "snare", 37: "rim", 39: "clap", 48: "tom_hi",
    50: "tom_hi", 45: "tom_mid", 47: "tom_mid", 43: "tom_lo", 58: "tom_lo", 41: "tom_lo",
    42: "hat", 22: "hat", 44: "pedal", 46: "open", 26: "open", 49: "crash", 55: "splash",
    57: "crash", 52: "crash", 51: "ride", 59: "ride", 53: "bell", 54: "tambourine", 56: "cowbell",
}  # fmt: skip
"""Pads of the Roland TD-11 as the data set records them."""

TEMPO_RATIO = (0.8, 1.25)
"""How far a performance may be slowed down or sped up."""
LONGEST_S = 150.0
SHORTEST_BARS = 4
CANDIDATES = 4
BEATS = 4


@dataclass(frozen=True, eq=False)
class Performance:
    """Strokes in order, swing and lag taken off."""

    name: str
    beats: np.ndarray
    """float64 [n] from the first downbeat."""
    velocities: np.ndarray
    """float64 [n] 0..1."""
    pieces: tuple[str, ...]
    bars: int

    def bar(self, index: int) -> list[tuple[float, str, float]]:
        """(beat in the bar, piece, velocity) of one bar; a stroke just before it counts to it."""
        low, high = np.searchsorted(self.beats, [index * BEATS - 0.1, (index + 1) * BEATS - 0.1])
        return [
            (float(self.beats[k]) - index * BEATS, self.pieces[k], float(self.velocities[k]))
            for k in range(low, high)
        ]

    @property
    def clarity(self) -> float:
        """How much of the kick and snare falls on beats, kick on the first and snare after it."""
        place = self.beats % BEATS
        near = np.abs(place - np.round(place)) < 0.08
        whole = np.round(place) % BEATS
        names = np.array(self.pieces)
        kicked = near & (names == "kick") & ((whole == 0) | (whole == 2))
        snared = near & (names == "snare") & ((whole == 1) | (whole == 3)) & (self.velocities > 0.5)
        bars = max(1, self.bars)
        return min(1.0, kicked.sum() / bars) + min(2.0, snared.sum() / bars)


@dataclass(frozen=True)
class _Row:
    name: str
    path: str
    bpm: float
    seconds: float


@lru_cache(maxsize=8)
def _rows(folder: Path, styles: tuple[str, ...], kind: str) -> tuple[_Row, ...]:
    """Performances in 4/4 of some styles, in the order of the table."""
    table = folder / "info.csv"
    if not table.exists():
        _log.warning("No info.csv in %s: no real drummers play.", folder)
        return ()
    with table.open(newline="") as file:
        return tuple(
            _Row(row["id"], row["midi_filename"], float(row["bpm"]), float(row["duration"]))
            for row in csv.DictReader(file)
            if row["beat_type"] == kind
            and row["time_signature"] == "4-4"
            and row["style"].split("/")[0] in styles
            and (folder / row["midi_filename"]).exists()
        )


def choose_performance(
    materials: Materials, styles: tuple[str, ...], tempo_bpm: float, step: float, rng: np.random.Generator
) -> Performance | None:
    """The clearest of a few drawn performances of these styles near a tempo."""
    if materials.groove is None:
        return None
    rows = {
        row.name: row
        for row in _rows(materials.groove, styles, "beat")
        if TEMPO_RATIO[0] <= tempo_bpm / row.bpm <= TEMPO_RATIO[1]
        and row.seconds <= LONGEST_S
        and row.seconds * row.bpm / 60 >= SHORTEST_BARS * BEATS
    }
    names = allowed(tuple(rows), materials.held_out)
    if not names:
        return None
    drawn = rng.permutation(len(names))[:CANDIDATES]
    found = [read_performance(materials.groove / rows[names[k]].path, names[k], step) for k in drawn]
    return max(found, key=lambda performance: performance.clarity)


def choose_fills(
    materials: Materials, styles: tuple[str, ...], step: float, rng: np.random.Generator, count: int
) -> list[Performance]:
    """Some fills of these styles."""
    if materials.groove is None:
        return []
    rows = {row.name: row for row in _rows(materials.groove, styles, "fill") if row.seconds < 8}
    names = allowed(tuple(rows), materials.held_out)
    drawn = rng.permutation(len(names))[:count]
    return [read_performance(materials.groove / rows[names[k]].path, names[k], step) for k in drawn]


@lru_cache(maxsize=256)
def read_performance(path: Path, name: str, step: float) -> Performance:
    """Parses one MIDI file; `step` is the length in beats of the steps that may swing."""
    import mido

    midi = mido.MidiFile(path)
    strokes = []
    for track in midi.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity > 0 and message.note in PIECES:
                strokes.append((tick / midi.ticks_per_beat, message.note, message.velocity / 127))
    strokes.sort()
    beats = np.array([s[0] for s in strokes])
    loud = np.array([s[2] for s in strokes])
    loud = np.clip(loud * 0.9 / max(0.1, float(np.quantile(loud, 0.9))) if len(loud) else loud, 0, 1)
    bars = round(float(beats[-1]) / BEATS + 0.3) if len(beats) else 0
    beats = _straight(beats - _lag(beats, loud), step)
    order = np.argsort(beats, kind="stable")
    pieces = tuple(PIECES[strokes[k][1]] for k in order)
    return Performance(name, beats[order], loud[order], pieces, max(1, bars))


def _lag(beats: np.ndarray, loud: np.ndarray) -> float:
    """How late, in beats, the loud strokes near whole beats are on average."""
    away = beats - np.round(beats)
    near = (np.abs(away) < 0.1) & (loud > 0.4)
    return float(np.median(away[near])) if near.sum() >= 4 else 0.0


def _straight(beats: np.ndarray, step: float) -> np.ndarray:
    """The beats without the drummer's swing: the off steps' mean place becomes the middle."""
    pair = 2 * step
    start = np.floor(beats / pair + 0.1) * pair
    share = (beats - start) / pair
    off = share[(share > 0.4) & (share < 0.75)]
    middle = float(np.clip(np.mean(off), 0.47, 0.7)) if len(off) >= 8 else 0.5
    even = np.where(share < middle, share / middle * 0.5, 0.5 + (share - middle) / (1 - middle) * 0.5)
    return start + even * pair
