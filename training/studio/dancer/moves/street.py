"""Moves of clubs, streets and concerts: house, shuffle, hip-hop, breaking, rock, glides."""

from __future__ import annotations

import numpy as np

from .events import STANCE
from .notation import Bar, Score, foot_of
from .steps import come_home


def jack(bar: Bar, score: Score) -> None:
    """House: the whole trunk rolls forward and back on every beat over bent knees."""
    come_home(bar, score, STANCE * 1.6)
    score.drop(bar.start, 0.05 + 0.03 * bar.size, 0.8)
    off = 0.5 * (bar.rng.random() < 0.3)
    score.wave("chest_pitch", bar, 1.0, 0.14 + 0.2 * bar.size, kind="pulse", top=off)
    score.wave("hip_forward", bar, 1.0, -0.03 - 0.03 * bar.size, top=off)
    score.wave("head_pitch", bar, 1.0, 0.12, top=off + 0.12)
    score.wave("dip", bar, 1.0, 0.03 + 0.04 * bar.size, kind="pulse", top=off, sharp=1.3)
    for k, count in enumerate(bar.counts()):
        if k % 2 == 1 and bar.size > 0.6:
            sign = bar.hand * (1.0 if k % 4 == 1 else -1.0)
            score.step(
                bar.start + count,
                foot_of(sign),
                sign * STANCE * 1.6,
                lift=0.05,
                lead=0.5,
                weight=0.55,
                accent=0.5 * bar.size,
            )


def house_step(bar: Bar, score: Score) -> None:
    """House shuffle: out, in and cross on quick eighths, sides in turn."""
    for half in np.arange(0.0, bar.beats - 1.0 + 1e-6, 2.0):
        sign = bar.hand * (1.0 if (half // 2 + bar.number) % 2 == 0 else -1.0)
        for at, side, x, z in (
            (0.0, 1, 0.3, 0.06),
            (0.5, -1, -0.1, -0.02),
            (1.0, 1, -0.04, 0.22),
            (1.5, -1, -0.14, 0.0),
        ):
            score.step(
                bar.start + half + at,
                foot_of(sign * side),
                sign * x,
                z * bar.size,
                weight=0.75,
                lift=0.045,
                lead=0.42,
                accent=(0.55 if at in (0.0, 1.0) else 0.25) * bar.size,
            )
    score.wave("dip", bar, 1.0, 0.025 + 0.03 * bar.size, kind="pulse")
    score.wave("chest_pitch", bar, 1.0, 0.08, kind="pulse")


def running_man(bar: Bar, score: Score) -> None:
    """A knee comes up while the other foot slides back; feet change on every count."""
    for k, count in enumerate(bar.counts()):
        sign = bar.hand * (1.0 if (k + bar.number * bar.beats) % 2 == 0 else -1.0)
        at, foot = bar.start + count, foot_of(sign)
        score.step(
            at,
            foot,
            sign * 0.09,
            0.2,
            lift=0.14 + 0.12 * bar.size,
            lead=0.5 * bar.rate,
            weight=0.8,
            accent=0.6 * bar.size,
        )
        score.step(
            at,
            1 - foot,
            -sign * 0.09,
            -0.16,
            slide=True,
            lift=0.02,
            lead=0.4 * bar.rate,
            weight=0.3,
            heel=0.3,
        )
    score.wave("dip", bar, bar.rate, 0.02 + 0.03 * bar.size, kind="pulse")


def t_step(bar: Bar, score: Score) -> None:
    """Shuffle: one foot pivots to and fro and travels while the other knee opens and closes."""
    side = float(bar.side)
    stands, free = foot_of(side), foot_of(-side)
    for k, half in enumerate(np.arange(0.0, bar.beats - 1e-6, 0.5 * max(bar.rate, 1.0))):
        at = bar.start + half
        x = side * (0.05 * k * bar.size)
        inward = k % 2 == 0
        score.step(
            at,
            stands,
            x + side * 0.08,
            slide=True,
            lift=0.012,
            lead=0.4,
            point=-0.5 if inward else 0.35,
            weight=0.85,
        )
        out = -side * (0.1 if inward else 0.26)
        score.step(
            at,
            free,
            x + out,
            0.02,
            y=0.0 if inward else 0.1,
            lift=0.04,
            lead=0.4,
            point=0.35 if inward else -0.2,
            weight=0.12,
            accent=(0.6 if k % 2 == 0 else 0.3) * bar.size,
        )
    score.wave("dip", bar, 1.0, 0.02, kind="pulse")


def skank(bar: Bar, score: Score) -> None:
    """Knees come up in turn with a hop, arms run along."""
    flight = min(0.35, 0.16 / bar.beat_s)
    for k, count in enumerate(bar.counts()):
        sign = bar.hand * (1.0 if (k + bar.number * bar.beats) % 2 == 0 else -1.0)
        at, foot = bar.start + count, foot_of(sign)
        score.step(at, foot, sign * 0.1, 0.02, lift=0.05, lead=0.5, weight=0.9, accent=0.7 * bar.size)
        score.step(
            at + 0.08, 1 - foot, -sign * 0.12, 0.16, y=0.1 + 0.12 * bar.size, lift=0.0, lead=0.45, weight=0.05
        )
        if bar.size > 0.75:
            score.jump(at - flight, at, 9.81 * (flight * bar.beat_s) ** 2 / 8)
    score.wave("chest_pitch", bar, 1.0, 0.1, kind="pulse")
    score.wave("dip", bar, 1.0, 0.03, kind="pulse")


def toprock(bar: Bar, score: Score) -> None:
    """Breaking, standing: cross in front with a turn of the shoulders, and back, sides in turn."""
    for half in np.arange(0.0, bar.beats - 1.0 + 1e-6, 2.0):
        sign = bar.hand * (1.0 if (half // 2) % 2 == 0 else -1.0)
        at, foot = bar.start + half, foot_of(sign)
        turn = -0.45 * sign
        score.step(at, foot, -sign * 0.08, 0.3, lift=0.09, weight=0.75, lead=0.7, accent=0.8 * bar.size)
        score.face(at, turn, 0.7)
        score.step(at + 0.5, 1 - foot, -sign * 0.2, -0.02, lift=0.04, lead=0.4, weight=0.5)
        score.step(
            at + 1, foot, sign * STANCE * 1.2, 0.0, lift=0.07, lead=0.45, weight=0.6, accent=0.5 * bar.size
        )
        score.face(at + 1, 0.0, 0.7)
        score.step(at + 1.5, 1 - foot, -sign * STANCE * 1.2, 0.0, lift=0.03, lead=0.4, weight=0.5)
    score.wave("dip", bar, 1.0, 0.03 + 0.03 * bar.size, kind="pulse")


def indian_step(bar: Bar, score: Score) -> None:
    """Step across and kick out with a hop of the other foot, arms open and close."""
    for k, count in enumerate(np.arange(0.0, bar.beats - 1e-6, 2.0)):
        sign = bar.hand * (1.0 if (k + bar.number) % 2 == 0 else -1.0)
        at, foot = bar.start + count, foot_of(sign)
        score.step(at, foot, -sign * 0.06, 0.22, lift=0.1, lead=0.6, weight=0.85, accent=0.7 * bar.size)
        score.step(
            at + 1,
            1 - foot,
            -sign * 0.3,
            0.2,
            y=0.14 + 0.14 * bar.size,
            lift=0.0,
            lead=0.6,
            weight=0.05,
            accent=0.5 * bar.size,
        )
        score.step(at + 1.5, 1 - foot, -sign * STANCE, -0.02, lift=0.05, lead=0.4, weight=0.5)
        score.poke("chest_yaw", at, -sign * 0.4, 0.6)
        score.poke("chest_yaw", at + 1, sign * 0.25, 0.6)


def bart(bar: Bar, score: Score) -> None:
    """Hip-hop: a foot crosses in front and opens again with a low double bounce."""
    side = float(bar.side)
    foot = foot_of(side)
    for half in np.arange(0.0, bar.beats - 1.0 + 1e-6, 2.0):
        at = bar.start + half
        score.step(
            at, foot, -side * 0.06, 0.24, weight=0.3, lift=0.06, heel=0.2, lead=0.5, accent=0.6 * bar.size
        )
        score.step(
            at + 1,
            foot,
            side * (0.2 + 0.1 * bar.size),
            0.05,
            weight=0.55,
            lift=0.06,
            lead=0.55,
            accent=0.6 * bar.size,
        )
        score.drop(at, 0.06 + 0.05 * bar.size, 0.45)
        score.drop(at + 0.5, 0.03, 0.4)
        score.drop(at + 1, 0.06 + 0.06 * bar.size, 0.45)
        score.drop(at + 1.5, 0.03, 0.4)


def rock_bounce(bar: Bar, score: Score) -> None:
    """Hip-hop bounce: low on the beat, the weight rocks from foot to foot, shoulders answer."""
    come_home(bar, score, STANCE * 1.7)
    deep = 0.05 + 0.07 * bar.size
    for k, count in enumerate(bar.counts()):
        sign = bar.hand * (1.0 if k % 2 == 0 else -1.0)
        at = bar.start + count
        score.drop(at, deep, 0.45 * bar.rate, 0.55 * bar.size)
        score.drop(at + 0.5 * bar.rate, 0.015, 0.45 * bar.rate)
        score.hip(at, sign * 0.07 * bar.size, 0.0, 0.7 * bar.rate)
        score.poke("chest_roll", at, -sign * 0.12 * bar.size, 0.6 * bar.rate)
        score.poke("chest_pitch", at, 0.16, 0.45 * bar.rate)
        score.poke("chest_pitch", at + 0.5 * bar.rate, 0.05, 0.45 * bar.rate)


def twist(bar: Bar, score: Score) -> None:
    """Both feet turn on their balls on every count, knees and hips with them."""
    come_home(bar, score, STANCE * 1.2)
    swing, low = 0.3 + 0.3 * bar.size, bar.rng.uniform(0.02, 0.12)
    score.drop(bar.start, low * (0.4 + bar.size), 1.0)
    for k, count in enumerate(bar.counts()):
        sign = bar.hand * (1.0 if k % 2 == 0 else -1.0)
        at = bar.start + count
        for foot, side in enumerate((1.0, -1.0)):
            score.pivot(
                at, foot, point=side * sign * swing, lead=0.7 * bar.rate, heel=0.18, accent=0.45 * bar.size
            )
        score.poke("pelvis_yaw", at, sign * 0.4 * bar.size, 0.7 * bar.rate)
        score.poke("chest_yaw", at, -sign * 0.35 * bar.size, 0.7 * bar.rate)


def pogo(bar: Bar, score: Score) -> None:
    """Straight up and down on every count, feet together."""
    every = 1 if bar.beat_s * bar.rate > 0.36 else 2
    flight_s = float(np.clip(0.24 + 0.1 * bar.size, 0.18, 0.6 * bar.beat_s * bar.rate * every))
    flight = flight_s / bar.beat_s
    for count in bar.counts()[::every]:
        at = bar.start + count
        score.jump(at - flight, at, 9.81 * flight_s**2 / 8, bar.size)
        for foot, sign in enumerate((1.0, -1.0)):
            score.step(at, foot, sign * 0.09, lift=0.0, lead=flight, weight=0.5)


def headbang(bar: Bar, score: Score) -> None:
    """Wide stance, head and chest go down on every count."""
    come_home(bar, score, STANCE * 2.1)
    deep = 0.2 + 0.3 * bar.size
    score.drop(bar.start, 0.05 * bar.size, 0.8)
    for count in bar.counts():
        at = bar.start + count
        score.poke("chest_pitch", at, deep, 0.42 * bar.rate, 0.7 * bar.size)
        score.poke("chest_pitch", at + 0.5 * bar.rate, 0.05, 0.45 * bar.rate)
        score.poke("head_pitch", at + 0.05, 0.3 + 0.35 * bar.size, 0.4 * bar.rate)
        score.poke("head_pitch", at + 0.55 * bar.rate, -0.2, 0.45 * bar.rate)


def glide(bar: Bar, score: Score) -> None:
    """Slides to one side: one foot on its ball, the other glides flat, in turn."""
    side = float(bar.side)
    span = 0.16 + 0.1 * bar.size
    x = -side * span * len(bar.counts()) / 4
    for k, count in enumerate(bar.counts()):
        at = bar.start + count
        opens = k % 2 == 0
        foot = foot_of(side if opens else -side)
        x += side * span * 0.5
        place = x + (STANCE if foot == 0 else -STANCE) * (1.3 if opens else 0.6)
        score.step(
            at, foot, place, slide=True, lift=0.01, lead=0.85 * bar.rate, weight=0.7, accent=0.35 * bar.size
        )
        score.pivot(at, 1 - foot, heel=0.4, lead=0.5, weight=0.35)


def moonwalk(bar: Bar, score: Score) -> None:
    """Glides backward in profile, foot by foot; the next bar walks back."""
    pace, turn = 0.14 + 0.07 * bar.size, 1.2 * bar.hand
    counts = bar.counts()
    score.face(bar.start, turn, 1.2)
    for k, count in enumerate(counts):
        sign = bar.hand * (1.0 if k % 2 == 0 else -1.0)
        at, foot = bar.start + count, foot_of(sign)
        if bar.number % 2 == 1:
            z = -pace * (len(counts) - 1 - k)
            score.step(at, foot, sign * 0.09, z, turn=turn, lead=0.7 * bar.rate)
            continue
        score.step(
            at,
            foot,
            sign * 0.08,
            -pace * (k + 1),
            turn=turn,
            slide=True,
            lift=0.01,
            lead=0.8 * bar.rate,
            weight=0.35,
            accent=0.4 * bar.size,
        )
        score.pivot(at, 1 - foot, turn=turn, heel=0.55, lead=0.4, weight=0.7)
