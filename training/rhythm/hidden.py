"""Dances that are hard to see, for fits that have to know what doubt looks like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from d2m_core.types import PoseSequence


def hard_to_see(poses: PoseSequence, rng: np.random.Generator) -> PoseSequence:
    """The same; in half of the calls most frames are lost."""
    if rng.random() < 0.5:
        return poses
    lost = rng.random(poses.frames) < rng.uniform(0.5, 0.95)
    return replace(poses, present=poses.present & ~lost[:, None])
