"""Beats of a dance that is still going on: what a live camera needs.

Poses come in pieces. Every `hop_s` the last `memory_s` seconds are read anew by a network, and the pulse
behind them is followed (`tracking`). Beats whose moment is `look_ahead_s` ago are given out; a negative
look-ahead gives them out so long before they come.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import require
from ..motion import extract_motion
from ..types import METRE, MotionFeatures, PoseSequence, metre_of_bars
from .confidence import confidence
from .curves import BeatCurves
from .decoding import STILL, BeatGrid
from .gains import bar_gain
from .network import RhythmNet
from .reading import rhythm_curves
from .refining import DEFAULT_BPM, FLAT
from .search import likeliest_bars
from .tempo import chance_of, chances, evidence_of
from .tracking import Pulse, PulseTracker

_LEAST_S = 2.0
"""With less than this, no beats are looked for."""
GRID_AHEAD_S = 4.0
"""The grid goes on so far beyond what was seen, at the tempo found."""
_TOO_NEAR = 0.6
"""A beat so near to the one before, as a share of a beat, is the same one seen again."""


@dataclass(frozen=True)
class StreamSettings:
    """How a stream of poses becomes beats."""

    look_ahead_s: float = 0.5
    """A beat is given out so long after its moment; before it where negative."""
    memory_s: float = 12.0
    """How much of the past is read."""
    hop_s: float = 0.2
    """How often it is read; a beat may come so much later still."""

    def __post_init__(self) -> None:
        require(self.hop_s > 0, f"hop_s is {self.hop_s:g}; use more than 0.")
        require(self.memory_s >= 2 * _LEAST_S, f"memory_s is {self.memory_s:g}; use 4 or more.")
        require(
            -2 <= self.look_ahead_s <= self.memory_s / 2,
            f"look_ahead_s is {self.look_ahead_s:g}; use -2 to half of memory_s.",
        )


class BeatEmitter:
    """Turns grids that are found again and again into beats that are given out once each."""

    def __init__(self, look_ahead_s: float) -> None:
        self.look_ahead_s = look_ahead_s
        self._until_s = -np.inf
        self._last_s = -np.inf

    def beats(self, grid: BeatGrid, now_s: float) -> list[float]:
        """Beats due by now, in seconds; `grid` may go on beyond `now_s`."""
        due_s = now_s - self.look_ahead_s
        near_s = _TOO_NEAR * 60 / grid.tempo_bpm
        found = []
        for beat in grid.beats_s[(grid.beats_s > self._until_s) & (grid.beats_s <= due_s)]:
            if beat - self._last_s > near_s:
                found.append(float(beat))
                self._last_s = float(beat)
        self._until_s = max(self._until_s, due_s)
        return found


class RhythmStream:
    """Beats from poses that come in pieces.

    Args:
        net: The rhythm network.
        settings: See `StreamSettings`.
    """

    def __init__(self, net: RhythmNet, settings: StreamSettings | None = None) -> None:
        self.net, self.settings = net, settings or StreamSettings()
        self.grid: BeatGrid | None = None
        """The grid found last, in seconds since the stream's start; it goes on `GRID_AHEAD_S` beyond what was
        seen. None at first."""
        self.motion: MotionFeatures | None = None
        """Motion features of what is remembered, as they were read last."""
        self.pulse: Pulse | None = None
        """Tempo and phase now; None until somebody has moved."""
        self._tracker = PulseTracker()
        self._poses: PoseSequence | None = None
        self._dropped = 0  # frames that are no longer remembered
        self._read_at_s = 0.0
        self._emitter = BeatEmitter(self.settings.look_ahead_s)

    @property
    def now_s(self) -> float:
        """Seconds of poses so far."""
        if self._poses is None:
            return 0.0
        return (self._dropped + self._poses.frames) / self._poses.fps

    def push(self, poses: PoseSequence) -> list[float]:
        """Takes the next frames of one dancer; gives beats that are due, seconds since the start.

        Raises `ValueError` where rate or number of people change.
        """
        self._remember(poses)
        now_s = self.now_s
        if now_s < _LEAST_S or now_s - self._read_at_s < self.settings.hop_s - 1e-9:
            return []
        self._read_at_s = now_s
        self.grid = self._found(now_s)
        return self._emitter.beats(self.grid, now_s)

    def _remember(self, poses: PoseSequence) -> None:
        if self._poses is None:
            self._poses = poses
        else:
            self._poses = joined(self._poses, poses)
        most = round(self.settings.memory_s * poses.fps)
        extra = self._poses.frames - most
        if extra > 0:
            self._poses = self._poses.frames_at(slice(extra, None))
            self._dropped += extra

    def _found(self, now_s: float) -> BeatGrid:
        assert self._poses is not None
        start_s = self._dropped / self._poses.fps
        self.motion = extract_motion(self._poses)
        curves = rhythm_curves(self.motion, self.net, foretell=True)
        fine = curves.fine(self.motion.fps)
        moves = fine.beat.max() >= FLAT and curves.felt_or_beat.max() >= STILL
        if moves:
            self.pulse = self._tracker.read(fine, start_s, now_s)
        pulse = self.pulse or Pulse(start_s, 60 / DEFAULT_BPM)
        beats = pulse.beats(start_s, now_s + GRID_AHEAD_S)
        sure = 0.0
        if moves:
            likely = chance_of(chances(evidence_of(fine)), pulse.tempo_bpm)
            sure = confidence(fine.beat, pulse.tempo_bpm, curves.felt_or_beat, likely)
        return BeatGrid(beats, _bars_of(beats, fine, start_s, now_s), pulse.tempo_bpm, sure)


def _bars_of(beats_s: np.ndarray, fine: BeatCurves, start_s: float, now_s: float) -> np.ndarray:
    """Which beats start bars, bool [M], by those that were seen; further ones as these go on."""
    assert fine.downbeat is not None
    known = likeliest_bars(beats_s[beats_s < now_s] - start_s, bar_gain(fine.downbeat))
    metre = metre_of_bars(known) or METRE
    starts = np.flatnonzero(known)
    first = int(starts[0]) if len(starts) else 0
    return np.arange(len(beats_s)) % metre == first % metre


def joined(first: PoseSequence, then: PoseSequence) -> PoseSequence:
    """Two pieces of one sequence. Raises `ValueError` where rate or number of people differ."""
    if (first.fps, first.people) != (then.fps, then.people):
        raise ValueError(
            f"a stream keeps its rate and people, got {first.fps:g} fps, {first.people} people, "
            f"then {then.fps:g} fps, {then.people} people"
        )
    return PoseSequence(
        np.concatenate([first.world, then.world]),
        np.concatenate([first.image, then.image]),
        np.concatenate([first.visibility, then.visibility]),
        np.concatenate([first.present, then.present]),
        first.fps,
    )
