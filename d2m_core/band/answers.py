"""How the band answers a dance: hits on its accents, pick-ups into the strongest, an end that rings."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from .arrange import Score, arrange
from .harmony import Harmony, Key, bass_note, voice
from .materials import Materials
from .notes import Note
from .plan import Hit, Plan, Stop
from .players import Tune

STRONG, BRIGHT, STRONGEST = 0.47, 0.62, 0.8
"""Strengths from which a hit is the whole band's, one with a bright edge, and one with a cymbal."""
_AIR_S = 0.05
"""What sounds through a strong hit stops so long before it, that it stands out."""
_ASIDE = 0.16
"""Beats around a hit in which light strokes give way."""
_ON_BEAT = 0.07
_SLOW_BPM, _BETWEEN, _STEADY = (80.0, 120.0), (0.28, 0.88), (1.0, 0.0)
"""From the one tempo to the other, how loud notes between the beats are, and the kick on beats that
nobody marks."""
_ASTRAY, _HALFWAY = 0.7, (0.5, 1.0)
"""How loud hits are that stand on no half beat, and from the one tempo to the other on half beats: loud ones
are taken for beats."""
_EARLY, _LATE = 0.06, 0.2
"""Beats before and after a hit in which what it strikes plays nothing else."""
_LIGHT = ("hat", "pedal", "open", "ride", "shaker", "tambourine", "ghost", "perc")
BACKBEATS = ("snare", "clap", "snap", "rim")
BEAT_MARKS = ("kick", *BACKBEATS)
"""What marks a beat."""
_RING_S = 0.25
"""Least time that the last hit has to ring."""


@dataclass(frozen=True)
class Manner:
    """How a band answers."""

    ends: bool = True
    """Whether it stops at the last hit."""
    firm: float = 0.0
    """So loud, 0..1, is a kick at any tempo on beats that nobody marks."""
    sparing: bool = False
    """Whether strong accents are marked by the style's own kick and backbeat with the chord, only where
    neither sounds anyway, and light ones not at all: all else would hide the style."""


def answered(
    plan: Plan, materials: Materials, key: Key | None = None, humanise: float = 0.5, manner: Manner = Manner()
) -> Score:
    """The score of a dance's plan with its accents in it; `key` and `humanise` as in `arrange`."""
    score = arrange(replace(plan, hits=()), materials, key, humanise)
    return replace(score, notes=answer(plan, score, manner))


def answer(plan: Plan, score: Score, manner: Manner = Manner()) -> tuple[Note, ...]:
    """The score's notes with the dance's accents in them."""
    notes = [weighed(plan, note) for note in score.notes]
    notes += _steady(plan, notes, manner.firm) + _opening(plan, score, notes)
    backbeat = backbeat_of(notes)
    marked = np.array([note.beat for note in score.notes if _marks(note)])
    last_cymbal = -np.inf
    for hit in plan.hits:
        beat = float(plan.swung(hit.beat))
        cymbal = hit.strength >= STRONGEST and hit.beat % 1 == 0 and beat - last_cymbal >= plan.metre / 2
        last_cymbal = beat if cymbal else last_cymbal
        struck = struck_by(score, hit, beat, plan.tempo_bpm, backbeat, cymbal)
        if manner.sparing:
            struck = _sparing(hit, beat, struck, backbeat, marked)
        parts = {note.part for note in struck}
        notes = [n for n in notes if not _gives_way(n, beat, parts)]
        if hit.strength >= STRONG:
            air = _AIR_S * plan.tempo_bpm / 60
            notes = [_until(n, beat - air) if n.beat < beat - air else n for n in notes]
        notes += struck
    notes += [note for stop in plan.stops for note in _halted(plan, score, stop)]
    return _ended(plan, score, notes) if manner.ends else in_order(notes)


def _halted(plan: Plan, score: Score, stop: Stop) -> list[Note]:
    """What a stop begins with, and what rings through it: out of silence the next note would be the
    piece's loudest."""
    if stop.beat < 0:
        return []
    beat, end = (float(plan.swung(b)) for b in (stop.beat, stop.beat + stop.beats))
    chord, tune = _chord_at(score, stop.beat), score.tune
    stack = voice(chord, None, tune.centre, tune.size)
    low = (bass_note(chord.root, tune.bass_low),)
    rings = [Note("chords", beat, 0.8, stack, end - beat), Note("bass", beat, 0.8, low, end - beat)]
    return [Note("kick", beat, 0.8), Note("crash", beat, 0.6), *rings]


def _opening(plan: Plan, score: Score, notes: list[Note]) -> list[Note]:
    """A soft chord that leads to the first note of chords and bass, for the same reason."""
    start = float(plan.beat(0.0))
    chord, tune = _chord_at(score, start), score.tune
    led = {
        "chords": voice(chord, None, tune.centre, tune.size),
        "bass": (bass_note(chord.root, tune.bass_low),),
    }
    first = {
        part: min((n.beat for n in notes if n.part == part and n.beat >= start), default=start)
        for part in led
    }
    return [
        Note(part, start, 0.45, pitches, first[part] - start)
        for part, pitches in led.items()
        if first[part] - start > 0.2
    ]


def weighed(plan: Plan, note: Note) -> Note:
    """The note, softer between the beats: at slow tempi, lest one hears twice as many of them."""
    if abs(note.beat - round(note.beat)) < _ON_BEAT:
        return note
    weight = np.interp(plan.tempo_bpm, _SLOW_BPM, _BETWEEN)
    return replace(note, velocity=float(weight) * note.velocity)


def _steady(plan: Plan, notes: list[Note], firm: float) -> list[Note]:
    """Kicks on beats with neither kick nor backbeat: at slow tempi, lest twice as many are heard, and
    where the band is `firm`."""
    level = max(firm, float(np.interp(plan.tempo_bpm, _SLOW_BPM, _STEADY)))
    marked = {round(n.beat) for n in notes if _marks(n) and abs(n.beat - round(n.beat)) < _ON_BEAT}
    free = [beat for beat in range(len(plan.grid_s)) if beat not in marked and not _stands(plan, beat)]
    return [Note("kick", float(beat), level) for beat in free] if level > 0.3 else []


def _marks(note: Note) -> bool:
    """Whether a note is loud enough to be taken for a beat, by what plays it."""
    return note.part in BEAT_MARKS and note.velocity > 0.5


def _stands(plan: Plan, beat: float) -> bool:
    return any(stop.beat - 0.01 <= beat < stop.beat + stop.beats - 0.01 for stop in plan.stops)


def backbeat_of(notes: list[Note]) -> str:
    """What the drummer marks with beside the kick."""
    count = Counter(n.part for n in notes if n.part in BACKBEATS and n.velocity > 0.4)
    return count.most_common(1)[0][0] if count else "snare"


def _gives_way(note: Note, beat: float, struck: set[str]) -> bool:
    """Whether a note is too near a hit to be played: what the hit plays, and light strokes beside it."""
    away = note.beat - beat
    if abs(away) > _EARLY and abs(note.beat - round(note.beat)) < _ON_BEAT:
        return False  # the beat stays where it is
    if note.part in struck:
        return -_EARLY < away < _LATE
    return _EARLY < abs(away) < _ASIDE and (note.part in _LIGHT or note.velocity < 0.35)


def _until(note: Note, beat: float) -> Note:
    """The note, over by a beat."""
    return replace(note, beats=max(0.05, beat - note.beat)) if note.beat + note.beats > beat else note


def struck_by(
    score: Score, hit: Hit, beat: float, tempo_bpm: float, backbeat: str, cymbal: bool
) -> list[Note]:
    """The notes of one hit: light ones are the drummer's, strong ones everyone's."""
    if hit.strength < STRONG:
        return [Note("tom_hi" if hit.beat % 1 else backbeat, beat, 0.35 + 0.35 * hit.strength)]
    level = (0.75 + 0.25 * hit.strength) * _share(hit, tempo_bpm)
    notes = [Note(backbeat, beat, level)]
    if hit.beat % 1 == 0:
        notes.append(Note("kick", beat, 0.95 * level))
    bright = "crash" if cymbal else "splash" if hit.strength >= BRIGHT else "open"
    notes.append(Note(bright, beat, level if bright == "open" else 0.8 * level))
    if hit.strength >= BRIGHT and hit.beat % 0.5 == 0:
        notes.append(Note("snare" if backbeat != "snare" else "clap", beat, 0.8 * level))
    chord, tune = _chord_at(score, hit.beat), score.tune
    if tune.roles & {"chords", "horns"}:
        part = "horns" if "horns" in tune.roles and cymbal else "chords"
        stack = voice(chord, None, tune.centre + (7 if part == "horns" else 0), tune.size)
        notes.append(Note(part, beat, 0.95 * level, stack, 0.4))
    if hit.beat % 0.5 == 0:
        notes.append(Note("bass", beat, level, (bass_note(chord.root, tune.bass_low),), 0.4))
    return notes


def _sparing(hit: Hit, beat: float, struck: list[Note], backbeat: str, marked: np.ndarray) -> list[Note]:
    """Of what is struck, as `Manner.sparing` says; places in `marked` have a kick or backbeat anyway."""
    if hit.strength < STRONG or (np.abs(marked - beat) < _ON_BEAT).any():
        return []
    own = "kick" if hit.beat % 1 == 0 else backbeat
    return [n for n in struck if n.part in (own, "bass", "chords", "horns")]


def _share(hit: Hit, tempo_bpm: float) -> float:
    """How loud a strong hit is by where it stands, beside one on a beat."""
    if hit.beat % 1 == 0:
        return 1.0
    return float(np.interp(tempo_bpm, _SLOW_BPM, _HALFWAY)) if hit.beat % 0.5 == 0 else _ASTRAY


def _chord_at(score: Score, beat: float) -> Harmony:
    for start, end, chord in score.chords:
        if start <= beat < end:
            return chord
    return score.chords[-1][2]


def last_hit(plan: Plan) -> float:
    """The place in beats, as played, on which the piece ends: the last beat or strong hit with time to ring.

    A dancer's last pose is the band's last hit.
    """
    strong = [float(plan.swung(hit.beat)) for hit in plan.hits if hit.strength >= STRONG]
    places = np.sort(np.r_[np.arange(len(plan.grid_s)), strong])
    times_s = plan.seconds(places)
    fits = (times_s >= 0) & (times_s <= plan.duration_s - _RING_S)
    return float(places[fits][-1]) if fits.any() else 0.0


def _ended(plan: Plan, score: Score, notes: list[Note]) -> tuple[Note, ...]:
    """Nothing after the last hit, which is on the tonic and lasts until the end."""
    end = last_hit(plan)
    ring = float(plan.beat(plan.duration_s)) - end
    kept = [n for n in notes if n.beat < end - 0.04]
    kept = [replace(n, beats=min(n.beats, max(0.05, end - n.beat))) for n in kept]
    kept += last_chord(score.tune, end, ring, backbeat_of(notes))
    return in_order(kept)


def in_order(notes: list[Note]) -> tuple[Note, ...]:
    """The notes by time."""
    return tuple(sorted(notes, key=lambda n: (n.beat, n.part, n.pitches)))


def last_chord(tune: Tune, beat: float, ring: float, backbeat: str) -> list[Note]:
    """What a piece ends with: everybody on the tonic, for `ring` beats."""
    tonic = Harmony(tune.key.tonic, "m" if tune.key.is_minor else "")
    stack = voice(tonic, None, tune.centre, tune.size)
    return [
        Note("kick", beat, 0.95),
        Note(backbeat, beat, 0.8),
        Note("crash", beat, 0.6),
        Note("bass", beat, 0.9, (bass_note(tonic.root, tune.bass_low),), ring),
        Note("chords", beat, 0.85, stack, ring),
    ]
