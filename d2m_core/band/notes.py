"""What a band plays, before it sounds: notes, and the bars that they stand in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .plan import Plan, Section

STEPS_PER_BEAT = 4
MARKS = {"X": 1.0, "x": 0.86, "o": 0.6, "g": 0.32, "r": 0.8, "t": 0.75}
"""Loudness of the letters of a pattern; `r` plays twice, `t` three times, within its step."""
REPEATS = {"r": 2, "t": 3}

DRUM_FAMILY = {
    "tom_hi": "tom",
    "tom_mid": "tom",
    "tom_lo": "tom",
    "pedal": "hat",
    "bell": "ride",
    "splash": "crash",
    "ghost": "snare",
    "snap": "clap",
    "conga_hi": "perc",
    "conga_lo": "perc",
    "conga_slap": "perc",
    "bongo_hi": "perc",
    "bongo_lo": "perc",
    "timbale_hi": "perc",
    "timbale_lo": "perc",
    "agogo_hi": "perc",
    "agogo_lo": "perc",
    "shaker": "perc",
    "rim": "perc",
    "tambourine": "perc",
    "cowbell": "perc",
    "clave": "perc",
    "block": "perc",
    "guiro": "perc",
    "triangle": "perc",
}
"""Under which part a piece of the kit is annotated; others under their own name."""


@dataclass(frozen=True)
class Note:
    """One thing to play."""

    part: str
    """A piece of the kit, or a role: `bass`, `chords`, `pad`, `lead`, `arp`, `horns`."""
    beat: float
    """Place in the plan's beats as played: swing and the player's own timing are in it."""
    velocity: float
    """0..1."""
    pitches: tuple[int, ...] = ()
    """MIDI notes; empty for drums."""
    beats: float = 0.25
    """Length."""


@dataclass(frozen=True)
class Bar:
    """One bar of the plan, with what a player must know of it."""

    index: int
    section: Section
    place: int
    """Bars since the section began."""
    left: int
    """Bars until it ends; 1 in its last bar."""
    energy: float
    """The plan's, averaged."""
    next_kind: str
    chord: int
    """Which bar of its progression, counted on and on."""

    @property
    def kind(self) -> str:
        return self.section.kind

    @property
    def share(self) -> float:
        """How far into the section, 0..1."""
        return self.place / self.section.bars


def bars_of(plan: Plan) -> tuple[Bar, ...]:
    """The bars of a plan in order; the first may begin before 0 s."""
    bars = []
    frames = plan.beat((np.arange(plan.frames) + 0.5) * plan.duration_s / plan.frames) / plan.metre
    for index in range(plan.bars):
        section = plan.section_at(index)
        inside = (frames >= index) & (frames < index + 1)
        level = float(plan.energy[inside].max()) if inside.any() else section.energy
        place = index - section.first_bar
        left = max(1, section.bars - place)
        after = plan.section_at(index + left).kind
        bars.append(Bar(index, section, place, left, level, after, index if plan.danced else place))
    return tuple(bars)


def hits_in(pattern: str, bar: int, metre: int) -> list[tuple[float, str, int]]:
    """(beat in the bar, mark, steps held) of the bar's part of a pattern of one or more bars.

    A pattern has four letters per beat: `.` rests, `-` holds, anything else plays. One that is
    shorter than a bar starts again inside it.
    """
    steps = metre * STEPS_PER_BEAT
    pattern = (pattern * -(-steps // len(pattern)))[:steps] if 0 < len(pattern) < steps else pattern
    start = bar % max(1, len(pattern) // steps) * steps
    text = pattern[start : start + steps]
    found = []
    for step, mark in enumerate(text):
        if mark not in ".-":
            rest = text[step + 1 :]
            held = 1 + len(rest) - len(rest.lstrip("-"))
            found.append((step / STEPS_PER_BEAT, mark, held))
    return found
