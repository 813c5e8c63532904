"""A band that plays a plan: music made by program, its truth and licence known.

`play` is the one verb: a plan and raw materials in; sound and all that is true of it out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import MOTION_FPS
from .answers import Manner, answered
from .arrange import Score, arrange
from .breaths import breaths_of, sunk
from .kit import make_kit
from .materials import Materials
from .mix import mix_down
from .music_book import MUSIC_BOOK
from .notes import DRUM_FAMILY, Note
from .plan import Plan
from .stems import bed, drum_stems, transitions
from .synth import SAMPLE_RATE
from .voices import play_roles

ACCENT = {
    "kick": 1.0, "snare": 0.9, "clap": 0.8, "tom": 0.6, "crash": 0.8, "impact": 0.9, "chords": 0.5,
    "bass": 0.45, "open": 0.4, "horns": 0.55, "lead": 0.4, "ride": 0.25, "hat": 0.2, "perc": 0.3,
    "arp": 0.25, "pad": 0.25,
}  # fmt: skip
"""How strongly a part's onset counts in the onset curve."""

_SYNCOPATED, _FIRM = ("hiphop", "trap", "breakbeat", "dnb", "latin", "funk"), 0.65
"""Styles whose beats one has to infer, and how loud a kick marks them there: a network that learns from
such music plays its hits between the beats, and loses the beats."""


@dataclass(frozen=True)
class Chord:
    """What sounds together from `start_s` to `end_s`; `name` as musicians write it."""

    start_s: float
    end_s: float
    name: str


@dataclass(frozen=True)
class Span:
    """A section of the plan in seconds, cut to the piece."""

    start_s: float
    end_s: float
    kind: str
    energy: float


@dataclass(frozen=True, eq=False)
class Song:
    """A piece of music and all that is true of it."""

    samples: np.ndarray
    """float32 [2, N] at `sample_rate`, peak below 1."""
    beats_s: np.ndarray
    """float64 [M]."""
    downbeats: np.ndarray
    """bool [M]."""
    onsets: dict[str, np.ndarray]
    """float64 [n, 2] per part: time in seconds, as played, and strength 0..1; in order of time."""
    chords: tuple[Chord, ...]
    key: str
    """As in `A minor`."""
    sections: tuple[Span, ...]
    onset: np.ndarray
    """float32 [F] at `MOTION_FPS`: onset strength 0..1."""
    energy: np.ndarray
    """float32 [F]: the plan's level 0..1."""
    style: str
    tempo_bpm: float
    sources: tuple[str, ...]
    """Every raw material that was used, as `materials.licences_of` knows them."""
    sample_rate: int = SAMPLE_RATE


def play(plan: Plan, materials: Materials) -> Song:
    """Plays a plan; equal plans and materials give equal bytes.

    A plan made for a dance is answered as `play_band` does, but sparingly, and without a last hit.
    """
    firm = _FIRM if plan.style in _SYNCOPATED else 0.0
    manner = Manner(ends=False, firm=firm, sparing=True)
    score = answered(plan, materials, manner=manner) if plan.danced else arrange(plan, materials)
    stems, sources = record(plan, score, materials)
    effects, impacts = transitions(plan, score.bars)
    if np.abs(effects).max(initial=0.0) > 0:
        stems["fx"] = effects
    onsets = _onsets(plan, score, impacts)
    kicks_s = onsets["kick"][:, 0] if "kick" in onsets else np.zeros(0)
    samples = mix_down(plan, score.bars, stems, kicks_s)
    if plan.danced:
        breaths = breaths_of(plan, score, SAMPLE_RATE)
        samples *= sunk(breaths, 0, samples.shape[1], SAMPLE_RATE).astype(np.float32)
    return Song(
        samples=samples,
        beats_s=plan.beats_s,
        downbeats=plan.downbeats,
        onsets=onsets,
        chords=_chords(plan, score),
        key=score.key.name,
        sections=_sections(plan),
        onset=_onset_curve(onsets, plan.frames),
        energy=plan.energy,
        style=plan.style,
        tempo_bpm=plan.tempo_bpm,
        sources=tuple(sorted({*sources, *score.sources})),
    )


def record(plan: Plan, score: Score, materials: Materials) -> tuple[dict[str, np.ndarray], set[str]]:
    """One mono stem [N] per group of drums and per role, and what they are made from."""
    strokes = [note for note in score.notes if not note.pitches]
    rng = np.random.default_rng([plan.band_seed, 0x4B])
    characters = MUSIC_BOOK[plan.style].kits
    character = characters[int(rng.integers(len(characters)))]
    kit = make_kit(tuple({note.part for note in strokes}), character, materials, rng)
    stems = drum_stems(plan, strokes, kit)
    sources = set(kit.sources.values())
    for stem in play_roles(plan, score.notes, materials):
        stems[stem.role] = stem.samples
        sources.add(stem.source)
    hiss, source = bed(plan, materials)
    if hiss is not None:
        stems["bed"] = hiss
        sources.add(source)
    return stems, sources


def _onsets(plan: Plan, score: Score, impacts: list[tuple[float, float]]) -> dict[str, np.ndarray]:
    """Times and strengths of each part's notes, those of one moment counted once."""
    by_part: dict[str, list[Note]] = {}
    for note in score.notes:
        by_part.setdefault(DRUM_FAMILY.get(note.part, note.part), []).append(note)
    found = {}
    for part in sorted(by_part):
        times = plan.seconds(np.array([n.beat for n in by_part[part]]))
        rows = np.stack([times, [n.velocity for n in by_part[part]]], axis=1)
        rows = rows[(times >= 0) & (times < plan.duration_s)]
        if len(rows):
            found[part] = _merged(rows)
    inside = [row for row in impacts if 0 <= row[0] < plan.duration_s]
    if inside:
        found["impact"] = np.array(inside, np.float64)
    return found


def _merged(rows: np.ndarray) -> np.ndarray:
    """Rows (time, strength) in order; strokes within 12 ms are one, at the first's time."""
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    first = np.r_[True, np.diff(rows[:, 0]) > 0.012]
    group = np.cumsum(first) - 1
    strength = np.zeros(group[-1] + 1)
    np.maximum.at(strength, group, rows[:, 1])
    return np.stack([rows[first, 0], np.clip(strength, 0, 1)], axis=1)


def _onset_curve(onsets: dict[str, np.ndarray], frames: int) -> np.ndarray:
    curve = np.zeros(frames + 1, np.float32)
    for part, rows in onsets.items():
        place = rows[:, 0] * MOTION_FPS
        low = np.floor(place).astype(int)
        weight = ACCENT.get(part, 0.3) * rows[:, 1]
        np.maximum.at(curve, np.minimum(low, frames), (1 - (place - low)) * weight)
        np.maximum.at(curve, np.minimum(low + 1, frames), (place - low) * weight)
    return np.clip(curve[:frames], 0, 1).astype(np.float32)


def _chords(plan: Plan, score: Score) -> tuple[Chord, ...]:
    chords = []
    for low, high, harmony in score.chords:
        start_s, end_s = (float(np.clip(plan.seconds(b), 0, plan.duration_s)) for b in (low, high))
        if end_s > start_s:
            chords.append(Chord(start_s, end_s, harmony.name))
    return tuple(chords)


def _sections(plan: Plan) -> tuple[Span, ...]:
    spans = []
    for section in plan.sections:
        ends = (section.first_bar, section.first_bar + section.bars)
        start_s, end_s = (float(np.clip(plan.seconds(bar * plan.metre), 0, plan.duration_s)) for bar in ends)
        if end_s > start_s:
            spans.append(Span(start_s, end_s, section.kind, section.energy))
    return tuple(spans)
