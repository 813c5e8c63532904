"""How hard a dancer's hands, feet and trunk brake, robust to what pose estimators get wrong.

Braking is the loss of the speed that a part had, in body heights per second squared. `S` counts the
parts of `PARTS`.
"""

from __future__ import annotations

import numpy as np
import scipy

from ..pose.landmarks import ANKLES, TORSO, WRISTS
from ..types import MOTION_FPS, PoseSequence
from .body import Body

PARTS = ((WRISTS[0],), (WRISTS[1],), (ANKLES[0],), (ANKLES[1],), TORSO)
FEET, TRUNK = (2, 3), 4
"""Rows of `PARTS`, each the mean of its landmarks."""

_MEDIAN_FRAMES = 5
_SMOOTH_FRAMES = 1.2
"""SciPy's weights for a second derivative do not sum to 0 (findings/scipy_second_derivative_leaks.sh): a
part is pulled by 0.03 for each body height between it and the picture's corner; at 0.8, by ten times that."""
_BEFORE_FRAMES = 1
"""Braking is taken along the direction of so many frames ago: a turn back counts in full."""
_SLOW = 0.25
"""Body heights per second: a part that moves less than this hardly counts."""
_SHORT, _WAY_FRAMES = 0.06, 6
"""So does one that came less than so many body heights in so many frames."""
_SCALES = np.array([1.0, 1.0, 1.0, 1.0, 0.5])
"""Of both, for each part: the trunk is heavy and its landmarks are steady."""
_CAP = 12.0
"""Braking of one part saturates here: what is harder is mostly an estimator's outlier."""
_NOISE_GAIN = 1000.0
"""Braking that an estimator's errors pretend, per body height that landmarks stray."""
_EDGE_FRAMES = 3
"""So near to a gap, or to the ends of the clip, speeds are not known."""
_SURE = 0.3
"""Visibility under which a part's speed is not known."""

_SWAP_COST = 0.001
"""Squared body heights per frame for taking left as right, so that limbs keep their names."""


def parts_of(poses: PoseSequence, person: int, body: Body) -> tuple[np.ndarray, np.ndarray]:
    """Hands, feet and trunk, [F, S, 2] in body heights, and how well seen they are, 0..1 [F, S].

    `body`: what `body_of` says of this person.
    """
    image = body.image.copy()
    for left, right in (WRISTS, ANKLES):
        pair = image[:, [left, right]]
        swapped = _swapped(pair)
        image[:, [left, right]] = np.where(swapped[:, None, None], pair[:, ::-1], pair)
    points = np.stack([image[:, list(part)].mean(1) for part in PARTS], 1)
    visibility = poses.visibility[:, person] * poses.present[:, person, None]
    frames = np.arange(len(image)) / MOTION_FPS * poses.fps
    nearest = np.minimum((frames + 0.5).astype(int), poses.frames - 1)
    sure = np.stack([visibility[nearest][:, list(part)].min(1) for part in PARTS], 1)
    return points, np.where(body.cut[:, None], 0.0, sure)


def _swapped(pair: np.ndarray) -> np.ndarray:
    """Frames, bool [F], in which a left and a right landmark [F, 2, 2] stand in for each other.

    The shortest way for both through the clip, by dynamic programming over both readings.
    """
    # How far both landmarks move from frame to frame if names stay, and if they change places.
    stay = ((pair[1:] - pair[:-1]) ** 2).sum((1, 2))
    cross = ((pair[1:, ::-1] - pair[:-1]) ** 2).sum((1, 2))
    # The cheapest way to each of two states: named as given, or swapped, which costs a little.
    cost, came = np.array([0.0, _SWAP_COST]), np.zeros((len(pair), 2), int)
    for frame, (same, other) in enumerate(zip(stay, cross, strict=True), start=1):
        ways = cost + np.array([[same, other], [other, same]])
        came[frame] = ways.argmin(1)
        cost = ways.min(1) + np.array([0.0, _SWAP_COST])
    # Back from the cheaper end.
    out, state = np.zeros(len(pair), bool), int(cost.argmin())
    for frame in range(len(pair) - 1, -1, -1):
        out[frame] = state == 1
        state = int(came[frame, state])
    return out


def braking_of(points: np.ndarray, sure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How hard each part brakes, body heights per s² [F, S], and its velocity [F, S, 2]."""
    steady = scipy.ndimage.median_filter(points, size=(_MEDIAN_FRAMES, 1, 1), mode="nearest")
    velocity, pull = (
        scipy.ndimage.gaussian_filter1d(steady, _SMOOTH_FRAMES, axis=0, order=order, mode="nearest")
        * MOTION_FPS**order
        for order in (1, 2)
    )
    # The pull against the direction a moment ago: at a turning point the direction itself is lost.
    before = _later(velocity, -_BEFORE_FRAMES)
    speed = np.linalg.norm(before, axis=-1)
    along = before / np.maximum(speed, 1e-9)[..., None]
    braking = np.maximum(-(pull * along).sum(-1), 0.0)
    # Less what an estimator's own errors would pull, and little where little moved or came far.
    braking = np.maximum(braking - _NOISE_GAIN * _jitter(points, steady, sure), 0.0)
    braking *= _gate(speed / _SCALES, _SLOW, 2) * _gate(_way(steady) / _SCALES, _SHORT, 4)
    # Nothing is known beside gaps and ends; what is left saturates.
    near = np.ones((2 * _EDGE_FRAMES + 1, 1))
    lost = scipy.ndimage.binary_dilation(sure < _SURE, near)
    lost[:_EDGE_FRAMES] = lost[max(0, len(lost) - _EDGE_FRAMES) :] = True
    return np.where(lost, 0.0, _CAP * (1 - np.exp(-braking / _CAP))), velocity


def _gate(values: np.ndarray, half: float, power: int) -> np.ndarray:
    """0 for values far below `half`, 1 far above."""
    return values**power / (values**power + half**power)


def _way(steady: np.ndarray) -> np.ndarray:
    """How far each part has come in the last quarter of a second at most, body heights [F, S]."""
    steps = range(1, _WAY_FRAMES + 1)
    return np.max([np.linalg.norm(steady - _later(steady, -k), axis=-1) for k in steps], axis=0)


def _later(values: np.ndarray, frames: int) -> np.ndarray:
    """Values [F, ...] of so many frames later; the ends are held."""
    return values[np.clip(np.arange(len(values)) + frames, 0, len(values) - 1)]


def _jitter(points: np.ndarray, steady: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """How far the landmarks of each part typically stray from their way, body heights [S]."""
    away = np.linalg.norm(points - steady, axis=-1)
    return np.array(
        [
            np.median(one[seen]) if seen.any() else 0.0
            for one, seen in zip(away.T, (sure >= _SURE).T, strict=True)
        ]
    )
