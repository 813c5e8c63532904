"""The dancer's vocabulary: what feet, arms and trunk do in one bar, written in beats.

A move writes events into a `Score`. Feet events are steps that land at a beat (so a standing foot
never slides), arm events are hand targets reached at a beat; trunk layers are waves of the beat.
Positions are metres from the home spot for a body with a 0.8 m leg: x to the left, z forward.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

Hand = tuple[float, float, float]
"""Wrist from the shoulder in arm lengths: outward, up, forward."""

STANCE = 0.12
"""Half the distance between the feet at home."""


@dataclass(frozen=True)
class Step:
    """One foot arrives somewhere."""

    at: float
    foot: int
    x: float
    z: float
    y: float = 0.0
    """Height of the foot on arrival: 0 stands, more is a kick."""
    lift: float = 0.06
    lead: float = 0.6
    """Beats that the swing takes."""
    weight: float = 0.75
    """Share of the body's weight on this foot afterwards."""
    turn: float = 0.0
    """Radians the whole body has turned from home."""
    point: float = 0.0
    """Radians the foot alone is turned outward."""


@dataclass(frozen=True)
class Reach:
    """Both hands arrive somewhere."""

    at: float
    left: Hand
    right: Hand
    attack: float
    """Beats that the movement takes."""
    accent: float = 0.0


@dataclass
class Score:
    """All events of a dance, in beats from the first beat of the grid."""

    steps: list[Step] = field(default_factory=list)
    shifts: list[tuple[float, float, float]] = field(default_factory=list)
    """(at, x, z): the hips move without a step."""
    drops: list[tuple[float, float, float]] = field(default_factory=list)
    """(at, metres, attack): the hips go down or come up again."""
    jumps: list[tuple[float, float, float]] = field(default_factory=list)
    """(take-off, landing, height)."""
    reaches: list[Reach] = field(default_factory=list)
    accents: list[tuple[float, float]] = field(default_factory=list)
    """(at, strength)."""


@dataclass(frozen=True)
class Bar:
    """Where and how large a move is danced."""

    start: float
    beats: int
    number: int
    """Counted from the start of the phrase."""
    size: float
    rate: float
    """Beats per count: 1, 2 in half time, 0.5 in double time."""
    beat_s: float
    rng: np.random.Generator
    """The same stream for every bar of a phrase, so that a phrase repeats its pattern."""

    @property
    def side(self) -> int:
        return 1 if self.number % 2 == 0 else -1

    def counts(self) -> np.ndarray:
        return np.arange(0.0, self.beats - 1e-6, self.rate)


def _foot(sign: float) -> int:
    return 0 if sign > 0 else 1


def _home(bar: Bar, score: Score, *, width: float = STANCE, lead: float = 0.45) -> None:
    """Both feet come home; a phrase starts with it where the feet are to stand."""
    if bar.number == 0:
        score.steps.append(Step(bar.start, 0, width, 0.0, lead=lead, weight=0.6, lift=0.04))
        score.steps.append(Step(bar.start + 0.5, 1, -width, 0.0, lead=lead, weight=0.5, lift=0.04))


def stand(bar: Bar, score: Score) -> None:
    """Feet planted; the trunk does the dancing."""
    _home(bar, score, width=STANCE * (1.0 + bar.rng.uniform(0.0, 1.0)))


def step_touch(bar: Bar, score: Score) -> None:
    """Side step on one count, the other foot closes on the next."""
    reach = (0.14 + 0.16 * bar.size) * bar.rng.uniform(0.8, 1.2)
    back = bar.rng.choice([0.0, -0.14])
    for k, count in enumerate(bar.counts()):
        sign = 1.0 if (k // 2) % 2 == 0 else -1.0
        at = bar.start + count
        if k % 2 == 0:
            score.steps.append(Step(at, _foot(sign), sign * (reach + STANCE), 0.0, weight=0.7))
            score.accents.append((at, 0.5 * bar.size))
        else:
            x = sign * (reach - 0.7 * STANCE)
            score.steps.append(Step(at, _foot(-sign), x, back, weight=0.2, lift=0.05))


def march(bar: Bar, score: Score) -> None:
    """Knees up in turn, a foot lands on every count."""
    lift = 0.10 + 0.2 * bar.size * bar.rng.uniform(0.4, 1.2)
    for k, count in enumerate(bar.counts()):
        sign = 1.0 if (k % 2 == 0) == (bar.beats % 2 == 0 or bar.side > 0) else -1.0
        x = sign * STANCE
        score.steps.append(
            Step(
                bar.start + count, _foot(sign), x, 0.0, lift=lift, lead=0.85 * bar.rate, weight=0.72
            )
        )
        score.accents.append((bar.start + count, 0.5 * bar.size))


def walk(bar: Bar, score: Score) -> None:
    """Forward in one bar, back in the next."""
    counts = bar.counts()
    pace = 0.1 + 0.13 * bar.size * bar.rng.uniform(0.6, 1.1)
    for k, count in enumerate(counts):
        sign = 1.0 if k % 2 == 0 else -1.0
        gone = (k + 1) if bar.side > 0 else (len(counts) - 1 - k)
        score.steps.append(
            Step(
                bar.start + count,
                _foot(sign),
                sign * STANCE,
                pace * gone - 0.2,
                lead=0.8 * bar.rate,
            )
        )
        score.accents.append((bar.start + count, 0.45 * bar.size))


def kick(bar: Bar, score: Score) -> None:
    """Kick on one count, step on the next, sides in turn."""
    height = (0.15 + 0.3 * bar.size) * bar.rng.uniform(0.6, 1.1)
    across = bar.rng.uniform(-0.5, 1.5)
    for k, count in enumerate(bar.counts()):
        sign = 1.0 if (k // 2) % 2 == 0 else -1.0
        at = bar.start + count
        if k % 2 == 0:
            x = sign * STANCE * across
            score.steps.append(
                Step(at, _foot(sign), x, 0.5, y=height, lift=0.0, lead=0.5, weight=0.12)
            )
            score.accents.append((at, 0.8 * bar.size))
        else:
            score.steps.append(Step(at, _foot(sign), sign * STANCE, 0.0, lead=0.55, weight=0.65))


def lunge(bar: Bar, score: Score) -> None:
    """A wide low step on the one, back on the three."""
    width = 0.3 + 0.25 * bar.size
    forward = bar.rng.choice([0.0, 0.3])
    half = 2.0 if bar.beats >= 3 else 1.0
    foot, x = _foot(bar.side), bar.side * (STANCE + width)
    point = 0.4
    score.steps.append(
        Step(bar.start, foot, x, forward, weight=0.72, lead=0.7, lift=0.1, point=point)
    )
    score.steps.append(Step(bar.start + half, foot, bar.side * STANCE, 0.0, weight=0.5, lead=0.7))
    score.drops.append((bar.start, 0.05 + 0.1 * bar.size, 0.6))
    score.drops.append((bar.start + half, 0.0, 0.7))
    score.accents.append((bar.start, bar.size))


def jump(bar: Bar, score: Score) -> None:
    """Lands on the counts; feet together, or apart and together in turn."""
    every = max(1, round(bar.rng.choice([1.0, 2.0]) if bar.beat_s * bar.rate < 0.75 else 1.0))
    apart = bar.rng.choice([0.0, 0.22])
    flight = float(np.clip(0.26 + 0.14 * bar.size, 0.2, 0.7 * bar.beat_s * bar.rate)) / bar.beat_s
    height = 9.81 * (flight * bar.beat_s) ** 2 / 8
    for k, count in enumerate(bar.counts()):
        if k % every:
            continue
        at = bar.start + count
        wide = STANCE + apart * ((k // every) % 2 == 0)
        score.jumps.append((at - flight, at, height))
        for foot, sign in enumerate((1.0, -1.0)):
            score.steps.append(Step(at, foot, sign * wide, 0.0, lift=0.0, lead=flight, weight=0.5))
        score.drops.append((at + 0.12, 0.05 + 0.05 * bar.size, 0.15))
        score.drops.append((at + 0.45 * every, 0.03, 0.3))
        score.accents.append((at, bar.size))


def squat(bar: Bar, score: Score) -> None:
    """Down on one count, up on the next."""
    _home(bar, score, width=STANCE * 1.7)
    low = 0.1 + 0.16 * bar.size * bar.rng.uniform(0.6, 1.2)
    for k, count in enumerate(bar.counts()):
        depth = low if k % 2 == 0 else 0.0
        score.drops.append((bar.start + count, depth, 0.7 * bar.rate))
        if k % 2 == 0:
            score.accents.append((bar.start + count, 0.8 * bar.size))


def tap(bar: Bar, score: Score) -> None:
    """A foot taps out in front or aside and comes back, sides in turn."""
    aside, ahead = ((0.28, 0.05), (0.0, 0.28), (0.2, -0.22))[int(bar.rng.integers(3))]
    for k, count in enumerate(bar.counts()):
        sign = 1.0 if (k // 2) % 2 == 0 else -1.0
        at = bar.start + count
        if k % 2 == 0:
            x, z = sign * (STANCE + aside * bar.size), ahead * bar.size
            score.steps.append(Step(at, _foot(sign), x, z, weight=0.15, lead=0.5))
            score.accents.append((at, 0.5 * bar.size))
        else:
            score.steps.append(Step(at, _foot(sign), sign * STANCE, 0.0, weight=0.62, lead=0.5))


def grapevine(bar: Bar, score: Score) -> None:
    """Side, behind, side, touch; back again in the next bar."""
    span = 0.2 + 0.1 * bar.size
    sign = float(bar.side)
    start = -1.5 * span * sign
    for k, count in enumerate(bar.counts()):
        at, x = bar.start + count, start + sign * span * (k + 1)
        last = count + bar.rate >= bar.beats - 1e-6
        if k % 2 == 0:
            score.steps.append(Step(at, _foot(sign), x + sign * STANCE, 0.0, weight=0.7))
        else:
            z = 0.0 if last else -0.16
            score.steps.append(Step(at, _foot(-sign), x, z, weight=0.25 if last else 0.65))
        score.accents.append((at, 0.45 * bar.size))


def mambo(bar: Bar, score: Score) -> None:
    """Rock step: out, replace, close, hold; forward and back in turn."""
    z = (0.15 + 0.12 * bar.size) * bar.side
    foot = _foot(bar.side)
    home, other = STANCE * bar.side, -STANCE * bar.side
    score.steps.append(Step(bar.start, foot, home, z, weight=0.68))
    score.steps.append(Step(bar.start + 1, 1 - foot, other, 0.0, weight=0.7, lift=0.05, lead=0.5))
    score.steps.append(Step(bar.start + 2, foot, home, 0.0, weight=0.6))
    score.accents.append((bar.start, 0.8 * bar.size))
    score.accents.append((bar.start + 2, 0.5 * bar.size))


def chasse(bar: Bar, score: Score) -> None:
    """Two steps and a quick three: one, two, three-and-four."""
    travel = 0.1 + 0.08 * bar.size
    times = (0.0, 1.0, 2.0, 2.5, 3.0) if bar.beats >= 4 else (0.0, 1.0, 1.5, 2.0)[: bar.beats + 1]
    x = 0.0
    for k, count in enumerate(times):
        sign = bar.side * (1.0 if k % 2 == 0 else -1.0)
        x = bar.side * travel * (k - len(times) / 2)
        score.steps.append(
            Step(bar.start + count, _foot(sign), x + sign * STANCE, 0.0, weight=0.72, lead=0.42)
        )
        score.accents.append((bar.start + count, (0.6 if count in (0.0, 2.0) else 0.35) * bar.size))


def quarter_turn(bar: Bar, score: Score) -> None:
    """Turns away in two counts and back in two."""
    angle = bar.side * bar.rng.uniform(0.5, 1.2)
    for k, count in enumerate(bar.counts()):
        away = 2 * k < len(bar.counts())
        sign = 1.0 if (k % 2 == 0) == (bar.side > 0) else -1.0
        score.steps.append(
            Step(bar.start + count, _foot(sign), sign * STANCE, 0.0, turn=angle * away, lift=0.09)
        )
        score.accents.append((bar.start + count, 0.5 * bar.size))


def sway(bar: Bar, score: Score) -> None:
    """Wide stance, the weight goes from side to side."""
    _home(bar, score, width=STANCE * 1.9)
    reach = 0.06 + 0.1 * bar.size
    for k, count in enumerate(bar.counts()):
        sign = 1.0 if k % 2 == 0 else -1.0
        score.shifts.append((bar.start + count, sign * reach, 0.0))
        score.accents.append((bar.start + count, 0.35 * bar.size))


def twist(bar: Bar, score: Score) -> None:
    """Both feet pivot on every count, knees and hips with them."""
    _home(bar, score)
    swing = 0.35 + 0.35 * bar.size
    for k, count in enumerate(bar.counts()):
        sign = 1.0 if k % 2 == 0 else -1.0
        for foot, side in enumerate((1.0, -1.0)):
            score.steps.append(
                Step(bar.start + count, foot, side * STANCE, 0.0, lift=0.012, lead=0.6, weight=0.5,
                     point=side * sign * swing)
            )  # fmt: skip
        score.accents.append((bar.start + count, 0.45 * bar.size))


Move = Callable[[Bar, Score], None]

LEGS: dict[str, tuple[Move, float, float, float]] = {
    "stand": (stand, 0.0, 0.8, 1.2), "step_touch": (step_touch, 0.1, 0.9, 2.0),
    "march": (march, 0.2, 1.0, 1.3), "walk": (walk, 0.1, 0.8, 1.0), "kick": (kick, 0.4, 1.0, 0.9),
    "lunge": (lunge, 0.35, 1.0, 0.8), "jump": (jump, 0.6, 1.0, 0.9), "squat": (squat, 0.3, 1.0,
    0.8),
    "tap": (tap, 0.0, 0.7, 1.2), "grapevine": (grapevine, 0.2, 0.9, 0.8),
    "mambo": (mambo, 0.2, 0.9, 0.8), "chasse": (chasse, 0.3, 1.0, 0.7),
    "quarter_turn": (quarter_turn, 0.2, 0.9, 0.6), "sway": (sway, 0.0, 0.8, 1.2),
    "twist": (twist, 0.3, 1.0, 0.7),
}  # fmt: skip
"""Name -> (move, lowest energy, highest energy, how often)."""
