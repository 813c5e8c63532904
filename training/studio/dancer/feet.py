"""Feet over time: toes that stand still, heels that come up, weight that goes from foot to foot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body import Body
from .foot_paths import FootPath
from .tracks import follow, smooth, times_of

APART_M = 0.13
"""A swinging foot goes round the other at this distance."""

_OFF, _DOWN = 0.55, 0.18
"""Radians that a foot points down as its toes leave the floor and touch it again."""


@dataclass(frozen=True, eq=False)
class Feet:
    """Both feet in floor axes (left, up, forward), metres."""

    toes: np.ndarray
    """[F, 2, 3]; up is 0 where they stand."""
    yaw: np.ndarray
    """[F, 2] radians to the left."""
    heel: np.ndarray
    """[F, 2] radians that the foot points down."""
    planted: np.ndarray
    """bool [F, 2]: the toes stand still on the floor."""
    hold: np.ndarray
    """[F, 2] in 0..1: how much the foot keeps the hips within the leg's reach."""
    left: np.ndarray
    """[F] share of the weight that is on the left foot."""
    centre: np.ndarray
    """[F, 2] left, forward: the middle of the support."""


def move_feet(
    paths: tuple[FootPath, FootPath], times: np.ndarray, air: np.ndarray, body: Body, fps: float
) -> Feet:
    """Follows both paths; `air` [F] is how high a jump carries the body."""
    count = len(times)
    toes, yaw = np.zeros((count, 2, 3)), np.zeros((count, 2))
    heel, hold = np.zeros((count, 2)), np.ones((count, 2))
    planted = np.zeros((count, 2), bool)
    for foot, path in enumerate(paths):
        bundle = np.concatenate([path.toes, path.yaw[:, None], path.heel[:, None]], 1)
        track = follow(times, path.arrive, path.leave, bundle)
        u, index = track.share, track.index
        moving = (u > 0) & (u < 1)
        swings = moving & ~path.stays[index]
        lift = path.lift[index] * np.where(swings, _bump(u, path.accent[index]), 0.0)
        toes[:, foot], yaw[:, foot] = track.values[:, :3], track.values[:, 3]
        up = np.maximum(track.values[:, 1], 0.0)
        toes[:, foot, 1] = np.where(path.slides[index] & moving, 0.2 * lift, lift + up)
        heel[:, foot] = track.values[:, 4] + _rolled(path, times, index, u) + 0.5 * np.minimum(up, 1)
        swing_hold = np.clip((u - 0.6) / 0.4, 0, 1) ** 2 + np.clip(1 - u / 0.25, 0, 1) ** 2
        stands = np.where(u >= 1, path.toes[index, 1], path.toes[index - 1, 1]) < 0.01
        hold[:, foot] = np.where(moving, swing_hold, 1.0) * np.exp(-up / 0.05)
        planted[:, foot] = ~swings & stands
    toes = _around(toes, planted)
    toes[:, :, 1] += air[:, None]
    heel += np.clip(air * 4.0, 0.0, 0.7)[:, None]
    planted &= (air <= 0)[:, None]
    left = _weight(paths, times, fps)
    ahead = np.stack([np.sin(yaw), np.cos(yaw)], -1)  # [F, 2, 2]
    middle = toes[..., [0, 2]] - 0.45 * body.foot * ahead
    centre = middle[:, 0] * left[:, None] + middle[:, 1] * (1 - left[:, None])
    return Feet(toes, yaw, heel, planted, hold, left, centre)


def _rolled(path: FootPath, times: np.ndarray, index: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Radians [F] that a foot points down as it comes off the floor, swings and lands."""
    way = np.linalg.norm(np.diff(path.toes[:, [0, 2]], axis=0, prepend=path.toes[:1, [0, 2]]), axis=1)
    steps = np.minimum(path.lift / 0.05, 1.0) * (0.5 + np.minimum(way, 0.3) / 0.6) * ~path.stays
    rest = np.diff(path.leave, prepend=path.leave[0] - 1.0)
    long = np.clip(0.45 * rest, 0.1, 0.3)[index]
    off = np.clip(1 - (path.leave[index] - times) / long, 0.0, 1.0)
    down = np.clip(1 - (times - path.arrive[index - 1]) / 0.13, 0.0, 1.0)
    flat = steps[index] * _OFF * off * off * (3 - 2 * off)
    flat = np.maximum(flat, steps[index - 1] * _DOWN * down * down)
    swing = 0.45 * np.sin(np.pi * u**0.75) ** 2 + _OFF * (1 - u) ** 2 + _DOWN * u * u
    landed = _DOWN * steps[index]
    return np.where((u > 0) & (u < 1), steps[index] * swing, np.where(u >= 1, landed, flat))


def _bump(u: np.ndarray, hard: np.ndarray) -> np.ndarray:
    """How high a swinging foot is on its way: 0..1; hard steps come down fast."""
    soft = np.sin(np.pi * u) ** 2
    return soft + np.clip(hard + 0.3, 0.0, 1.0) * (6.75 * u * u * (1 - u) - soft)


def _around(toes: np.ndarray, planted: np.ndarray) -> np.ndarray:
    """Swinging feet go round the other foot instead of through it."""
    flat = toes[..., [0, 2]]
    gap = flat[:, 0] - flat[:, 1]
    distance = np.linalg.norm(gap, axis=-1)
    near = np.maximum(APART_M - distance, 0.0)
    if not near.any():
        return toes
    way = gap / np.maximum(distance, 0.02)[:, None]
    out = toes.copy()
    for foot, sign in ((0, 1.0), (1, -1.0)):
        amount = np.where(planted[:, foot], 0.0, near) * sign
        out[:, foot][:, [0, 2]] += amount[:, None] * way
    return out


def _weight(paths: tuple[FootPath, FootPath], times: np.ndarray, fps: float) -> np.ndarray:
    """Share [F] of the weight on the left foot: off a foot before it lifts, onto it as it lands."""
    rows = [(-1e3, 0.5, 0.3)]
    for foot, path in enumerate(paths):
        for k in range(1, len(path.arrive) - 1):
            lands = path.weight[k] if foot == 0 else 1 - path.weight[k]
            if not path.stays[k]:
                away = 0.1 if foot == 0 else 0.9
                rows.append((path.leave[k] + 0.02, away, 0.3))
            rows.append((path.arrive[k] + 0.08, lands, 0.3))
    rows.append((1e4, 0.5, 0.5))
    table = np.array(sorted(rows))
    arrive, leave = times_of(table[:, 0], table[:, 2])
    return smooth(follow(times, arrive, leave, table[:, 1:2]).values[:, 0], 0.05, fps)
