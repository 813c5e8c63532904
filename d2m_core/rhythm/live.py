"""Beats of a dance that is still going on: what a live camera needs.

Poses come in pieces. Every `hop_s` the last `memory_s` seconds are read anew by the same network
and decoder as whole clips, and the beats whose moment is `look_ahead_s` ago are given out. A
negative look-ahead gives them out so long before they come, at the tempo found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import require
from ..motion import extract_motion
from ..types import PoseSequence
from .decoding import BeatGrid
from .network import RhythmNet
from .reading import rhythm_from_motion

AHEAD_S = 1.0
"""Beats are foretold so far by the network itself; further ones follow at the tempo found."""
_LEAST_S = 2.0
"""With less than this, no beats are looked for."""
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
        """The grid found last, in seconds since the stream's start; None at first."""
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
        rhythm = rhythm_from_motion(extract_motion(self._poses), self.net)
        beats = rhythm.beats_s + start_s
        step_s = 60 / rhythm.tempo_bpm
        ahead_s = max(0.0, -self.settings.look_ahead_s) + self.settings.hop_s
        last_s = beats[-1] if len(beats) else start_s
        beats = np.concatenate([beats, np.arange(last_s + step_s, now_s + ahead_s + step_s, step_s)])
        downbeats = np.zeros(len(beats), np.bool_)
        downbeats[: len(rhythm.downbeats)] = rhythm.downbeats
        return BeatGrid(beats, downbeats, rhythm.tempo_bpm, rhythm.confidence)


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
