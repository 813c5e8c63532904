"""Drawn groups whose identities are known: who is where, who moves most, who is largest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from d2m_core.band import make_plan
from d2m_core.pose.landmarks import BOTH_HIPS
from d2m_core.styles import STYLES
from d2m_core.types import MOTION_FPS
from training.seeds import PEOPLE_SEED
from training.studio.dancer.dance import Dance, dance
from training.studio.stage.filming import film
from training.studio.stage.scene import Scene, seen_by
from training.studio.stage.shot import Shot

KINDS = ("apart", "tight", "crossing", "sizes", "floor", "rows")
"""apart: an arm's length between them. tight: shoulder to shoulder. crossing: neighbours change
places. sizes: near and far. floor: one dances lying before others who stand by. rows: two rows."""

_GAP_M = {"apart": 1.25, "tight": 0.62, "crossing": 1.0, "sizes": 1.1, "floor": 0.7, "rows": 1.0}
_STILL = 0.12
"""Of a bystander's movement, this share is left."""
_LYING_M = 0.22
"""Height of the hips of who dances lying."""


def group_scene(number: int, duration_s: float = 6.0) -> Scene:
    """Group `number`: kinds in turn, 2 to 6 people in turn, half of the pictures upright."""
    kind = KINDS[number % len(KINDS)]
    turn = number // len(KINDS)
    people = 2 + turn % 5
    seed = PEOPLE_SEED + number
    rng = np.random.default_rng([seed, 0x6A0F])
    plan = make_plan(seed, duration_s, STYLES[number % len(STYLES)], float(rng.uniform(80, 150)))
    dances = [dance(plan, seed * 10 + person, MOTION_FPS) for person in range(people)]
    joints = np.stack([_centred(made.joints.astype(np.float64)) for made in dances])
    joints = _moved(joints, kind, rng)
    aspect = 9 / 16 if people < 4 and turn % 2 else 16 / 9
    shot = Shot(aspect=aspect)
    camera = film(joints, shot, MOTION_FPS, rng)
    wall_m = float(joints[..., 2].max() + 1.5)
    placed = tuple(_at(made, where) for made, where in zip(dances, joints, strict=True))
    return Scene(plan, seed, shot, placed, camera, (), wall_m, seen_by(joints, camera, ()), MOTION_FPS)


def _at(made: Dance, joints: np.ndarray) -> Dance:
    return replace(made, joints=joints.astype(np.float32))


def _centred(body: np.ndarray) -> np.ndarray:
    """A dance [F, J, 3] that stays around one place: its way is a fourth of what it was."""
    hips = body[:, BOTH_HIPS].mean(1)
    hips[:, 1] = 0.0
    return body - hips.mean(0) - 0.75 * (hips - hips.mean(0))[:, None]


def _moved(joints: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """The dances [P, F, J, 3] where a kind of group has them."""
    people, frames = joints.shape[:2]
    gap = _GAP_M[kind]
    across: np.ndarray = gap * (np.arange(people) - (people - 1) / 2) + rng.uniform(-0.1, 0.1, (people,))
    away: np.ndarray = rng.uniform(-0.25, 0.25, (people,))
    if kind == "sizes":
        away = rng.permutation(np.linspace(-0.6, 0.6 + 0.7 * people, people))
    if kind == "rows":
        across, away = across * 0.75, 1.3 * (np.arange(people) % 2) + away
    spots = np.zeros((people, frames, 3))
    spots[..., 0], spots[..., 2] = across[:, None], away[:, None]
    if kind == "crossing":
        _cross(spots, rng)
    if kind == "floor":
        joints = _before_bystanders(joints, rng)
        spots[0, :, 0], spots[0, :, 2] = rng.uniform(-0.4, 0.4), -0.8
    return joints + spots[:, :, None]


def _cross(spots: np.ndarray, rng: np.random.Generator) -> None:
    """Pairs of neighbours change places, one before the other; half of them come back."""
    people, frames = spots.shape[:2]
    time = np.linspace(0.0, 1.0, frames)
    for left in range(0, people - 1, 2):
        start, length = rng.uniform(0.15, 0.35), rng.uniform(0.2, 0.35)
        gone: np.ndarray = np.clip((time - start) / length, 0.0, 1.0)
        if rng.random() < 0.5:
            gone = gone - np.clip((time - start - length - 0.1) / length, 0.0, 1.0)
        share = gone * gone * (3 - 2 * gone)
        way = spots[left + 1, 0, 0] - spots[left, 0, 0]
        spots[left, :, 0] += way * share
        spots[left + 1, :, 0] -= way * share
        front = left + int(rng.integers(2))
        spots[front, :, 2] -= 0.7 * np.sin(np.pi * np.clip(share, 0.0, 1.0))


def _before_bystanders(joints: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The first lies and turns on the floor; the others hardly move."""
    out = joints.copy()
    out[1:] = joints[1:, :1] + _STILL * (joints[1:] - joints[1:, :1])
    hips = joints[0, :, BOTH_HIPS].mean(1)[:, None]
    body = joints[0] - hips
    lying = np.stack([body[..., 1], -body[..., 0], body[..., 2]], -1)  # feet to the right
    angle = rng.uniform(-0.5, 0.5) + rng.uniform(0.15, 0.5) * np.arange(len(body)) / MOTION_FPS
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    turned = np.stack(
        [lying[..., 0] * c - lying[..., 2] * s, lying[..., 1], lying[..., 0] * s + lying[..., 2] * c], -1
    )
    turned[..., 1] -= _LYING_M
    turned[..., 1] -= np.maximum(turned[..., 1].max(1, keepdims=True), 0.0)  # nothing under the floor
    out[0] = turned
    return out
