"""Who plays what in which bar: a plan becomes notes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .drum_book import DRUM_BOOK
from .drummer import human_s_of, play_drums
from .harmony import Harmony, Key, read_progression
from .materials import Materials
from .music_book import MUSIC_BOOK
from .music_style import MusicBook
from .notes import Bar, Note, bars_of
from .plan import Plan
from .players import (
    Tune,
    arp_notes,
    bass_notes,
    chord_notes,
    chords_of,
    horn_notes,
    lead_notes,
    make_motif,
    pad_notes,
    vary_motif,
    voiced,
)
from .styles import STYLES

ROLES = ("bass", "chords", "pad", "arp", "horns", "lead")
ENTERS = {"bass": 0.18, "chords": 0.1, "pad": 0.12, "arp": 0.38, "horns": 0.6, "lead": 0.5}
"""Energy from which a role plays."""
USUAL_CHANCE = 0.75
EARLY, LATE = 0.02, 0.25
"""Around a hit, in beats, other notes of the struck parts give way."""


@dataclass(frozen=True)
class Score:
    """All notes of a piece and what is true of them."""

    notes: tuple[Note, ...]
    bars: tuple[Bar, ...]
    chords: tuple[tuple[float, float, Harmony], ...]
    """(beat, beat, chord), in order."""
    key: Key
    sources: tuple[str, ...]
    """What the drums are from."""
    tune: Tune


def arrange(plan: Plan, materials: Materials, key: Key | None = None, humanise: float = 0.5) -> Score:
    """Writes a plan out for drums, bass, chords, pad, arpeggio, horns and lead.

    `key`: None draws one. `humanise`: 0 on the grid, 0.5 as the style's players are, 1 looser.
    """
    bars = bars_of(plan)
    tune = compose(plan, key)
    drums = play_drums(plan, bars, materials, humanise)
    rng = np.random.default_rng([plan.seed, 0xA6])
    human_s = 0.6 * human_s_of(DRUM_BOOK[plan.style], humanise) if plan.beat_steps is None else 0.0
    pitched: list[Note] = []
    for k, bar in enumerate(bars):
        after = chords_of(tune, bars[min(k + 1, len(bars) - 1)])[0]
        for note in bar_notes(tune, bar, after):
            late = rng.normal(0.0, 1.0) * human_s * plan.tempo_bpm / 60
            pitched.append(replace(note, beat=float(plan.swung(note.beat)) + late))
    pitched = _with_hits(plan, bars, tune, pitched)
    notes = _without_stops(plan, [*drums.notes, *pitched])
    return Score(notes, bars, _chords(tune, bars), tune.key, drums.sources, tune)


def compose(plan: Plan, key: Key | None = None) -> Tune:
    """Draws the key, unless given, the chords, the lines and the players of a piece.

    A band that plays many pieces keeps to its key, its range and its players.
    """
    if plan.band is None or key is not None:
        return _tune(plan, plan.seed, key)
    usual = _tune(plan, plan.band_seed)
    return replace(
        _tune(plan, plan.seed, usual.key),
        roles=usual.roles,
        centre=usual.centre,
        lead_centre=usual.lead_centre,
        bass_low=usual.bass_low,
        walks=usual.walks,
        sustain=usual.sustain,
    )


def _tune(plan: Plan, seed: int, key: Key | None = None) -> Tune:
    """All draws of `compose` from one seed, in `key` where it is given."""
    rng = np.random.default_rng([seed, STYLES.index(plan.style), 0xC0])
    book = MUSIC_BOOK[plan.style]
    options = _progressions(book, key)
    mode, text = options[int(rng.integers(len(options)))]
    tonic = int(rng.integers(12))
    key = Key(tonic, mode) if key is None else Key(key.tonic, mode)
    others = [p for m, p in options if m == mode]
    other = others[int(rng.integers(len(others)))] if rng.random() < 0.5 else text
    swung = plan.swing_step == 0.5
    motif = make_motif(plan.metre, book.lead_notes, swung, rng)
    return Tune(
        key=key,
        metre=plan.metre,
        verse=read_progression(other, key),
        chorus=read_progression(text, key),
        bass=_two(book.bass, rng),
        comp=_two(book.comp, rng),
        arp=_one(book.arps, rng),
        horns=_one(book.horns, rng),
        motif=motif,
        answer=vary_motif(motif, rng),
        roles=_roles(book, rng),
        size=book.size,
        centre=book.centre + int(rng.integers(-3, 4)),
        lead_centre=int(rng.integers(69, 79)),
        bass_low=int(rng.integers(27, 33)),
        walks=book.pairs and bool(rng.random() < 0.8),
        sustain=bool(rng.random() < 0.3),
    )


def _progressions(book: MusicBook, key: Key | None) -> list[tuple[str, str]]:
    """(mode, chords) that suit a key: the style's in its mode, else in one as dark or bright, else pop's."""
    if key is None:
        return list(book.progressions)
    alike = ("minor", "dorian", "phrygian", "harmonic") if key.is_minor else ("major", "mixolydian")
    for source, modes in ((book, (key.mode,)), (book, alike), (MUSIC_BOOK["pop"], alike)):
        found = [(m, p) for m, p in source.progressions if m in modes]
        if found:
            return found
    raise AssertionError(f"pop has no progression in {alike}")


def _one(options: tuple[str, ...], rng: np.random.Generator) -> str:
    draw = int(rng.integers(1 << 16))
    return options[draw % len(options)] if options else ""


def _two(options: tuple[str, ...], rng: np.random.Generator) -> tuple[str, str]:
    """Patterns of verse and drop: often the same."""
    first = _one(options, rng)
    second = _one(options, rng)
    return (first, first) if rng.random() < 0.5 else (first, second)


def _roles(book: MusicBook, rng: np.random.Generator) -> frozenset[str]:
    has = {"arp": bool(book.arps), "horns": bool(book.horns)}
    drawn = {role: rng.random() for role in ROLES}
    roles = {
        role
        for role, draw in drawn.items()
        if has.get(role, True) and (role == "bass" or draw < book.chances.get(role, USUAL_CHANCE))
    }
    if "chords" not in book.chances:
        roles.add("chords")
    if not roles & {"lead", "arp", "horns"}:
        roles.add("lead")
    if not roles & {"pad", "chords"}:
        roles.add("pad")
    return frozenset(roles)


def _plays(role: str, tune: Tune, bar: Bar) -> bool:
    """Whether a role plays in a bar: by section first, then by energy."""
    if role not in tune.roles:
        return False
    kind, place = bar.kind, bar.place
    if role == "lead":
        if kind == "break":
            return place // 4 % 2 == 1 or "chords" not in tune.roles
        alone = not tune.roles & {"arp", "horns"}
        return bar.energy >= ENTERS[role] and (
            (kind == "drop" and (alone or place // 4 % 2 == 1 or place >= 8))
            or (kind == "verse" and place // 4 % 2 == 1)
        )
    if role == "horns":
        return bar.energy >= ENTERS[role] and kind in ("drop", "verse")
    if role == "arp":
        return (bar.energy >= ENTERS[role] and (kind != "verse" or place >= 4)) or kind == "break"
    if role == "bass":
        if kind == "build" and bar.left <= max(1, bar.section.bars // 4) and bar.next_kind == "drop":
            return False
        if kind in ("intro", "break") and place < bar.section.bars // 2:
            return bar.energy > 0.32
    if role == "pad" and kind in ("drop", "verse") and bar.energy < 0.5:
        return "chords" not in tune.roles
    return bar.energy >= ENTERS[role]


def bar_notes(tune: Tune, bar: Bar, after: Harmony) -> list[Note]:
    """What the pitched players play in a bar, before swing; `after` is the chord of the next one."""
    notes: list[Note] = []
    if _plays("bass", tune, bar):
        notes += bass_notes(tune, bar, after)
    for role, player in (
        ("chords", chord_notes),
        ("pad", pad_notes),
        ("arp", arp_notes),
        ("horns", horn_notes),
        ("lead", lead_notes),
    ):
        if _plays(role, tune, bar):
            notes += player(tune, bar)
    return notes


def _with_hits(plan: Plan, bars: tuple[Bar, ...], tune: Tune, notes: list[Note]) -> list[Note]:
    """Everyone on what the plan marks: bass, chords and horns strike together."""
    for hit in plan.hits:
        index = int(hit.beat // plan.metre)
        if not 0 <= index < len(bars):
            continue
        bar, beat = bars[index], float(plan.swung(hit.beat))
        inside = hit.beat - index * plan.metre
        level = 0.6 + 0.4 * hit.strength
        struck = ("bass", "chords", "horns")
        notes = [n for n in notes if n.part not in struck or not beat - EARLY < n.beat < beat + LATE]
        low = bass_notes(tune, bar, chords_of(tune, bar)[0])
        root = min((n.pitches[0] for n in low), default=36)
        notes.append(Note("bass", beat, level, (root,), 0.45))
        part = "horns" if "horns" in tune.roles else "chords"
        notes.append(Note(part, beat, level, voiced(tune, bar, inside, 7, 4), 0.4))
        if part == "horns" and "chords" in tune.roles:
            notes.append(Note("chords", beat, level, voiced(tune, bar, inside), 0.4))
    return notes


def _without_stops(plan: Plan, notes: list[Note]) -> tuple[Note, ...]:
    """Nothing starts in a stop, and what sounds into one ends there."""
    for stop in plan.stops:
        low, high = (float(plan.swung(b)) for b in (stop.beat, stop.beat + stop.beats))
        notes = [
            replace(n, beats=min(n.beats, max(0.05, low - n.beat))) if n.beat < low else n
            for n in notes
            if not low - 0.03 <= n.beat < high - 0.03
        ]
    return tuple(sorted(notes, key=lambda n: (n.beat, n.part, n.pitches)))


def _chords(tune: Tune, bars: tuple[Bar, ...]) -> tuple[tuple[float, float, Harmony], ...]:
    out: list[tuple[float, float, Harmony]] = []
    for bar in bars:
        chords = chords_of(tune, bar)
        span = tune.metre / len(chords)
        for k, chord in enumerate(chords):
            start = bar.index * tune.metre + k * span
            if out and out[-1][2] == chord:
                out[-1] = (out[-1][0], start + span, chord)
            else:
                out.append((start, start + span, chord))
    return tuple(out)
