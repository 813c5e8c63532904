"""Whether a dance keeps its tempo when a piece of it is cut away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from d2m_core.motion import extract_motion
from d2m_core.rhythm import rhythm_from_audio
from d2m_core.scores import tempo_correct
from d2m_core.types import MotionFeatures, PoseSequence, Waveform
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

Tempi = tuple[float, Mapping[str, float]]
"""The tempo of something whole, and what is left of it has after each cut."""


def pieces_of(poses: PoseSequence) -> dict[str, MotionFeatures]:
    """The motion that is left of a dance after each cut of `CUTS`; landmarks are cut, not the film."""
    left = _left(poses.frames, poses.fps)
    return {name: extract_motion(poses.frames_at(part)) for name, part in left.items()}


def heard_tempi(song: Waveform) -> Tempi:
    """The tempo that our ear hears in a dance's own song, cut in the same way."""
    left = _left(song.samples.shape[-1], song.sample_rate)
    pieces = {name: replace(song, samples=song.samples[..., part]) for name, part in left.items()}
    return (
        rhythm_from_audio(song).tempo_bpm,
        {name: rhythm_from_audio(piece).tempo_bpm for name, piece in pieces.items()},
    )


def _left(count: int, rate: float) -> dict[str, slice]:
    """What each cut leaves of `count` frames or samples, but for what is too short."""
    found = {}
    for name, (off_s, share) in CUTS.items():
        first, last = round(off_s * rate), count
        if share:
            half = round(count * abs(share))
            first, last = (0, half) if share > 0 else (count - half, count)
        if last - first >= _LEAST_S * rate:
            found[name] = slice(first, last)
    return found


def kept(tempi: Sequence[Tempi], octaves: bool) -> Interval:
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
