"""Whether a dance keeps its tempo when a piece of it is cut away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from d2m_core.motion import extract_motion
from d2m_core.scores import tempo_correct
from d2m_core.types import MotionFeatures, PoseSequence
from training.figures.bootstrap import Interval, mean_interval

CUTS = {
    "0.5 s off": (0.5, 0.0),
    "1 s off": (1.0, 0.0),
    "2 s off": (2.0, 0.0),
    "first half": (0.0, 0.5),
    "second half": (0.0, -0.5),
}
"""Seconds off the start, and the share that is then kept: of the start, or where negative of the end."""
_LEAST_S = 2.0
"""Shorter pieces are not asked."""


def pieces_of(poses: PoseSequence) -> dict[str, MotionFeatures]:
    """The motion that is left of a dance after each cut of `CUTS`; landmarks are cut, not the film."""
    found = {}
    for name, (off_s, share) in CUTS.items():
        first, last = round(off_s * poses.fps), poses.frames
        if share:
            half = round(poses.frames * abs(share))
            first, last = (0, half) if share > 0 else (poses.frames - half, poses.frames)
        if last - first >= _LEAST_S * poses.fps:
            found[name] = extract_motion(poses.frames_at(slice(first, last)))
    return found


def kept(tempi: Sequence[tuple[float, Mapping[str, float]]], octaves: bool) -> Interval:
    """The share of cuts after which the tempo is within 4 % of the whole dance's, over the dances.

    `tempi`: of each dance the whole's, and those of its pieces. With `octaves`, double, triple, half
    and third are the same.
    """
    shares = [
        np.mean([tempo_correct(whole, bpm, octaves=octaves) for bpm in pieces.values()])
        for whole, pieces in tempi
        if pieces
    ]
    return mean_interval(np.array(shares, float))
