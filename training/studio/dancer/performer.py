"""Carries a score out with a body: where feet, hips, trunk and hands are in every frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from .balance import balanced
from .body import FRAME_FACING_CAMERA, Body, Posture, apply, hip_offset, joints_of, toes_to_ankle, turned
from .clock import Clock
from .feet import Feet, move_feet
from .foot_paths import LEG_OF_MOVES, foot_paths
from .hands import clear_of_body, move_hands
from .marks import stillness
from .moves.events import Shift
from .moves.notation import Score
from .tracks import bounded, follow, pulses, smooth, soft_min, times_of
from .trunk import Habit, write_trunk

STRAIGHT = 0.985
"""Share of the leg's length that a standing leg uses at most."""

_TURN_SPEED = 6.5
"""Radians per second of the whole body, at the fastest."""

_PULL_M_S2 = 6.5
"""Hips neither fall nor rise with more than this, jumps and landings apart."""


@dataclass(frozen=True, eq=False)
class Performance:
    """What a body did with a score."""

    joints: np.ndarray
    """float64 [F, J, 3] in the scene."""
    planted: np.ndarray
    """bool [F, 2]."""
    accents: tuple[tuple[float, float], ...]
    """(seconds, strength), not yet sorted."""


class Performer:
    """One dancer: body, clock and habits."""

    def __init__(
        self, body: Body, clock: Clock, habit: Habit, facing: float, rng: np.random.Generator
    ) -> None:
        self.body, self.clock, self.habit, self.facing, self.rng = body, clock, habit, facing, rng
        self.scale = body.leg / LEG_OF_MOVES
        self.loose_s = float(rng.uniform(0.01, 0.03))
        self.elbows = float(rng.uniform(0.3, 0.8))
        self.accents: list[tuple[float, float]] = []

    def perform(self, score: Score, times: np.ndarray, stops: np.ndarray, fps: float) -> Performance:
        """Dances at `times` [F]; holds still between the `stops` [S, 2] in seconds."""
        gate, held = stillness(times, stops)
        paths = foot_paths(score.steps, score.jumps, self.clock, self.body, self.facing, self.rng)
        air = self._air(score, times)
        feet = move_feet(paths, times, air, self.body, fps)
        for path in paths:
            self._mark(path.arrive, path.accent)
        heading = self._track(score.faces, times, "hips", self.facing, turning=True)[:, 0]
        way = feet.yaw.mean(1)  # no further round than legs turn in their hips
        heading = smooth(way + bounded(heading - way, 1.2), 0.05, fps)
        trunk = write_trunk(score, times, self.clock, self.habit, gate, fps, self.rng, self.accents)
        dip = trunk["dip"] * self.scale + self._drops(score, paths, times, fps)
        hips = (
            smooth(feet.centre, 0.08, fps)
            + smooth(self._track(score.hips, times, "hips", 0.0, width=2), 0.04, fps) * self.scale
        )
        hips = np.stack([np.interp(held, times, hips[:, c]) for c in (0, 1)], -1)
        cos, sin = np.cos(heading), np.sin(heading)
        hips[:, 0] += cos * trunk["hip_left"] + sin * trunk["hip_forward"]
        hips[:, 1] += cos * trunk["hip_forward"] - sin * trunk["hip_left"]
        # Twice on the legs: where the weight is shows only once the body stands, and moves the hips.
        posture = self._posture(score, times, feet, heading, trunk, fps)
        posture = self._stood(posture, feet, hips, dip, air, fps)
        joints = joints_of(self.body, posture)
        moved = hips + balanced(joints, feet, fps)
        joints = joints_of(self.body, self._stood(posture, feet, moved, dip, air, fps))
        return Performance(joints, feet.planted, tuple(self.accents))

    def _mark(self, times_s: np.ndarray, strengths: np.ndarray) -> None:
        self.accents += [(float(t), float(s)) for t, s in zip(times_s, strengths, strict=True) if s > 0]

    def _track(
        self,
        rows: list[Shift],
        times: np.ndarray,
        part: str,
        first: float,
        width: int = 1,
        turning: bool = False,
    ) -> np.ndarray:
        """Values [F, width] that begin with `first` and follow the events."""
        if not rows:
            return np.full((len(times), width), first)
        rows = sorted(rows, key=lambda row: row.at)
        at = np.array([row.at for row in rows])
        values = np.array([[first] * width, *(row.value for row in rows), rows[-1].value])
        wanted = self.clock.seconds(at) - self.clock.seconds(at - [row.attack for row in rows])
        ways = np.abs(np.diff(values[:-1], axis=0)).max(1)
        least = 1.5 * ways / _TURN_SPEED if turning else np.maximum(1.5 * ways / 1.3, 0.1)
        wanted = np.maximum(wanted, 0.0 if turning else np.sqrt(6 * ways / _PULL_M_S2))
        arrive, leave = times_of(self.clock.arrivals(at, part, self.rng), wanted, least)
        self._mark(arrive, np.array([row.accent for row in rows]))
        arrive = np.concatenate([[-1e3], arrive, [1e4]])
        leave = np.concatenate([[-1e3 - 1], leave, [1e4 - 1]])
        return follow(times, arrive, leave, values).values

    def _air(self, score: Score, times: np.ndarray) -> np.ndarray:
        """Metres above the floor in jumps, [F]."""
        air = np.zeros(len(times))
        for jump in score.jumps:
            start, end = self.clock.seconds(np.array([jump.leave, jump.land]))
            low, high = np.searchsorted(times, (start, end))
            share = (times[low:high] - start) / (end - start)
            air[low:high] = np.maximum(air[low:high], 4 * share * (1 - share) * jump.height)
            self._mark(np.array([end]), np.array([jump.accent]))
        return air

    def _drops(self, score: Score, paths: tuple, times: np.ndarray, fps: float) -> np.ndarray:
        """Metres [F] that the hips go down: level changes, landings, and crouches before jumps."""
        low = self._track(score.drops, times, "hips", 0.0)[:, 0]
        for path in paths:
            hard = path.accent[1:-1] * (path.lift[1:-1] > 0.01)
            low = low + pulses(times, path.arrive[1:-1] - 0.02, 0.016 * hard, 0.14, 0.24)
        if score.jumps:
            ends = np.array([[jump.leave, jump.land] for jump in score.jumps])
            leave, land = self.clock.seconds(ends[:, 0]), self.clock.seconds(ends[:, 1])
            heights = np.array([jump.height for jump in score.jumps])
            deep = np.clip(0.03 + 0.4 * heights, 0.0, 0.13)
            low = low + pulses(times, land - 0.01, deep, 0.12, 0.28)
            low = low + pulses(times, leave - 0.32, 0.8 * deep, 0.18, 0.14)
        return smooth(low, 0.02, fps) * self.scale

    def _posture(
        self,
        score: Score,
        times: np.ndarray,
        feet: Feet,
        heading: np.ndarray,
        trunk: dict[str, np.ndarray],
        fps: float,
    ) -> Posture:
        """Everything but where the hips are and how far the heels are up."""
        front = FRAME_FACING_CAMERA @ turned(heading)  # [F, 3, 3]
        pelvis = front @ turned(trunk["pelvis_yaw"], 0.0, trunk["pelvis_roll"])
        yaw = trunk["pelvis_yaw"] * 0.6 + trunk["chest_yaw"]
        pitch, roll = trunk["chest_pitch"], trunk["chest_roll"]
        chest = front @ turned(yaw, pitch, roll)
        arms = front @ turned(yaw, 0.6 * pitch, 0.5 * roll)
        glance = turned(trunk["head_yaw"], trunk["head_pitch"] - 0.55 * pitch, trunk["head_roll"])
        hands, arrive = move_hands(score.reaches, times, self.clock, self.loose_s, fps, self.rng)
        strengths = [reach.accent for reach in sorted(score.reaches, key=lambda r: r.at)]
        self._mark(arrive, np.array(strengths))
        hands = clear_of_body(hands, self.body, trunk["shrug"])
        flex = 0.25 + 0.2 * np.sin(times[:, None] * 2.1 + np.array([0.0, 1.3]))
        toes = np.empty_like(feet.toes)
        toes[..., 0], toes[..., 2] = feet.toes[..., 0], -feet.toes[..., 2]
        toes[..., 1] = -(feet.toes[..., 1] + 0.15 * self.body.ankle)
        frames = self._foot_frames(feet.yaw, feet.heel)
        hips = (heading + trunk["pelvis_yaw"])[:, None]
        aim = hips + 0.65 * bounded(feet.yaw - hips, 2.2) + np.array([0.2, -0.2])
        knees = np.stack([np.sin(aim), np.full_like(aim, -0.35), -np.cos(aim)], -1)
        return Posture(
            toes[:, 0],
            pelvis,
            chest,
            chest @ glance,
            arms,
            toes,
            frames,
            knees,
            hands,
            trunk["shrug"],
            flex,
            self.elbows,
        )

    @staticmethod
    def _foot_frames(yaw: np.ndarray, heel: np.ndarray) -> np.ndarray:
        """[F, 2, 3, 3]."""
        frames = FRAME_FACING_CAMERA @ turned(yaw.reshape(-1), heel.reshape(-1))
        return frames.reshape(*yaw.shape, 3, 3)

    def _stood(
        self, posture: Posture, feet: Feet, hips: np.ndarray, dip: np.ndarray, air: np.ndarray, fps: float
    ) -> Posture:
        """The posture on its legs: hips [F, 2] as high as wanted and possible, heels as needed."""
        leg = self.body.leg
        root = np.stack([hips[:, 0], np.zeros(len(hips)), -hips[:, 1]], -1)
        wanted = self.body.ankle + 0.975 * leg - dip + air
        weight = np.stack([feet.left, 1 - feet.left], -1)
        up = toes_to_ankle(self.body)
        # How high the hips may be: as far as a leg reaches that carries weight; a free one may hang.
        highest = np.full(len(hips), np.inf)
        for side in (0, 1):
            ankle = posture.toes[:, side] + apply(posture.feet[:, side], up)
            joint = apply(posture.pelvis, hip_offset(self.body, side))
            flat = (root + joint - ankle)[:, [0, 2]]
            reach = np.sqrt(np.maximum((STRAIGHT * leg) ** 2 - (flat**2).sum(-1), 0.01))
            spare = 0.01 + 0.06 * (1 - weight[:, side]) + np.clip(-dip, 0.0, 0.05)
            limit = reach - ankle[:, 1] + joint[:, 1] + spare + 0.7 * (1 - feet.hold[:, side])
            highest = np.minimum(highest, limit)
        span = 2 * round(0.06 * fps) + 1
        highest = smooth(minimum_filter1d(highest, span), 0.045, fps)
        root[:, 1] = -smooth(soft_min(wanted, highest), 0.018, fps)
        heel = self._heels(posture, feet, root)
        stood = replace(posture, root=root, feet=self._foot_frames(feet.yaw, heel))
        # Smoothing may leave the hips too high for a moment: lowered there, and heels once more.
        lower = self._too_high(stood, feet)
        if lower.any():
            span = 2 * round(0.14 * fps) + 1
            root[:, 1] += smooth(maximum_filter1d(lower, span), 0.045, fps)
            heel = self._heels(posture, feet, root)
            stood = replace(posture, root=root, feet=self._foot_frames(feet.yaw, heel))
        return stood

    def _too_high(self, posture: Posture, feet: Feet) -> np.ndarray:
        """Metres [F] that the hips are higher than the legs of standing feet reach."""
        lower = np.zeros(len(posture.root))
        for side in (0, 1):
            hip = posture.root + apply(posture.pelvis, hip_offset(self.body, side))
            ankle = posture.toes[:, side] + apply(posture.feet[:, side], toes_to_ankle(self.body))
            gap = ankle - hip
            flat = (gap[:, [0, 2]] ** 2).sum(-1)
            reach = np.sqrt(np.maximum((0.9985 * self.body.leg) ** 2 - flat, 0.0))
            lower = np.maximum(lower, np.where(feet.planted[:, side], gap[:, 1] - reach, 0.0))
        return lower

    def _heels(self, posture: Posture, feet: Feet, root: np.ndarray) -> np.ndarray:
        """Heels [F, 2] raised as far as the legs need to reach the floor."""
        heel = feet.heel.copy()
        up = toes_to_ankle(self.body)
        for side in (0, 1):
            hip = root + apply(posture.pelvis, hip_offset(self.body, side))
            pitch = heel[:, side].copy()
            for _ in range(4):  # Newton steps: how far the ankle comes nearer as the heel rises
                frame = FRAME_FACING_CAMERA @ turned(feet.yaw[:, side], pitch)
                ankle = posture.toes[:, side] + apply(frame, up)
                gap = hip - ankle
                far = np.linalg.norm(gap, axis=-1)
                lever = apply(frame, np.array([0.0, -up[2], up[1]]))
                gain = np.maximum((lever * gap).sum(-1) / far, 0.02)
                need = np.maximum(far - 0.9985 * self.body.leg, 0.0) / gain
                pitch = np.clip(pitch + np.minimum(need, 0.4), 0.0, 1.1)
            heel[:, side] = np.where(feet.hold[:, side] > 0.3, pitch, heel[:, side])
        return heel
