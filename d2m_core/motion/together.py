"""Several dancers as one: what they do together, weighted by how much each of them moves."""

from __future__ import annotations

import numpy as np
import scipy

from ..types import MOTION_FPS, MotionFeatures, PoseSequence
from .accents import Accents, find_accents
from .features import MOTION_NAMES, extract_motion

_NEARBY_S = 1.0
"""Standard deviation of the window in which a dancer's movement is weighed."""
_STANDING = 0.05
"""Speed in body heights per second that even somebody who stands counts with."""
_SAME_S = 0.08
"""Accents of two dancers nearer than this are one, as strong as the stronger."""


def dance_motion(poses: PoseSequence) -> MotionFeatures:
    """The motion of one dancer, or of all in `poses` as one: a mean of their features.

    In each frame a dancer weighs as much as they move around it (mean speed in body heights per
    second over about a second); who is absent weighs nothing. `present` tells whether anybody is
    there, and `accent` is the strongest of all dancers, as in `dance_accents`. So whoever dances
    leads, people who dance the same add up, and bystanders hardly count.
    """
    people = [p for p in range(poses.people) if poses.present[:, p].any()] or [0]
    motions = [extract_motion(poses, person) for person in people]
    if len(motions) == 1:
        return motions[0]
    values = np.stack([motion.values for motion in motions])  # [P, F, D]
    here = values[..., MOTION_NAMES.index("present")]  # [P, F]
    speed = values[..., MOTION_NAMES.index("total_speed")]
    size = _NEARBY_S * MOTION_FPS
    around = scipy.ndimage.gaussian_filter1d(speed * here, size, axis=1, mode="constant")
    seen = scipy.ndimage.gaussian_filter1d(here, size, axis=1, mode="constant")
    weight = here * (around / np.maximum(seen, 1e-9) + _STANDING)
    share = weight / np.maximum(weight.sum(0), 1e-9)
    mean = (values * share[..., None]).sum(0)
    for name in ("present", "accent"):
        column = MOTION_NAMES.index(name)
        mean[:, column] = values[..., column].max(0)
    return MotionFeatures(mean.astype(np.float32), MOTION_NAMES)


def dance_accents(poses: PoseSequence) -> Accents:
    """The accents of one dancer, or of all in `poses`: those that come together are one."""
    people = [p for p in range(poses.people) if poses.present[:, p].any()] or [0]
    found = [find_accents(poses, person) for person in people]
    if len(found) == 1:
        return found[0]
    times = np.concatenate([accents.times_s for accents in found])
    strengths = np.concatenate([accents.strengths for accents in found])
    kinds = [kind for accents in found for kind in accents.kinds]
    kept: list[int] = []
    for index in np.argsort(-strengths, kind="stable"):
        if all(abs(times[index] - times[other]) > _SAME_S for other in kept):
            kept.append(int(index))
    kept.sort(key=lambda index: times[index])
    return Accents(times[kept], strengths[kept], tuple(kinds[index] for index in kept))
