"""Moves of the trunk: body waves, rolls, shimmies, isolations, hits, freezes."""

from __future__ import annotations

from .events import STANCE
from .notation import Bar, Score
from .steps import come_home


def body_wave(bar: Bar, score: Score) -> None:
    """Head, chest, hips and knees follow each other, from the top down or up."""
    come_home(bar, score, STANCE * 1.3)
    period = 2.0 * max(bar.rate, 1.0) if bar.beats != 3 else 3.0
    order = 1.0 if bar.rng.random() < 0.65 else -1.0
    size = 0.4 + 0.6 * bar.size
    lag = order * period / 6
    score.wave("head_pitch", bar, period, -0.28 * size, top=0.0)
    score.wave("chest_pitch", bar, period, -0.3 * size, top=lag)
    score.wave("hip_forward", bar, period, 0.085 * size, top=2 * lag)
    score.wave("dip", bar, period, 0.08 * size, top=3 * lag, kind="pulse")


def side_wave(bar: Bar, score: Score) -> None:
    """A wave through head, chest and hips from one side to the other."""
    come_home(bar, score, STANCE * 1.9)
    period = 4.0 if bar.beats >= 4 else float(bar.beats)
    size = 0.4 + 0.6 * bar.size
    lag = period / 8
    score.wave("head_roll", bar, period, bar.hand * 0.25 * size)
    score.wave("chest_roll", bar, period, bar.hand * 0.28 * size, top=lag)
    score.wave("hip_left", bar, period, bar.hand * 0.11 * size, top=2 * lag)
    score.wave("pelvis_roll", bar, period, -bar.hand * 0.14 * size, top=2 * lag)
    score.wave("dip", bar, period / 2, 0.05 * size, top=lag, kind="pulse")


def chest_circle(bar: Bar, score: Score) -> None:
    """The chest draws circles over still hips."""
    come_home(bar, score, STANCE * 1.5)
    period = 2.0 * max(bar.rate, 1.0) if bar.beats != 3 else 3.0
    size = 0.12 + 0.16 * bar.size
    score.wave("chest_pitch", bar, period, size)
    score.wave("chest_roll", bar, period, bar.hand * size, top=period / 4)
    score.wave("head_pitch", bar, period, -0.6 * size)
    score.wave("head_roll", bar, period, -bar.hand * 0.5 * size, top=period / 4)


def shimmy(bar: Bar, score: Score) -> None:
    """Shoulders shake in quick turn, weight to one side and the other."""
    come_home(bar, score, STANCE * 1.4)
    quick = 0.5 if bar.beat_s > 0.42 else 1.0
    score.wave("chest_yaw", bar, quick, 0.14 + 0.16 * bar.size, sharp=0.8)
    score.poke("chest_pitch", bar.start, 0.18 if bar.number % 2 == 0 else -0.05, 1.0)
    for k, count in enumerate(bar.counts()[:: max(1, len(bar.counts()) // 2)]):
        sign = bar.side * (1.0 if k % 2 == 0 else -1.0)
        score.hip(bar.start + count, sign * 0.06, 0.0, 0.8, 0.4 * bar.size)


def chest_pops(bar: Bar, score: Score) -> None:
    """The chest pops out on every count, or on two and four."""
    come_home(bar, score, STANCE * 1.4)
    rare = bar.rng.random() < 0.4
    for k, count in enumerate(bar.counts()):
        if rare and k % 2 == 0:
            continue
        at = bar.start + count
        score.flick(
            "chest_pitch",
            at,
            -0.16 - 0.14 * bar.size,
            attack=0.22,
            hold=0.12,
            back=0.35,
            accent=0.6 * bar.size,
        )
        score.flick("shrug", at, 0.02 + 0.02 * bar.size, attack=0.22, hold=0.12, back=0.35)
        score.flick("hip_forward", at, -0.03, attack=0.25, hold=0.12, back=0.4)


def hits_body(bar: Bar, score: Score) -> None:
    """Popping: the whole body jerks to a stop on the counts and rests between."""
    come_home(bar, score, STANCE * 1.6)
    channels = ("chest_yaw", "chest_roll", "head_yaw", "pelvis_yaw")
    aims = [bar.rng.uniform(-1, 1, len(channels)) for _ in bar.counts()]
    for count, aim in zip(bar.counts(), aims, strict=True):
        at = bar.start + count
        for channel, value in zip(channels, aim, strict=True):
            score.poke(channel, at, 0.45 * value * (0.4 + 0.6 * bar.size), 0.24)
        score.flick(
            "dip", at, 0.03 + 0.03 * bar.size, attack=0.2, hold=0.05, back=0.35, accent=0.7 * bar.size
        )


def isolations(bar: Bar, score: Score) -> None:
    """Head, shoulders or hips alone go side, front, side, back."""
    come_home(bar, score, STANCE * 1.5)
    what = int(bar.rng.integers(3))
    for k, count in enumerate(bar.counts()):
        at, sign = bar.start + count, bar.hand * (1.0, 0.0, -1.0, 0.0)[k % 4]
        front = (0.0, 1.0, 0.0, -1.0)[k % 4]
        accent = 0.45 * bar.size
        if what == 0:
            score.poke("head_roll", at, 0.28 * sign * bar.size, 0.3, accent)
            score.poke("head_pitch", at, 0.25 * front * bar.size, 0.3)
        elif what == 1:
            score.poke("chest_roll", at, 0.24 * sign * bar.size, 0.3, accent)
            score.poke("chest_pitch", at, -0.22 * front * bar.size, 0.3)
        else:
            score.hip(at, 0.11 * sign * bar.size, 0.08 * front * bar.size, 0.35, accent)


def robot(bar: Bar, score: Score) -> None:
    """Quick turns that stop dead, each held until the next count."""
    come_home(bar, score, STANCE * 1.2)
    for k, count in enumerate(bar.counts()):
        at, sign = bar.start + count, bar.hand * (1.0 if k % 2 == 0 else -1.0)
        what = k % 4
        if what == 0:
            score.poke("chest_yaw", at, 0.55 * sign * bar.size, 0.28, 0.5 * bar.size)
        elif what == 1:
            score.poke("head_yaw", at, 0.7 * sign * bar.size, 0.25, 0.4 * bar.size)
        elif what == 2:
            score.poke("chest_pitch", at, 0.45 * bar.size, 0.35, 0.5 * bar.size)
            score.poke("chest_yaw", at, 0.0, 0.3)
        else:
            score.poke("chest_pitch", at, 0.0, 0.35, 0.4 * bar.size)
            score.poke("head_yaw", at, 0.0, 0.25)


def pose_freeze(bar: Bar, score: Score) -> None:
    """A pose on the one, held still for the bar; another in the next bar."""
    wide = STANCE * bar.rng.uniform(1.0, 2.4)
    foot = 0 if bar.side > 0 else 1
    x = wide if foot == 0 else -wide
    score.step(
        bar.start, foot, x, bar.rng.uniform(-0.1, 0.2), lead=0.5, weight=0.6, lift=0.06, accent=bar.size
    )
    score.drop(bar.start, bar.rng.uniform(0.0, 0.12), 0.4)
    for channel, most in (("chest_yaw", 0.5), ("chest_roll", 0.3), ("head_yaw", 0.6)):
        score.poke(channel, bar.start, bar.side * most * bar.rng.uniform(-1, 1), 0.35)
