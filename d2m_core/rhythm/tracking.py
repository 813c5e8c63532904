"""The pulse of a dance that is still going on: tempo and phase, carried on from one look to the next.

Every steady pulse of `TEMPI_BPM` is laid over the beat curve that is known by now, and gains by it what its
beats gain (`gains`), the latest most. One that goes on where the last one was is preferred, so that it does
not leap to and fro between two that are as likely, but for one that the last seconds clearly want. It is
drawn to the peaks nearby, its tempo less readily than its phase. In some milliseconds this finds what a
search over chains of beats (`search`) finds in fifty: a dance keeps its tempo over the seconds that count.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from ..grid import TEMPO_RANGE_BPM
from .curves import RATE, BeatCurves
from .gains import bumps_gain, seen_gain
from .refining import on_peaks
from .tempo import TEMPI_BPM

_REACH_S = 14.0
"""Of the past so much is looked at, at most, with what is foretold."""
_PHASE_EVERY = 2
"""States between phases that are tried."""
_FADE_S = 6.0
"""A beat counts 1 / e of one now where it was so long ago. With 3, 4 and 6, beat F of 8 dances half a second
ahead was 0.806, 0.809 and 0.811, and at once 0.831, 0.830 and 0.843."""
_SEEN = 0.3
"""How much visible accents count, beside whole clips."""
_PRIOR_BPM, _PRIOR_WIDTH = 110.0, 0.5
_SAID_TRUST, _LEAST_TEMPO, _TEMPO_S = 3.0, 1e-3, 9.0
"""How much the network's own word on the tempo counts, that no tempo is taken as less likely than, and over
how long its mean is taken."""
_STAYS = 1.5
"""By so much, in log odds, another pulse has to be likelier than the one that goes on."""
_RECENT_S, _RECENT_ODDS, _LEAVES = 2.0, 0.3, 3.0
"""Where beats count 1 / e after so long, and the odds of tempi so much, another pulse is followed at once
that is likelier by so much: a tempo that changes at once is followed half a second earlier."""
_SAME_TEMPO, _SAME_S = 0.04, 0.09
"""It goes on where tempo (natural log) and phase are no further off."""
_PULLS_S = 0.1
"""Peaks further from a beat do not draw it."""
_HOLD = 60.0
"""The tempo of before counts as much as so many clear beats, each a beat away from now. With 20, 60 and 200
beat F of 8 dances half a second ahead was 0.829, 0.847 and 0.820, and at once 0.862, 0.886 and 0.866."""
_TURN = 0.05
"""Peaks change the tempo by no more than this (natural log)."""


@dataclass(frozen=True)
class Pulse:
    """A steady pulse."""

    beat_s: float
    """One of its beats, near the end of what was read."""
    period_s: float

    @property
    def tempo_bpm(self) -> float:
        return 60 / self.period_s

    def beats(self, start_s: float, end_s: float) -> np.ndarray:
        """Its beats in start_s <= t < end_s, float64 [M]."""
        first = np.ceil((start_s - self.beat_s) / self.period_s)
        last = np.ceil((end_s - self.beat_s) / self.period_s)
        return self.beat_s + self.period_s * np.arange(first, last)

    def off_s(self, times_s: np.ndarray) -> np.ndarray:
        """How far moments lie from its nearest beats, same shape."""
        return (times_s - self.beat_s + self.period_s / 2) % self.period_s - self.period_s / 2


class PulseTracker:
    """Follows the pulse of one dance through looks at curves that go on and on."""

    def __init__(self) -> None:
        self.pulse: Pulse | None = None
        """The one found last."""

    def read(self, fine: BeatCurves, start_s: float, now_s: float) -> Pulse:
        """The pulse now.

        Args:
            fine: What is known at `RATE`, from `start_s` on; curves may go on beyond `now_s`, where they are
                foretold.
            start_s: On the clock of the dance.
            now_s: Up to here somebody was seen.
        """
        gain = bumps_gain(fine.beat)
        if fine.seen is not None:
            gain = gain + _SEEN * seen_gain(fine.seen)
        times_s = start_s + np.arange(len(gain)) / RATE
        odds = _tempo_odds(fine.tempo, len(gain))
        rough = self._likeliest(gain, times_s, now_s, odds)
        goes_on = self.pulse is not None and _same(rough, self.pulse)
        held_s = self.pulse.period_s if self.pulse is not None and goes_on else rough.period_s
        self.pulse = _drawn(rough, held_s, fine.beat, start_s, now_s)
        return self.pulse

    def _likeliest(self, gain: np.ndarray, times_s: np.ndarray, now_s: float, odds: np.ndarray) -> Pulse:
        combs = _combs()
        scores = _scores(gain * np.exp(np.minimum(times_s - now_s, 0.0) / _FADE_S)) + odds[combs.tempi]
        periods_s, beats_s = combs.periods_s, times_s[-1] - combs.phases / RATE
        best = int(scores.argmax())
        if self.pulse is not None:
            near = np.abs(np.log(periods_s / self.pulse.period_s)) <= _SAME_TEMPO
            near &= np.abs(self.pulse.off_s(beats_s)) <= _SAME_S
            if near.any():
                kept = int(np.where(near, scores, -np.inf).argmax())
                best = kept if scores[best] - scores[kept] < _STAYS else best
            if near[best]:
                recent = _scores(gain * np.exp(np.minimum(times_s - now_s, 0.0) / _RECENT_S))
                recent = recent + _RECENT_ODDS * odds[combs.tempi]
                if recent.max() - recent[near].max() > _LEAVES:
                    best = int(recent.argmax())
        return Pulse(float(beats_s[best]), float(periods_s[best]))


def _scores(faded: np.ndarray) -> np.ndarray:
    """What each pulse of `_combs` gains by its beats, [C]."""
    combs = _combs()
    back = np.zeros(round(_REACH_S * RATE))
    latest = faded[::-1][: len(back)]
    back[: len(latest)] = latest
    return np.add.reduceat(back[combs.places], combs.starts)


def _same(one: Pulse, other: Pulse) -> bool:
    """Whether the one goes on where the other was."""
    near = abs(np.log(one.period_s / other.period_s)) <= _SAME_TEMPO
    return bool(near and abs(other.off_s(np.array(one.beat_s))) <= _SAME_S)


def _drawn(rough: Pulse, held_s: float, curve: np.ndarray, start_s: float, now_s: float) -> Pulse:
    """A pulse drawn to the peaks of the beat curve nearby, the latest most, by weighted least squares.

    `held_s`: the period to be kept where peaks say little.
    """
    beats = rough.beats(start_s, rough.beat_s + 1e-6)
    peaks, weights = on_peaks(beats - start_s, curve)
    away_s = peaks + start_s - beats
    weights = np.where(np.abs(away_s) < _PULLS_S, weights, 0.0)
    weights = weights * np.exp(np.minimum(beats - now_s, 0.0) / _FADE_S) + 1e-9
    count = np.arange(1.0 - len(beats), 1.0)  # beats since the last one, 0 or less
    # Of what is asked for, how much later the beat and how much longer the period is.
    sides = np.array([weights @ away_s, weights @ (count * away_s) + _HOLD * (held_s - rough.period_s)])
    inner = weights @ count
    square = np.array([[weights.sum() + 1e-3, inner], [inner, weights @ count**2 + _HOLD]])
    later_s, longer_s = np.linalg.solve(square, sides)
    period_s = rough.period_s + longer_s
    if abs(np.log(max(period_s, 1e-3) / rough.period_s)) > _TURN:
        period_s = rough.period_s
    return Pulse(float(rough.beat_s + later_s), float(period_s))


def _tempo_odds(likely: np.ndarray | None, states: int) -> np.ndarray:
    """Log odds of each of `TEMPI_BPM` before beats are looked at, but for a constant, [N].

    `likely`: what the network says of tempi, [F, bins], over so many `states`.
    """
    odds = -0.5 * (np.log2(TEMPI_BPM / _PRIOR_BPM) / _PRIOR_WIDTH) ** 2
    if likely is None or len(likely) == 0:
        return odds
    latest = likely[-max(1, round(_TEMPO_S * RATE / states * len(likely))) :]
    said = np.log(np.maximum(latest, _LEAST_TEMPO)).mean(0)
    bins = np.log(np.geomspace(*TEMPO_RANGE_BPM, likely.shape[1]))
    return odds + _SAID_TRUST * np.interp(np.log(TEMPI_BPM), bins, said)


@dataclass(frozen=True, eq=False)
class _Combs:
    """Every pulse that is tried; `C` counts them."""

    places: np.ndarray
    """States before the end at which beats lie, all pulses one after the other."""
    starts: np.ndarray
    """Where each begins in `places`, [C]."""
    phases: np.ndarray
    """States before the end of its last beat, float64 [C]."""
    tempi: np.ndarray
    """Row of `TEMPI_BPM`, [C]."""
    periods_s: np.ndarray
    """float64 [C]."""


@cache
def _combs() -> _Combs:
    states = round(_REACH_S * RATE)
    places, phases, tempi = [], [], []
    for row, period in enumerate(60 * RATE / TEMPI_BPM):
        for phase in np.arange(0, period, _PHASE_EVERY):
            count = int((states - 1 - phase) / period) + 1
            places.append(np.round(phase + period * np.arange(count)).astype(np.int32))
            phases.append(phase)
            tempi.append(row)
    lengths = np.array([len(each) for each in places])
    rows = np.array(tempi)
    return _Combs(
        np.concatenate(places),
        np.concatenate([[0], np.cumsum(lengths)[:-1]]),
        np.array(phases),
        rows,
        60 / TEMPI_BPM[rows],
    )
