"""Carries a score out with a body: when things arrive, where the weight is, how high the hips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from d2m_core.grid import seconds_at
from d2m_core.types import MOTION_FPS

from .body import FRAME_FACING_CAMERA, Body, Posture, apply, turned
from .moves import STANCE, Score, Step
from .trunk import Trunk, write_trunk

LEG_OF_MOVES = 0.8
"""Leg length in metres that the positions in `moves` are written for."""

LONGEST_STRIDE = 0.78
"""Metres between the feet, for that leg."""


class Performer:
    """Turns a score into postures: knows the times, the body and the dancer's habits."""

    def __init__(
        self,
        beats_s: np.ndarray,
        times: np.ndarray,
        energy: np.ndarray,
        body: Body,
        rng: np.random.Generator,
    ) -> None:
        self.beats_s, self.times, self.energy, self.body, self.rng = (
            beats_s,
            times,
            energy,
            body,
            rng,
        )
        self.fps = 1.0 / (times[1] - times[0]) if len(times) > 1 else MOTION_FPS
        self.scale = body.leg / LEG_OF_MOVES
        self.base = FRAME_FACING_CAMERA @ turned(np.array([rng.uniform(-50, 50) * np.pi / 180]))[0]
        self.lags = rng.normal(0.0, 0.012, size=5)  # feet, feet, hand, hand, trunk
        self.hand_lag = rng.uniform(-0.01, 0.03, size=2)
        self.snap = rng.uniform(0.9, 1.5)
        self.loose = rng.uniform(0.008, 0.035)

    def seconds(self, at: np.ndarray) -> np.ndarray:
        return seconds_at(self.beats_s, at)

    def track(
        self, at: np.ndarray, attack: np.ndarray, values: np.ndarray, lag: float, snap: float = 1.0
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values [F, C] that arrive at `at` beats and rest in between; with index and share."""
        order = np.argsort(at, kind="stable")
        at, attack, values = at[order], attack[order], values[order]
        arrive = self.seconds(at) + lag + self.rng.normal(0.0, 0.01, len(at))
        arrive = np.maximum.accumulate(arrive + 1e-4 * np.arange(len(at)))
        leave = np.maximum(arrive - (self.seconds(at) - self.seconds(at - attack)), 0.0 - 1e9)
        leave[1:] = np.maximum(leave[1:], arrive[:-1])
        index = np.clip(np.searchsorted(arrive, self.times), 1, len(at) - 1)
        span = np.maximum(arrive[index] - leave[index], 0.02)
        share = np.clip((self.times - leave[index]) / span, 0.0, 1.0)
        eased = _ease(share, snap)[:, None]
        return values[index - 1] + (values[index] - values[index - 1]) * eased, index, share

    def posture(self, score: Score, bars: np.ndarray) -> Posture:
        trunk = write_trunk(self.beats_s, self.times, bars, self.energy, self.rng)
        feet, points, turn = self._feet(score)
        root = self._root(score, trunk, feet)
        air = self._air(score)
        heading = self.base @ turned(_smooth(turn, 0.06, self.fps))  # [F, 3, 3]
        pelvis = heading @ turned(trunk.pelvis_yaw, 0.0, trunk.pelvis_roll)
        chest = heading @ turned(trunk.chest_yaw, trunk.chest_pitch, trunk.chest_roll)
        glance = turned(trunk.head_yaw, trunk.head_pitch - 0.6 * trunk.chest_pitch, trunk.head_roll)
        scene_feet, frames = self._foot_frames(feet, points, turn, air)
        scene_root = self._to_scene(root)
        scene_root[:, 1] = self._height(scene_root, scene_feet, pelvis, trunk.dip, air)
        hands = self._hands(score)
        flex = 0.25 + 0.2 * np.sin(self.times[:, None] * 2.1 + np.array([0.0, 1.3]))
        return Posture(
            scene_root, pelvis, chest, chest @ glance, scene_feet, frames, hands, trunk.shrug, flex
        )

    def _to_scene(self, local: np.ndarray) -> np.ndarray:
        return local @ self.base.T

    def _feet(self, score: Score) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ankles [F, 2, 3] in home axes (left, lift, forward), toe-out [F, 2] and turn [F]."""
        feet = np.zeros((len(self.times), 2, 3))
        points, turns = np.zeros((len(self.times), 2)), np.zeros((len(self.times), 2))
        steps = _within_reach(score.steps)
        home = [
            (-100.0, STANCE, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0),
            (-100.0, -STANCE, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0),
        ]
        for foot in (0, 1):
            rows = [home[foot]] + [
                (s.at, s.x, s.y, s.z, s.lift, s.lead, s.turn, s.point)
                for s in steps
                if s.foot == foot
            ]
            rows.append((rows[-1][0] + 1e3, *rows[-1][1:4], 0.0, *rows[-1][5:]))
            table = np.array(rows)
            cos, sin = np.cos(table[:, 6]), np.sin(table[:, 6])
            x, z = table[:, 1] * cos + table[:, 3] * sin, table[:, 3] * cos - table[:, 1] * sin
            values = np.stack([x, table[:, 2], z, table[:, 6], table[:, 7]], -1)
            order = np.argsort(table[:, 0], kind="stable")
            moved, index, share = self.track(table[:, 0], table[:, 5], values, self.lags[foot])
            lift = table[order, 4][index] * np.sin(np.pi * share**0.9)
            feet[:, foot] = moved[:, :3] * self.scale
            feet[:, foot, 1] += lift * self.scale
            turns[:, foot], points[:, foot] = moved[:, 3], moved[:, 4]
        return feet, points, turns.mean(1)

    def _root(self, score: Score, trunk: Trunk, feet: np.ndarray) -> np.ndarray:
        """Hips' middle [F, 3] in home axes, over the feet that carry the weight; height still 0."""
        rows = [(-100.0, 0.5, 0.0, 0.0, 0.0)]
        for step in score.steps:
            left = step.weight if step.foot == 0 else 1.0 - step.weight
            rows.append((step.at, left, 0.0, 0.0, 0.9 * max(step.lead, 0.5)))
        for at, x, z in score.shifts:
            rows.append((at, 0.5, x, z, 0.9))
        rows.append((1e4, 0.5, 0.0, 0.0, 1.0))
        table = np.array(rows)
        moved, _, _ = self.track(table[:, 0], table[:, 4], table[:, 1:4], self.lags[4])
        share = _smooth(moved[:, :1], 0.05, self.fps)
        ground = feet * np.array([1.0, 0.0, 1.0])
        root = ground[:, 0] * share + ground[:, 1] * (1 - share)
        root = 0.65 * _smooth(root, 0.09, self.fps) + 0.35 * _smooth(root, 0.3, self.fps)
        root[:, 0] += _smooth(moved[:, 1], 0.05, self.fps) * self.scale + trunk.hip_left
        root[:, 2] += trunk.hip_forward
        drops = [(-100.0, 0.0, 0.1), *score.drops, (1e4, 0.0, 1.0)]
        table = np.array(drops)
        low, _, _ = self.track(table[:, 0], table[:, 2], table[:, 1:2], self.lags[4])
        trunk.dip[:] += _smooth(low[:, 0], 0.03, self.fps) * self.scale
        return root

    def _air(self, score: Score) -> np.ndarray:
        """Metres above the floor in jumps, [F]."""
        air = np.zeros(len(self.times))
        if score.jumps:
            table = np.array(score.jumps)
            start, end = self.seconds(table[:, 0]), self.seconds(table[:, 1])
            share = (self.times[:, None] - start) / (end - start)
            arc = np.where((share > 0) & (share < 1), 4 * share * (1 - share), 0.0) * table[:, 2]
            air = arc.max(1)
        return air

    def _foot_frames(
        self, feet: np.ndarray, points: np.ndarray, turn: np.ndarray, air: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ankles [F, 2, 3] in the scene and foot frames [F, 2, 3, 3]; a lifted foot points down."""
        scene = np.empty_like(feet)
        frames = np.empty((*feet.shape[:2], 3, 3))
        for foot, sign in enumerate((1.0, -1.0)):
            droop = np.clip(feet[:, foot, 1] * 2.2 + air * 3.0, 0.0, 0.7)
            yaw = turn + sign * (0.22 + points[:, foot])
            frames[:, foot] = self.base @ turned(yaw, droop)
            scene[:, foot] = self._to_scene(feet[:, foot])
            scene[:, foot, 1] -= self.body.ankle + air + 0.35 * self.body.foot * np.sin(droop)
        return scene, frames

    def _height(
        self,
        root: np.ndarray,
        feet: np.ndarray,
        pelvis: np.ndarray,
        dip: np.ndarray,
        air: np.ndarray,
    ) -> np.ndarray:
        """Scene y [F] of the hips: standing height less the dip, within what the legs reach."""
        leg = self.body.leg
        wanted = self.body.ankle + 0.975 * leg - dip + air
        for side, sign in enumerate((1.0, -1.0)):
            hip = apply(pelvis, np.array([sign * self.body.hips, 0.0, 0.0]))
            flat = (root + hip - feet[:, side])[:, [0, 2]]
            reach = np.sqrt(np.maximum((0.985 * leg) ** 2 - (flat**2).sum(-1), 0.01))
            limit = reach - feet[:, side, 1] + hip[:, 1]
            wanted = _soft_min(wanted, limit)
        return -_smooth(wanted, 0.018, self.fps)

    def _hands(self, score: Score) -> np.ndarray:
        """Wrist targets [F, 2, 3] in arm lengths from the shoulder."""
        rows = [(-100.0, 0.16, -0.9, 0.12, 0.16, -0.9, 0.12, 0.5)]
        for reach in score.reaches:
            attack = 0.25 if reach.attack < 0 else reach.attack
            rows.append((reach.at, *reach.left, *reach.right, attack))
            if reach.accent > 0:
                score.accents.append((reach.at, reach.accent))
        rows.append((1e4, *rows[-1][1:7], 0.5))
        table = np.array(rows)
        rest = np.array([0.16, -0.88, 0.12] * 2)
        hands = np.empty((len(self.times), 2, 3))
        for side in (0, 1):
            values = table[:, 1:7]
            moved, _, _ = self.track(
                table[:, 0], table[:, 7], values, self.hand_lag[side], self.snap
            )
            amount = (0.55 + 0.45 * self.energy)[:, None]
            mixed = rest + (moved - rest) * amount
            hands[:, side] = mixed[:, 3 * side : 3 * side + 3]
        return _smooth(hands, self.loose, self.fps)


def _ease(share: np.ndarray, snap: float) -> np.ndarray:
    """0 to 1 with still ends; a larger `snap` arrives faster."""
    u = np.clip(share, 0.0, 1.0) ** snap
    return u * u * (3.0 - 2.0 * u)


def _smooth(values: np.ndarray, sigma_s: float, fps: float) -> np.ndarray:
    """Gaussian filter over frames [F, ...] without delay, ends held."""
    sigma = sigma_s * fps
    half = int(np.ceil(3 * sigma))
    if half < 1:
        return values
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.concatenate(
        [np.repeat(values[:1], half, 0), values, np.repeat(values[-1:], half, 0)]
    )
    return sum(w * padded[i : i + len(values)] for i, w in enumerate(kernel))


def _within_reach(steps: list[Step]) -> list[Step]:
    """The steps in time order, none so far from the other foot that the hips would fall."""
    feet = {0: (STANCE, 0.0), 1: (-STANCE, 0.0)}
    out = []
    for step in sorted(steps, key=lambda s: s.at):
        x, z = feet[1 - step.foot]
        gap = np.hypot(step.x - x, step.z - z)
        share = min(1.0, LONGEST_STRIDE / max(gap, 1e-6))
        kept = replace(step, x=x + (step.x - x) * share, z=z + (step.z - z) * share)
        feet[step.foot] = (kept.x, kept.z)
        out.append(kept)
    return out


def _soft_min(a: np.ndarray, b: np.ndarray, width: float = 0.03) -> np.ndarray:
    """Smooth minimum, at most `width` / 4 below the true one."""
    h = np.clip(0.5 + 0.5 * (b - a) / width, 0.0, 1.0)
    return b + (a - b) * h - width * h * (1.0 - h)
