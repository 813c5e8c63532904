"""A dance read in straight time: what its music is written to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..straight import StepGrid, StraightMap, go_on, lay_out
from ..types import AudioTokens, MotionFeatures, Rhythm


@dataclass(frozen=True, eq=False)
class StraightDance:
    """Motion and rhythm on a straight clock, and the way back to the dance's own."""

    motion: MotionFeatures | None
    rhythm: Rhythm
    grid: StepGrid
    way: StraightMap
    duration_s: float
    """Straight seconds until the dance is over."""


def straighten(
    motion: MotionFeatures | None,
    rhythm: Rhythm,
    duration_s: float,
    token_rate: float,
    known: AudioTokens | None = None,
) -> StraightDance:
    """A dance of at least two beats, `duration_s` long, laid on the straight grid of its tempo.

    Motion and curves are read where the straight clock is; nothing of them is added or taken away.
    Music that is `known` keeps its own way, and the grid goes on where it ends.
    """
    if known is None:
        grid, way = lay_out(rhythm.beats_s, rhythm.downbeats, token_rate)
    else:
        steps = known.codes.shape[-1]
        grid, way = go_on(way_of(known), steps, rhythm.beats_s, rhythm.downbeats, token_rate)
    straight_s = float(way.to_straight(duration_s))
    frames = max(1, int(np.ceil(straight_s * rhythm.fps - 1e-6)))
    at = way.to_dance(np.arange(frames) / rhythm.fps) * rhythm.fps
    laid = replace(
        rhythm,
        beats_s=grid.beats / token_rate,
        downbeats=grid.downbeats,
        curves=_read(rhythm.curves, at),
        parts=None if rhythm.parts is None else _read(rhythm.parts, at),
        tempo_bpm=60.0 * token_rate / float(np.median(np.diff(grid.beats))),
    )
    moved = None if motion is None else replace(motion, values=_read(motion.values, at))
    return StraightDance(moved, laid, grid, way, straight_s)


def way_of(known: AudioTokens) -> StraightMap:
    """How the clock of tokens runs; that of any sound is the dance's own."""
    if known.bend is None:
        ends = np.array([0.0, known.duration_s])
        return StraightMap(ends, ends)
    return StraightMap(known.bend[:, 1], known.bend[:, 0])


def beginning(tokens: AudioTokens, duration_s: float) -> AudioTokens:
    """What of tokens [B, K, T] sounds in the first seconds of their dance: whole steps, at least one.

    Silence that fills up the last step does not count.
    """
    end_s = duration_s if tokens.bend is None else float(way_of(tokens).to_straight(duration_s))
    steps = int(end_s * tokens.codec.token_rate + 1e-6)
    return replace(tokens, codes=tokens.codes[..., : max(steps, 1)])


def _read(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Rows of [F, D] at places between them, float32; outside, the end's."""
    at = np.clip(at, 0, len(values) - 1)
    low = np.minimum(at.astype(np.int64), len(values) - 1)
    high = np.minimum(low + 1, len(values) - 1)
    share = (at - low)[:, None]
    return (values[low] * (1 - share) + values[high] * share).astype(np.float32)
