"""Moves of couple dances: Latin and swing."""

from __future__ import annotations

import numpy as np

from .events import STANCE
from .notation import Bar, Score, foot_of
from .steps import come_home


def _hip_sway(bar: Bar, score: Score, at: float, sign: float, attack: float = 0.8) -> None:
    """Hips settle over the foot that was stepped on."""
    out = 0.03 + 0.045 * bar.size
    score.hip(at + 0.15, sign * out, 0.0, attack)
    score.poke("pelvis_roll", at + 0.15, -sign * (0.05 + 0.1 * bar.size), attack)
    score.poke("chest_roll", at + 0.15, sign * (0.03 + 0.05 * bar.size), attack)


def mambo(bar: Bar, score: Score) -> None:
    """Salsa or mambo basic: out, replace, close, hold; forward and back in turn."""
    z = (0.24 + 0.14 * bar.size) * bar.side
    first = foot_of(bar.side)
    home = STANCE if first == 0 else -STANCE
    for at, foot, x, zz, accent in (
        (0.0, first, home, z, 0.8),
        (1.0, 1 - first, -home, 0.0, 0.4),
        (2.0, first, home, 0.0, 0.6),
    ):
        if at < bar.beats:
            score.step(
                bar.start + at, foot, x * 0.8, zz, weight=0.8, lift=0.04, lead=0.55, accent=accent * bar.size
            )
            _hip_sway(bar, score, bar.start + at, 1.0 if foot == 0 else -1.0)


def cumbia(bar: Bar, score: Score) -> None:
    """Back-cross and replace, to one side and the other."""
    first = foot_of(-bar.side)
    home = STANCE if first == 0 else -STANCE
    score.step(
        bar.start, first, -0.5 * home, -0.22 - 0.06 * bar.size, weight=0.62, heel=0.3, accent=0.7 * bar.size
    )
    score.step(bar.start + 1, 1 - first, -home, weight=0.75, lift=0.03, accent=0.4 * bar.size)
    score.step(bar.start + 2, first, home, weight=0.6, accent=0.5 * bar.size)
    score.face(bar.start, 0.35 * bar.side, 0.7)
    score.face(bar.start + 2, 0.0, 0.8)
    _hip_sway(bar, score, bar.start + 2, 1.0 if first == 0 else -1.0)


def cha_cha(bar: Bar, score: Score) -> None:
    """Rock step on two beats, then cha-cha-cha to the side."""
    first, z = foot_of(bar.side), (0.18 + 0.12 * bar.size) * bar.side
    sign = 1.0 if first == 0 else -1.0
    score.step(bar.start, first, sign * 0.6 * STANCE, z, weight=0.75, lift=0.04, accent=0.7 * bar.size)
    score.step(bar.start + 1, 1 - first, -sign * STANCE, weight=0.8, lift=0.03)
    travel = 0.16 + 0.08 * bar.size
    for k, at in enumerate((2.0, 2.5, 3.0)):
        foot = first if k % 2 == 0 else 1 - first
        x = sign * travel * (k + 1) * 0.8 + (STANCE if foot == 0 else -STANCE) * 0.9
        if at < bar.beats:
            score.step(
                bar.start + at,
                foot,
                x,
                weight=0.75,
                lift=0.03,
                lead=0.4,
                accent=(0.6 if k == 2 else 0.35) * bar.size,
            )
            _hip_sway(bar, score, bar.start + at, 1.0 if foot == 0 else -1.0, 0.4)


def rumba(bar: Bar, score: Score) -> None:
    """Slow box with settling hips: step, hold, quick, quick."""
    times = (0.0, 2.0, 3.0)
    box(bar, score, times, 0.22 + 0.1 * bar.size, 0.28 + 0.1 * bar.size, 0.0)
    hand = bar.hand if bar.number % 2 == 0 else -bar.hand
    for at, sign in zip(times, (hand, -hand, hand), strict=True):
        _hip_sway(bar, score, bar.start + at, float(sign))


def hip_circles(bar: Bar, score: Score) -> None:
    """The hips draw circles, one in two beats."""
    come_home(bar, score, STANCE * 1.5)
    size, period = 0.04 + 0.05 * bar.size, 2.0 * max(bar.rate, 1.0) if bar.beats != 3 else 3.0
    score.wave("hip_left", bar, period, bar.hand * size)
    score.wave("hip_forward", bar, period, size * 0.9, top=period / 4)
    score.wave("pelvis_roll", bar, period, -bar.hand * 0.12 * bar.size)
    score.wave("chest_pitch", bar, period, 0.08 * bar.size, top=period / 4)
    score.wave("dip", bar, period, 0.03 * bar.size, kind="pulse")
    score.drop(bar.start, 0.05 + 0.05 * bar.size, 1.0)


def perreo(bar: Bar, score: Score) -> None:
    """Low stance, hips forward and back on the dembow: 1, 1.75, 2.5 of every two beats."""
    come_home(bar, score, STANCE * 1.8)
    low = 0.1 + 0.12 * bar.size
    score.drop(bar.start, low, 0.8, 0.5 * bar.size)
    score.poke("chest_pitch", bar.start, 0.25 + 0.25 * bar.size, 0.9)
    for half in np.arange(0.0, bar.beats - 1e-6, 2.0):
        for k, at in enumerate((0.0, 0.75, 1.5)):
            when = bar.start + half + at
            score.poke("hip_forward", when, 0.07 * bar.size, 0.3, 0.45 * bar.size)
            score.poke("hip_forward", when + 0.35, -0.05 * bar.size, 0.3)
            score.poke("pelvis_roll", when, (0.12 if k % 2 == 0 else -0.12) * bar.size, 0.35)
            score.drop(when + 0.35, low - 0.03, 0.3)
            score.drop(when + 0.05 + 0.7, low, 0.3)


def samba(bar: Bar, score: Score) -> None:
    """Quick weight changes: one-a-two, with a bounce on each beat."""
    for half in np.arange(0.0, bar.beats - 1e-6, 2.0):
        sign = bar.hand * (1.0 if (half // 2 + bar.number * bar.beats / 2) % 2 == 0 else -1.0)
        for at, side, x, z in ((0.0, 1, 0.16, 0.05), (0.75, -1, -0.02, -0.2), (1.0, 1, 0.14, 0.0)):
            when, side_sign = bar.start + half + at, sign * side
            score.step(
                when,
                foot_of(side_sign),
                sign * x * (0.6 + 0.5 * bar.size),
                z * bar.size,
                weight=0.75,
                lift=0.03,
                lead=0.35,
                accent=(0.6 if at == 0 else 0.3) * bar.size,
            )
        score.hip(bar.start + half, sign * 0.05, 0.0, 0.6)
    score.wave("dip", bar, 1.0, 0.02 + 0.03 * bar.size, kind="pulse")
    score.wave("hip_forward", bar, 1.0, 0.03 * bar.size, kind="pulse", top=0.5)


def box(
    bar: Bar, score: Score, times: tuple[float, float, float], span: float, ahead: float, heel: float
) -> None:
    """Ahead, side, close; the next bar back, other side, close. Three (foot, x, z) at `times`."""
    way = 1.0 if bar.number % 2 == 0 else -1.0
    hand = bar.hand * way
    z, x = way * ahead * 0.5, hand * span * 0.5
    places = ((hand, x + hand * 0.08, 0.7), (-hand, -x - hand * STANCE, 0.35), (hand, -x + hand * 0.07, 0.35))
    for k, (at, (sign, place, accent)) in enumerate(zip(times, places, strict=True)):
        if at < bar.beats:
            score.step(
                bar.start + at,
                foot_of(sign),
                place,
                z,
                weight=0.88,
                lift=0.03,
                lead=0.8,
                heel=heel * (k > 0),
                accent=accent * bar.size,
            )


def triple_step(bar: Bar, score: Score) -> None:
    """Swing: triple step to the left, triple step to the right (one-and-two, three-and-four)."""
    for half in np.arange(0.0, bar.beats - 1.0 + 1e-6, 2.0):
        sign = bar.hand * (1.0 if half % 4 == 0 else -1.0)
        span = 0.1 + 0.07 * bar.size
        for at, side, x in ((0.0, 1, 0.5), (0.5, -1, 0.6), (1.0, 1, 1.0)):
            foot = foot_of(sign * side)
            place = sign * span * x * 1.6 - sign * span + (STANCE if foot == 0 else -STANCE)
            score.step(
                bar.start + half + at,
                foot,
                place,
                weight=0.78,
                lift=0.045,
                lead=0.42,
                accent=(0.6 if at == 0 else 0.3) * bar.size,
            )
        score.drop(bar.start + half, 0.035 + 0.03 * bar.size, 0.5)
        score.drop(bar.start + half + 1.5, 0.01, 0.5)


def rock_step(bar: Bar, score: Score) -> None:
    """Rock back and replace, then a triple step; sides in turn."""
    first = foot_of(bar.side)
    sign = 1.0 if first == 0 else -1.0
    score.step(
        bar.start, first, sign * 0.08, -0.24 - 0.1 * bar.size, weight=0.65, heel=0.35, accent=0.75 * bar.size
    )
    score.step(bar.start + 1, 1 - first, -sign * STANCE, weight=0.8, lift=0.04, accent=0.4 * bar.size)
    score.poke("chest_pitch", bar.start, 0.15 * bar.size, 0.6)
    score.poke("chest_pitch", bar.start + 1, 0.02, 0.6)
    for at, foot, x in ((2.0, first, 0.5), (2.5, 1 - first, 0.5), (3.0, first, 1.0)):
        if at < bar.beats:
            place = sign * x * 0.12 + (STANCE if foot == 0 else -STANCE)
            score.step(
                bar.start + at,
                foot,
                place,
                weight=0.75,
                lift=0.04,
                lead=0.42,
                accent=(0.5 if at == 2 else 0.3) * bar.size,
            )


def charleston(bar: Bar, score: Score) -> None:
    """Step back, kick back, step forward, kick forward."""
    height = 0.12 + 0.22 * bar.size
    first = foot_of(bar.hand)
    a, b = (STANCE if first == 0 else -STANCE) * 0.8, (-STANCE if first == 0 else STANCE) * 0.8
    moves = (
        (0.0, first, a, -0.2, 0.0),
        (1.0, 1 - first, b, -0.45, height * 0.7),
        (2.0, 1 - first, b, 0.05, 0.0),
        (3.0, first, a, 0.5, height),
    )
    for at, foot, x, z, y in moves:
        if at < bar.beats:
            score.step(
                bar.start + at,
                foot,
                x,
                z,
                y=y,
                lift=0.0 if y else 0.06,
                lead=0.6,
                weight=0.05 if y else 0.85,
                accent=(0.7 if y else 0.55) * bar.size,
            )
    score.wave("pelvis_yaw", bar, 2.0, 0.15 * bar.size)
    score.wave("dip", bar, 1.0, 0.02 + 0.025 * bar.size, kind="pulse", top=0.5)


def kick_ball_change(bar: Bar, score: Score) -> None:
    """Kick and quick change of weight, twice a bar."""
    for half in np.arange(0.0, bar.beats - 1.0 + 1e-6, 2.0):
        sign = float(bar.hand)
        foot = foot_of(sign)
        at = bar.start + half
        score.step(
            at,
            foot,
            sign * 0.1,
            0.36,
            y=0.1 + 0.2 * bar.size,
            lift=0.0,
            lead=0.45,
            weight=0.05,
            accent=0.7 * bar.size,
        )
        score.step(at + 0.5, foot, sign * 0.08, -0.12, weight=0.6, lift=0.03, lead=0.4, heel=0.3)
        score.step(
            at + 1, 1 - foot, -sign * STANCE, 0.02, weight=0.75, lift=0.04, lead=0.4, accent=0.5 * bar.size
        )
