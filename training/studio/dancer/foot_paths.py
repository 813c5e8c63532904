"""Steps as a body can make them: in time, within reach, not faster than legs go, feet apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body import Body
from .clock import Clock
from .moves.events import STANCE, Jump, Step

LEG_OF_MOVES = 0.8
"""Leg length in metres that the places in moves are written for."""

LONGEST_STRIDE = 0.8
"""Between the toes, in leg lengths."""

_FASTEST_M_S = 4.6
_FASTEST_TURN = 8.0
"""Radians per second of a foot."""
_SHORTEST_S = 0.13
_LEAST_APART_M = 0.15


@dataclass(frozen=True, eq=False)
class FootPath:
    """Where one foot goes: E events, the first at home, long before the dance."""

    arrive: np.ndarray
    """float64 [E] seconds, rising; likewise `leave`, after the arrival before."""
    leave: np.ndarray
    toes: np.ndarray
    """[E, 3] metres: left, up, forward."""
    yaw: np.ndarray
    """[E] radians to the left."""
    lift: np.ndarray
    heel: np.ndarray
    weight: np.ndarray
    stays: np.ndarray
    """bool [E]: only the heel moves; likewise `slides`: along the floor."""
    slides: np.ndarray
    accent: np.ndarray


@dataclass
class _Foot:
    x: float
    z: float
    y: float
    yaw: float
    arrived_s: float


def foot_paths(
    steps: list[Step], jumps: list[Jump], clock: Clock, body: Body, facing: float, rng: np.random.Generator
) -> tuple[FootPath, FootPath]:
    """Both feet's paths; steps that no leg could make become smaller or are left out."""
    steps = sorted(steps, key=lambda step: (step.at, step.foot))
    at = np.array([step.at for step in steps])
    feet = np.array([step.foot for step in steps], int)
    arrive = clock.arrivals(at, "left foot", rng)
    arrive += np.where(feet == 1, clock.lags_s[1] - clock.lags_s[0], 0.0)
    wanted = clock.seconds(at) - clock.seconds(at - np.array([step.lead for step in steps]))
    flights = [(clock.seconds(np.array([j.leave, j.land]))) for j in jumps]
    _land_together(steps, arrive, flights)
    state = [_home(foot, body, facing) for foot in (0, 1)]
    rows: list[list[tuple[float, ...]]] = [[_row(state[f], -1e3, -1e3, 0.5)] for f in (0, 1)]
    for step, when_s, lead_s in zip(steps, arrive, wanted, strict=True):
        me, other = state[step.foot], state[1 - step.foot]
        flying = any(low - 0.1 < when_s < high + 0.1 for low, high in flights)
        # On the ground a foot may leave only once the other stands, or the dancer would fly.
        free_s = when_s - me.arrived_s
        if not (flying or step.stay):
            free_s = min(free_s, max(when_s - other.arrived_s + 0.03, _SHORTEST_S))
        if free_s < _SHORTEST_S - 1e-6:
            continue  # no time for it: the step is left out, and the next starts from here
        lead_s = float(np.clip(lead_s, _SHORTEST_S, free_s))
        gone = _target(step, me, other, body, lead_s)
        state[step.foot] = moved = _Foot(*gone, float(when_s))
        lift = min(step.lift * body.leg / LEG_OF_MOVES, 0.6 * lead_s)
        how = (step.weight, lift, step.heel, float(step.stay), float(step.slide), step.accent)
        rows[step.foot].append(_row(moved, when_s, when_s - lead_s, *how))
    return _path(rows[0]), _path(rows[1])


def _land_together(steps: list[Step], arrive: np.ndarray, flights: list[np.ndarray]) -> None:
    """Feet land when the jump does."""
    for low, high in flights:
        for k, step in enumerate(steps):
            if abs(arrive[k] - high) < 0.06 and step.lift == 0.0 and low < high:
                arrive[k] = high


def _home(foot: int, body: Body, facing: float) -> _Foot:
    sign = 1.0 if foot == 0 else -1.0
    x, yaw = sign * STANCE * body.leg / LEG_OF_MOVES, facing + sign * 0.2
    ahead = 0.75 * body.foot
    return _Foot(
        float(np.cos(facing) * x + np.sin(yaw) * ahead),
        float(np.cos(yaw) * ahead - np.sin(facing) * x),
        0.0,
        yaw,
        -1e3,
    )


def _target(
    step: Step, me: _Foot, other: _Foot, body: Body, lead_s: float
) -> tuple[float, float, float, float]:
    """Toes (x, z, y) and yaw of a foot after a step of `lead_s`."""
    scale = body.leg / LEG_OF_MOVES
    turn = float(np.clip(step.yaw - me.yaw, -_FASTEST_TURN * lead_s, _FASTEST_TURN * lead_s))
    yaw = me.yaw + turn
    if step.stay:
        return me.x, me.z, 0.0, yaw
    y = min(step.y * scale, 2.0 * lead_s)
    x = step.x * scale + 0.75 * body.foot * np.sin(yaw)
    z = step.z * scale + 0.75 * body.foot * np.cos(yaw)
    # No further from the other foot than legs reach, then no faster than a foot goes.
    gap = np.hypot(x - other.x, z - other.z)
    share = min(1.0, LONGEST_STRIDE * body.leg / max(gap, 1e-6))
    x, z = other.x + (x - other.x) * share, other.z + (z - other.z) * share
    way = np.hypot(x - me.x, z - me.z)
    share = min(1.0, _FASTEST_M_S * lead_s / 1.5 / max(way, 1e-6))
    x, z = me.x + (x - me.x) * share, me.z + (z - me.z) * share
    # Last of all, feet never stand in each other: pushed out the way it came where they meet.
    gap = np.hypot(x - other.x, z - other.z)
    if gap < _LEAST_APART_M:
        aside = (x - other.x, z - other.z) if gap > 0.02 else (me.x - other.x, me.z - other.z)
        size = max(float(np.hypot(*aside)), 1e-6)
        x, z = (other.x + aside[0] / size * _LEAST_APART_M, other.z + aside[1] / size * _LEAST_APART_M)
    return float(x), float(z), float(y), yaw


def _row(foot: _Foot, arrive: float, leave: float, weight: float, *more: float) -> tuple:
    rest = more or (0.0, 0.0, 0.0, 0.0, 0.0)
    return (arrive, leave, foot.x, foot.y, foot.z, foot.yaw, weight, *rest)


def _path(rows: list[tuple[float, ...]]) -> FootPath:
    table = np.array(rows)
    end = table[-1].copy()
    end[:2], end[3], end[[7, 8, 11]] = (end[0] + 1e3, end[0] + 1e3 - 0.5), 0.0, 0.0
    table = np.concatenate([table, end[None]])
    return FootPath(
        table[:, 0],
        table[:, 1],
        table[:, 2:5],
        table[:, 5],
        table[:, 7],
        table[:, 8],
        table[:, 6],
        table[:, 9] > 0.5,
        table[:, 10] > 0.5,
        table[:, 11],
    )
