"""Which tempo a dance has: evidence of the whole clip, weighed into probabilities.

A chain of beats follows whatever looks likeliest beat by beat; where a dance is hard to read, a few
frames more or less lead it elsewhere. So the tempo is settled first. Of every tempo several `SIGNS`
are read in long stretches of the clip, and a logistic model makes probabilities of their mean. The
chain then keeps near the likeliest tempo, and changes only where both sides of a change clearly want
another (`spans`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from ..grid import TEMPO_RANGE_BPM
from ..types import TempoGuess
from .curves import RATE, BeatCurves
from .gains import beat_lengths, bumps_gain, clearness_of

TEMPI_BPM = np.geomspace(*TEMPO_RANGE_BPM, 128)
"""The tempi that are weighed, float64 [N]: 0.9 % apart."""

SIGNS = ("beat", "clear beat", "half", "pulse", "accents")
"""What speaks for a tempo, see `evidence_of`."""
_SIGN_WEIGHTS = np.array([1.77, 2.08, -1.64, 0.77, 2.63])
"""Logistic regression on 390 pieces of studio dances (`python -m training.fit_tempo --dances 130`), every
second dance hard to see. The likeliest tempo was right for 0.70 of them and any guess for 0.76, with a
calibration error of 0.045, cross-validated by dance. The network's own word on the tempo is left out: with it
0.71 were right, but on dances unlike those that it learned it is surely wrong."""

_MIDDLE_BPM, _OCTAVES, _PER_DOUBLING = 110.0, 0.4, 0.25
"""Log-normal prior: its middle for a dance of middling energy, its deviation, and by how many octaves the
middle rises where accents are twice as many. The studio dances all tempi evenly, so it cannot be fitted."""
_TEMPO_STRETCH_S, _HOP_S = 12.0, 1.0
"""Stretches that are looked at, and how far apart they begin."""
_MISS, _PHASE_STEP = 7, 3
"""States within which a pulse may miss a beat, and between phases that are tried."""
_BUSY, _BUSY_FLOOR = 1.0, 0.1
"""Accents per second, each counted with its strength, of a dance of middling energy, and the least."""
SAME = 0.04
"""Tempi within so much (natural log) are one guess."""
_GUESSES, _LEAST_GUESS = 4, 0.05
"""At most so many guesses are given, none less likely."""
_BAND, _USUAL = 0.08, 0.02
"""Beats keep within so much (natural log) of their span's tempo, and usually within so much."""
_LEAST_SPAN_S = 5.0
"""A tempo that is held for less is no other tempo."""
_CHANGE = 4.0
"""By so much (log odds) either side of a change prefers its own tempo to the other's. From 3 to 5 all of 40
pairs of drawn dances were found to change, and none of 60 captured, real and drawn dances of one tempo."""
_MOVING_S = 3.0
"""So long before and after a change beats may have any length between its two tempi's."""
_FORBIDDEN = -50.0
"""What a beat of a length out of its band gains."""


@dataclass(frozen=True)
class Span:
    """A stretch of a clip that keeps one tempo."""

    start_s: float
    end_s: float
    bpm: float


@dataclass(frozen=True, eq=False)
class Evidence:
    """What stretches of a clip say of each tempo."""

    starts_s: np.ndarray
    """float64 [W]."""
    length_s: float
    signs: np.ndarray
    """float64 [W, N, len(SIGNS)]."""
    weights: np.ndarray
    """How much each stretch counts, float64 [W], summing to 1: where nobody is seen, nothing."""
    prior: np.ndarray
    """Log probability of each tempo before any of this, but for a constant, [N]."""

    @property
    def worth(self) -> float:
        """How often over it says what it says: stretches that do not overlap, and at least 1."""
        seen_s = float(self.starts_s[-1] - self.starts_s[0]) + self.length_s
        return max(1.0, seen_s / _TEMPO_STRETCH_S)

    def mean(self) -> np.ndarray:
        """The signs of all stretches together, [N, len(SIGNS)]."""
        return np.tensordot(self.weights, self.signs, 1)

    def within(self, start_s: float, end_s: float) -> Evidence | None:
        """The stretches that lie between two moments; None where there is none."""
        inside = (self.starts_s >= start_s - 0.01) & (self.starts_s + self.length_s <= end_s + 0.01)
        if not inside.any():
            return None
        weights = self.weights[inside] + 1e-9
        return Evidence(
            self.starts_s[inside], self.length_s, self.signs[inside], weights / weights.sum(), self.prior
        )


# --- what speaks for a tempo ---


def evidence_of(fine: BeatCurves, stretch_s: float = _TEMPO_STRETCH_S) -> Evidence:
    """The signs in curves at `RATE`.

    `beat` and `half`: how much the beat curve swings at the tempo and at half of it, 0..1; `clear beat`:
    the first, times how clear the curve is; `pulse`: what the likeliest steady pulse gains in a second
    (`gains`); `accents`: how much the visible accents swing at the tempo.
    """
    size = min(len(fine.beat), round(stretch_s * RATE))
    last = len(fine.beat) - size
    starts = np.unique(np.append(np.arange(0, last + 1, round(_HOP_S * RATE)), last))
    hz = TEMPI_BPM / 60
    beat, loud = swings(fine.beat, np.concatenate([hz, hz / 2]), starts, size)
    once, half = np.split(beat, 2, axis=1)
    seen = fine.felt_or_beat if fine.seen is None else fine.seen
    accents, _ = swings(seen, hz, starts, size)
    pulse = pulses(bumps_gain(fine.beat), starts, size)
    each = [once, clearness_of(fine.beat) * once, half, pulse, accents]
    weights = loud + 1e-6
    return Evidence(starts / RATE, size / RATE, np.stack(each, 2), weights / weights.sum(), prior(busy(seen)))


def swings(curve: np.ndarray, hz: np.ndarray, starts: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """How much stretches of a curve [S] swing at some frequencies, [W, hz], and how loud they are, [W].

    1 is a sine wave of that frequency and nothing else. Each stretch is `size` states long, and
    fades in and out.
    """
    fade = np.hanning(size + 2)[1:-1]
    fade /= fade.sum()
    waves = np.exp(-2j * np.pi * np.arange(size)[:, None] / RATE * hz)  # [size, hz]
    parts = curve[starts[:, None] + np.arange(size)]  # [W, size]
    parts = parts - (parts @ fade)[:, None]
    loud = np.sqrt(parts**2 @ fade)
    return np.abs((parts * fade) @ waves) * np.sqrt(2) / (loud[:, None] + 1e-6), loud


def pulses(gain: np.ndarray, starts: np.ndarray, size: int) -> np.ndarray:
    """What a steady pulse of each tempo gains in a second at its best phase, in each stretch, [W, N].

    `gain`: what a beat gains at each state, [S]; a pulse may miss it by a little.
    """
    parts = scipy.ndimage.maximum_filter1d(gain, _MISS)[starts[:, None] + np.arange(size)]  # [W, size]
    out = np.empty((len(starts), len(TEMPI_BPM)))
    for column, period in enumerate(60 * RATE / TEMPI_BPM):
        beats = max(1, int(size / period))
        phases = np.arange(0, period, _PHASE_STEP)
        places = (phases[:, None] + period * np.arange(beats)).astype(int)
        sums = parts[:, np.minimum(places, size - 1)].sum(2)  # [W, phases]
        out[:, column] = sums.max(1) / (beats * period / RATE)
    return out


def busy(seen: np.ndarray) -> float:
    """How busy a dance is beside a middling one, log2: by its visible accents, a curve [S]."""
    peaks, _ = scipy.signal.find_peaks(seen, height=0.05)
    rate = float(seen[peaks].sum()) * RATE / len(seen)
    return float(np.log2(max(rate, _BUSY_FLOOR) / _BUSY))


def prior(busy: float) -> np.ndarray:
    """Log probability of each tempo by how `busy` the dance is, but for a constant, [N]: calm is slow."""
    octaves = np.log2(TEMPI_BPM / _MIDDLE_BPM) - _PER_DOUBLING * busy
    return -0.5 * (octaves / _OCTAVES) ** 2


# --- what follows from it ---


def chances(evidence: Evidence) -> np.ndarray:
    """How likely each of `TEMPI_BPM` is, [N], summing to 1.

    The signs are means over stretches, so what a longer clip says is said several times. But between a
    tempo and its double it leaves the same doubt, however long it is.
    """
    odds = _odds(evidence)
    logs = np.log(TEMPI_BPM)
    octaves = [np.interp(logs + away, logs, odds, -np.inf, -np.inf) for away in (-np.log(2), np.log(2))]
    odds = odds + (evidence.worth - 1) * np.max([odds, *octaves], axis=0)
    shares = np.exp(odds - odds.max())
    return shares / shares.sum()


def guesses(likely: np.ndarray) -> tuple[TempoGuess, ...]:
    """The likeliest tempi, highest first, from what `chances` says."""
    left = likely.copy()
    found: list[TempoGuess] = []
    logs = np.log(TEMPI_BPM)
    for _ in range(_GUESSES):
        near = np.abs(logs[:, None] - logs) <= SAME  # [N, N]
        best = int((near @ left * (left > 0)).argmax())
        mass = left * near[best]
        if mass.sum() < _LEAST_GUESS and found:
            break
        found.append(TempoGuess(float(np.exp((mass @ logs) / mass.sum())), float(mass.sum())))
        left = np.where(near[best], 0.0, left)
    return tuple(sorted(found, key=lambda guess: -guess.probability))


def chance_of(likely: np.ndarray, bpm: float) -> float:
    """How likely a tempo is, from what `chances` says."""
    return float(likely[np.abs(np.log(TEMPI_BPM / bpm)) <= SAME].sum())


def chance_of_any_octave(evidence: Evidence, bpm: float) -> float:
    """How likely a tempo, its half or its double is: for one that somebody set, who chose the octave."""
    likely = chances(evidence)
    return min(1.0, sum(chance_of(likely, bpm * factor) for factor in (0.5, 1.0, 2.0)))


def chance_of_spans(evidence: Evidence, held: Sequence[Span]) -> float:
    """How likely the tempi of a clip's spans are, on average over its time."""
    shares = []
    for span in held:
        here = evidence.within(span.start_s, span.end_s) if len(held) > 1 else evidence
        shares.append(chance_of(chances(here or evidence), span.bpm))
    return float(np.average(shares, weights=[span.end_s - span.start_s for span in held]))


def spans(fine: BeatCurves, evidence: Evidence) -> list[Span]:
    """The tempi of a clip in turn: one, but where it truly changes."""
    duration_s = len(fine.beat) / RATE
    if duration_s < 2 * _LEAST_SPAN_S:
        return [Span(0.0, duration_s, _best(evidence))]
    if duration_s < 2 * _TEMPO_STRETCH_S:  # else no stretch would lie on one side of a change
        evidence = evidence_of(fine, duration_s / 2)
        split = _split(evidence, 0.0, duration_s)
        return split if len(split) > 1 else [Span(0.0, duration_s, _best(evidence_of(fine)))]
    return _split(evidence, 0.0, duration_s)


def _split(evidence: Evidence, start_s: float, end_s: float) -> list[Span]:
    """One span, or those on either side of the clearest change, each looked at in the same way."""
    whole = evidence.within(start_s, end_s)
    if whole is None:
        whole = evidence
    best: tuple[float, float] | None = None
    least_s = max(_LEAST_SPAN_S, evidence.length_s)
    for at_s in np.arange(start_s + least_s, end_s - least_s + 0.01, _HOP_S):
        left, right = evidence.within(start_s, at_s), evidence.within(at_s, end_s)
        if left is None or right is None:
            continue
        clear = _clearness(_odds(left), _odds(right))
        if clear > _CHANGE and (best is None or clear > best[0]):
            best = (clear, float(at_s))
    if best is None:
        return [Span(start_s, end_s, _best(whole))]
    return _split(evidence, start_s, best[1]) + _split(evidence, best[1], end_s)


def _clearness(left: np.ndarray, right: np.ndarray) -> float:
    """By how much either side prefers its own tempo to the other's, the lesser of the two."""
    one, other = int(left.argmax()), int(right.argmax())
    if abs(np.log(TEMPI_BPM[one] / TEMPI_BPM[other])) <= SAME:
        return 0.0
    return float(min(left[one] - left[other], right[other] - right[one]))


def band(found: list[Span], states: int) -> np.ndarray:
    """What a beat of each length gains at each state for keeping near its tempo, 0 or less, [S, L]."""
    lengths = np.log(beat_lengths())
    times = np.arange(states) / RATE
    lowest, highest = np.full(states, np.inf), np.full(states, -np.inf)
    for index, span in enumerate(found):
        lead_s = _MOVING_S if index else 0.0
        tail_s = _MOVING_S if index + 1 < len(found) else 0.0
        here = (times >= span.start_s - lead_s) & (times < span.end_s + tail_s)
        middle = np.log(60 * RATE / span.bpm)
        lowest[here] = np.minimum(lowest[here], middle)
        highest[here] = np.maximum(highest[here], middle)
    away = np.maximum(np.maximum(lowest[:, None] - lengths, lengths - highest[:, None]), 0.0)
    return np.where(away > _BAND, _FORBIDDEN, -0.5 * (away / _USUAL) ** 2)


def _odds(evidence: Evidence) -> np.ndarray:
    """Log odds of each tempo, but for a constant, [N]."""
    return evidence.mean() @ _SIGN_WEIGHTS + evidence.prior


def _best(evidence: Evidence) -> float:
    return guesses(chances(evidence))[0].bpm
