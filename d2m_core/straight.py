"""Straight time: grids on which every beat begins a token step, and the way there and back.

Codec tokens come at a steady rate. On a grid whose beats last an even number of their steps a beat, an
eighth and a bar are whole steps long, and the same hit falls at the same place of the same step in every
bar: it becomes the same token. A sixteenth lasts a whole number of steps or half a step more; what lies
between two steps goes to the later one, always the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .grid import position, seconds_at

TOKEN_RATE = 50.0
"""Token steps per second of the codecs that write on straight grids."""

EVEN_STEPS = (16, 50)
"""Fewest and most token steps of a beat: 187.5 to 60 BPM at 50 steps a second."""

UNKNOWN = -1
"""Stands for a place that nobody knows."""

NO_STEP = -(2**30)
"""Stands for a step that is not there."""

LAGS = ("beat", "bar", "two bars", "four bars")
"""How far back music is likely to have said the same."""

_BARS_BACK = (0, 1, 2, 4)
"""`LAGS` in bars; the first is one beat instead."""

_USUAL_METRE = 4
NEW_TEMPO = np.log2(1.1)
"""Octaves by which a beat's tempo must leave that of the beats before for another number of steps."""


def beat_steps(tempo_bpm: float, token_rate: float = TOKEN_RATE) -> int:
    """The even number of token steps in a beat whose tempo is nearest to `tempo_bpm`, in octaves.

    Neighbours are at most 12 % apart, so the nearest is at most 6 % away; outside `EVEN_STEPS` further.
    """
    choices = np.arange(EVEN_STEPS[0], EVEN_STEPS[1] + 1, 2)
    away = np.abs(np.log2(straight_bpm(choices, token_rate) / tempo_bpm))
    return int(choices[np.argmin(away)])


def straight_bpm(steps: np.ndarray | int, token_rate: float = TOKEN_RATE) -> np.ndarray:
    """Tempo of a beat of so many token steps."""
    return 60.0 * token_rate / np.asarray(steps, np.float64)


def on_steps(beat: np.ndarray | float, steps: int) -> np.ndarray:
    """Places in beats, float64, moved to the nearest of `steps` token steps per beat.

    In the middle between two the later one, whatever the beat, so that a pattern stays a pattern.
    """
    return np.floor(np.asarray(beat, np.float64) * steps + 0.5 + 1e-6) / steps


_AT_ONCE_S = 1e-6
"""A beat that comes sooner after what is kept begins the very next step."""


@dataclass(frozen=True, eq=False)
class StepGrid:
    """Beats that begin token steps. Before the first and after the last one they go on evenly."""

    beats: np.ndarray
    """int64 [M >= 2], rising: the step that each begins."""
    downbeats: np.ndarray
    """bool [M]."""

    @classmethod
    def of(cls, beats_s: np.ndarray, downbeats: np.ndarray, token_rate: float) -> StepGrid | None:
        """The grid of beats [M] in seconds; None where they do not lie on steps, or are too few."""
        steps = beats_s * token_rate
        if len(steps) < 2 or np.abs(steps - steps.round()).max() > 1e-3:
            return None
        return cls(steps.round().astype(np.int64), downbeats)

    @property
    def metre(self) -> int:
        """Beats in a bar; 0 where no bar is known."""
        starts = np.flatnonzero(self.downbeats)
        if len(starts) == 0:
            return 0
        return int(np.median(np.diff(starts))) if len(starts) > 1 else _USUAL_METRE

    def places(self, steps: np.ndarray) -> np.ndarray:
        """Where each of `steps` [S] lies, int64 [S, 4]: beats in a bar, beat in the bar (`UNKNOWN` where
        no bar is known), step in the beat, steps of that beat."""
        beats, index, at = self._at(steps)
        bar = self._in_bar(at)
        metre = np.full(len(steps), self.metre)
        return np.stack([metre, bar, steps - beats[index], np.diff(beats)[index]], axis=1)

    def sources(self, steps: np.ndarray) -> np.ndarray:
        """The steps that lie as far back as each of `LAGS` says, int64 [L, S]. They may lie before 0."""
        metre = self.metre or _USUAL_METRE
        far = max(_BARS_BACK) * metre
        beats, index, _ = self._at(steps, far)
        inside, length = steps - beats[index], np.diff(beats)
        rows = []
        for bars in _BARS_BACK:
            source = index - (bars * metre or 1)
            rows.append(beats[source] + np.round(inside * length[source] / length[index]).astype(np.int64))
        return np.stack(rows)

    def _at(self, steps: np.ndarray, room: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Beats that reach beyond `steps` and `room` more in front; of each step its place among them, and
        among the grid's own."""
        first, last = np.diff(self.beats)[[0, -1]]
        before = room + 1 + max(0, -(-int(self.beats[0] - steps.min()) // int(first)))
        after = 2 + max(0, -(-int(steps.max() - self.beats[-1]) // int(last)))
        front = self.beats[0] - first * np.arange(before, 0, -1)
        beats = np.concatenate([front, self.beats, self.beats[-1] + last * np.arange(1, after + 1)])
        index = np.searchsorted(beats, steps, side="right") - 1
        return beats, index, index - before

    def _in_bar(self, index: np.ndarray) -> np.ndarray:
        """Beat in the bar of beats of the grid by their number, which may lie outside."""
        starts = np.flatnonzero(self.downbeats)
        if len(starts) == 0:
            return np.full(len(index), UNKNOWN)
        last = starts[np.maximum(np.searchsorted(starts, index, side="right") - 1, 0)]
        return (index - last) % self.metre


@dataclass(frozen=True, eq=False)
class StraightMap:
    """Two clocks: a dance's own, and the straight one that its music is written in. Straight between."""

    dance_s: np.ndarray
    """float64 [A >= 2], rising."""
    straight_s: np.ndarray
    """float64 [A], rising."""

    def to_straight(self, dance_s: np.ndarray | float) -> np.ndarray:
        """Straight seconds of seconds of the dance; beyond the ends the end's rate goes on."""
        return seconds_at(self.straight_s, position(self.dance_s, np.asarray(dance_s, np.float64)))

    def to_dance(self, straight_s: np.ndarray | float) -> np.ndarray:
        """The inverse of `to_straight`."""
        return seconds_at(self.dance_s, position(self.straight_s, np.asarray(straight_s, np.float64)))

    @property
    def anchors(self) -> np.ndarray:
        """float64 [A, 2]: rows (straight seconds, seconds of the dance)."""
        return np.stack([self.straight_s, self.dance_s], axis=1)


def lay_out(beats_s: np.ndarray, downbeats: np.ndarray, token_rate: float) -> tuple[StepGrid, StraightMap]:
    """Beats [M >= 2] of a dance on a grid of token steps, and the way between.

    All beats last the number of steps that is nearest to their tempo, as long as that stays: another where
    it leaves by more than 10 %. The dance's start is at most one step after step 0.
    """
    lengths = _lengths(np.diff(beats_s), token_rate)
    before = -float(position(beats_s, np.zeros(1))[0]) * lengths[0]
    first = max(0, int(np.ceil(before - 1e-9)))
    beats = first + np.concatenate([[0], np.cumsum(lengths)])
    return StepGrid(beats, downbeats), StraightMap(beats_s, beats / token_rate)


def go_on(
    kept: StraightMap, steps: int, beats_s: np.ndarray, downbeats: np.ndarray, token_rate: float
) -> tuple[StepGrid, StraightMap]:
    """As `lay_out`, where the first `steps` are music that is there already and lies as `kept` says.

    Its beats are taken to begin the steps that they are nearest to; from there on the grid goes its own
    way.
    """
    end_s = float(kept.to_dance(steps / token_rate))
    inside = beats_s < end_s
    lengths = _lengths(np.diff(beats_s), token_rate)
    there = np.round(kept.to_straight(beats_s[inside]) * token_rate).astype(np.int64)
    coming = beats_s[~inside]
    if len(coming) == 0:
        return _risen(there, downbeats, 1), kept
    rest = float(position(beats_s, coming[:1])[0] - position(beats_s, np.array([end_s]))[0])
    at_once = coming[0] - end_s < _AT_ONCE_S
    gap = 0 if at_once else max(1, round(rest * int(lengths[min(int(inside.sum()), len(lengths) - 1)])))
    new = steps + gap + np.concatenate([[0], np.cumsum(lengths[len(lengths) - len(coming) + 1 :])])
    before_s = kept.dance_s[kept.dance_s < end_s - _AT_ONCE_S]
    if len(before_s) == 0:  # the clock there is runs at its own rate up to its end
        before_s = np.array([end_s - 1.0])
    end = [] if at_once else [steps / token_rate]
    dance_s = np.concatenate([before_s, [end_s][: len(end)], coming])
    straight_s = np.concatenate([kept.to_straight(before_s), end, new / token_rate])
    grid = _risen(np.concatenate([there, new]), downbeats, int(lengths[0]))
    return grid, StraightMap(dance_s, straight_s)


def _risen(beats: np.ndarray, downbeats: np.ndarray, length: int) -> StepGrid:
    """The grid of the beats that come after all before; a single one gets a second."""
    rising = np.concatenate([[True], np.diff(np.maximum.accumulate(beats)) > 0])
    beats, downbeats = beats[rising], downbeats[rising]
    if len(beats) < 2:
        beats, downbeats = np.append(beats, beats[-1] + length), np.append(downbeats, False)
    return StepGrid(beats, downbeats)


def _lengths(periods_s: np.ndarray, token_rate: float, around: int = 5) -> np.ndarray:
    """Token steps int64 [M - 1] of beats that last so long."""
    now = beat_steps(60.0 / float(np.median(periods_s)), token_rate)
    found = []
    for at in range(len(periods_s)):
        low = max(0, min(at - around // 2, len(periods_s) - around))
        period_s = float(np.median(periods_s[low : low + around]))
        if abs(np.log2(period_s * token_rate / now)) > NEW_TEMPO:
            now = beat_steps(60.0 / period_s, token_rate)
        found.append(now)
    return np.array(found, np.int64)
