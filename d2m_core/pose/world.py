"""World and picture coordinates for poses that came with only one of the two.

Poses that only know the picture get flat world coordinates: z is 0, the origin lies between the
hips (a torso's length below the shoulders where the hips are missing), and one scale per person
makes their torso, where it is seen at its longest, `TORSO_M` long. Poses that only know space get
a level front view as their picture.
"""

from __future__ import annotations

import math

import numpy as np

from ..errors import PoseError, SettingError
from .landmarks import HIPS, SHOULDERS

TORSO_M = 0.5
"""Shoulders to hips, in metres, of the body that flat poses are scaled to."""
SHOULDERS_M = 0.35
BODY_M = 1.7

STAGE_HEIGHT_M = 2.4
"""Height of the front view that 3D poses get as their picture."""
FLOOR = 0.9
"""Where in that picture the lowest point of the dance lies, from the top."""

UP = {
    "y": np.array([[1, 0, 0], [0, -1, 0], [0, 0, -1]], np.float32),
    "z": np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32),
    "-y": np.eye(3, dtype=np.float32),
}
"""Rotations from a source's axes into ours, by the axis that points up there."""

_UNITS_M = (1.0, 0.01, 0.001)
_LONGEST = 90.0
"""Percentile of a length over the clip at which it is taken as seen unshortened."""


def flat_world(image: np.ndarray, visibility: np.ndarray, present: np.ndarray) -> np.ndarray:
    """World coordinates float32 [F, P, J, 3] made from the picture alone, as said at the top."""
    world = np.zeros((*visibility.shape, 3), np.float32)
    for person in np.flatnonzero(present.any(axis=0)):
        given = visibility[:, person] > 0
        metres = image[:, person] * _metres_per_height(image[:, person], given)
        centred = metres - _origin(metres, given)
        world[:, person, :, :2] = np.where(given[..., None], centred, 0.0)
    return world


def front_view(
    points: np.ndarray, given: np.ndarray, up: str, unit_m: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """World [F, J, 3] and picture [F, J, 2] from 3D points [F, J, 3] of one dancer.

    `up` is a key of `UP`; `unit_m` their unit in metres, found by the body's size if None.
    """
    if up not in UP:
        raise SettingError(f"The axis that points up is {up!r}; choose {', '.join(UP)}.")
    scale = _find_unit(points, given) if unit_m is None else unit_m
    metres = points @ UP[up].T * np.float32(scale)
    world = np.where(given[..., None], metres - _origin(metres, given), 0.0)
    across, down = metres[..., 0], metres[..., 1]
    flat = np.stack([across - np.median(across[given]), down - down[given].max()], axis=-1)
    image = np.where(given[..., None], flat / STAGE_HEIGHT_M + np.array([0.5, FLOOR]), 0.0)
    return world.astype(np.float32), image.astype(np.float32)


def _find_unit(points: np.ndarray, given: np.ndarray) -> float:
    torso = _lengths(points, given, SHOULDERS, HIPS)
    if len(torso) == 0:
        raise PoseError(
            "The unit of these joints cannot be told without shoulders and hips; give it in metres."
        )
    typical = max(float(np.median(torso)), 1e-9)
    errors = [abs(math.log(typical * unit / TORSO_M)) for unit in _UNITS_M]
    return _UNITS_M[int(np.argmin(errors))]


def _metres_per_height(points: np.ndarray, given: np.ndarray) -> float:
    """Scale of a picture [F, J, 2]: by the torso, else the shoulders, else the whole body."""
    heights = [np.ptp(frame[mask, 1]) for frame, mask in zip(points, given, strict=True) if mask.any()]
    for length_m, lengths in (
        (TORSO_M, _lengths(points, given, SHOULDERS, HIPS)),
        (SHOULDERS_M, _lengths(points, given, SHOULDERS[:1], SHOULDERS[1:])),
        (BODY_M, np.array(heights)),
    ):
        longest = float(np.percentile(lengths, _LONGEST)) if len(lengths) else 0.0
        if longest > 0:
            return length_m / longest
    return BODY_M


def _lengths(
    points: np.ndarray, given: np.ndarray, start: tuple[int, ...], end: tuple[int, ...]
) -> np.ndarray:
    """Distances between the middles of two joint groups, in frames that give all their joints."""
    whole = given[:, [*start, *end]].all(axis=1)
    between = points[:, list(start)].mean(axis=1) - points[:, list(end)].mean(axis=1)
    return np.linalg.norm(between, axis=-1)[whole]


def _origin(metres: np.ndarray, given: np.ndarray) -> np.ndarray:
    """The point between the hips [F, 1, 2 or 3]; without both, a torso below the shoulders; without
    those, the middle of what is there."""
    hips = metres[:, list(HIPS)].mean(axis=1)
    below = metres[:, list(SHOULDERS)].mean(axis=1)
    below[:, 1] += TORSO_M
    count = np.maximum(given.sum(axis=1), 1)[:, None]
    middle = np.where(given[..., None], metres, 0.0).sum(axis=1) / count
    has_hips = np.all(given[:, list(HIPS)], axis=1, keepdims=True)
    has_shoulders = np.all(given[:, list(SHOULDERS)], axis=1, keepdims=True)
    return np.where(has_hips, hips, np.where(has_shoulders, below, middle))[:, None]
