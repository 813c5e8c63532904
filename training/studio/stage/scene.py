"""Puts dancers in front of a camera: who stands where, what is filmed, what can be seen of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from d2m_core.band import Plan
from d2m_core.band.plan import loosen
from d2m_core.errors import SettingError
from d2m_core.pose.landmarks import BOTH_HIPS
from d2m_core.types import MOTION_FPS, PoseSequence
from training.studio.dancer.dance import Dance, dance

from .camera import CameraPath
from .filming import film
from .hiding import present, visibility
from .passer import Occluder, place
from .shot import STAGE_PARTS, Shot, random_shot

MOST_PEOPLE = 4


@dataclass(frozen=True, eq=False)
class Scene:
    """Dancers, camera and what stands between, with the poses that a perfect estimator returns."""

    plan: Plan
    """What the music follows; each dancer has an own, loosened copy."""
    seed: int
    shot: Shot
    dances: tuple[Dance, ...]
    """Joints where they stand in the scene; the first is the lead."""
    camera: CameraPath
    occluders: tuple[Occluder, ...]
    wall_m: float
    """Scene z of the wall behind everyone."""
    poses: PoseSequence
    """[F, P]: visibility as in `hiding`; `image` refers to the shot's aspect."""
    fps: float

    @property
    def duration_s(self) -> float:
        return self.plan.duration_s


def stage(
    plan: Plan,
    seed: int,
    people: int = 1,
    looseness: float = 0.35,
    fps: float = MOTION_FPS,
    without: frozenset[str] = frozenset(),
    shot: Shot | None = None,
) -> Scene:
    """A scene of `people` who dance the plan, each in an own loose way; `shot` None draws one.

    `without` names parts to leave out: those of `shot.STAGE_PARTS`, the rest are the dancer's.
    """
    if not 1 <= people <= MOST_PEOPLE:
        raise SettingError(f"People on stage is {people}; use 1 to {MOST_PEOPLE}.")
    rng = np.random.default_rng([seed, 0x57A6E])
    drawn = random_shot(rng, without)
    shot = drawn if shot is None else shot
    dances = _danced(plan, seed, people, looseness, fps, without - set(STAGE_PARTS))
    joints = _placed(np.stack([made.joints for made in dances]).astype(np.float64), shot, rng)
    camera = film(joints, shot, fps, rng)
    occluders = tuple(place(kind, joints, camera, fps, rng) for kind in shot.occluders)
    wall_m = float(joints[..., 2].max() + rng.uniform(0.6, 2.4))
    placed = tuple(
        replace(made, joints=where.astype(np.float32)) for made, where in zip(dances, joints, strict=True)
    )
    poses = seen_by(joints, camera, occluders)
    return Scene(plan, seed, shot, placed, camera, occluders, wall_m, poses, fps)


def _danced(
    plan: Plan, seed: int, people: int, looseness: float, fps: float, without: frozenset[str]
) -> list[Dance]:
    """Everybody's dance, each around the place where it started."""
    dances = []
    for person in range(people):
        rng = np.random.default_rng([seed, 0x1005E, person])
        own = seed if person == 0 else int(rng.integers(2**31))
        dances.append(dance(loosen(plan, looseness, rng), own, fps, without))
    return dances


def _placed(joints: np.ndarray, shot: Shot, rng: np.random.Generator) -> np.ndarray:
    """The dances [P, F, J, 3] turned and moved so that nobody runs into anybody."""
    spots: list[np.ndarray] = []
    edges = np.zeros((2, 2))  # x taken to the left and right, z taken in front and behind
    for person, body in enumerate(joints):
        angle = shot.facing + (rng.normal(0.0, 0.2) if person else 0.0)
        c, s = np.cos(angle), np.sin(angle)
        middle = np.array([body[:, BOTH_HIPS, 0].mean(), 0.0, body[:, BOTH_HIPS, 2].mean()])
        moved = body - middle
        moved = np.stack(
            [moved[..., 0] * c - moved[..., 2] * s, moved[..., 1], moved[..., 2] * c + moved[..., 0] * s], -1
        )
        half = np.quantile(np.abs(moved[:, BOTH_HIPS][..., [0, 2]]), 0.97, axis=(0, 1)) + 0.3
        if person == 0:
            edges = np.stack([-half, half], 1)
        else:
            moved += _spot(edges, half, person, shot.overlap, rng)
        spots.append(moved)
    return np.stack(spots)


def _spot(
    edges: np.ndarray, half: np.ndarray, person: int, overlap: bool, rng: np.random.Generator
) -> np.ndarray:
    """Where the next dancer stands [3], half as wide and deep as `half` [2]; `edges` grow."""
    side = 1 if (person % 2) == 1 else 0
    sign = 1.0 if side else -1.0
    if overlap:
        behind = 1 if rng.random() < 0.7 else 0
        x = sign * rng.uniform(0.3, 0.75) * (1 + (person > 2))
        z = edges[1, behind] + (half[1] + 0.05) * (1.0 if behind else -1.0)
        edges[1, behind] = z + half[1] * (1.0 if behind else -1.0)
        return np.array([x, 0.0, z])
    x = edges[0, side] + sign * (half[0] + rng.uniform(0.05, 0.5))
    edges[0, side] = x + sign * half[0]
    return np.array([x, 0.0, rng.uniform(-0.3, 0.8)])


def seen_by(joints: np.ndarray, camera: CameraPath, occluders: tuple[Occluder, ...]) -> PoseSequence:
    """The poses of people [P, F, J, 3] that a perfect estimator behind the camera would give."""
    passers = [thing.joints for thing in occluders if thing.joints is not None]
    boards = [thing.board for thing in occluders if thing.joints is None]
    frames, landmarks = joints.shape[1:3]
    seen = visibility(
        camera,
        joints,
        np.stack(passers) if passers else np.zeros((0, frames, landmarks, 3)),
        np.stack(boards) if boards else np.zeros((0, frames, 5)),
    )
    centred = joints - joints[:, :, BOTH_HIPS].mean(2, keepdims=True)
    world = np.stack([camera.rotate(body) for body in centred], 1)
    image = np.stack([camera.project(body) for body in joints], 1)
    return PoseSequence(world.astype(np.float32), image.astype(np.float32), seen, present(seen), camera.fps)
