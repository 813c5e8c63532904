"""A kinematic dancer whose beats are known: moves on a beat grid -> 33 landmarks per frame.

Feet, arms and trunk are separate layers that change at bar lines. Feet follow steps (a standing
foot is still, the knees come from two-bone inverse kinematics), hands follow targets, the trunk
follows waves of the beat. Body, camera, facing, habits (low on the beat or off it), lags and jitter
are drawn from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from d2m_core.grid import seconds_at
from d2m_core.types import LANDMARKS, MOTION_FPS, PoseSequence

from .body import Body, Camera, joints_of, random_body, random_camera
from .choreography import bar_lines, choreograph, energy_curve
from .performer import Performer


@dataclass(frozen=True, eq=False)
class Dance:
    """A dance with everything that is known about it."""

    poses: PoseSequence
    """P = 1; the true landmarks as the camera sees them."""
    joints: np.ndarray
    """float32 [F, J, 3] in scene metres: x right, y down with the floor at 0, z away."""
    beats_s: np.ndarray
    """float64 [M]."""
    downbeats: np.ndarray
    """bool [M]."""
    accents_s: np.ndarray
    """float64 [A]: landings, hits, claps; rising."""
    accent_strengths: np.ndarray
    """float32 [A] in 0..1."""
    energy: np.ndarray
    """float32 [F] in 0..1."""
    camera: Camera
    body: Body
    moves: tuple[tuple[str, str], ...]
    """(legs, arms) of every bar, for looking things up."""
    seed: int
    duration_s: float
    fps: float = MOTION_FPS


def dance(
    beats_s: np.ndarray,
    downbeats: np.ndarray,
    duration_s: float,
    seed: int,
    fps: float = MOTION_FPS,
    energy: np.ndarray | None = None,
) -> Dance:
    """Dances to a beat grid of at least two beats, which need not be steady.

    `energy` (0..1 at 25 frames per second) scales the movements and chooses among them; without it
    one is made, phrase by phrase, and returned.
    """
    rng = np.random.default_rng([seed, 0xDA2CE])
    frames = max(1, round(duration_s * fps))
    times = np.arange(frames) / fps
    bars = bar_lines(np.asarray(beats_s, np.float64), np.asarray(downbeats, bool), duration_s)
    curve = energy_curve(energy, bars, beats_s, times, rng)
    score, names = choreograph(
        bars, beats_s, np.interp(seconds_at(beats_s, bars[:-1]), times, curve), rng
    )
    body = random_body(rng)
    performer = Performer(np.asarray(beats_s, np.float64), times, curve, body, rng)
    posture = performer.posture(score, bars)
    joints = joints_of(body, posture)  # [F, J, 3]
    camera = random_camera(body, rng).fitted(joints)
    at = np.array([event[0] for event in score.accents])
    strength = np.array([event[1] for event in score.accents])
    at, strength = _merge(performer.seconds(at), strength, duration_s)
    return Dance(
        see(joints, camera, fps), joints.astype(np.float32), np.asarray(beats_s, np.float64),
        np.asarray(downbeats, bool), at, strength, curve.astype(np.float32), camera, body,
        tuple(names), seed, duration_s, fps,
    )  # fmt: skip


def see(joints: np.ndarray, camera: Camera, fps: float) -> PoseSequence:
    """Scene joints [F, J, 3] as a perfect pose estimator behind `camera` would report them."""
    world = camera.rotate(joints - joints[:, 23:25].mean(1, keepdims=True))[:, None]
    image = camera.project(joints)[:, None]
    shape = (len(joints), 1)
    visible = np.ones((*shape, LANDMARKS), np.float32)
    present = np.ones(shape, bool)
    return PoseSequence(world.astype(np.float32), image.astype(np.float32), visible, present, fps)


def _merge(
    at: np.ndarray, strength: np.ndarray, duration_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Accents in time order; those within 60 ms become one, with the greatest strength."""
    order = np.argsort(at, kind="stable")
    at, strength = at[order], np.clip(strength[order], 0.0, 1.0)
    inside = (at >= 0) & (at < duration_s) & (strength > 0.05)
    at, strength = at[inside], strength[inside]
    if len(at) == 0:
        return at.astype(np.float64), strength.astype(np.float32)
    group = np.concatenate([[0], np.cumsum(np.diff(at) > 0.06)])
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    return at[starts], np.maximum.reduceat(strength, starts).astype(np.float32)
