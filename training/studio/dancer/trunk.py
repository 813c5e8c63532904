"""Hips, chest and head: waves of the beat, isolated movements, and how far a spine bends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from d2m_core.band import Plan

from .clock import Clock
from .moves.events import Shift, Wave
from .moves.notation import Score
from .tracks import bounded, follow, smooth, times_of

CHANNELS = (
    *"dip hip_left hip_forward pelvis_yaw pelvis_roll".split(),
    *"chest_yaw chest_pitch chest_roll head_yaw head_pitch head_roll shrug".split(),
)
"""Metres and radians; dip is how far the hips are lowered."""

LIMITS = {
    "hip_left": 0.16,
    "hip_forward": 0.14,
    "pelvis_yaw": 0.55,
    "pelvis_roll": 0.28,
    "chest_yaw": 0.65,
    "chest_pitch": 0.75,
    "chest_roll": 0.42,
    "head_yaw": 1.0,
    "head_pitch": 0.75,
    "head_roll": 0.5,
    "shrug": 0.06,
}
"""Farthest that a channel goes; chest against hips, head against chest."""

_FASTEST = {"dip": 1.0, "hip_left": 0.9, "hip_forward": 0.8, "shrug": 0.4, "head_pitch": 7.0}
"""Metres or radians per second at a wave's fastest; others 5."""

_PULL_M_S2 = 4.0
"""Most acceleration of the hips in a bounce."""


@dataclass(frozen=True)
class Habit:
    """How a dancer's trunk goes with the beat, on the whole."""

    bounce: str
    """`low` or `high` on the beat, `off`: low between beats."""
    depth: float
    """Metres."""
    amounts: dict[str, float]
    """By channel of `LAYERS`, a factor."""
    slouch: float
    nod: float


LAYERS: tuple[tuple[str, str, float, float, float, float], ...] = (
    ("hip_left", "sway", 0.02, 0.06, 0.45, 1.0), ("pelvis_roll", "sway", 0.04, 0.14, 0.4, 1.0),
    ("pelvis_yaw", "sway", 0.06, 0.25, 0.3, 1.0), ("hip_forward", "pulse", 0.01, 0.05, 0.2, 1.0),
    ("chest_roll", "sway", 0.04, 0.16, 0.4, 2.0), ("chest_yaw", "sway", 0.06, 0.32, 0.4, 1.0),
    ("chest_pitch", "pulse", 0.03, 0.18, 0.35, 1.0), ("chest_pitch", "sway", 0.04, 0.14, 0.15, 2.0),
    ("shrug", "pulse", 0.006, 0.025, 0.25, 1.0), ("head_pitch", "pulse", 0.06, 0.28, 0.5, 1.0),
    ("head_roll", "sway", 0.04, 0.18, 0.3, 1.0), ("head_yaw", "sway", 0.08, 0.4, 0.25, 2.0),
)  # fmt: skip
"""(channel, kind, least, most, how often, beats per swing at the usual rate)."""


def random_habit(style: str, rng: np.random.Generator) -> Habit:
    """The bounce and waves that a dancer of a style tends to."""
    low, high, off, depth, hips, head = HABITS[style]
    total = low + high + off
    bounce = str(rng.choice(["low", "high", "off"], p=[low / total, high / total, off / total]))
    amounts = {channel: float(rng.uniform(0.5, 1.3)) for channel in CHANNELS}
    for channel in ("hip_left", "pelvis_roll", "pelvis_yaw", "hip_forward"):
        amounts[channel] *= hips
    amounts["head_pitch"] *= head
    size = 0.15 if rng.random() < 0.1 else 1.0
    return Habit(
        bounce,
        float(rng.uniform(0.012, 0.05)) * depth * size,
        amounts,
        float(rng.uniform(0.0, 0.14)),
        float(rng.uniform(-0.08, 0.1)),
    )


HABITS = {
    "house": (0.6, 0.15, 0.25, 1.1, 1.0, 0.8), "techno": (0.5, 0.3, 0.2, 0.9, 0.6, 1.3),
    "disco": (0.4, 0.4, 0.2, 0.9, 1.4, 0.7), "funk": (0.65, 0.1, 0.25, 1.2, 1.2, 1.2),
    "hiphop": (0.75, 0.05, 0.2, 1.5, 0.9, 1.3), "latin": (0.5, 0.2, 0.3, 0.9, 2.0, 0.5),
    "trap": (0.7, 0.1, 0.2, 1.4, 0.8, 1.4), "breakbeat": (0.6, 0.2, 0.2, 1.2, 0.8, 1.0),
    "dnb": (0.55, 0.25, 0.2, 1.0, 0.7, 1.1), "pop": (0.5, 0.3, 0.2, 1.0, 1.1, 0.8),
    "rock": (0.5, 0.35, 0.15, 1.0, 0.5, 1.8), "reggaeton": (0.6, 0.1, 0.3, 1.1, 1.8, 0.6),
    "swing": (0.45, 0.4, 0.15, 0.9, 0.8, 0.5), "waltz": (0.6, 0.4, 0.0, 0.25, 0.5, 0.3),
}  # fmt: skip
"""Style -> odds of low, high and off-beat bounce; factors on its depth, on hips and on nods."""


def layer_waves(
    plan: Plan, habit: Habit, first: float, last: float, size: float, rng: np.random.Generator
) -> list[Wave]:
    """The waves of one phrase, from beat `first` to `last`, `size` as a bar's."""
    beat_s = 60.0 / plan.tempo_bpm
    top = {"low": 0.0, "high": 0.5, "off": 0.5}[habit.bounce]
    sharp = rng.uniform(1.0, 2.2) if habit.bounce != "high" else rng.uniform(0.7, 1.0)
    depth = habit.depth * rng.uniform(0.6, 1.3) * min(1.0, 0.5 + beat_s) * size
    metre = float(plan.metre)
    if plan.metre == 3:
        waves = [
            Wave("dip", first, last, 3.0, depth * 2.2, 0.0, "pulse", 1.2),
            Wave("dip", first, last, 1.0, depth * 0.5, 0.0, "pulse", 1.0),
        ]
    else:
        period = 2.0 if beat_s < 0.4 and rng.random() < 0.5 else 1.0
        waves = [Wave("dip", first, last, period, depth, top, "pulse", sharp)]
        draw = rng.random()
        if draw < 0.15:
            waves.append(Wave("dip", first, last, metre / 2, depth * 0.8, 0.0, "pulse", 1.2))
        elif draw < 0.27 and beat_s > 0.45:
            waves.append(Wave("dip", first, last, 0.5, depth * 0.35, 0.0, "pulse", 1.0))
    for channel, kind, least, most, often, swing in LAYERS:
        if rng.random() > often:
            continue
        beats = swing * _factor(beat_s, rng)
        top = 0.5 if kind == "pulse" and rng.random() < 0.15 else 0.0
        if plan.metre == 3:
            beats = 3.0
        amount = rng.uniform(least, most) * habit.amounts[channel] * size
        period = beats if kind == "pulse" else 2 * beats
        sign = 1.0 if kind == "pulse" else float(rng.choice([-1.0, 1.0]))
        waves.append(Wave(channel, first, last, period, sign * amount, top, kind, rng.uniform(0.4, 2.2)))
    return waves


def _factor(beat_s: float, rng: np.random.Generator) -> float:
    draw = rng.random()
    if draw < 0.18 or (beat_s < 0.42 and draw < 0.5):
        return 2.0
    return 0.5 if draw > 0.94 and beat_s > 0.5 else 1.0


def write_trunk(
    score: Score,
    times: np.ndarray,
    clock: Clock,
    habit: Habit,
    gate: np.ndarray,
    fps: float,
    rng: np.random.Generator,
    accents: list[tuple[float, float]],
) -> dict[str, np.ndarray]:
    """All channels [F]; `gate` [F] is 0 where the dancer holds still; `accents` grow."""
    beat = clock.beats(times - clock.lags_s[3])
    beat_s = 60.0 / clock.plan.tempo_bpm
    trunk = {name: np.zeros(len(times)) for name in CHANNELS}
    for wave in score.waves:
        _add(trunk[wave.channel], wave, beat, beat_s)
    for name, values in trunk.items():
        values *= gate
        rows = score.pokes.get(name)
        if rows:
            values += _poked(rows, times, clock, rng, accents)
    trunk["chest_pitch"] += habit.slouch
    trunk["head_pitch"] += habit.nod
    sway = 2 * np.pi * times * rng.uniform(0.2, 0.4)
    trunk["hip_left"] += 0.004 * np.sin(sway)
    trunk["chest_pitch"] += 0.008 * np.sin(0.7 * sway + 1.0)
    trunk["head_yaw"] += 0.03 * np.sin(0.9 * sway + 2.0)
    for name, limit in LIMITS.items():
        trunk[name] = smooth(bounded(trunk[name], limit), 0.022, fps)
    trunk["dip"] = smooth(trunk["dip"], 0.018, fps)
    return trunk


def _add(out: np.ndarray, wave: Wave, beat: np.ndarray, beat_s: float) -> None:
    low, high = np.searchsorted(beat, (wave.start - 0.5, wave.end + 0.5))
    if high <= low:
        return
    at = beat[low:high]
    turn = 2 * np.pi * (at - wave.start - wave.top) / wave.period
    if wave.kind == "pulse":
        shape = (0.5 + 0.5 * np.cos(turn)) ** wave.sharp
    else:
        shape = np.tanh(wave.sharp * np.cos(turn)) / np.tanh(wave.sharp)
    fastest = _FASTEST.get(wave.channel, 5.0)
    speed = abs(wave.amount) * 2 * np.pi / (wave.period * beat_s)
    amount = wave.amount * min(1.0, fastest / max(speed, 1e-6))
    if wave.channel == "dip":  # no faster than weight falls
        pull = 0.5 * abs(amount) * (2 * np.pi / (wave.period * beat_s)) ** 2 * max(wave.sharp, 1.0)
        amount *= min(1.0, _PULL_M_S2 / max(pull, 1e-6))
    rise = np.clip(at - wave.start + 0.5, 0.0, 1.0)
    fall = np.clip(wave.end - at + 0.5, 0.0, 1.0)
    ends = (rise * rise * (3 - 2 * rise)) * (fall * fall * (3 - 2 * fall))
    out[low:high] += amount * shape * ends


def _poked(
    rows: list[Shift],
    times: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
    accents: list[tuple[float, float]],
) -> np.ndarray:
    """A channel's isolated movements: held until the next one."""
    rows = sorted(rows, key=lambda row: row.at)
    at = np.array([row.at for row in rows])
    wanted = clock.seconds(at) - clock.seconds(at - np.array([row.attack for row in rows]))
    arrive, leave = times_of(clock.arrivals(at, "trunk", rng), wanted, 0.08)
    accents += [(float(t), r.accent) for t, r in zip(arrive, rows, strict=True) if r.accent > 0]
    values = np.array([row.value for row in rows])
    ends = np.concatenate([[-1e3], arrive, [1e4]])
    starts = np.concatenate([[-1e3 - 1], leave, [1e4 - 1]])
    table = np.concatenate([values[:1] * 0, values, values[-1:] * 0])
    return follow(times, ends, starts, table).values[:, 0]
