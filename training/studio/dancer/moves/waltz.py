"""Waltz: moves in three, low on the one and tall on two and three."""

from __future__ import annotations

import numpy as np

from .couple import box
from .events import STANCE
from .notation import Bar, Score, foot_of
from .steps import come_home


def waltz_box(bar: Bar, score: Score) -> None:
    """Forward, side, close; back, side, close: low on one, tall on two and three."""
    box(bar, score, (0.0, 1.0, 2.0), 0.26 + 0.14 * bar.size, 0.3 + 0.16 * bar.size, 0.2)
    _rise(bar, score)


def _rise(bar: Bar, score: Score) -> None:
    """Low on the one, up over two, down before the next one."""
    score.drop(bar.start + 0.1, 0.045 + 0.065 * bar.size, 0.9)
    score.drop(bar.start + 1.4, -0.025 - 0.02 * bar.size, 1.2)
    score.drop(bar.start + 2.2, 0.0, 0.7)


def balance_step(bar: Bar, score: Score) -> None:
    """Step on the one and sway over it for the bar; sides, or forward and back, in turn."""
    along = bar.rng.random() < 0.5
    reach = 0.24 + 0.18 * bar.size
    side = float(bar.side)
    foot = foot_of(side)
    x, z = (side * STANCE, side * reach) if along else (side * (STANCE + reach * 0.6), 0.0)
    score.step(bar.start, foot, x, z, weight=0.88, lift=0.05, lead=0.8, accent=0.7 * bar.size)
    near = (-side * STANCE, z * 0.8) if along else (side * (reach * 0.6 - 0.05), -0.02)
    score.step(bar.start + 1, 1 - foot, *near, weight=0.25, heel=0.25, lift=0.04, accent=0.3 * bar.size)
    score.poke("chest_roll", bar.start + 0.6, side * 0.12 * bar.size, 1.0)
    _rise(bar, score)


def waltz_turn(bar: Bar, score: Score) -> None:
    """Half a turn in a bar of three steps, all the way round in two."""
    around = np.pi * bar.hand
    lead_foot = foot_of(bar.side)
    for k in range(bar.beats):
        foot = lead_foot if k % 2 == 0 else 1 - lead_foot
        sign = 1.0 if foot == 0 else -1.0
        turn = around * (k + 1) / bar.beats
        at = bar.start + k
        score.step(
            at,
            foot,
            sign * 0.1,
            0.3 if k == 0 else 0.0,
            turn=turn,
            weight=0.85,
            lift=0.035,
            lead=0.8,
            accent=(0.7 if k == 0 else 0.35) * bar.size,
        )
        score.pivot(at, 1 - foot, turn=turn, lead=0.8, heel=0.12, weight=0.3)
        score.face(at, turn, 1.0)
    _rise(bar, score)
    score.heading += around


def waltz_sway(bar: Bar, score: Score) -> None:
    """Feet stay; body and arms swing over to the other side once a bar."""
    come_home(bar, score, STANCE * 1.8)
    side = float(bar.side)
    score.hip(bar.start + 0.3, side * (0.08 + 0.06 * bar.size), 0.0, 1.6, 0.4 * bar.size)
    score.poke("chest_roll", bar.start + 0.5, side * 0.16 * bar.size, 1.6)
    score.poke("head_roll", bar.start + 0.8, -side * 0.12 * bar.size, 1.4)
    _rise(bar, score)


def waltz_walk(bar: Bar, score: Score) -> None:
    """Three steps forward, the first long and low; three back in the next bar."""
    ahead = bar.number % 2 == 0
    pace = 0.16 + 0.1 * bar.size
    lead_foot = foot_of(bar.side)
    for k in range(bar.beats):
        foot = lead_foot if k % 2 == 0 else 1 - lead_foot
        gone = (k + 1) / bar.beats if ahead else 1 - (k + 1) / bar.beats
        score.step(
            bar.start + k,
            foot,
            (0.1 if foot == 0 else -0.1),
            3 * pace * gone - pace,
            weight=0.85,
            lift=0.04,
            lead=0.8,
            heel=0.15 * (k > 0),
            accent=(0.7 if k == 0 else 0.3) * bar.size,
        )
    _rise(bar, score)
