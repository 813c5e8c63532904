"""The band plays a dance: `play_band`, from a rhythm to mix, stems and notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch

from ..errors import SettingError, require
from ..media import resample
from ..types import MotionFeatures, Progress, Rhythm, Waveform
from .answers import answer
from .arrange import Score, arrange
from .dance_plan import ANY, plan_for_dance
from .effects import spread
from .harmony import read_key
from .kit import GM_KEYS
from .materials import Materials, installed_materials
from .mix import DRUM_STEMS, WIDTH, finish
from .notes import Note
from .plan import Plan
from .song import record
from .stems import transitions
from .synth import SAMPLE_RATE

PLAYERS = ("drums", "bass", "chords", "lead", "percussion")
"""Who may play; `play_band` takes any of them."""

STEMS = ("drums", "bass", "harmony", "melody", "effects")
"""Names of `BandTake.stems`."""

_PLAYER_OF = {
    "bass": "bass",
    "chords": "chords",
    "pad": "chords",
    "horns": "chords",
    "arp": "lead",
    "lead": "lead",
}
_KIT = (
    *"kick snare clap snap hat open pedal ride bell crash splash tom_hi tom_mid tom_lo rim ghost".split(),
)
"""Pieces of the drums; others are percussion."""
_STEM_OF = {
    "bass": "bass",
    "chords": "harmony",
    "pad": "harmony",
    "horns": "harmony",
    "arp": "melody",
    "lead": "melody",
}


class Mark(NamedTuple):
    """Something that begins at a moment."""

    start_s: float
    name: str


@dataclass(frozen=True)
class PlayedNote:
    """One sounding note as it was played."""

    start_s: float
    end_s: float
    pitch: int
    """General MIDI: the key of a drum, or the note."""
    velocity: int
    """1..127."""
    player: str
    """One of `PLAYERS`."""
    part: str
    """What plays: a piece of the kit as `kick`, or `bass`, `chords`, `pad`, `horns`, `arp`, `lead`."""


@dataclass(frozen=True, eq=False)
class BandTake:
    """What the band played to a dance, and all that is true of it."""

    mix: Waveform
    """[1, 2, N], mastered."""
    stems: Mapping[str, Waveform]
    """[1, 2, N] each, by `STEMS`: in sum the mix before mastering."""
    plan: Plan
    notes: tuple[PlayedNote, ...]
    """In order of time."""
    sections: tuple[Mark, ...]
    """Parts of the piece: verse, build, drop, break."""
    chords: tuple[Mark, ...]
    key: str
    """As in `A minor`."""
    text: str
    """Key, form and chords in words."""
    sources: tuple[str, ...]
    """Every raw material that sounds, as `materials.licences_of` knows them."""


def play_band(
    rhythm: Rhythm,
    motion: MotionFeatures | None = None,
    style: str = ANY,
    seed: int = 0,
    *,
    key: str = ANY,
    intensity: float = 0.5,
    players: Iterable[str] = PLAYERS,
    humanise: float = 0.5,
    sample_rate: int = 48_000,
    instruments: Materials | None = None,
    on_progress: Progress | None = None,
) -> BandTake:
    """Music of the band for a dance, as long as `rhythm` lasts.

    It plays on the rhythm's beats as they are, hits what one sees of `motion` and stops where the
    dance does (`plan_for_dance`). `key`: `any`, or as in `A minor`. `intensity`: 0 calm, 1 wild.
    `players`: those of `PLAYERS` who play. `humanise`: 0 exactly on the grid, 1 loose.
    `instruments`: what to play with; None takes what is installed. Equal arguments give equal music.
    Raises `SettingError`.
    """
    players = tuple(players)
    unknown = sorted(set(players) - set(PLAYERS))
    require(
        not unknown, f"Nobody in the band is called {', '.join(unknown)}; choose of {', '.join(PLAYERS)}."
    )
    require(bool(players), f"The band has no players; choose at least one of {', '.join(PLAYERS)}.")
    require(0 <= humanise <= 1, f"humanise is {humanise:g}; use 0 to 1.")
    if not 8_000 <= sample_rate <= 192_000:
        raise SettingError(f"The sample rate is {sample_rate} Hz; use 8000 to 192000.")
    tick = on_progress or (lambda done, total: None)
    materials = installed_materials() if instruments is None else instruments
    plan = plan_for_dance(rhythm, motion, style, seed, intensity=intensity)
    wanted = None if key == ANY else read_key(key)
    score = arrange(replace(plan, hits=()), materials, wanted, humanise)
    score = replace(score, notes=tuple(n for n in answer(plan, score) if player_of(n) in players))
    tick(1, 4)
    stems, sources = _stems(plan, score, materials)
    tick(3, 4)
    mix = finish(np.sum([*stems.values()], axis=0), -14.0, 0.3)
    tick(4, 4)
    return BandTake(
        mix=_waveform(mix, sample_rate),
        stems={name: _waveform(stem, sample_rate) for name, stem in stems.items()},
        plan=plan,
        notes=_played(plan, score.notes),
        sections=_sections(plan),
        chords=_chords(plan, score),
        key=score.key.name,
        text=_text(plan, score),
        sources=tuple(sorted({*sources, *score.sources})),
    )


def player_of(note: Note) -> str:
    """Which of `PLAYERS` plays a note."""
    if note.pitches:
        return _PLAYER_OF[note.part]
    return "drums" if note.part in _KIT else "percussion"


def _stems(plan: Plan, score: Score, materials: Materials) -> tuple[dict[str, np.ndarray], set[str]]:
    parts, sources = record(plan, score, materials)
    parts["fx"] = transitions(plan, score.bars)[0]
    length = round(plan.duration_s * SAMPLE_RATE)
    stems = {name: np.zeros((2, length), np.float32) for name in STEMS}
    for name, sound in parts.items():
        stem = "drums" if name in DRUM_STEMS else _STEM_OF.get(name, "effects")
        stems[stem] += spread(sound, WIDTH.get(name, 0.0), 0.0, 0.011)
    return stems, sources


def _waveform(samples: np.ndarray, sample_rate: int) -> Waveform:
    wave = Waveform(torch.from_numpy(np.ascontiguousarray(samples, np.float32))[None], SAMPLE_RATE)
    return resample(wave, sample_rate)


# --- what is told about it ---


def _played(plan: Plan, notes: tuple[Note, ...]) -> tuple[PlayedNote, ...]:
    """The notes in seconds, cut to the piece."""
    out = []
    for note in notes:
        start_s, end_s = (float(plan.seconds(b)) for b in (note.beat, note.beat + note.beats))
        start_s, end_s = max(0.0, start_s), min(plan.duration_s, end_s)
        if end_s - start_s < 0.005:
            continue
        velocity = int(np.clip(round(127 * note.velocity), 1, 127))
        for pitch in note.pitches or (GM_KEYS[note.part],):
            out.append(PlayedNote(start_s, end_s, int(pitch), velocity, player_of(note), note.part))
    return tuple(sorted(out, key=lambda n: (n.start_s, n.part, n.pitch)))


def _sections(plan: Plan) -> tuple[Mark, ...]:
    marks = [
        Mark(max(0.0, float(plan.seconds(s.first_bar * plan.metre))), s.kind)
        for s in plan.sections
        if float(plan.seconds((s.first_bar + s.bars) * plan.metre)) > 0.05
    ]
    return tuple(mark for mark in marks if mark.start_s < plan.duration_s - 0.05)


def _chords(plan: Plan, score: Score) -> tuple[Mark, ...]:
    marks = []
    for low, high, chord in score.chords:
        start_s, end_s = (float(plan.seconds(b)) for b in (low, high))
        if end_s > 0.05 and start_s < plan.duration_s - 0.05:
            marks.append(Mark(max(0.0, start_s), chord.name))
    return tuple(marks)


def _text(plan: Plan, score: Score) -> str:
    """A lead sheet in words: one line about the piece, one for each section with its chords."""
    lines = [f"{plan.style}, {score.key.name}, {plan.tempo_bpm:.1f} BPM, {plan.metre} beats in a bar"]
    sections, chords = _sections(plan), _chords(plan, score)
    ends = [*(mark.start_s for mark in sections[1:]), plan.duration_s]
    for section, end_s in zip(sections, ends, strict=True):
        names = [c.name for c in chords if section.start_s - 1e-6 <= c.start_s < end_s - 1e-6]
        lines.append(f"{section.start_s:.2f} s {section.name}: {' | '.join(names) or 'goes on'}")
    return "\n".join(lines)
