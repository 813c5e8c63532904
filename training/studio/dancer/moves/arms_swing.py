"""Arms that swing, flow, wave and circle: patterns of hand places, one bar at a time."""

from __future__ import annotations

import numpy as np

from .events import Hand
from .notation import Bar, Score

REST: Hand = (0.16, -0.9, 0.12)


def rest(bar: Bar, score: Score) -> None:
    """Arms hang, or hands rest on the hips."""
    hand = REST if bar.rng.random() < 0.65 else (0.22, -0.66, 0.05)
    if bar.number == 0:
        score.reach(bar.start, hand, hand, 0.9)


def swing(bar: Bar, score: Score) -> None:
    """One arm forward, the other back, in turn."""
    wide, bent = 0.2 + 0.35 * bar.size, bar.rng.uniform(0.0, 0.35)
    ahead: Hand = (0.1 - 0.2 * bent, -0.85 + bent, 0.15 + wide)
    behind: Hand = (0.2, -0.85 + bent, 0.05 - 0.7 * wide * (1 - bent))
    for k, count in enumerate(bar.counts()):
        pair = (ahead, behind) if (k % 2 == 0) == (bar.hand > 0) else (behind, ahead)
        score.reach(bar.start + count, *pair, 0.97 * bar.rate, 0.25 * bar.size)


def swing_across(bar: Bar, score: Score) -> None:
    """Both arms swing to one side, then to the other."""
    height = bar.rng.uniform(-0.65, 0.3)
    out: Hand = (0.55 + 0.2 * bar.size, height, 0.3)
    cross: Hand = (-0.3 - 0.1 * bar.size, height - 0.05, 0.52)
    for k, count in enumerate(bar.counts()):
        pair = (out, cross) if (k % 2 == 0) == (bar.hand > 0) else (cross, out)
        score.reach(bar.start + count, *pair, 0.95 * bar.rate, 0.35 * bar.size)


def wave(bar: Bar, score: Score) -> None:
    """Arms overhead go from side to side, or up and down in turn."""
    overhead = bar.rng.random() < 0.6
    for k, count in enumerate(bar.counts()):
        sign = bar.hand * (1.0 if k % 2 == 0 else -1.0)
        if overhead:
            lean = 0.4 * sign
            pair: tuple[Hand, Hand] = ((0.12 + lean, 0.8, 0.18), (0.12 - lean, 0.8, 0.18))
        else:
            up: Hand = (0.85, 0.35, 0.15)
            low: Hand = (0.85, -0.3, 0.15)
            pair = (up, low) if sign > 0 else (low, up)
        score.reach(bar.start + count, *pair, 0.98 * bar.rate, 0.3 * bar.size)


def circle(bar: Bar, score: Score) -> None:
    """Both hands draw large circles, once in two beats."""
    period = 2.0 * max(bar.rate, 1.0) if bar.beats != 3 else 3.0
    apart = 0.0 if bar.rng.random() < 0.6 else np.pi
    _round(bar, score, (0.35, 0.15, 0.35), (0.38, 0.42, 0.1), period, apart)


def roll(bar: Bar, score: Score) -> None:
    """Hands roll around each other in front of the chest."""
    period = max(bar.rate, 1.0)
    high = bar.rng.uniform(-0.45, 0.1)
    _round(bar, score, (-0.06, high, 0.5), (0.0, 0.14, 0.13), period, np.pi)


def _round(bar: Bar, score: Score, middle: Hand, radii: Hand, period: float, apart: float) -> None:
    """Hands go round a middle; six places a turn."""
    for offset in np.arange(0.0, bar.beats - 1e-6, period / 6):
        angle = 2 * np.pi * offset / period
        pair: list[Hand] = [
            (
                float(middle[0] + radii[0] * np.sin(a)),
                float(middle[1] - radii[1] * np.cos(a)),
                float(middle[2] + radii[2] * np.sin(a)),
            )
            for a in (angle, angle + apart)
        ]
        score.reach(bar.start + float(offset), pair[0], pair[1], period / 6, flow=True)


def flow(bar: Bar, score: Score) -> None:
    """Soft arms that open, rise and sink over the bar without a stop."""
    lift = bar.rng.uniform(-0.1, 0.7)
    both = bar.rng.random() < 0.5
    half = bar.beats / 2
    wide: Hand = (0.75, lift * (0.4 + 0.6 * bar.size), 0.3)
    low: Hand = (0.35, -0.6, 0.35)
    near: Hand = (0.05, -0.15, 0.5)
    for k, (hand, other) in enumerate(((wide, low if not both else wide), (near, wide))):
        pair = (hand, other if not both or k == 0 else near)
        if bar.side < 0:
            pair = (pair[1], pair[0])
        score.reach(bar.start + half * k, *pair, half, flow=True)


def snake(bar: Bar, score: Score) -> None:
    """A wave runs through the arms: hands rise and sink one after the other, arms out."""
    period = 2.0 * max(bar.rate, 1.0) if bar.beats != 3 else 3.0
    _round(bar, score, (0.78, 0.0, 0.22), (0.06, 0.38, 0.05), period, np.pi)


def frame(bar: Bar, score: Score) -> None:
    """The ballroom hold, alone: elbows up, one hand out, the other at a partner's back."""
    if bar.number == 0:
        out: Hand = (0.62, 0.05, 0.38)
        near: Hand = (0.18, -0.12, 0.55)
        pair = (out, near) if bar.hand > 0 else (near, out)
        score.reach(bar.start, *pair, 0.9)
        return
    breath = 0.06 * bar.size * bar.side
    a: Hand = (0.62, 0.05 + breath, 0.38)
    b: Hand = (0.18, -0.12 - breath, 0.55)
    score.reach(bar.start + 0.5, *((a, b) if bar.hand > 0 else (b, a)), 1.2, flow=True)


def snap(bar: Bar, score: Score) -> None:
    """Loose bent arms; small flicks on two and four."""
    loose: Hand = (0.18, -0.5, 0.42)
    flick: Hand = (0.38, -0.3, 0.42)
    for beat in range(bar.beats):
        hand = flick if beat % 2 == 1 else loose
        score.reach(bar.start + beat, hand, hand, 0.4, 0.4 * bar.size * (beat % 2))


def run_along(bar: Bar, score: Score) -> None:
    """Skank: bent arms run along, elbows back and fists up in turn."""
    up: Hand = (0.05, -0.1, 0.55)
    back: Hand = (0.25, -0.55, -0.1)
    for k, count in enumerate(bar.counts()):
        pair = (up, back) if (k % 2 == 0) == (bar.hand < 0) else (back, up)
        score.reach(bar.start + count, *pair, 0.85 * bar.rate, 0.45 * bar.size)


def cross_open(bar: Bar, score: Score) -> None:
    """Toprock: arms cross low in front and open wide."""
    cross: Hand = (-0.22, -0.5, 0.5)
    wide: Hand = (0.8, -0.2, 0.25)
    for k, count in enumerate(np.arange(0.0, bar.beats - 1e-6, max(bar.rate, 1.0))):
        hand = cross if k % 2 == 0 else wide
        score.reach(bar.start + float(count), hand, hand, 0.65, 0.4 * bar.size)


def fly(bar: Bar, score: Score) -> None:
    """Arms open on one count and close on the next."""
    lift = bar.rng.uniform(-0.3, 0.6)
    wide: Hand = (0.8, lift, 0.2)
    near: Hand = (-0.02, -0.3, 0.5)
    for k, count in enumerate(bar.counts()):
        hand = wide if k % 2 == 0 else near
        score.reach(bar.start + count, hand, hand, 0.6 * bar.rate, 0.5 * bar.size)
