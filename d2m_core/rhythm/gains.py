"""What a beat at some moment gains over no beat there, in log odds, at `RATE` states per second.

`gains_of` adds up all that curves tell: `bump_gain` is for a network that was taught bumps,
`onset_gain` for onsets of music, `seen_gain` for the accents one sees. `search` finds the likeliest
chain in their sum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from ..grid import TEMPO_RANGE_BPM
from ..motion.accents import bumps_at
from .curves import RATE, BeatCurves

_BEAT_HEIGHT, _BEAT_FAVOURED = 0.7, 3.0
_BAR_HEIGHT, _BAR_FAVOURED, _BAR_WEIGHT = 0.7, 6.0, 0.5
"""Usual height of the network's bumps, how much its training favoured them
(`training.train_rhythm`), and how much bar lines count beside beats."""
_SURE_BEATS, _SURE_BARS = 0.2, 0.05
"""Such shares of the peaks of the beat and of the bar curve are surely beats and bar lines."""
_LEAST = 1e-3
"""No curve is taken as surer than this, or 1 less this."""
_TARGET_S, _TARGET_FPS = 0.045, 25.0
"""Deviation and rate of the bumps the rhythm network learns (`training.rhythm.pool`)."""
_BASE = 0.05
"""What the network's curves show between bumps."""
_LEAST_TEMPO, _TEMPO_TRUST = 1e-3, 0.5
"""No tempo is taken as less likely than this; and how much a second of tempo counts."""
_LEAST_HEIGHT, _PEAKS_APART = 0.1, 20
"""Bumps are not taken as lower; peaks nearer than so many states are one."""
_SEEN_WEIGHT, _SEEN_WEAK, _SEEN_STRONG, _SEEN_S = 4.0, 0.3, 0.7, 0.04
"""What a beat gains, in log odds, by a visible accent; from which strength on, at which it gains
all of it, and how far away. At 0, 2 and 4, the share of accents on a beat was 0.471, 0.471 and
0.552 on seven real clips, and beat F of 80 drawn dances 0.973, 0.974 and 0.976."""
_ONSET_PARTS = 16
"""An onset of music lies in one of so many equal parts of a beat: that around the beat."""


def beat_lengths(range_bpm: tuple[float, float] = TEMPO_RANGE_BPM) -> np.ndarray:
    """All lengths of a beat in states, int [L], shortest first."""
    low, high = range_bpm
    return np.arange(int(60 * RATE / high), int(np.ceil(60 * RATE / low)) + 1)


@dataclass(frozen=True, eq=False)
class Gains:
    """What all curves together say for beats and bar lines."""

    beat: np.ndarray
    """What a beat gains at each state, [S, L], or [S, 1] where its length does not matter."""
    bar: np.ndarray | None
    """What it gains on top where it starts a bar, [S]; None where nobody knows."""


def gains_of(fine: BeatCurves, known_tempo: bool) -> Gains:
    """The gains in curves at `RATE`; what they say of the tempo is left out where it is known."""
    if fine.downbeat is None:
        beat, bar = onset_gain(fine.beat, beat_lengths()), None
    else:
        height = bump_height(fine.beat, _BEAT_HEIGHT, _BEAT_FAVOURED, _SURE_BEATS)
        beat = bumps_gain(fine.beat)[:, None]
        if fine.tempo is not None and not known_tempo:
            beat = beat + clearness(height, _BEAT_HEIGHT) * tempo_gain(fine.tempo, len(beat))
        bar = bar_gain(fine.downbeat)
    if fine.seen is not None:
        beat = beat + seen_gain(fine.seen)[:, None]
    return Gains(beat, bar)


# --- what was observed ---


def bump_gain(curve: np.ndarray, height: float, favoured: float) -> np.ndarray:
    """Log-likelihood that a bump centred at each state gains over none, float64 [S].

    Args:
        curve: What the network says, [S]; its cross entropy with bump and without is compared.
        height: How high bumps usually come out.
        favoured: How much more bumps counted in training than their absence; undone here.
    """
    sure = _fair(curve, favoured)
    reach = int(np.ceil(3 * _TARGET_S * RATE))
    away_s = np.arange(-reach, reach + 1) / RATE
    bump = _BASE + (height - _BASE) * np.exp(-0.5 * (away_s / _TARGET_S) ** 2)
    lift = np.log(bump / (1 - bump)) - np.log(_BASE / (1 - _BASE))
    absent = (np.log(1 - bump) - np.log(1 - _BASE)).sum()
    seen = scipy.ndimage.correlate1d(sure, lift, mode="constant", cval=_BASE)
    return (seen + absent) * _TARGET_FPS / RATE


def bumps_gain(curve: np.ndarray) -> np.ndarray:
    """`bump_gain` of a network's beat curve [S], its bumps taken as high as they come out."""
    height = bump_height(curve, _BEAT_HEIGHT, _BEAT_FAVOURED, _SURE_BEATS)
    return bump_gain(curve, height, _BEAT_FAVOURED)


def bar_gain(curve: np.ndarray) -> np.ndarray:
    """What a beat gains on top where it starts a bar, by a network's downbeat curve [S], [S]."""
    height = bump_height(curve, _BAR_HEIGHT, _BAR_FAVOURED, _SURE_BARS)
    return _BAR_WEIGHT * bump_gain(curve, height, _BAR_FAVOURED)


def bump_height(curve: np.ndarray, most: float, favoured: float, share: float) -> float:
    """How high this curve's own bumps come out, at most `most`; other arguments as in `bump_gain`.

    `share` of the curve's peaks are taken as surely bumps, and the lowest of them gives the height.

    A network is unsure of dances unlike those it learned. Low bumps still are where beats are
    likeliest, but held against usual ones each would speak against a beat, and the slowest tempo
    would always win. Beat F of 33 captured dances: 0.30 instead of 0.50; of 120 studio dances, the
    same within 0.01.
    """
    sure = _fair(curve, favoured)
    peaks, _ = scipy.signal.find_peaks(sure, distance=_PEAKS_APART)
    found = float(np.percentile(sure[peaks], 100 * (1 - share))) if len(peaks) else 0.0
    return float(np.clip(found, _LEAST_HEIGHT, most))


def _fair(curve: np.ndarray, favoured: float) -> np.ndarray:
    """A curve of a network that was taught with events favoured, as if it had not been."""
    sure = np.clip(curve, _LEAST, 1 - _LEAST)
    return sure / (sure + favoured * (1 - sure))


def onset_gain(curve: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Log-likelihood that a beat centred at each state gains, for each beat length, [S, L].

    As in the original model: an onset is expected in the sixteenth of a beat around its start.
    """
    sure = np.clip(curve, _LEAST, 1 - _LEAST)
    total = np.cumsum(np.log(sure / (1 - sure)) + np.log(_ONSET_PARTS - 1))
    total = np.concatenate([[0.0], total])
    wide = np.ceil(lengths / _ONSET_PARTS).astype(int)
    first = np.arange(len(curve))[:, None] - wide // 2
    last = np.clip(first + wide, 0, len(curve))
    return total[last] - total[np.clip(first, 0, len(curve))]


def seen_gain(curve: np.ndarray) -> np.ndarray:
    """What a beat centred at each state gains by the visible accents there, 0 on average, [S].

    `curve`: accents as bumps that are as high as they are strong, [S].
    """
    peaks, _ = scipy.signal.find_peaks(curve, height=_SEEN_WEAK)
    strong = np.clip((curve[peaks] - _SEEN_WEAK) / (_SEEN_STRONG - _SEEN_WEAK), 0, 1)
    near = bumps_at(peaks / RATE, strong, len(curve), RATE, _SEEN_S)
    return _SEEN_WEIGHT * (near - near.mean())


def clearness(height: float, most: float) -> float:
    """0..1: how much the network's word on tempo counts where its bumps are only so high."""
    return ((height - _LEAST_HEIGHT) / (most - _LEAST_HEIGHT)) ** 2


def clearness_of(curve: np.ndarray) -> float:
    """0..1: how clear a network's beat curve [S] is: how high its bumps come out."""
    return clearness(bump_height(curve, _BEAT_HEIGHT, _BEAT_FAVOURED, _SURE_BEATS), _BEAT_HEIGHT)


def tempo_gain(likely: np.ndarray, states: int) -> np.ndarray:
    """What a beat of each length gains where a network says which tempi are likely, [S, L].

    It counts by the second, so that short beats do not count more often.

    Args:
        likely: Share of each tempo, [F, bins], bins evenly spread in octaves over the tempo range.
        states: S, at `RATE`.
    """
    lengths = beat_lengths()
    low, high = TEMPO_RANGE_BPM
    bins = likely.shape[1]
    at = np.log(60 * RATE / lengths / low) / np.log(high / low) * (bins - 1)  # [L], in bins
    sure = np.log(np.maximum(likely, _LEAST_TEMPO))
    frames = (np.arange(states) + 0.5) / states * len(likely)
    sure = sure[np.minimum(frames.astype(int), len(likely) - 1)]  # [S, bins]
    left = np.clip(at.astype(int), 0, bins - 2)
    share = np.clip(at - left, 0, 1)
    each = sure[:, left] * (1 - share) + sure[:, left + 1] * share
    return _TEMPO_TRUST * lengths / RATE * each
