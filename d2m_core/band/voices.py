"""Which instrument plays which role in a piece, and what comes out: one mono stem per role."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .materials import Materials
from .music_book import MUSIC_BOOK
from .music_style import Voice
from .notes import Note
from .patches import PATCHES, Patch, Played, render_patch, vary
from .plan import Plan
from .soundfont import FontPart, library, render_font
from .synth import SAMPLE_RATE

STAND_INS = (
    *"fm_keys bell organ_stab guitar organ_bass string_machine string_machine brass".split(),
    *"brass flute square_lead warm_pad bell marimba marimba bell".split(),
)
"""A synthesiser for every family of eight General MIDI programs, where there is no soundfont."""
DISTORTED = {29: "fuzz", 30: "fuzz", 45: "pluck", 46: "pluck"}
PRE_ROLL = SAMPLE_RATE
"""Samples that soundfonts play before the start, for notes that began earlier."""


@dataclass(frozen=True)
class Stem:
    role: str
    samples: np.ndarray
    """float32 [N]."""
    source: str


def play_roles(plan: Plan, notes: tuple[Note, ...], materials: Materials) -> list[Stem]:
    """The pitched notes through the instruments of the piece."""
    rng = np.random.default_rng([plan.band_seed, 0x50])
    length = round(plan.duration_s * SAMPLE_RATE)
    chosen = choose_voices(plan, rng)
    knobs = {role: np.random.default_rng([plan.band_seed, 0x51, k]) for k, role in enumerate(chosen)}
    font = _font(plan, materials)
    by_role: dict[str, list[Note]] = {role: [] for role in chosen}
    for note in notes:
        if note.pitches:
            by_role[note.part].append(note)
    stems, fonts, parts = [], [], []
    for role, voice in chosen.items():
        if not by_role[role]:
            continue
        played = place(plan, by_role[role], role == "bass")
        if isinstance(voice, int) and font is not None:
            fonts.append(role)
            parts.append(FontPart(0, voice, tuple(_later(note) for note in played)))
        else:
            patch = vary(patch_of(voice), knobs[role])
            stems.append(Stem(role, render_patch(patch, played, length), "synth"))
    if parts and font is not None:
        sound = render_font(font, parts, length + PRE_ROLL)[:, PRE_ROLL:]
        stems += [Stem(role, x, font.name) for role, x in zip(fonts, sound, strict=True)]
    return sorted(stems, key=lambda stem: stem.role)


def choose_voices(plan: Plan, rng: np.random.Generator) -> dict[str, Voice]:
    """The instrument of every role that the style has."""
    book = MUSIC_BOOK[plan.style]
    options = {
        "bass": book.bass_voices,
        "chords": book.comp_voices,
        "pad": book.pad_voices,
        "arp": book.arp_voices,
        "horns": book.horn_voices,
        "lead": book.lead_voices,
    }
    draws = {role: rng.random() for role in options}
    return {role: voices[int(draws[role] * len(voices))] for role, voices in options.items() if voices}


def _font(plan: Plan, materials: Materials) -> Path | None:
    if not materials.soundfonts or library() is None:
        return None
    draw = int(np.random.default_rng([plan.band_seed, 0x52]).integers(1 << 16))
    return materials.soundfonts[draw % len(materials.soundfonts)]


def patch_of(voice: Voice) -> Patch:
    """The synthesiser of a voice, or what stands in for a General MIDI program."""
    if isinstance(voice, str):
        return PATCHES[voice]
    return PATCHES[DISTORTED.get(voice, STAND_INS[voice // 8])]


_PROGRAMS = {
    "sub": 38, "808": 38, "saw_bass": 38, "square_bass": 39, "acid": 38, "reese": 39, "wobble": 39,
    "organ_bass": 16, "fm_bass": 36, "pulse_bass": 39, "saw_stab": 81, "organ_stab": 16, "dub_stab": 90,
    "e_piano": 4, "fm_keys": 5, "hoover": 90, "soft_keys": 4, "warm_pad": 89, "string_machine": 50,
    "hollow_pad": 91, "bright_pad": 95, "supersaw": 81, "square_lead": 80, "saw_lead": 81, "pluck": 45,
    "square_pluck": 80, "bell": 14, "marimba": 12, "whistle": 78, "brass": 62, "flute": 73, "guitar": 27,
    "fuzz": 30,
}  # fmt: skip


def program_of(voice: Voice) -> int:
    """The General MIDI program that comes nearest to a voice."""
    return voice if isinstance(voice, int) else _PROGRAMS[voice]


def place(plan: Plan, notes: list[Note], one_at_a_time: bool, rate: int = SAMPLE_RATE) -> list[Played]:
    """Notes in samples; a line of single notes gives each its turn."""
    starts = plan.seconds(np.array([n.beat for n in notes]))
    ends = plan.seconds(np.array([n.beat + n.beats for n in notes]))
    if one_at_a_time and len(notes) > 1:
        ends[:-1] = np.minimum(ends[:-1], np.maximum(starts[1:], starts[:-1] + 0.03))
    played = []
    for note, start_s, end_s in zip(notes, starts, ends, strict=True):
        start, held = round(start_s * rate), round((end_s - start_s) * rate)
        if start < plan.duration_s * rate and start + held > -rate // 4:
            played += [Played(start, max(rate // 100, held), p, note.velocity) for p in note.pitches]
    return played


def _later(note: Played) -> Played:
    """The note on a clock that starts `PRE_ROLL` earlier."""
    start = note.start + PRE_ROLL
    late = max(0, -start)
    return Played(start + late, max(240, note.held - late), note.pitch, note.velocity)
