"""The pitched players: bass, chords, pad, arpeggio, horns and lead, bar by bar.

Every player takes what holds for the piece (`Tune`) and one bar, and gives notes in the plan's
beats before swing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .harmony import SCALES, Harmony, Key, bass_note, nearest, voice
from .notes import MARKS, STEPS_PER_BEAT, Bar, Note, hits_in


@dataclass(frozen=True)
class Motif:
    """A two-bar phrase: places, lengths and a contour that harmony turns into pitches."""

    beats: tuple[float, ...]
    lengths: tuple[float, ...]
    contour: tuple[int, ...]
    """Steps of the scale above the lead's middle."""


@dataclass(frozen=True)
class Tune:
    """The choices that hold for a whole piece."""

    key: Key
    metre: int
    verse: tuple[tuple[Harmony, ...], ...]
    """Chords of each bar, over and over."""
    chorus: tuple[tuple[Harmony, ...], ...]
    bass: tuple[str, str]
    """Patterns of verse and drop."""
    comp: tuple[str, str]
    arp: str
    horns: str
    motif: Motif
    answer: Motif
    roles: frozenset[str]
    size: int
    centre: int
    lead_centre: int
    bass_low: int
    walks: bool
    sustain: bool
    """Chords of one bar hold through instead of being struck short."""


def chords_of(tune: Tune, bar: Bar) -> tuple[Harmony, ...]:
    """The chords of a bar; sections start their progression anew."""
    bars = tune.chorus if bar.kind in ("drop", "build") else tune.verse
    return bars[bar.chord % len(bars)]


def chord_at(tune: Tune, bar: Bar, beat: float) -> Harmony:
    chords = chords_of(tune, bar)
    return chords[min(len(chords) - 1, int(beat / tune.metre * len(chords)))]


@lru_cache(maxsize=256)
def _voicings(tune: Tune, centre: int, size: int, drop: bool) -> dict[str, tuple[int, ...]]:
    """A voicing for every chord of the tune, each close to the one before."""
    voiced: dict[str, tuple[int, ...]] = {}
    previous: tuple[int, ...] | None = None
    for bar in tune.chorus if drop else tune.verse:
        for chord in bar:
            if chord.name not in voiced:
                voiced[chord.name] = voice(chord, previous, centre, size)
            previous = voiced[chord.name]
    return voiced


def voiced(tune: Tune, bar: Bar, beat: float, up: int = 0, size: int = 0) -> tuple[int, ...]:
    """The chord at a beat as the keys would play it, `up` semitones higher."""
    drop = bar.kind in ("drop", "build")
    table = _voicings(tune, tune.centre + up, size or tune.size, drop)
    return table[chord_at(tune, bar, beat).name]


def bass_notes(tune: Tune, bar: Bar, after: Harmony) -> list[Note]:
    """The bass line of a bar; `after` is the chord of the next one."""
    loud = 0.7 + 0.3 * bar.energy
    if bar.kind in ("break", "intro") and bar.energy < 0.3:
        root = bass_note(chord_at(tune, bar, 0).root, tune.bass_low)
        return [_note("bass", bar, tune, 0.0, 0.75 * loud, (root,), 0.92 * tune.metre)]
    if tune.walks:
        return _walk(tune, bar, after, loud)
    pattern = tune.bass[int(bar.kind in ("drop", "build"))]
    found = hits_in(pattern, bar.index, tune.metre)
    notes = []
    for beat, mark, held in found:
        chord = chord_at(tune, bar, beat)
        root = bass_note(chord.root, tune.bass_low)
        target = bass_note(after.root, tune.bass_low)
        pitch = {
            "1": root,
            "8": root + 12,
            "5": root + 7,
            "3": root + chord.interval(3, 4, 3),
            "6": root + 9,
            "7": root + chord.interval(10, 11, 10),
            "n": target,
            "a": target + (1 if root > target else -1),
        }[mark]
        weight = 1.0 if beat % 1 == 0 else 0.88
        length = held / STEPS_PER_BEAT * (0.92 if held > 1 else 0.8)
        notes.append(_note("bass", bar, tune, beat, loud * weight, (pitch,), length))
    return notes


def _walk(tune: Tune, bar: Bar, after: Harmony, loud: float) -> list[Note]:
    """Quarter notes from the chord's root towards the next chord's."""
    notes = []
    for beat in range(tune.metre):
        chord = chord_at(tune, bar, beat)
        root = bass_note(chord.root, tune.bass_low)
        target = bass_note(after.root, tune.bass_low)
        rise = (bar.index + chord.root) % 3
        third, fifth = chord.interval(3, 4, 3), chord.interval(6, 7, 7)
        line = ((0, third, fifth), (0, fifth, 12), (0, 2, third))[rise]
        last = beat == tune.metre - 1
        pitch = target + (1 if (bar.index + rise) % 2 else -1) if last else root + line[beat % 3]
        if len(chords_of(tune, bar)) > 1 and beat == tune.metre // 2:
            pitch = root
        notes.append(_note("bass", bar, tune, beat, loud * (0.95, 0.9)[beat % 2], (pitch,), 0.9))
    return notes


def chord_notes(tune: Tune, bar: Bar) -> list[Note]:
    """Struck chords; long ones where there is little energy."""
    loud = 0.6 + 0.4 * bar.energy
    if bar.energy < 0.28 and bar.kind in ("break", "intro", "outro"):
        pitches = voiced(tune, bar, 0)
        return [_note("chords", bar, tune, 0.0, 0.75 * loud, pitches, 0.95 * tune.metre)]
    pattern = tune.comp[int(bar.kind in ("drop", "build"))]
    notes = []
    for beat, mark, held in hits_in(pattern, bar.index, tune.metre):
        length = max(0.95 * held, 0.9 if not tune.sustain else 1.8) / STEPS_PER_BEAT
        pitches = voiced(tune, bar, beat)
        notes.append(_note("chords", bar, tune, beat, loud * MARKS[mark], pitches, length))
    return notes


def pad_notes(tune: Tune, bar: Bar) -> list[Note]:
    chords = chords_of(tune, bar)
    span = tune.metre / len(chords)
    loud = 0.55 + 0.35 * bar.energy
    return [
        _note("pad", bar, tune, k * span, loud, voiced(tune, bar, k * span, 5), 0.98 * span)
        for k in range(len(chords))
    ]


def arp_notes(tune: Tune, bar: Bar) -> list[Note]:
    loud = 0.55 + 0.35 * bar.energy
    notes = []
    for beat, mark, held in hits_in(tune.arp, bar.index, tune.metre):
        stack = voiced(tune, bar, beat, 12, 3)
        octave, place = divmod(int(mark), len(stack))
        weight = 1.0 if beat % 1 == 0 else 0.8
        pitch = stack[place] + 12 * octave
        notes.append(_note("arp", bar, tune, beat, loud * weight, (pitch,), 0.22 * held))
    return notes


def horn_notes(tune: Tune, bar: Bar) -> list[Note]:
    """Stabs in every other bar, so that they answer."""
    if bar.place % 2 == 0 and bar.energy < 0.85:
        return []
    loud = 0.65 + 0.35 * bar.energy
    return [
        _note("horns", bar, tune, beat, loud, voiced(tune, bar, beat, 9, 3), 0.24 * max(1.5, held))
        for beat, _, held in hits_in(tune.horns, bar.index, tune.metre)
    ]


def lead_notes(tune: Tune, bar: Bar) -> list[Note]:
    """The motif over two bars, an answer in the next two."""
    motif = tune.answer if bar.place // 2 % 2 else tune.motif
    shift = bar.place % 2 * tune.metre
    loud = 0.62 + 0.35 * bar.energy
    notes = []
    for beat, length, degree in zip(motif.beats, motif.lengths, motif.contour, strict=True):
        here = beat - shift
        if not 0 <= here < tune.metre:
            continue
        strong = here % 1 == 0 or length >= 1
        chord = chord_at(tune, bar, here)
        classes = chord.classes if strong else tune.key.classes
        pitch = nearest(classes, tune.lead_centre + degree * 12 / len(SCALES[tune.key.mode]))
        weight = 1.0 if strong else 0.85
        notes.append(_note("lead", bar, tune, here, loud * weight, (pitch,), 0.92 * length))
    return notes


def make_motif(metre: int, density: float, eighths: bool, rng: np.random.Generator) -> Motif:
    """A phrase of two bars: a rhythm in the first, answered by its like; a contour that turns."""
    grid = np.arange(0, metre, 0.5)
    first = [float(b) for b in grid if rng.random() < density * (1.25 if b % 1 == 0 else 0.8)]
    if not eighths:
        first = [b + (0.25 if b % 1 == 0.5 and rng.random() < 0.25 else 0.0) for b in first]
    first = first or [0.0]
    keep = max(1, len(first) - int(rng.integers(0, 3)))
    beats = first + [b + metre for b in first[:keep]]
    ends = [*beats[1:], 2.0 * metre]
    lengths = [min(1.5, max(0.25, e - b)) for b, e in zip(beats, ends, strict=True)]
    level, contour = int(rng.choice([0, 2, 4])), []
    for _ in beats:
        contour.append(level)
        step = int(rng.choice([-2, -1, -1, 0, 1, 1, 2, 3]))
        level = level + step if -3 <= level + step <= 7 else level - step
    return Motif(tuple(beats), tuple(lengths), tuple(contour))


def vary_motif(motif: Motif, rng: np.random.Generator) -> Motif:
    """The same rhythm, the second half of the contour elsewhere."""
    half = len(motif.contour) // 2
    shift = int(rng.choice([-2, -1, 1, 2]))
    contour = tuple(c + shift * (k >= half) for k, c in enumerate(motif.contour))
    return Motif(motif.beats, motif.lengths, contour)


def _note(
    part: str, bar: Bar, tune: Tune, beat: float, loud: float, pitches: tuple[int, ...], beats: float
) -> Note:
    return Note(part, bar.index * tune.metre + beat, loud, pitches, beats)
