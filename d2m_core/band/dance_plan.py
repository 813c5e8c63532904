"""A plan for the band from a dance: its beats as they are, its accents, its stops, its parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import SettingError, require
from ..grid import position, seconds_at, steady_beats
from ..types import MOTION_FPS, MotionFeatures, Rhythm
from .follow import Seen, changes_of, see_dance
from .plan import Hit, Plan, Section, Stop
from .styles import STYLE_TABLE, STYLES

ANY = "any"
_EARLY_S, _LATE_S = 0.045, 0.02
"""A step so long before an accent, or after it, is near enough to be played; sound that is late is
noticed sooner than sound that is early."""
_STEPS = (1.0, 0.5, 0.25, 1 / 6, 0.125)
"""In beats, coarse to fine."""
_LONGEST_STOP = 4.0
"""Beats; a band that is silent for longer has gone home."""
_LIVELY = {
    "waltz": 0.3, "swing": 0.5, "hiphop": 0.35, "reggaeton": 0.45, "trap": 0.5, "pop": 0.45, "disco": 0.55,
    "latin": 0.6, "funk": 0.55, "house": 0.6, "breakbeat": 0.7, "rock": 0.65, "techno": 0.8, "dnb": 0.9,
}  # fmt: skip
"""How much energy of a dance a style suits best."""


class DancePlan(Plan):
    """A plan that follows a dance."""

    danced = True


def plan_for_dance(
    rhythm: Rhythm,
    motion: MotionFeatures | None = None,
    style: str = ANY,
    seed: int = 0,
    *,
    intensity: float = 0.5,
) -> Plan:
    """A plan on the rhythm's beats, as they drift, that follows what one sees of the dance.

    Visible accents become hits of their strength, stillness becomes stops, sections begin at the bar
    lines where the dance changes, and its energy, lifted or lowered by `intensity` (0..1), is theirs.
    Without `motion`, the rhythm's curves of accent and energy are followed. `style`: one of `STYLES`,
    or `any`, which takes one that suits metre, tempo and energy. Raises `SettingError`.
    """
    require(0 <= intensity <= 1, f"intensity is {intensity:g}; use 0 to 1.")
    require(rhythm.duration_s > 0, "The rhythm has no length; make it from a dance.")
    seen = see_dance(rhythm, motion)
    style = suiting_style(rhythm, seen, seed) if style == ANY else style
    if style not in STYLE_TABLE:
        raise SettingError(f"Style is {style!r}; choose {ANY} or one of {', '.join(STYLES)}.")
    facts = STYLE_TABLE[style]
    rng = np.random.default_rng([seed, 0xDA7CE])
    grid_s, metre = _grid(rhythm)
    plan = DancePlan(
        seed=seed,
        style=style,
        duration_s=rhythm.duration_s,
        tempo_bpm=60.0 * (len(grid_s) - 1) / float(grid_s[-1] - grid_s[0]),
        metre=metre,
        swing=float(rng.uniform(*facts.swing)),
        swing_step=facts.swing_step,
        grid_s=grid_s,
        sections=(),
        hits=(),
        stops=(),
        energy=_lifted(seen.energy, intensity),
    )
    plan = replace(plan, stops=_stops(plan, seen), sections=_sections(plan, seen))
    return replace(plan, hits=_hits(plan, seen), energy=_quiet(plan))


def suiting_style(rhythm: Rhythm, seen: Seen, seed: int) -> str:
    """One of the three styles that suit best; the seed says which."""
    if rhythm.metre == 3:
        return "waltz"
    tempo, energy = rhythm.tempo_bpm, float(seen.energy.mean())

    def misfit(name: str) -> float:
        low, high = STYLE_TABLE[name].tempo_bpm
        away = max(0.0, np.log2(low / tempo), np.log2(tempo / high))
        return 4.0 * float(away) + abs(_LIVELY[name] - energy)

    suit = sorted((name for name in STYLES if STYLE_TABLE[name].metre != 3), key=misfit)[:3]
    return suit[int(np.random.default_rng([seed, 0x57]).integers(len(suit)))]


def _grid(rhythm: Rhythm) -> tuple[np.ndarray, int]:
    """Beats from a bar line before 0 s to two bars after the end, and beats in a bar."""
    beats_s, metre = rhythm.beats_s, rhythm.metre
    downbeats = np.flatnonzero(rhythm.downbeats)
    if len(beats_s) < 2:
        first_s = float(beats_s[0]) if len(beats_s) else 0.0
        period_s = 60.0 / rhythm.tempo_bpm
        beats_s = steady_beats(rhythm.tempo_bpm, rhythm.duration_s + 2 * period_s, first_s)
        downbeats = np.flatnonzero(np.abs(beats_s - first_s) < period_s / 2)
    first = int(downbeats[0]) % metre if len(downbeats) else 0
    before, after = position(beats_s, np.array([0.0, rhythm.duration_s]))
    low = first - metre * int(np.ceil(max(0.0, first - before) / metre))
    high = low + metre * (int(np.ceil((after - low) / metre)) + 2)
    return seconds_at(beats_s, np.arange(low, high + 1, dtype=np.float64)), metre


def _lifted(energy: np.ndarray, intensity: float) -> np.ndarray:
    """The dance's energy, float32 [F], stretched a little and moved by what was asked for."""
    low, high = np.quantile(energy, [0.05, 0.95])
    share = np.clip((energy - low) / max(high - low, 0.25), 0, 1)
    level = 0.6 * energy + 0.4 * share
    floor, top = 0.18 + 0.36 * intensity, 0.62 + 0.38 * intensity
    return np.clip(floor + (top - floor) * level, 0, 1).astype(np.float32)


def _stops(plan: Plan, seen: Seen) -> tuple[Stop, ...]:
    """From the beat or half beat where the dance has come to rest to the one where it goes on."""
    stops: list[Stop] = []
    edges = np.flatnonzero(np.diff(np.r_[False, seen.still, False].astype(int))) / MOTION_FPS
    for low_s, high_s in edges.reshape(-1, 2):
        start, end = (float(x) for x in plan.beat(np.array([low_s, high_s])))
        start, end = np.ceil(2 * start - 0.2) / 2, np.round(2 * min(end, start + _LONGEST_STOP)) / 2
        if high_s >= plan.duration_s - 0.1 or end - start < 0.5:  # the ending rings; a breath is none
            continue
        stops.append(Stop(float(start), float(end - start)))
    return tuple(stops)


def _sections(plan: Plan, seen: Seen) -> tuple[Section, ...]:
    """Sections from bar line to bar line where the dance changes, named by how much goes on."""
    frames = plan.beat((np.arange(plan.frames) + 0.5) / MOTION_FPS) / plan.metre
    number = np.clip(np.floor(frames).astype(int), 0, plan.bars - 1)
    last = int(number.max())
    inside = [number == bar for bar in range(int(number.min()), last + 1)]
    looks = np.stack([seen.looks[mask].mean(0) for mask in inside if mask.any()])
    still = np.array([seen.still[mask].mean() for mask in inside if mask.any()])
    level = np.array([plan.energy[mask].mean() for mask in inside if mask.any()])
    firsts = changes_of(looks)
    ends = [*firsts[1:], plan.bars - int(number.min())]
    sections: list[Section] = []
    for first, end in zip(firsts, ends, strict=True):
        here = slice(first, max(first + 1, min(end, len(level))))
        mean = float(level[here].mean())
        kind = "break" if still[here].mean() > 0.6 else "drop" if mean >= 0.62 else "verse"
        sections.append(Section(kind, first + int(number.min()), end - first, mean))
    return _with_builds(tuple(sections))


def _with_builds(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Where it gets much livelier, the bar before rises to it."""
    out: list[Section] = []
    for section, after in zip(sections, [*sections[1:], None], strict=True):
        rises = after is not None and after.kind == "drop" and after.energy - section.energy > 0.15
        if rises and section.bars >= 4 and section.kind == "verse":
            bars = 2 if section.bars >= 8 else 1
            out.append(replace(section, bars=section.bars - bars))
            first = section.first_bar + section.bars - bars
            out.append(Section("build", first, bars, section.energy))
        else:
            out.append(section)
    return tuple(out)


def _hits(plan: Plan, seen: Seen) -> tuple[Hit, ...]:
    """Accents on the coarsest step of the beat that is near enough; none in stops."""
    found: dict[float, float] = {}
    for time_s, strength in zip(seen.accents_s, seen.strengths, strict=True):
        place = _step_near(plan, float(time_s))
        if not any(stop.beat - 0.01 <= place < stop.beat + stop.beats - 0.01 for stop in plan.stops):
            found[place] = max(found.get(place, 0.0), float(strength))
    return tuple(Hit(place, strength) for place, strength in sorted(found.items()))


def _step_near(plan: Plan, time_s: float) -> float:
    """The place in beats, before swing, at which a moment is played."""
    beat = float(plan.beat(time_s))
    best, least = 0.0, np.inf
    for step in _STEPS:
        places = (np.floor(beat / step) + np.arange(-1, 3)) * step
        late = plan.seconds(plan.swung(places)) - time_s
        away = np.where(late < 0, -late / _EARLY_S, late / _LATE_S)
        if away.min() < least:
            best, least = float(places[away.argmin()]), float(away.min())
        if least <= 1:
            break
    return best


def _quiet(plan: Plan) -> np.ndarray:
    """The plan's energy, float32 [F], low in its stops."""
    beat = plan.beat(np.arange(plan.frames) / MOTION_FPS)
    energy = plan.energy.copy()
    for stop in plan.stops:
        energy[(beat >= stop.beat) & (beat < stop.beat + stop.beats)] = 0.05
    return energy
