"""What a dance and its music agree on before either exists: grid, sections, hits, stops, energy.

`make_plan` draws a window of a whole piece from a seed; `loosen` gives the plan as one dancer hears
it. The band plays the one, the dancer dances the other; that is all they share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ..errors import SettingError
from ..grid import position, seconds_at
from ..straight import TOKEN_RATE, beat_steps, on_steps, straight_bpm
from ..types import METRE, MOTION_FPS, metre_of_bars
from .styles import FORMS, STYLE_TABLE, STYLES

BAND_SEED = (1 << 32) + 4
"""Seeds of bands lie beyond those of pieces. The first band is the fifth of eight that were tried:
in no other did the style judge hear the styles better."""

ENERGY = {
    "intro": (0.2, 0.5),
    "verse": (0.4, 0.65),
    "build": (0.5, 0.8),
    "drop": (0.75, 1.0),
    "break": (0.12, 0.4),
    "outro": (0.2, 0.5),
}
"""Kinds of section, and between which levels (0..1) each lies."""


@dataclass(frozen=True)
class Section:
    """A stretch of bars with one character."""

    kind: str
    """One of `ENERGY`."""
    first_bar: int
    """May be negative: the section began before the window."""
    bars: int
    energy: float
    """0..1 at its start; a build rises from there."""


@dataclass(frozen=True)
class Hit:
    """A moment that band and dancer both mark."""

    beat: float
    strength: float
    """0..1."""


@dataclass(frozen=True)
class Stop:
    """A stretch in which the band is silent and the dancer still."""

    beat: float
    beats: float


@dataclass(frozen=True, eq=False)
class Plan:
    """A window of a piece. Places are in beats; beat 0 is `grid_s[0]`, at or before the start."""

    seed: int
    style: str
    duration_s: float
    tempo_bpm: float
    """Tempo of the grid without its drift."""
    metre: int
    """Beats in a bar; beats 0, metre, 2 metre ... are downbeats."""
    swing: float
    """Delay of off steps as a share of a step of `swing_step` beats."""
    swing_step: float
    grid_s: np.ndarray
    """float64 [G], rising: from at most a bar before 0 s to a bar or more after the end."""
    sections: tuple[Section, ...]
    """They cover all bars of the grid without gaps."""
    hits: tuple[Hit, ...]
    stops: tuple[Stop, ...]
    energy: np.ndarray
    """float32 [F] in 0..1 at `MOTION_FPS`."""
    band: int | None = None
    """Which of its style's bands plays; None: one that was never heard before."""
    beat_steps: int | None = None
    """Token steps in a beat of a straight plan: all that is played begins on one, evenly loud.
    None: as people play."""
    danced: ClassVar[bool] = False
    """Made for a dance that is there: sections change when it does, and chords go on through them."""

    @property
    def band_seed(self) -> int:
        """Seed of all that stays with a band: instruments, kit, mix, key, who plays."""
        return self.seed if self.band is None else BAND_SEED + self.band

    @property
    def frames(self) -> int:
        return len(self.energy)

    @property
    def beats_s(self) -> np.ndarray:
        """Beats float64 [M] in 0 <= t < duration_s."""
        return self.grid_s[self._inside]

    @property
    def downbeats(self) -> np.ndarray:
        """bool [M]: which of `beats_s` start a bar."""
        return (np.arange(len(self.grid_s)) % self.metre == 0)[self._inside]

    @property
    def _inside(self) -> np.ndarray:
        return (self.grid_s >= -1e-9) & (self.grid_s < self.duration_s - 1e-9)

    @property
    def bars(self) -> int:
        """Whole bars of the grid."""
        return (len(self.grid_s) - 1) // self.metre

    def seconds(self, beat: np.ndarray | float) -> np.ndarray:
        """Seconds, float64, of places in beats (not swung)."""
        return seconds_at(self.grid_s, np.asarray(beat, np.float64))

    def beat(self, time_s: np.ndarray | float) -> np.ndarray:
        """Places in beats, float64, of times in seconds."""
        return position(self.grid_s, np.asarray(time_s, np.float64))

    def swung(self, beat: np.ndarray | float) -> np.ndarray:
        """Places in beats after swing: the second of every two steps is late, the rest follow.

        In a straight plan then moved to the nearest token step.
        """
        beat = np.asarray(beat, np.float64)
        pair = 2 * self.swing_step
        start, share = np.floor(beat / pair + 1e-9) * pair, None
        share = (beat - start) / pair
        middle = 0.5 * (1 + self.swing)
        late = np.where(share < 0.5, share * 2 * middle, middle + (share - 0.5) * 2 * (1 - middle))
        place = start + late * pair
        return place if self.beat_steps is None else on_steps(place, self.beat_steps)

    def section_at(self, bar: int) -> Section:
        """The section that holds a bar; outside the grid, the nearest."""
        for section in self.sections:
            if bar < section.first_bar + section.bars:
                return section
        return self.sections[-1]


def make_plan(
    seed: int,
    duration_s: float,
    style: str | None = None,
    tempo_bpm: float | None = None,
    straight: bool = False,
) -> Plan:
    """A plan drawn from `seed`: a window somewhere in a whole piece of `style` (None draws one).

    A `straight` one takes the nearest tempo at which beats last whole token steps, without drift.
    """
    rng = np.random.default_rng([seed, 0x91A4])
    drawn = STYLES[int(rng.integers(len(STYLES)))]
    style = drawn if style is None else style
    if style not in STYLE_TABLE:
        raise SettingError(f"Style is {style!r}; choose one of {', '.join(STYLES)}.")
    facts = STYLE_TABLE[style]
    tempo = float(rng.uniform(*facts.tempo_bpm))
    tempo = tempo if tempo_bpm is None else float(tempo_bpm)
    steps = beat_steps(tempo) if straight else None
    tempo = tempo if steps is None else float(straight_bpm(steps))
    grid_s = _grid(tempo, facts.metre, duration_s, facts.drift, rng, steps)
    bars = (len(grid_s) - 1) // facts.metre
    sections = _window(_piece(facts.form, rng), bars, rng)
    hits, stops = _marks(sections, facts.metre, bars, rng)
    plan = Plan(
        seed,
        style,
        duration_s,
        tempo,
        facts.metre,
        float(rng.uniform(*facts.swing)),
        facts.swing_step,
        grid_s,
        sections,
        hits,
        stops,
        np.zeros(0, np.float32),
        beat_steps=steps,
    )
    return replace(plan, energy=_energy(plan, rng))


def plan_on(
    beats_s: np.ndarray,
    downbeats: np.ndarray,
    duration_s: float,
    seed: int,
    style: str = "pop",
    energy: np.ndarray | None = None,
) -> Plan:
    """A plan on given beats [M >= 2] and downbeat marks [M]; `energy` [F] too if given."""
    beats_s = np.asarray(beats_s, np.float64)
    if len(beats_s) < 2:
        raise ValueError(f"a plan needs at least two beats, got {len(beats_s)}")
    starts = np.flatnonzero(downbeats)
    metre = metre_of_bars(downbeats) or METRE
    first = int(starts[0]) % metre if len(starts) else 0
    before, after = position(beats_s, np.array([0.0, duration_s]))
    low = first - metre * int(np.ceil(max(0.0, first - before) / metre))
    high = low + metre * (int(np.ceil((after - low) / metre)) + 2)
    grid_s = seconds_at(beats_s, np.arange(low, high + 1, dtype=np.float64))
    rng = np.random.default_rng([seed, 0x91A5])
    bars = (len(grid_s) - 1) // metre
    sections = _window(_piece(STYLE_TABLE[style].form, rng), bars, rng)
    hits, stops = _marks(sections, metre, bars, rng)
    tempo = 60.0 * (len(beats_s) - 1) / float(beats_s[-1] - beats_s[0])
    plan = Plan(
        seed,
        style,
        duration_s,
        tempo,
        metre,
        float(np.mean(STYLE_TABLE[style].swing)),
        STYLE_TABLE[style].swing_step,
        grid_s,
        sections,
        hits,
        stops,
        np.zeros(0, np.float32),
    )
    if energy is None:
        return replace(plan, energy=_energy(plan, rng))
    return replace(plan, energy=np.asarray(energy, np.float32))


def loosen(plan: Plan, looseness: float, rng: np.random.Generator) -> Plan:
    """The plan as a dancer follows it: 0 to the letter, 1 hardly more than the beat.

    Sections may be answered a bar early or late, energy is the dancer's own to some degree, some
    hits and stops pass unanswered and a few of the dancer's own come instead. The grid stays.
    """
    if not 0 <= looseness <= 1:
        raise SettingError(f"looseness is {looseness:g}; use 0 to 1.")
    if looseness == 0:
        return plan
    own = _energy(replace(plan, sections=_window(_piece("song", rng), plan.bars, rng)), rng)
    share = looseness * rng.uniform(0.3, 0.9)
    late_s = float(rng.normal(0.0, 0.35 * looseness * plan.metre * 60.0 / plan.tempo_bpm))
    times_s = np.arange(plan.frames) / MOTION_FPS
    heard = np.interp(times_s - late_s, times_s, plan.energy)
    sections = tuple(
        replace(s, first_bar=s.first_bar + late, bars=s.bars - late)
        if s.first_bar > 0 and s.bars > 2 and (late := int(rng.random() < 0.25 * looseness))
        else s
        for s in plan.sections
    )
    kept = tuple(hit for hit in plan.hits if rng.random() > 0.6 * looseness)
    chance = 0.06 * looseness
    mine = tuple(
        Hit(float(beat), float(rng.uniform(0.4, 0.9)))
        for beat in np.arange(0, plan.bars * plan.metre, 0.5)
        if rng.random() < chance
    )
    stops = tuple(stop for stop in plan.stops if rng.random() > 0.5 * looseness)
    hits = tuple(sorted((*kept, *mine), key=lambda hit: hit.beat))
    energy = np.clip((1 - share) * heard + share * own, 0.0, 1.0).astype(np.float32)
    return replace(plan, energy=energy, sections=_joined(sections), hits=hits, stops=stops)


def _grid(
    tempo: float, metre: int, duration_s: float, drift: float, rng: np.random.Generator, steps: int | None
) -> np.ndarray:
    """Beats from up to a bar before 0 to at least a bar after the end, with a slow drift.

    With `steps` they last exactly so many token steps, and begin on one.
    """
    period_s = 60.0 / tempo
    count = metre * (int(np.ceil(duration_s / (period_s * metre))) + 3)
    size, turn_s = rng.uniform(0, 1) * drift, rng.uniform(10, 40)
    phase = rng.uniform(0, 2 * np.pi)
    start_s = -rng.uniform(0, period_s * metre * 0.999)
    if steps is not None:
        first = 4 * round(start_s * TOKEN_RATE / 4)  # soundfonts start in blocks that four steps fit
        return (first + steps * np.arange(count + 1)) / TOKEN_RATE
    even = start_s + period_s * np.arange(count + 1)
    bend = size * turn_s / (2 * np.pi) * (np.sin(2 * np.pi * even / turn_s + phase))
    bend -= np.interp(0.0, even, bend)
    return even + bend


def _piece(form: str, rng: np.random.Generator) -> list[tuple[str, int, float]]:
    """A whole piece as (kind, bars, energy), lengths and levels varied."""
    piece = []
    for kind, bars in FORMS[form]:
        draw = rng.random()
        length = bars // 2 if draw < 0.35 and bars > 2 else bars * 2 if draw > 0.93 else bars
        piece.append((kind, length, float(rng.uniform(*ENERGY[kind]))))
    return piece


def _window(piece: list[tuple[str, int, float]], bars: int, rng: np.random.Generator) -> tuple[Section, ...]:
    """`bars` bars of a piece from a random bar on, over again where it ends."""
    total = sum(length for _, length, _ in piece)
    first = int(rng.integers(total)) if rng.random() > 0.12 else 0
    out: list[Section] = []
    at = -first
    while at < bars:
        for kind, length, level in piece:
            if at + length > 0 and at < bars:
                out.append(Section(kind, at, length, level))
            at += length
    return tuple(out)


def _joined(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Each section lasts until the next one starts."""
    ends = [s.first_bar for s in sections[1:]] + [sections[-1].first_bar + sections[-1].bars]
    return tuple(replace(s, bars=e - s.first_bar) for s, e in zip(sections, ends, strict=True))


def _marks(
    sections: tuple[Section, ...], metre: int, bars: int, rng: np.random.Generator
) -> tuple[tuple[Hit, ...], tuple[Stop, ...]]:
    """Hits at section starts and now and then inside; stops before some drops."""
    hits, stops = [], []
    for section in sections:
        start = section.first_bar * metre
        if section.first_bar > 0 and rng.random() < (0.9 if section.kind == "drop" else 0.5):
            hits.append(Hit(float(start), 1.0 if section.kind == "drop" else 0.7))
        if section.first_bar > 0 and section.kind == "drop" and rng.random() < 0.45:
            length = float(rng.choice([0.5, 1.0, 2.0], p=[0.3, 0.5, 0.2]))
            stops.append(Stop(start - length, length))
        slots = np.arange(0.5, metre, 0.5)
        riff = [float(x) for x in rng.choice(slots, min(2, len(slots)), replace=False)]
        every = int(rng.choice([2, 4, 8])) if rng.random() < 0.35 else 0
        for bar in range(max(0, section.first_bar), min(bars, section.first_bar + section.bars)):
            if every and (bar - section.first_bar) % every == every - 1:
                hits += [Hit(bar * metre + x, float(rng.uniform(0.5, 0.9))) for x in sorted(riff)]
    silent = [(stop.beat, stop.beat + stop.beats) for stop in stops]
    hits = [h for h in hits if not any(low - 1e-9 <= h.beat < high - 1e-9 for low, high in silent)]
    return tuple(sorted(hits, key=lambda hit: hit.beat)), tuple(stops)


def _energy(plan: Plan, rng: np.random.Generator) -> np.ndarray:
    """The sections' levels over time: builds rise, phrases swell a little, stops are low."""
    beat = plan.beat(np.arange(max(1, round(plan.duration_s * MOTION_FPS))) / MOTION_FPS)
    bar = beat / plan.metre
    curve = np.zeros(len(beat))
    for section in plan.sections:
        inside = (bar >= section.first_bar) & (bar < section.first_bar + section.bars)
        share = (bar - section.first_bar) / section.bars
        rise = 0.35 * share if section.kind == "build" else 0.0
        curve = np.where(inside, section.energy + rise, curve)
    swell = rng.uniform(0.0, 0.06) * np.sin(2 * np.pi * bar / 4 + rng.uniform(0, 2 * np.pi))
    curve = np.clip(curve + swell, 0.0, 1.0)
    for stop in plan.stops:
        curve[(beat >= stop.beat) & (beat < stop.beat + stop.beats)] = 0.05
    return curve.astype(np.float32)
