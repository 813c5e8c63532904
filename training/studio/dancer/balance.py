"""Where a body's weight is, and how far the hips must go for it to stay over the feet."""

from __future__ import annotations

import numpy as np

from d2m_core.pose.landmarks import ANKLES, EARS, ELBOWS, HIPS, KNEES, SHOULDERS, TORSO, WRISTS

from .feet import Feet
from .tracks import smooth

MARGIN_M = 0.07
"""The centre of mass stays this near to the line between the middles of the standing feet."""

_PARTS: tuple[tuple[float, tuple[int, ...]], ...] = (
    (0.081, EARS),
    (0.497, TORSO),
    *((0.028, upper_arm) for upper_arm in zip(SHOULDERS, ELBOWS, strict=True)),
    *((0.022, (wrist,)) for wrist in WRISTS),
    *((0.1, thigh) for thigh in zip(HIPS, KNEES, strict=True)),
    *((0.061, shin) for shin in zip(KNEES, ANKLES, strict=True)),
)
"""Share of the body's mass, and the landmarks whose mean is its place (after Winter, 2009)."""


def centre_of_mass(joints: np.ndarray) -> np.ndarray:
    """Centre of mass [F, 3] of landmarks [F, J, 3]."""
    parts = [share * joints[:, list(where)].mean(1) for share, where in _PARTS]
    return np.sum(parts, axis=0)


def off_support(joints: np.ndarray, planted: np.ndarray) -> np.ndarray:
    """From the nearest supported place to the centre of mass, [F, 2] scene x and z.

    Supported is the line between the standing feet [F, 2]; NaN where none stands.
    """
    feet = 0.5 * (joints[:, 29:31] + joints[:, 31:33])[..., [0, 2]]  # [F, 2, 2]
    mass = centre_of_mass(joints)[:, [0, 2]]
    ends = np.where(planted[..., None], feet, feet[:, ::-1])
    way = ends[:, 1] - ends[:, 0]
    share = ((mass - ends[:, 0]) * way).sum(-1) / np.maximum((way**2).sum(-1), 1e-6)
    near = ends[:, 0] + np.clip(share, 0.0, 1.0)[:, None] * way
    stands = planted[:, :1] | planted[:, 1:]
    return np.where(stands, mass - near, np.nan)


def balanced(joints: np.ndarray, feet: Feet, fps: float) -> np.ndarray:
    """How far the hips have to move, [F, 2] left and forward, for the body to stand."""
    off = off_support(joints, feet.planted)
    size = np.linalg.norm(off, axis=-1)
    excess = off * np.maximum(1 - MARGIN_M / np.maximum(size, 1e-6), 0.0)[:, None]
    known = np.flatnonzero(np.isfinite(size))
    if len(known) == 0:
        return np.zeros((len(joints), 2))
    frames = np.arange(len(joints))
    moved = np.stack([np.interp(frames, known, excess[known, c]) for c in (0, 1)], -1)
    return smooth(moved, 0.09, fps) * np.array([-1.0, 1.0])
