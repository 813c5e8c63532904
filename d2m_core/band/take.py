"""The band plays a dance: `play_band`, from a rhythm to mix, stems and notes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch

from ..errors import SettingError, require
from ..types import MotionFeatures, Progress, Rhythm, Waveform
from .answers import answered, last_hit
from .arrange import Score
from .dance_plan import ANY, plan_for_dance
from .desk import BLOCK_S, Desk, set_up_desk, stems_and_mix
from .harmony import read_key
from .kit import GM_KEYS
from .mastering import master
from .materials import Materials, installed_materials
from .notes import Note
from .parts import voices_of
from .plan import Plan
from .voices import program_of

PLAYERS = ("drums", "bass", "chords", "lead", "percussion")
"""Who may play; `play_band` takes any of them."""

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
    program: int
    """General MIDI program, 0..127, that comes nearest; 0 for drums."""


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
    stems: bool = True,
) -> BandTake:
    """Music of the band for a dance, as long as `rhythm` lasts.

    It plays on the rhythm's beats as they are, hits what one sees of `motion` and stops where the
    dance does (`plan_for_dance`). `key`: `any`, or as in `A minor`. `intensity`: 0 calm, 1 wild.
    `players`: those of `PLAYERS` who play. `humanise`: 0 exactly on the grid, 1 loose.
    `instruments`: what to play with; None takes what is installed. Without `stems` there are none, and
    a sixth of the memory is needed. Equal arguments give equal music.
    Raises `SettingError`.
    """
    players = tuple(players)
    unknown = sorted(set(players) - set(PLAYERS))
    require(
        not unknown, f"Nobody in the band is called {', '.join(unknown)}; choose of {', '.join(PLAYERS)}."
    )
    require(bool(players), f"The band has no players; choose at least one of {', '.join(PLAYERS)}.")
    require(0 <= humanise <= 1, f"humanise is {humanise:g}; use 0 to 1.")
    if not 22_050 <= sample_rate <= 192_000:
        raise SettingError(f"The sample rate is {sample_rate} Hz; use 22050 to 192000.")
    materials = installed_materials() if instruments is None else instruments
    plan = plan_for_dance(rhythm, motion, style, seed, intensity=intensity)
    wanted = None if key == ANY else read_key(key)
    score = answered(plan, materials, wanted, humanise)
    score = replace(score, notes=tuple(n for n in score.notes if player_of(n) in players))
    ring_s = plan.duration_s - float(plan.seconds(last_hit(plan)))
    desk = set_up_desk(plan, score, materials, sample_rate, ring_s)
    tick = _ticker(on_progress, desk)
    made, mix = stems_and_mix(desk, stems, tick)
    master(mix, sample_rate, tick)
    return BandTake(
        mix=_waveform(mix, sample_rate),
        stems={name: _waveform(stem, sample_rate) for name, stem in made.items()},
        plan=plan,
        notes=_played(plan, score.notes),
        sections=_sections(plan),
        chords=_chords(plan, score),
        key=score.key.name,
        text=_text(plan, score),
        sources=tuple(sorted({*desk.sources, *score.sources})),
    )


def _ticker(on_progress: Progress | None, desk: Desk) -> Callable[[], None]:
    """Counts the desk's blocks and the steps of mastering."""
    total = 2 * -(-desk.length // round(BLOCK_S * desk.rate)) + 3
    done = itertools.count(1)

    def tick() -> None:
        if on_progress is not None:
            on_progress(min(next(done), total), total)

    return tick


def player_of(note: Note) -> str:
    """Which of `PLAYERS` plays a note."""
    if note.pitches:
        return _PLAYER_OF[note.part]
    return "drums" if note.part in _KIT else "percussion"


def _waveform(samples: np.ndarray, rate: int) -> Waveform:
    return Waveform(torch.from_numpy(samples)[None], rate)


# --- what is told about it ---


def _played(plan: Plan, notes: tuple[Note, ...]) -> tuple[PlayedNote, ...]:
    """The notes in seconds, cut to the piece."""
    programs = {role: program_of(voice) for role, voice in voices_of(plan).items()}
    out = []
    for note in notes:
        start_s, end_s = (float(plan.seconds(b)) for b in (note.beat, note.beat + note.beats))
        start_s, end_s = max(0.0, start_s), min(plan.duration_s, end_s)
        if end_s - start_s < 0.005:
            continue
        velocity = int(np.clip(round(127 * note.velocity), 1, 127))
        for pitch in note.pitches or (GM_KEYS[note.part],):
            out.append(
                PlayedNote(
                    start_s,
                    end_s,
                    int(pitch),
                    velocity,
                    player_of(note),
                    note.part,
                    programs.get(note.part, 0),
                )
            )
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
