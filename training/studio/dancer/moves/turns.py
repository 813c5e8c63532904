"""Jumps and turns, which everybody has."""

from __future__ import annotations

import numpy as np

from .events import STANCE
from .notation import Bar, Score, foot_of
from .steps import march


def _flight(bar: Bar, most_beats: float) -> tuple[float, float]:
    """Beats in the air and metres of height."""
    flight_s = float(np.clip(0.22 + 0.14 * bar.size, 0.18, most_beats * bar.beat_s))
    return flight_s / bar.beat_s, 9.81 * flight_s**2 / 8


def jump(bar: Bar, score: Score) -> None:
    """Lands on the counts; feet together, or apart and together in turn (jumping jack)."""
    every = 1 if bar.beat_s * bar.rate > 0.5 and bar.rng.random() < 0.5 else 2
    apart = bar.rng.choice([0.0, 0.2])
    flight, height = _flight(bar, 0.6 * bar.rate)
    for k, count in enumerate(bar.counts()):
        if k % every:
            continue
        at = bar.start + count
        wide = STANCE + apart * ((k // every) % 2 == 0)
        score.jump(at - flight, at, height, bar.size)
        for foot, sign in enumerate((1.0, -1.0)):
            score.step(at, foot, sign * wide, lift=0.0, lead=flight, weight=0.5)


def hop(bar: Bar, score: Score) -> None:
    """Two hops on one leg, two on the other; the free foot stays up."""
    flight, height = _flight(bar, 0.45 * bar.rate)
    height, flight = 0.6 * height, 0.78 * flight
    for k, count in enumerate(bar.counts()):
        sign = bar.hand * (1.0 if (k // 2) % 2 == 0 else -1.0)
        at, foot = bar.start + count, foot_of(sign)
        score.jump(at - flight, at, height, 0.8 * bar.size)
        score.step(at, foot, sign * 0.06, lift=0.0, lead=flight, weight=0.95)
        if k % 2 == 0:
            score.step(at, 1 - foot, -sign * 0.1, -0.08, y=0.18, lift=0.0, lead=0.4, weight=0.05)


def quarter_turn(bar: Bar, score: Score) -> None:
    """Turns away in two counts and back in two."""
    angle = bar.side * bar.rng.uniform(0.5, 1.2)
    half = len(bar.counts()) / 2
    for k, count in enumerate(bar.counts()):
        turn = angle * max(0.0, 1 - abs((k + 1) / half - 1))
        sign = bar.side if k % 2 == 0 else -bar.side
        at = bar.start + count
        score.step(at, foot_of(sign), sign * STANCE, turn=turn, lift=0.08, accent=0.5 * bar.size)
        score.face(at, turn, 0.8 * bar.rate)


def spin(bar: Bar, score: Score) -> None:
    """All the way round in a bar, foot by foot, then a bar on the spot."""
    counts = bar.counts()
    around = 2 * np.pi * bar.hand
    if bar.number % 2 == 1:
        march(bar, score)
        return
    for k, count in enumerate(counts):
        turn = around * (k + 1) / len(counts)
        sign = bar.hand if k % 2 == 0 else -bar.hand
        at = bar.start + count
        score.step(
            at,
            foot_of(sign),
            sign * 0.1,
            turn=turn,
            lift=0.05,
            weight=0.8,
            accent=(0.5 if k < len(counts) - 1 else 0.9) * bar.size,
        )
        score.pivot(at, foot_of(-sign), turn=turn, lead=0.8, heel=0.25, weight=0.3)
        score.face(at, turn, 1.0 * bar.rate)
    score.heading += around


def pivot_turn(bar: Bar, score: Score) -> None:
    """A step ahead and half a turn on the balls of the feet; the same again to come back."""
    around = -np.pi * bar.hand
    foot, sign = foot_of(bar.hand), float(bar.hand)
    for k in range(2 if bar.beats >= 4 else 1):
        at = bar.start + 2 * k
        score.step(at, foot, -sign * 0.17, 0.28, weight=0.6, accent=0.6 * bar.size)
        score.pivot(at + 1, foot, turn=around, lead=0.8, heel=0.2, weight=0.5)
        score.pivot(at + 1, 1 - foot, turn=around, lead=0.8, heel=0.2, weight=0.5, accent=0.7 * bar.size)
        score.face(at + 1, around, 0.9)
        score.heading += around


def chase_turn(bar: Bar, score: Score) -> None:
    """Three steps to the side with a whole turn and a touch; the next bar comes back."""
    span, sign = 0.22 + 0.08 * bar.size, float(bar.side)
    start = -1.5 * span * sign
    for k, count in enumerate(bar.counts()):
        at = bar.start + count
        lands = sign if k % 2 == 0 else -sign
        turn = sign * 2 * np.pi * min(k + 1, 3) / 3 if bar.beats >= 4 else 0.0
        middle = start + sign * span * min(k + 1, 3)
        x, z = lands * STANCE + middle * np.cos(turn), middle * np.sin(turn)
        score.step(at, foot_of(lands), x, z, turn=turn, weight=0.72 if k < 3 else 0.3, accent=0.5 * bar.size)
        score.pivot(at, foot_of(-lands), turn=turn, lead=0.7, heel=0.15, weight=0.4)
        score.face(at, turn, 0.9)
    if bar.beats >= 4:
        score.heading += sign * 2 * np.pi
