"""Arms that hit, pump, punch and clap: patterns of hand places, one bar at a time."""

from __future__ import annotations

import numpy as np

from .arms_swing import REST
from .events import Hand
from .notation import Bar, Score

READY: Hand = (0.12, -0.5, 0.42)

POSES: tuple[Hand, ...] = (
    REST, READY, (0.28, -0.62, 0.06), (-0.12, -0.2, 0.52), (0.18, 0.92, 0.1), (0.95, 0.02, 0.12),
    (0.1, 0.02, 0.93), (0.68, 0.66, 0.12), (0.66, -0.66, 0.2), (0.3, 0.52, 0.12), (-0.3, -0.1, 0.5),
    (0.5, 0.1, 0.25), (-0.25, -0.6, 0.4),
)  # fmt: skip
"""Where a hand can hit: down, ready, hip, chest, up, side, front, diagonals, head and across."""

CLAP: Hand = (-0.31, -0.22, 0.52)
CLAP_HIGH: Hand = (-0.31, 0.78, 0.25)


def pump(bar: Bar, score: Score) -> None:
    """Fists pump: low on the count, up between, or the other way round."""
    high = bar.rng.random() < 0.45
    both = bar.rng.random() < 0.6
    base, reach = (0.4, 0.2) if high else (-0.45, 0.15)
    low: Hand = (0.22, base - 0.08, 0.38)
    top: Hand = (0.24, base + reach + 0.22 * bar.size, 0.32)
    idle: Hand = (0.15, -0.75, 0.25)
    flip = bar.rng.random() < 0.3
    for count in bar.counts():
        for offset, down in ((0.0, not flip), (0.5 * bar.rate, flip)):
            hand = low if down else top
            pair = (hand, hand if both else idle)
            if bar.hand < 0 and not both:
                pair = (pair[1], pair[0])
            accent = 0.4 * bar.size if offset == 0 else 0.0
            score.reach(bar.start + count + offset, *pair, 0.48 * bar.rate, accent)


def raise_roof(bar: Bar, score: Score) -> None:
    """Palms push up above the shoulders on every count."""
    low: Hand = (0.28, 0.22, 0.22)
    top: Hand = (0.3, 0.55 + 0.3 * bar.size, 0.2)
    for count in bar.counts():
        score.reach(bar.start + count, top, top, 0.42 * bar.rate, 0.45 * bar.size)
        score.reach(bar.start + count + 0.5 * bar.rate, low, low, 0.45 * bar.rate)


def punch(bar: Bar, score: Score) -> None:
    """Left and right in turn: forward, up or aside."""
    aims: tuple[Hand, ...] = ((0.02, 0.0, 0.92), (0.16, 0.9, 0.15), (0.92, 0.05, 0.15))
    aim = aims[int(bar.rng.integers(3))]
    for k, count in enumerate(bar.counts()):
        pair = (aim, READY) if (k % 2 == 0) == (bar.hand > 0) else (READY, aim)
        score.reach(bar.start + count, *pair, 0.42 * bar.rate, 0.55 * bar.size)
        score.reach(bar.start + count + 0.5 * bar.rate, READY, READY, 0.45 * bar.rate)


def hits(bar: Bar, score: Score) -> None:
    """A pattern of poses on beats and eighths, the same in every bar, mirrored in every other."""
    slots = np.arange(0.0, bar.beats, 0.5)
    chance = np.where(slots % 1 == 0, 0.75, 0.12 + 0.25 * bar.rng.random())
    chance[0] = 1.0
    together = bar.rng.random() < 0.6
    for slot, odds in zip(slots, chance, strict=True):
        keep = bar.rng.random() < odds
        first, second = (POSES[int(i)] for i in bar.rng.integers(len(POSES), size=2))
        if not keep:
            continue
        pair = (first, first if together else second)
        if bar.side < 0:
            pair = (pair[1], pair[0])
        strength = (0.9 if slot == 0 else 0.65 if slot % 1 == 0 else 0.45) * bar.size
        score.reach(bar.start + float(slot), *pair, 0.4, strength)


def clap(bar: Bar, score: Score) -> None:
    """Claps on two and four, on every beat, or on the one."""
    closed = CLAP_HIGH if bar.rng.random() < 0.25 else CLAP
    away: Hand = (closed[0] + 0.5, closed[1], closed[2])
    which = int(bar.rng.choice(3, p=[0.6, 0.25, 0.15]))
    for beat in range(bar.beats):
        wanted = (beat % 2 == 1, True, beat == 0)[which]
        if wanted:
            score.reach(bar.start + beat, closed, closed, 0.4, 0.8 * bar.size)
            score.reach(bar.start + beat + 0.5, away, away, 0.45)


def point(bar: Bar, score: Score) -> None:
    """Up to the diagonal on the one, down across the hip on the next count."""
    up: Hand = (0.68, 0.68, 0.12)
    across: Hand = (-0.4, -0.55, 0.4)
    hip: Hand = (0.22, -0.66, 0.05)
    for k, count in enumerate(bar.counts()):
        hand = up if k % 2 == 0 else across
        pair = (hand, hip) if bar.hand > 0 else (hip, hand)
        score.reach(bar.start + count, *pair, 0.55, (0.8 - 0.2 * (k % 2)) * bar.size)


def robot(bar: Bar, score: Score) -> None:
    """Right angles that stop dead, held until the next count."""
    angles: tuple[Hand, ...] = ((0.12, -0.5, 0.5), (0.55, -0.02, 0.5), (0.55, 0.5, 0.15), (0.2, -0.88, 0.1))
    for k, count in enumerate(bar.counts()):
        a, b = angles[(k + bar.number) % 4], angles[(k + 2) % 4]
        pair = (a, b) if bar.hand > 0 else (b, a)
        score.reach(bar.start + count, *pair, 0.35, 0.5 * bar.size)


def air_guitar(bar: Bar, score: Score) -> None:
    """One hand holds the neck, the other strums on the counts."""
    neck: Hand = (0.55, -0.25, 0.45)
    for count in bar.counts():
        for at, up in ((0.0, -0.62), (0.5 * bar.rate, -0.42)):
            strum: Hand = (-0.02, up, 0.36)
            pair = (neck, strum) if bar.hand > 0 else (strum, neck)
            accent = 0.4 * bar.size if at == 0 else 0.0
            score.reach(bar.start + count + at, *pair, 0.45 * bar.rate, accent)


def horns(bar: Bar, score: Score) -> None:
    """A fist in the air beats the time."""
    for count in bar.counts():
        for at, up in ((0.0, 0.62), (0.5 * bar.rate, 0.85)):
            hand: Hand = (0.3, up, 0.25)
            idle: Hand = (0.18, -0.75, 0.2)
            pair = (hand, idle) if bar.hand > 0 else (idle, hand)
            accent = 0.45 * bar.size if at == 0 else 0.0
            score.reach(bar.start + count + at, *pair, 0.48 * bar.rate, accent)


def jazz_hands(bar: Bar, score: Score) -> None:
    """Open hands up and out on one count, low on the next."""
    up: Hand = (0.62, 0.45, 0.35)
    low: Hand = (0.45, -0.55, 0.4)
    for k, count in enumerate(bar.counts()):
        hand = up if k % 2 == 0 else low
        score.reach(bar.start + count, hand, hand, 0.6 * bar.rate, 0.5 * bar.size)


def open_low(bar: Bar, score: Score) -> None:
    """Arms open low to the sides and stay there."""
    hand: Hand = (0.6, -0.45, 0.3)
    if bar.number == 0:
        score.reach(bar.start, hand, hand, 0.9, 0.3 * bar.size)


def pose(bar: Bar, score: Score) -> None:
    """A pose on the one, held for the bar."""
    first, second = (POSES[int(i)] for i in bar.rng.integers(1, len(POSES), size=2))
    pair = (first, second) if bar.side > 0 else (second, first)
    score.reach(bar.start, *pair, 0.5, 0.8 * bar.size)
