"""Moves that everybody has: standing grooves, steps, walks and levels."""

from __future__ import annotations

from .events import STANCE
from .notation import Bar, Score, foot_of


def come_home(bar: Bar, score: Score, width: float = STANCE, lead: float = 0.45) -> None:
    """Both feet come home; a phrase starts with it where the feet are to stand."""
    if bar.number == 0:
        first = foot_of(bar.hand)
        for foot, at in ((first, bar.start), (1 - first, bar.start + 0.5)):
            x = width if foot == 0 else -width
            score.step(at, foot, x, lead=lead, weight=0.55, lift=0.035)


def groove(bar: Bar, score: Score) -> None:
    """Feet planted; the knees bend with the beat and the trunk does the dancing."""
    come_home(bar, score, STANCE * (1.0 + bar.rng.uniform(0.0, 1.0)))
    deep = (0.015 + 0.045 * bar.size) * bar.rng.uniform(0.5, 1.3)
    off = 0.5 * bar.rate * (bar.rng.random() < 0.25)
    for count in bar.counts():
        score.drop(bar.start + count + off, deep, 0.45 * bar.rate, 0.35 * bar.size)
        score.drop(bar.start + count + off + 0.5 * bar.rate, 0.0, 0.45 * bar.rate)


def stand(bar: Bar, score: Score) -> None:
    """Hardly anything: the weight changes once a bar."""
    come_home(bar, score)
    score.hip(bar.start, 0.05 * bar.side, 0.0, 1.2)


def sway(bar: Bar, score: Score) -> None:
    """Wide stance, the weight goes from side to side."""
    come_home(bar, score, STANCE * 1.9)
    reach = 0.05 + 0.1 * bar.size
    for k, count in enumerate(bar.counts()):
        sign = bar.side * (1.0 if k % 2 == 0 else -1.0)
        score.hip(bar.start + count, sign * reach, 0.0, 0.9 * bar.rate, 0.35 * bar.size)


def hip_bumps(bar: Bar, score: Score) -> None:
    """Hips strike to one side and the other, or twice to each."""
    come_home(bar, score, STANCE * 1.4)
    twice = bar.rng.random() < 0.4
    out = 0.05 + 0.08 * bar.size
    for k, count in enumerate(bar.counts()):
        sign = bar.side * (1.0 if (k // 2 if twice else k) % 2 == 0 else -1.0)
        at = bar.start + count
        score.hip(at, sign * out, 0.0, 0.35 * bar.rate, 0.55 * bar.size)
        score.poke("pelvis_roll", at, -sign * 0.14 * bar.size, 0.35 * bar.rate)
        if twice:
            score.hip(at + 0.5 * bar.rate, sign * out * 0.4, 0.0, 0.35 * bar.rate)


def step_touch(bar: Bar, score: Score) -> None:
    """Side step on one count, the other foot closes on the next."""
    reach = (0.09 + 0.1 * bar.size) * bar.rng.uniform(0.8, 1.2)
    back = bar.rng.choice([0.0, -0.14])
    for k, count in enumerate(bar.counts()):
        sign = bar.hand * (1.0 if ((k + bar.number * bar.beats) // 2) % 2 == 0 else -1.0)
        at, closes = bar.start + count, (k + bar.number * bar.beats) % 2 == 1
        if not closes:
            score.step(at, foot_of(sign), sign * (reach + STANCE), weight=0.72, accent=0.5 * bar.size)
        else:
            x = sign * (reach - 0.7 * STANCE)
            score.step(at, foot_of(-sign), x, back, weight=0.2, lift=0.045, accent=0.25 * bar.size)


def two_step(bar: Bar, score: Score) -> None:
    """Two steps to one side with a bounce on each, two back."""
    travel = 0.16 + 0.1 * bar.size
    x = 0.0 if bar.side == bar.hand else bar.hand * travel * (bar.beats // 2)
    for k, count in enumerate(bar.counts()):
        opens = k % 2 == 0
        sign = bar.side
        x += sign * travel * 0.5
        foot = foot_of(sign if opens else -sign)
        place = x + (STANCE if foot == 0 else -STANCE) * (1.2 if opens else 0.8)
        score.step(bar.start + count, foot, place, weight=0.7, lift=0.05, accent=0.5 * bar.size)
        score.drop(bar.start + count, 0.02 + 0.03 * bar.size, 0.4 * bar.rate)
        score.drop(bar.start + count + 0.5 * bar.rate, 0.0, 0.45 * bar.rate)


def tap(bar: Bar, score: Score) -> None:
    """A foot taps out in front, aside or behind and comes back, sides in turn."""
    aside, ahead = ((0.28, 0.05), (0.0, 0.28), (0.12, -0.24))[int(bar.rng.integers(3))]
    for k, count in enumerate(bar.counts()):
        sign = bar.hand * (1.0 if ((k + bar.number * bar.beats) // 2) % 2 == 0 else -1.0)
        at = bar.start + count
        if (k + bar.number * bar.beats) % 2 == 0:
            x, z = sign * (STANCE + aside * bar.size), ahead * bar.size
            score.step(at, foot_of(sign), x, z, weight=0.12, lead=0.45, heel=0.25, accent=0.5 * bar.size)
        else:
            score.step(at, foot_of(sign), sign * STANCE, weight=0.62, lead=0.5)


def march(bar: Bar, score: Score) -> None:
    """Knees up in turn, a foot lands on every count."""
    lift = 0.10 + 0.2 * bar.size * bar.rng.uniform(0.4, 1.2)
    for k, count in enumerate(bar.counts()):
        sign = bar.hand * (1.0 if (k + bar.number * bar.beats) % 2 == 0 else -1.0)
        score.step(
            bar.start + count,
            foot_of(sign),
            sign * STANCE,
            lift=lift,
            lead=0.85 * bar.rate,
            weight=0.75,
            accent=0.55 * bar.size,
        )


def walk(bar: Bar, score: Score) -> None:
    """Forward in one bar, back in the next."""
    counts = bar.counts()
    pace = 0.1 + 0.13 * bar.size * bar.rng.uniform(0.6, 1.1)
    for k, count in enumerate(counts):
        sign = bar.hand * (1.0 if (k + bar.number * len(counts)) % 2 == 0 else -1.0)
        gone = (k + 1) if bar.number % 2 == 0 else (len(counts) - 1 - k)
        score.step(
            bar.start + count,
            foot_of(sign),
            sign * STANCE * 0.8,
            pace * gone - 0.2,
            lead=0.8 * bar.rate,
            accent=0.45 * bar.size,
        )


def grapevine(bar: Bar, score: Score) -> None:
    """Side, behind, side, touch; back again in the next bar."""
    span = 0.2 + 0.1 * bar.size
    sign = float(bar.side)
    start = -1.5 * span * sign
    for k, count in enumerate(bar.counts()):
        at, x = bar.start + count, start + sign * span * (k + 1)
        last = count + bar.rate >= bar.beats - 1e-6
        if k % 2 == 0:
            score.step(at, foot_of(sign), x + sign * STANCE, weight=0.7, accent=0.45 * bar.size)
        else:
            score.step(
                at,
                foot_of(-sign),
                x,
                0.0 if last else -0.18,
                weight=0.25 if last else 0.65,
                accent=0.45 * bar.size,
            )


def kick(bar: Bar, score: Score) -> None:
    """Kick on one count, step on the next, sides in turn."""
    height = (0.15 + 0.3 * bar.size) * bar.rng.uniform(0.6, 1.1)
    across = bar.rng.uniform(-0.3, 1.5)
    for k, count in enumerate(bar.counts()):
        turn = k + bar.number * bar.beats
        sign = bar.hand * (1.0 if (turn // 2) % 2 == 0 else -1.0)
        at = bar.start + count
        if turn % 2 == 0:
            score.step(
                at,
                foot_of(sign),
                sign * STANCE * across,
                0.42,
                y=height,
                lift=0.0,
                lead=0.5,
                weight=0.05,
                accent=0.8 * bar.size,
            )
        else:
            score.step(at, foot_of(sign), sign * STANCE, lead=0.55, weight=0.65)


def knee_lift(bar: Bar, score: Score) -> None:
    """A knee comes up high on one count and goes down on the next."""
    height = 0.2 + 0.25 * bar.size
    cross = bar.rng.choice([0.2, 0.8])
    for k, count in enumerate(bar.counts()):
        turn = k + bar.number * bar.beats
        sign = bar.hand * (1.0 if (turn // 2) % 2 == 0 else -1.0)
        at = bar.start + count
        if turn % 2 == 0:
            score.step(
                at,
                foot_of(sign),
                sign * STANCE * cross,
                0.1,
                y=height,
                lift=0.0,
                lead=0.55,
                weight=0.05,
                accent=0.7 * bar.size,
            )
        else:
            score.step(at, foot_of(sign), sign * STANCE, lead=0.6, weight=0.6)


def lunge(bar: Bar, score: Score) -> None:
    """A wide low step on the one, back on the three."""
    width = 0.3 + 0.2 * bar.size
    forward = bar.rng.choice([0.0, 0.3])
    half = 2.0 if bar.beats >= 4 else 1.0
    foot, x = foot_of(bar.side), bar.side * (STANCE + width)
    score.step(bar.start, foot, x, forward, weight=0.72, lead=0.7, lift=0.1, point=0.4, accent=bar.size)
    score.step(bar.start + half, foot, bar.side * STANCE, weight=0.5, lead=0.7)
    score.drop(bar.start + 0.1, 0.05 + 0.08 * bar.size, 0.6)
    score.drop(bar.start + half, 0.0, 0.7)


def squat(bar: Bar, score: Score) -> None:
    """Down on one count, up on the next."""
    come_home(bar, score, STANCE * 1.8)
    low = 0.1 + 0.16 * bar.size * bar.rng.uniform(0.6, 1.2)
    for k, count in enumerate(bar.counts()):
        down = k % 2 == 0
        score.drop(bar.start + count, low if down else 0.0, 0.7 * bar.rate, 0.8 * bar.size if down else 0.0)
        score.poke("chest_pitch", bar.start + count, 0.22 * down, 0.7 * bar.rate)


def get_down(bar: Bar, score: Score) -> None:
    """Lower with every count, up again at the end of the second bar."""
    come_home(bar, score, STANCE * 2.0)
    deepest = 0.16 + 0.14 * bar.size
    counts = bar.counts()
    for k, count in enumerate(counts):
        if bar.number % 2 == 0:
            depth = deepest * (k + 1) / len(counts)
        else:
            depth = deepest * max(0.0, 1 - (k + 1) / max(len(counts) - 1, 1))
        score.drop(bar.start + count, depth, 0.4 * bar.rate, 0.6 * bar.size)
        score.poke("chest_pitch", bar.start + count, 1.2 * depth, 0.4 * bar.rate)
