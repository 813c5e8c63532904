"""What may hide the dancers: a box, a plant, or somebody who walks through the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from d2m_core.pose.landmarks import (
    ANKLES,
    BOTH_HIPS,
    ELBOWS,
    FACE,
    HEELS,
    HIPS,
    INDEX_FINGERS,
    KNEES,
    LITTLE_FINGERS,
    SHOULDERS,
    THUMBS,
    TOES,
    WRISTS,
)
from d2m_core.types import LANDMARKS
from training.studio.dancer.body import FACE_AT

from .camera import CameraPath

FAR_AWAY_M = 80.0
"""Where a passer waits while out of the scene."""


@dataclass(frozen=True, eq=False)
class Occluder:
    """Something between the camera and the dancers."""

    kind: str
    """One of `shot.OCCLUDERS`."""
    foot: np.ndarray
    """float64 [F, 3]: the middle of its foot on the floor."""
    width_m: float
    height_m: float
    seed: int
    """Decides its colours."""
    joints: np.ndarray | None = None
    """float64 [F, J, 3], a passer's landmarks in the scene."""

    @property
    def board(self) -> np.ndarray:
        """[F, 5]: foot, width, height of what it hides."""
        size = np.array([0.8 * self.width_m, 0.95 * self.height_m])
        return np.concatenate([self.foot, np.broadcast_to(size, (len(self.foot), 2))], 1)


def place(
    kind: str, people: np.ndarray, camera: CameraPath, fps: float, rng: np.random.Generator
) -> Occluder:
    """An occluder of a kind between the camera and the people [P, F, J, 3]."""
    lens = camera.position.mean(0)
    front = float(people[:, :, :, 2].min()) - 0.25
    seed = int(rng.integers(2**31))
    if kind == "passer":
        away = float(rng.uniform(0.55, 0.95) * (front - lens[2]))
        at_s = rng.uniform(0.1, 0.9) * people.shape[1] / fps
        return _passer(lens[2] + max(away, 0.9), float(at_s), camera, fps, seed, rng)
    middle = people[0, :, BOTH_HIPS].mean((0, 1))
    depth = max(front - rng.uniform(-0.1, 0.2), lens[2] + 1.2)
    if kind == "box":
        width, height = rng.uniform(0.35, 0.8), rng.uniform(0.35, 0.85)
        x = middle[0] + rng.uniform(-0.7, 0.7)
    else:
        width, height = rng.uniform(0.45, 0.8), rng.uniform(1.1, 1.9)
        x = middle[0] + rng.choice([-1, 1]) * rng.uniform(0.35, 0.8)
    share = (depth - lens[2]) / max(middle[2] - lens[2], 0.5)
    x = lens[0] + (x - lens[0]) * share
    foot = np.tile([x, 0.0, depth], (people.shape[1], 1))
    return Occluder(kind, foot, float(width), float(height), seed)


def _passer(
    depth: float, at_s: float, camera: CameraPath, fps: float, seed: int, rng: np.random.Generator
) -> Occluder:
    """Somebody who walks across the picture and is in its middle at `at_s`."""
    times = np.arange(camera.frames) / fps - at_s
    speed, way = rng.uniform(0.9, 1.6), float(rng.choice([-1.0, 1.0]))
    reach = 1.0 + (depth - camera.position[:, 2].mean()) * camera.aspect / camera.focal.min()
    x = camera.position[:, 0].mean() + way * speed * times
    gone = np.abs(speed * times) > reach
    height = float(rng.uniform(1.55, 1.9))
    joints = walking(times * speed / 0.72 * np.pi, way, height)
    foot = np.stack([x, np.zeros_like(x), np.full_like(x, depth)], -1)
    foot[gone, 0] += way * np.sign(times[gone]) * FAR_AWAY_M
    return Occluder("passer", foot, 0.5, height, seed, joints + foot[:, None])


def walking(phase: np.ndarray, way: float, height: float) -> np.ndarray:
    """Landmarks [F, J, 3] of somebody who walks on the spot, to the right for `way` 1, else left.

    `phase` [F] is in radians; two steps are a turn.
    """
    joints = np.zeros((len(phase), LANDMARKS, 3))

    def at(left: np.ndarray | float, up: np.ndarray | float, ahead: np.ndarray | float):
        parts = np.broadcast_arrays(way * np.asarray(ahead), -np.asarray(up), way * left)
        return np.stack(np.broadcast_arrays(*parts, phase)[:3], -1) * height

    for index, (left, up, ahead) in zip(FACE, FACE_AT, strict=True):
        joints[:, index] = at(left / 1.71, 0.93 + up / 1.71, 0.02 + ahead / 1.71)
    for side, sign in enumerate((1.0, -1.0)):
        swing = np.sin(phase + side * np.pi)
        lift = np.maximum(np.sin(phase + side * np.pi + 0.9), 0.0)
        thigh, knee = 0.42 * swing + 0.05, 0.12 + 0.75 * lift
        arm, elbow = -0.4 * swing, 0.35
        hip, shoulder = (sign * 0.058, 0.515, 0.0), (sign * 0.1, 0.81, 0.0)
        legs = _chain(hip, ((thigh, 0.24), (thigh - knee, 0.235)))
        arms = _chain(shoulder, ((arm, 0.165), (arm + elbow, 0.15), (arm + elbow, 0.05)))
        joints[:, HIPS[side]], joints[:, KNEES[side]], joints[:, ANKLES[side]] = (at(*p) for p in legs)
        joints[:, SHOULDERS[side]], joints[:, ELBOWS[side]], joints[:, WRISTS[side]] = (
            at(*p) for p in arms[:3]
        )
        for tips, aside in ((LITTLE_FINGERS, 0.0), (INDEX_FINGERS, -0.01), (THUMBS, -0.02)):
            joints[:, tips[side]] = at(arms[3][0] + sign * aside, arms[3][1], arms[3][2])
        left, up, ahead = legs[2]
        joints[:, HEELS[side]] = at(left, up - 0.03, ahead - 0.025)
        joints[:, TOES[side]] = at(left, up - 0.035 + 0.05 * lift, ahead + 0.09)
    joints[..., 1] -= joints[..., 1].max(1, keepdims=True)
    return joints


def _chain(start: tuple, bones: tuple) -> list[tuple]:
    """Points (left, up, ahead) down a limb of (angle forward from hanging, length) bones."""
    points = [start]
    for angle, length in bones:
        left, up, ahead = points[-1]
        points.append((left, up - length * np.cos(angle), ahead + length * np.sin(angle)))
    return points
