"""One dancer, cut out of a pose sequence: gaps filled, at the motion rate, in body heights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from ..pose.landmarks import ANKLES, HIPS, KNEES, SHOULDERS, TORSO
from ..types import LANDMARKS, MOTION_FPS, PoseSequence

_SEEN = 0.15
"""Visibility from which a landmark is taken as seen."""
_SHORT_GAP_S = 0.5
"""Landmarks lost for no longer than this are interpolated and count as known."""
_CUT_FRAMES = 3
"""Second derivatives reach so far."""
_TORSO_SHARE, _LEG_SHARE = 0.29, 0.49
"""Shares of the body's height (Drillis and Contini, 1966)."""


@dataclass(frozen=True, eq=False)
class Body:
    """One dancer at the motion rate."""

    image: np.ndarray  # [F, J, 2], body heights
    world: np.ndarray  # [F, J, 3], body heights
    known: np.ndarray  # bool [F, J]
    present: np.ndarray  # bool [F]
    log_scale: np.ndarray  # [F], log of the body's height in frame heights
    cut: np.ndarray  # bool [F], so near to another shot that speeds mean nothing

    def middle(self, pair: tuple[int, int]) -> np.ndarray:
        """Point halfway between two landmarks in the image, [F, 2]."""
        return (self.image[:, pair[0]] + self.image[:, pair[1]]) / 2


def body_of(poses: PoseSequence, person: int) -> Body:
    """One person of a pose sequence, every frame filled in, at the motion rate."""
    present = poses.present[:, person]
    seen = present[:, None] & (poses.visibility[:, person] >= _SEEN)  # [F, J]
    points = np.concatenate([poses.image[:, person], poses.world[:, person]], -1)  # [F, J, 5]
    points = _filled(points.astype(np.float64), seen)
    frames = max(1, round(poses.frames / poses.fps * MOTION_FPS))
    points = _resampled(points, poses.fps, frames)
    nearest = np.minimum((np.arange(frames) / MOTION_FPS * poses.fps + 0.5).astype(int), poses.frames - 1)
    known = _close_gaps(seen, poses.fps)[nearest]
    here = _close_gaps(present[:, None], poses.fps)[nearest, 0]
    image, world = points[..., :2], points[..., 2:]
    height = _slow(_apparent_height(image, known), here)
    tall = np.median(_apparent_height(world, known)[here]) if here.any() else 0.0
    if not tall > 0.1:  # a flat source: the picture is all there is
        world = np.concatenate([image - image[:, HIPS].mean(1, keepdims=True), 0 * image[..., :1]], -1)
        world, tall = world / height[:, None, None], 1.0
    # Travel is divided by one size, for a size that changes would move a standing dancer;
    # the shape is divided by the size of the moment.
    root = image[:, HIPS].mean(1, keepdims=True)  # [F, 1, 2]
    steady = np.median(height[here]) if here.any() else 1.0
    image = (image - root) / height[:, None, None] + root / steady
    return Body(image, world / tall, known, here, np.log(height), _near_cuts(poses.cuts_s, frames))


def _near_cuts(cuts_s: tuple[float, ...], frames: int) -> np.ndarray:
    """Frames [F] whose speeds would be taken across a cut."""
    near = np.zeros(frames, np.bool_)
    for cut_s in cuts_s:
        first = round(cut_s * MOTION_FPS)
        near[max(0, first - _CUT_FRAMES) : first + _CUT_FRAMES] = True
    return near


def _filled(points: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Landmarks [F, J, C] with unseen ones on a straight line between their neighbours in time."""
    points = np.nan_to_num(points)
    frames = np.arange(len(points))
    for joint in range(LANDMARKS):
        good = np.flatnonzero(seen[:, joint])
        if 0 < len(good) < len(points):
            for axis in range(points.shape[-1]):
                points[:, joint, axis] = np.interp(frames, good, points[good, joint, axis])
    return points


def _close_gaps(seen: np.ndarray, fps: float) -> np.ndarray:
    """`seen` [F, J] with gaps of at most `_SHORT_GAP_S` between two sightings closed."""
    frames = np.arange(len(seen))[:, None]
    far = len(seen) + 10 * fps
    last = np.maximum.accumulate(np.where(seen, frames, -far), 0)
    following = np.minimum.accumulate(np.where(seen, frames, 2 * far)[::-1], 0)[::-1]
    return following - last - 1 <= _SHORT_GAP_S * fps


def _resampled(points: np.ndarray, fps: float, frames: int) -> np.ndarray:
    """Points [F, J, C] at `fps` read at the motion rate: averaged when faster, splined when not."""
    if fps == MOTION_FPS or len(points) < 4:
        return points[np.minimum((np.arange(frames) * fps / MOTION_FPS).astype(int), len(points) - 1)]
    if fps > MOTION_FPS:
        width = 0.3 * np.sqrt((fps / MOTION_FPS) ** 2 - 1)
        points = scipy.ndimage.gaussian_filter1d(points, width, axis=0, mode="nearest")
    times = np.minimum(np.arange(frames) / MOTION_FPS, (len(points) - 1) / fps)
    return scipy.interpolate.CubicSpline(np.arange(len(points)) / fps, points)(times)


def _apparent_height(points: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The body's height [F] as torso and legs suggest it; NaN where neither is known."""
    middle = {pair: points[:, pair].mean(1) for pair in (SHOULDERS, HIPS)}
    torso = np.linalg.norm(middle[SHOULDERS] - middle[HIPS], axis=-1) / _TORSO_SHARE
    guesses = [np.where(known[:, TORSO].all(1), torso, np.nan)]
    for hip, knee, ankle in zip(HIPS, KNEES, ANKLES, strict=True):
        thigh = np.linalg.norm(points[:, hip] - points[:, knee], axis=-1)
        shin = np.linalg.norm(points[:, knee] - points[:, ankle], axis=-1)
        guesses.append(np.where(known[:, (hip, knee, ankle)].all(1), (thigh + shin) / _LEG_SHARE, np.nan))
    return np.fmax.reduce(guesses)  # foreshortening only ever shortens


def _slow(height: np.ndarray, here: np.ndarray) -> np.ndarray:
    """A height [F] that follows the distance to the camera but no gesture; never zero."""
    good = np.flatnonzero(here & (np.nan_to_num(height) > 0))
    if len(good) == 0:
        return np.ones(len(height))
    height = np.interp(np.arange(len(height)), good, height[good])
    high = scipy.ndimage.percentile_filter(height, 70, size=int(3 * MOTION_FPS), mode="nearest")
    return np.maximum(scipy.ndimage.gaussian_filter1d(high, MOTION_FPS, mode="nearest"), 1e-6)
