"""What a live band begins with: a plan without an end, and a desk whose levels are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..band import Materials, Plan
from ..band.answers import backbeat_of, last_chord
from ..band.arrange import Score, bar_notes
from ..band.desk import set_up_desk, stems_and_mix
from ..band.drummer import Drummer
from ..band.notes import Bar, Note
from ..band.plan import Section
from ..band.players import Tune, chords_of
from ..band.styles import STYLE_TABLE
from ..mastering import SILENT_LUFS, loudness_of
from ..types import MOTION_FPS
from .desk import LiveDesk
from .instruments import Instruments

LOUDNESS_LUFS = -16.0
"""Integrated loudness of lively bars."""
_BARS = 12
"""So many bars that nobody hears tell how loud everybody is."""
_HITS = {"kick", "snare", "clap", "hat", "open", "crash", "splash", "tom_hi"}
"""What hits and endings are struck on, whatever the style."""


def set_up_live(
    plan: Plan, tune: Tune, instruments: Instruments, materials: Materials, block: int
) -> LiveDesk:
    """The desk of a piece, its levels found by a few bars; the instruments get the kit that these need."""
    notes: list[Note] = []
    bars, drummer = _all_kinds(_BARS), Drummer(plan, materials)
    for bar in bars:
        after = chords_of(tune, replace(bar, chord=bar.chord + 1))[0]
        notes += [replace(n, beat=float(plan.swung(n.beat))) for n in bar_notes(tune, bar, after)]
        notes += drummer.bar(bar)
    notes += last_chord(tune, _BARS * plan.metre - 1.0, 1.0, backbeat_of(notes))
    instruments.with_kit({note.part for note in notes if not note.pitches} | _HITS)
    notes.sort(key=lambda n: (n.beat, n.part, n.pitches))
    score = score_of(tune, bars[-1], tuple(notes), bars)
    rate = instruments.rate
    _, mix = stems_and_mix(set_up_desk(plan, score, materials, rate), False, lambda: None)
    found = loudness_of(mix, rate)
    gain = 10 ** ((LOUDNESS_LUFS - found) / 20) if found > SILENT_LUFS else 1.0
    return LiveDesk(set_up_desk(plan, score, materials, rate), gain, block)  # a fresh one: nothing rings


def live_plan(style: str, bpm: float, metre: int, seed: int) -> Plan:
    """What holds for a whole live piece, on a nominal grid of the bars that it is set up by."""
    facts = STYLE_TABLE[style]
    beats = _BARS * metre
    grid_s = np.arange(beats + 2 * metre + 1) * 60.0 / bpm
    duration_s = beats * 60.0 / bpm
    energy = np.full(round(duration_s * MOTION_FPS), 0.8, np.float32)
    swing = float(np.mean(facts.swing))
    sections = (Section("drop", 0, _BARS + 2, 0.8),)
    return Plan(
        seed, style, duration_s, bpm, metre, swing, facts.swing_step, grid_s, sections, (), (), energy
    )


def _all_kinds(count: int) -> tuple[Bar, ...]:
    """Bars in which everybody plays who ever may."""
    verse, drop = Section("verse", 0, 8, 0.9), Section("drop", 8, 8, 1.0)
    return tuple(
        Bar(k, verse if k < count // 3 else drop, k, 8 - k % 8, 0.95, "drop", k) for k in range(count)
    )


def score_of(tune: Tune, bar: Bar, notes: tuple[Note, ...], bars: tuple[Bar, ...] | None = None) -> Score:
    """One bar's score, its chords in beats from the bar line."""
    chords = chords_of(tune, bar)
    size = tune.metre / len(chords)
    spans = tuple((k * size, (k + 1) * size, chord) for k, chord in enumerate(chords))
    return Score(notes, bars or (bar,), spans, tune.key, (), tune)
