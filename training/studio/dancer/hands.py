"""Hands over time: targets reached along arcs, no faster than arms go, clear of trunk and head."""

from __future__ import annotations

import numpy as np

from .body import Body
from .clock import Clock
from .moves.events import Reach
from .tracks import follow, smooth, times_of

_FASTEST = 9.0
"""Arm lengths per second, at the fastest point of a movement."""
_HARDEST = 110.0
"""Arm lengths per second squared."""
REST = (0.16, -0.9, 0.12)


def move_hands(
    reaches: list[Reach],
    times: np.ndarray,
    clock: Clock,
    loose_s: float,
    fps: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Wrist targets [F, 2, 3] in arm lengths from the shoulders; arrivals [E] of the accents."""
    reaches = sorted(reaches, key=lambda reach: reach.at)
    at = np.array([reach.at for reach in reaches])
    arrive_s = clock.arrivals(at, "hands", rng)
    wanted_s = clock.seconds(at) - clock.seconds(at - [max(r.attack, 0.05) for r in reaches])
    apart_s = rng.normal(0.0, 0.012)
    flow = np.array([reach.flow for reach in reaches], bool)
    out = np.empty((len(times), 2, 3))
    for side in (0, 1):
        hands = [reach.left if side == 0 else reach.right for reach in reaches]
        shift = apart_s * (0.5 if side else -0.5) if not _tied(reaches) else 0.0
        rows = _arcs(arrive_s + shift, wanted_s, hands, flow)
        track = follow(times, *rows)
        out[:, side] = track.values
    return smooth(_in_reach(out), loose_s, fps), arrive_s


def _tied(reaches: list[Reach]) -> bool:
    """Whether hands meet somewhere (claps), so that they must arrive together."""
    return any(reach.left[0] < -0.2 and reach.left == reach.right for reach in reaches)


def _arcs(
    arrive: np.ndarray, wanted: np.ndarray, hands: list[tuple[float, float, float]], flow: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Events with extra ones on wide arcs, held to what arms can do: `follow`'s arguments."""
    arrive, leave = times_of(arrive, wanted, 0.09)
    rows = [(-1e3, -1e3 - 0.5, *REST, 0.0)]
    last = np.array(REST)
    for k, hand in enumerate(hands):
        goal = np.array(hand)
        span = arrive[k] - max(leave[k], rows[-1][0])
        if span < 0.06:
            continue
        goal = _towards(last, goal, _share(float(np.linalg.norm(goal - last)), span))
        middle = _waypoint(last, goal)
        if middle is not None and span > 0.2:
            half = arrive[k] - 0.52 * span
            rows.append((half, arrive[k] - span, *middle, 1.0))
            rows.append((arrive[k], half, *goal, float(flow[k])))
        else:
            rows.append((arrive[k], arrive[k] - span, *goal, float(flow[k])))
        last = goal
    rows.append((1e4, 1e4 - 1.0, *last, 0.0))
    table = np.array(rows)
    return table[:, 0], table[:, 1], table[:, 2:5], table[:, 5] > 0.5


def _towards(last: np.ndarray, goal: np.ndarray, share: float) -> np.ndarray:
    """A place on the way, as far out as an arc would be."""
    if share >= 1:
        return goal
    place = last + (goal - last) * share
    sizes = float(np.linalg.norm(last)), float(np.linalg.norm(goal))
    wanted = sizes[0] + (sizes[1] - sizes[0]) * share
    return place * (wanted / max(float(np.linalg.norm(place)), 0.1))


def _share(way: float, span_s: float) -> float:
    """How much of a way an arm can go in a time."""
    most = min(_FASTEST * span_s / 1.5, _HARDEST * span_s**2 / 6.0)
    return min(1.0, most / max(way, 1e-6))


def _waypoint(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """A place outside on the way between far apart places, where the straight way cuts corners."""
    sizes = np.linalg.norm(a), np.linalg.norm(b)
    if min(sizes) < 0.2 or float(a @ b) / (sizes[0] * sizes[1]) > 0.1:
        return None
    middle = 0.5 * (a + b) + np.array([0.12, 0.0, 0.12])
    size = max(float(np.linalg.norm(middle)), 1e-6)
    return middle / size * min(0.75, 0.5 * (sizes[0] + sizes[1]))


def _in_reach(hands: np.ndarray) -> np.ndarray:
    """Targets neither further than the arm nor nearer than the bent elbow allows."""
    size = np.linalg.norm(hands, axis=-1, keepdims=True)
    return hands * (np.clip(size, 0.36, 0.994) / np.maximum(size, 1e-6))


def clear_of_body(hands: np.ndarray, body: Body, shrug: np.ndarray) -> np.ndarray:
    """Targets [F, 2, 3] moved out of trunk and head."""
    points = hands * body.arm
    points[..., 0] += body.shoulders  # outward from the middle of the chest
    points[..., 1] += shrug[:, None]
    points = _off_trunk(points, body)
    points = _off_head(points, body)
    points = _off_each_other(points)
    points[..., 0] -= body.shoulders
    points[..., 1] -= shrug[:, None]
    return points / body.arm


def _off_trunk(points: np.ndarray, body: Body) -> np.ndarray:
    """Out of an upright tube, oval as a trunk is, that ends at shoulders and thighs."""
    wide, deep = 0.98 * body.shoulders + 0.045, 0.095 * body.height + 0.03
    up = points[..., 1]
    inside = np.clip((0.06 - up) / 0.08, 0, 1) * np.clip((up + body.torso + 0.2) / 0.1, 0, 1)
    x, z = points[..., 0] / wide, (points[..., 2] + 0.01) / deep
    way = np.stack([x, z + 0.8], -1)  # mostly to the front; never a flip
    way /= np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-6)
    along = x * way[..., 0] + z * way[..., 1]
    deeper = np.maximum(1.0 - x * x - z * z, 0.0)
    push = (np.sqrt(along**2 + deeper) - along) * inside * (deeper > 0)
    out = points.copy()
    out[..., 0] += push * way[..., 0] * wide
    out[..., 2] += push * way[..., 1] * deep
    return out


def _off_head(points: np.ndarray, body: Body) -> np.ndarray:
    centre = np.array([0.0, 1.05 * body.head, 0.03])
    radius = 0.085 * body.height
    away = points - centre
    size = np.linalg.norm(away, axis=-1, keepdims=True)
    return points + away * np.where(size < radius, radius / np.maximum(size, 0.03) - 1, 0.0)


def _off_each_other(points: np.ndarray) -> np.ndarray:
    """Wrists at least a palm apart; both are outward from their own side."""
    mirror = np.array([-1.0, 1.0, 1.0])
    gap = points[:, 0] - points[:, 1] * mirror
    size = np.linalg.norm(gap, axis=-1, keepdims=True)
    push = 0.5 * np.maximum(0.075 - size, 0.0) * gap / np.maximum(size, 0.02)
    return np.stack([points[:, 0] + push, points[:, 1] - push * mirror], 1)
