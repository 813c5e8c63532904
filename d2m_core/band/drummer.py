"""The drummer: grooves, fills, rolls into drops, crashes, accents; by pattern or by a real hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .drum_book import DRUM_BOOK, DrumBook, read_groove
from .fills import FILLS
from .materials import Materials
from .notes import MARKS, REPEATS, STEPS_PER_BEAT, Bar, Note, hits_in
from .plan import Plan
from .real_drummer import Performance, choose_fills, choose_performance
from .styles import STYLES

STROKES_ENTER = {
    "kick": 0.0,
    "hat": 0.08,
    "pedal": 0.1,
    "ride": 0.3,
    "snare": 0.22,
    "clap": 0.25,
    "snap": 0.18,
    "rim": 0.2,
    "shaker": 0.2,
    "open": 0.4,
    "tambourine": 0.4,
    "cowbell": 0.4,
    "clave": 0.15,
    "guiro": 0.2,
}
"""Energy from which a piece plays; others from 0.35."""
HEAVY = ("kick", "snare", "clap", "open", "ride", "crash", "cowbell")
"""What keeps silent in a break."""
MACHINES = ("electronic", "trap")
"""Kinds of fill of music whose drums are machines."""


@dataclass(frozen=True)
class Drums:
    notes: tuple[Note, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class _Choice:
    """What holds for the whole piece."""

    book: DrumBook
    calm: tuple[tuple[str, str], ...]
    full: tuple[tuple[str, str], ...]
    layers: tuple[tuple[str, str], ...]
    fills: tuple[tuple[tuple[str, str], ...], ...]
    intro_kick: bool
    gap: bool
    """A silent last beat before a drop."""
    player: Performance | None
    player_fills: tuple[Performance, ...]


def human_s_of(book: DrumBook, humanise: float) -> float:
    """How far onsets stray from the grid: not at 0, as the style's players at 0.5, more at 1."""
    return 2 * min(humanise, 0.5) * book.human_s + max(0.0, humanise - 0.5) * 0.012


def play_drums(plan: Plan, bars: tuple[Bar, ...], materials: Materials, humanise: float = 0.5) -> Drums:
    """All strokes of a piece, placed as they are played; `humanise` as in `arrange`."""
    drummer = Drummer(plan, materials, humanise)
    notes = [note for bar in bars for note in drummer.bar(bar)]
    return Drums(tuple(notes + _accents(plan, bars)), drummer.sources)


class Drummer:
    """Who plays the drums of a piece, bar after bar; equal bars in the same order give equal strokes."""

    def __init__(self, plan: Plan, materials: Materials, humanise: float = 0.5) -> None:
        self._plan, self._humanise = plan, humanise
        self._rng = np.random.default_rng([plan.seed, STYLES.index(plan.style), 0xD4])
        self._choice = _choose(plan, materials, self._rng)

    @property
    def sources(self) -> tuple[str, ...]:
        """The performances that the strokes are from."""
        choice = self._choice
        used = [choice.player, *choice.player_fills] if choice.player else []
        return tuple(f"groove/{p.name}" for p in used if p is not None)

    def bar(self, bar: Bar) -> list[Note]:
        """The strokes of the next bar, placed as they are played."""
        strokes = _bar(self._plan, bar, self._choice, self._rng)
        return [
            _placed(self._plan, bar, stroke, self._choice, self._humanise, self._rng) for stroke in strokes
        ]


def _choose(plan: Plan, materials: Materials, rng: np.random.Generator) -> _Choice:
    book = DRUM_BOOK[plan.style]
    order = rng.permutation(len(book.grooves))
    calm, full = (read_groove(book.grooves[order[k]]) for k in (0, int(rng.random() < 0.5)))
    count = min(len(book.layers), int(rng.integers(0, 4)))
    picked = rng.permutation(len(book.layers))[:count]
    layers = tuple(part for k in sorted(picked) for part in read_groove(book.layers[k]))
    fills = tuple(read_groove(text) for text in FILLS[book.fills])
    order = rng.permutation(len(fills))[:3]
    player, theirs = None, []
    if rng.random() < book.real_share and plan.metre == 4:
        player = choose_performance(materials, book.real, plan.tempo_bpm, plan.swing_step, rng)
        if player is not None and player.clarity < book.real_clarity:
            player = None
        theirs = choose_fills(materials, book.real, plan.swing_step, rng, 2) if player else []
    return _Choice(
        book,
        calm,
        full,
        layers,
        tuple(fills[k] for k in order),
        bool(rng.random() < 0.7),
        bool(rng.random() < 0.35),
        player,
        tuple(theirs),
    )


Stroke = tuple[float, str, float]
"""(beat in the bar, piece, loudness)."""


def _bar(plan: Plan, bar: Bar, choice: _Choice, rng: np.random.Generator) -> list[Stroke]:
    machine = choice.book.fills in MACHINES
    if choice.player is not None:
        strokes = _real_bar(choice.player, bar)
    else:
        groove = choice.full if bar.kind == "drop" else choice.calm
        strokes = _pattern(groove, bar.index, plan.metre)
    strokes += _pattern(_layers_at(choice, bar), bar.index, plan.metre)
    strokes = [s for s in strokes if _plays(s, bar, choice.intro_kick)]
    long_phrase = bar.place % 8 == 7 and bar.kind in ("drop", "verse")
    if bar.kind == "build" and machine:
        strokes = _roll(strokes, plan, bar, choice)
    elif bar.left == 1 or long_phrase or (bar.place % 4 == 3 and rng.random() < 0.25):
        strokes = _fill(strokes, plan, bar, choice, rng)
    strokes += _pulse(strokes, plan.metre, bar)
    if bar.place == 0 and bar.energy > 0.35 and bar.kind != "break":
        strokes.append((0.0, "crash", 0.5 + 0.4 * bar.energy))
    loud = 0.62 + 0.38 * bar.energy
    return [(beat, piece, level * loud) for beat, piece, level in strokes]


def _layers_at(choice: _Choice, bar: Bar) -> tuple[tuple[str, str], ...]:
    share = np.clip((bar.energy - 0.2) / 0.5, 0, 1)
    return choice.layers[: round(share * len(choice.layers))]


def _pattern(groove: tuple[tuple[str, str], ...], bar: int, metre: int) -> list[Stroke]:
    strokes = []
    for piece, pattern in groove:
        for beat, mark, _ in hits_in(pattern, bar, metre):
            times = REPEATS.get(mark, 1)
            for k in range(times):
                level = MARKS[mark] * (1.0 if k == 0 else 0.75)
                strokes.append((beat + k / (times * STEPS_PER_BEAT), piece, level))
    return strokes


def _real_bar(player: Performance, bar: Bar) -> list[Stroke]:
    """Four bars in a row of the performance, busier ones where there is more energy."""
    groups = max(1, player.bars // 4)
    counts = [len(player.bar(4 * g)) + len(player.bar(4 * g + 1)) for g in range(groups)]
    busy = np.argsort(counts, kind="stable")
    group = int(busy[min(groups - 1, int(bar.section.energy * groups))])
    group = (group + bar.place // 4) % groups
    return [(beat, piece, level) for beat, piece, level in player.bar(4 * group + bar.place % 4)]


def _plays(stroke: Stroke, bar: Bar, intro_kick: bool) -> bool:
    _, piece, level = stroke
    if bar.kind == "break" and piece in HEAVY:
        return False
    if bar.kind in ("intro", "outro") and piece == "kick" and not intro_kick and bar.share < 0.5:
        return False
    return bar.energy >= STROKES_ENTER.get(piece, 0.35) - 0.1 * (level > 0.8)


def _roll(strokes: list[Stroke], plan: Plan, bar: Bar, choice: _Choice) -> list[Stroke]:
    """A build of machines: the snare goes faster and louder, the kick stops just before the end."""
    last = bar.left == 1
    kept = [s for s in strokes if s[1] not in ("snare", "clap", "open", "snap")]
    if last and bar.next_kind == "drop":
        kept = [s for s in kept if s[1] != "kick" or s[0] < plan.metre / 2]
    steps = 1.0 if bar.share < 0.34 else 0.5 if bar.share < 0.67 or bar.section.bars < 3 else 0.25
    if last:
        steps = 0.25
    end = plan.metre - (1.0 if last and choice.gap else 0.0)
    for beat in np.arange(0, end, steps):
        share = (bar.place + beat / plan.metre) / bar.section.bars
        weight = 1.0 if beat % 1 == 0 else 0.72
        kept.append((float(beat), "snare", weight * (0.3 + 0.6 * share)))
    return [s for s in kept if s[0] < end - 0.02 or not last]


def _fill(
    strokes: list[Stroke], plan: Plan, bar: Bar, choice: _Choice, rng: np.random.Generator
) -> list[Stroke]:
    """The end of the bar given to a fill; small ones inside a section."""
    theirs = choice.player_fills
    if theirs and rng.random() < 0.75:
        fill = theirs[int(rng.integers(len(theirs)))]
        played = fill.bar(max(range(fill.bars), key=lambda b: len(fill.bar(b))))
        start = 0.0 if bar.left == 1 and rng.random() < 0.4 else plan.metre / 2
        played = [s for s in played if s[0] >= start - 0.06]
    else:
        groove = choice.fills[int(rng.integers(len(choice.fills)))]
        steps = plan.metre * STEPS_PER_BEAT
        groove = tuple((piece, pattern[-steps:]) for piece, pattern in groove)
        played = _pattern(groove, 0, plan.metre)
        start = min((s[0] for s in played), default=float(plan.metre))
        start = max(start, 0.0 if bar.left == 1 else plan.metre - 1.0)
        played = [s for s in played if s[0] >= start]
    if bar.kind == "break" or bar.energy < 0.3:
        played = [(b, p, 0.6 * v) for b, p, v in played]
    rise = [(b, p, v * (0.7 + 0.3 * b / plan.metre)) for b, p, v in played]
    return [s for s in strokes if s[0] < start - 0.06 or s[1] in ("kick", "pedal")] + rise


def _pulse(strokes: list[Stroke], metre: int, bar: Bar) -> list[Stroke]:
    """Something soft on every beat that nobody else plays: the pulse is never lost."""
    if bar.kind == "build" and bar.left == 1:
        return []
    struck = {round(s[0]) for s in strokes if abs(s[0] - round(s[0])) < 0.06 and s[2] > 0.4}
    return [(float(b), "hat", 0.62) for b in range(metre) if b not in struck]


def _accents(plan: Plan, bars: tuple[Bar, ...]) -> list[Note]:
    """Kick, snare and a cymbal on what the plan marks."""
    notes = []
    for hit in plan.hits:
        index = int(hit.beat // plan.metre)
        if not 0 <= index < len(bars):
            continue
        beat = float(plan.swung(hit.beat))
        level = 0.55 + 0.45 * hit.strength
        notes += [Note("kick", beat, level), Note("snare", beat, 0.85 * level)]
        if hit.strength > 0.65:
            notes.append(Note("crash" if hit.strength > 0.8 else "splash", beat, 0.8 * level))
    return notes


def _placed(
    plan: Plan, bar: Bar, stroke: Stroke, choice: _Choice, humanise: float, rng: np.random.Generator
) -> Note:
    """A stroke on the plan's grid, swung; a pattern player's small errors come on top."""
    beat, piece, level = stroke
    late = rng.normal(0.0, 1.0) * human_s_of(choice.book, humanise) * plan.tempo_bpm / 60
    uneven = rng.uniform(0.93, 1.03)
    if humanise < 0.5:
        uneven = 1.0 + 2 * humanise * (uneven - 1.0)
    if choice.player is not None or plan.beat_steps is not None:
        late = 0.0
    if plan.beat_steps is not None:
        uneven = 1.0
    place = float(plan.swung(bar.index * plan.metre + beat)) + late
    return Note(piece, place, float(np.clip(level * uneven, 0.02, 1.0)))
