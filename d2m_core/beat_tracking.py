"""The likeliest chain of beats and bars behind curves, at `RATE` states per second.

A bar-pointer model (Krebs, Böck, Widmer, ISMIR 2015) whose hidden state is the length of the
current beat and its place in a bar of four or three. Lengths change only from beat to beat and
only a little, so the search steps from beat to beat instead of from state to state, which finds the
same chains in a tenth of the time. What a beat at some moment gains over no beat there is computed
beforehand: `bump_gain` for a network that was taught bumps, `onset_gain` for onsets of music.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage
from scipy.interpolate import CubicSpline
from scipy.signal import find_peaks

from .accents import bumps_at
from .config import TEMPO_RANGE_BPM

RATE = 100
"""States per second."""

_PRIOR_BPM, _PRIOR_OCTAVES = 110.0, 0.7
"""Log-normal tempo prior."""
_METRES = {4: 0.0, 3: -2.0}
"""Beats in a bar, and the log of how likely each is beside bars of four."""
_REACH = 3
"""A beat is at most so many states longer or shorter than the one before."""
_LEAST = 1e-3
"""No curve is taken as surer than this, or 1 less this."""
_TARGET_S, _TARGET_FPS = 0.045, 25.0
"""Deviation and rate of the bumps the rhythm network learns (`training.rhythm_pool`)."""
_BASE = 0.05
"""What the network's curves show between bumps."""
_LEAST_TEMPO, _TEMPO_TRUST = 1e-3, 0.5
"""No tempo is taken as less likely than this; and how much a second of tempo counts."""
_LEAST_HEIGHT, _PEAKS_APART = 0.1, 20
"""Bumps are not taken as lower; peaks nearer than so many states are one."""
_ACCENT_WEIGHT, _ACCENT_WEAK, _ACCENT_STRONG, _ACCENT_S = 4.0, 0.3, 0.7, 0.04
"""What a beat gains, in log odds, by a visible accent; from which strength on, at which it gains
all of it, and how far away. At 0, 2 and 4, the share of accents on a beat was 0.471, 0.471 and
0.552 on seven real clips, and beat F of 80 drawn dances 0.973, 0.974 and 0.976."""
_BEAT_SHARE = 16
"""An onset of music lies in one state of so many, around a beat."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Beats on the likeliest path."""

    beats_s: np.ndarray
    """float64 [M]."""
    downbeats: np.ndarray
    """bool [M]; none where bars were not looked for."""


def beat_lengths() -> np.ndarray:
    """All lengths of a beat in states, int [L], shortest first."""
    low, high = TEMPO_RANGE_BPM
    return np.arange(int(60 * RATE / high), int(np.ceil(60 * RATE / low)) + 1)


def at_rate(curve: np.ndarray, fps: float) -> np.ndarray:
    """A curve [F] in 0..1 at `RATE`, float64 [S]; what is not a number counts as 0."""
    curve = np.nan_to_num(np.asarray(curve, np.float64))
    times = np.arange(max(1, round(len(curve) / fps * RATE))) / RATE
    if len(curve) < 4:
        return np.interp(times, np.arange(len(curve)) / fps, curve)
    times = np.minimum(times, (len(curve) - 1) / fps)
    return np.clip(CubicSpline(np.arange(len(curve)) / fps, curve)(times), 0.0, 1.0)


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
    seen = ndimage.correlate1d(sure, lift, mode="constant", cval=_BASE)
    return (seen + absent) * _TARGET_FPS / RATE


def bump_height(curve: np.ndarray, most: float, favoured: float, share: float) -> float:
    """How high this curve's own bumps come out, at most `most`; other arguments as in `bump_gain`.

    `share` of the curve's peaks are taken as surely bumps, and the lowest of them gives the height.

    A network is unsure of dances unlike those it learned. Low bumps still are where beats are
    likeliest, but held against usual ones each would speak against a beat, and the slowest tempo
    would always win. Beat F of 33 captured dances: 0.30 instead of 0.50; of 120 studio dances, the
    same within 0.01.
    """
    sure = _fair(curve, favoured)
    peaks, _ = find_peaks(sure, distance=_PEAKS_APART)
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
    total = np.cumsum(np.log(sure / (1 - sure)) + np.log(_BEAT_SHARE - 1))
    total = np.concatenate([[0.0], total])
    wide = np.ceil(lengths / _BEAT_SHARE).astype(int)
    first = np.arange(len(curve))[:, None] - wide // 2
    last = np.clip(first + wide, 0, len(curve))
    return total[last] - total[np.clip(first, 0, len(curve))]


def accent_gain(curve: np.ndarray) -> np.ndarray:
    """What a beat centred at each state gains by the visible accents there, 0 on average, [S].

    `curve`: accents as bumps that are as high as they are strong, [S].
    """
    peaks, _ = find_peaks(curve, height=_ACCENT_WEAK)
    strong = np.clip((curve[peaks] - _ACCENT_WEAK) / (_ACCENT_STRONG - _ACCENT_WEAK), 0, 1)
    near = bumps_at(peaks / RATE, strong, len(curve), RATE, _ACCENT_S)
    return _ACCENT_WEIGHT * (near - near.mean())


def clearness(height: float, most: float) -> float:
    """0..1: how much the network's word on tempo counts where its bumps are only so high."""
    return ((height - _LEAST_HEIGHT) / (most - _LEAST_HEIGHT)) ** 2


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


# --- the search ---


def track(
    gain: np.ndarray, bar_gain: np.ndarray | None, steady: float, metre: int | None = None
) -> Chain:
    """The likeliest beats; one always lies within a beat of either end.

    Args:
        gain: What a beat gains at each state, [S, L], or [S, 1] where its length does not matter.
        bar_gain: What it gains on top where it starts a bar, [S]; None: bars are not looked for.
        steady: How strongly a tempo change is punished: exp(-steady * relative change) at each.
        metre: Beats in a bar where that is known.

    Time and memory grow with S: 180 s take about 1.5 s and 9 MB.
    """
    lengths = beat_lengths()
    priors = _metres_of(metre)
    places = [(1, 0)] if bar_gain is None else [(m, k) for m in priors for k in range(m)]
    before = np.array([places.index((m, (k - 1) % m)) for m, k in places])
    opens = np.array([k == 0 and bar_gain is not None for _, k in places])
    extra = np.zeros((len(gain), 1)) if bar_gain is None else np.where(opens, bar_gain[:, None], 0)
    metres = np.array([priors.get(m, 0.0) - np.log(m) for m, _ in places])
    fresh = _prior(lengths) + metres[:, None]  # [places, L]
    search = _search(gain, extra, fresh, before, lengths, _changes(lengths, steady))
    steps, found = _walk_back(*search, before, lengths)
    return Chain(steps / RATE, opens[found])


def _metres_of(metre: int | None) -> dict[int, float]:
    """Beats in a bar that may be, with the log of how likely: `metre` alone where it is known."""
    return _METRES if metre is None else {metre: 0.0}


def likeliest_bars(
    beats_s: np.ndarray, bar_gain: np.ndarray | None, metre: int | None = None
) -> np.ndarray:
    """Which of these beats start bars, bool [M], as `track` would choose for them.

    Without `bar_gain` [S], every fourth (or as `metre` says) from the first on. On the true beats
    of 120 studio dances this gave a downbeat F of 0.73; a mean of log odds over all beats, as for
    music, 0.66.
    """
    index, best, choice = np.arange(len(beats_s)), -np.inf, (metre or 4, 0)
    if bar_gain is not None:
        gains = np.interp(beats_s * RATE, np.arange(len(bar_gain)), bar_gain)
        for beats, prior in _metres_of(metre).items():
            for first in range(beats):
                score = gains[first::beats].sum() + prior
                if score > best:
                    best, choice = score, (beats, first)
    return index % choice[0] == choice[1]


def _search(
    gain: np.ndarray, extra: np.ndarray, fresh: np.ndarray, before: np.ndarray,
    lengths: np.ndarray, change: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Best chains up to every state.

    Returns by how many lengths each beat's differs from the one before, int8 [S, places, L], -1
    where the chain begins, else `_REACH` more; and scores and steps of last beats, [places, L].
    """
    columns, longest = np.arange(len(lengths)), int(lengths[-1])
    recent = np.full((longest + 1, *fresh.shape), -np.inf)  # a ring of the last steps
    padded = np.full((len(fresh), len(lengths) + 2 * _REACH), -np.inf)
    shifted = sliding_window_view(padded, len(lengths), axis=1)  # [places, changes, L]
    came = np.full((len(gain), *fresh.shape), -1, np.int8)
    ends, end_at = np.full(fresh.shape, -np.inf), np.zeros(fresh.shape, int)
    for step in range(len(gain)):
        ago = recent[(step - lengths) % len(recent), :, columns]  # [L, places]
        padded[:, _REACH:-_REACH] = ago.T[before]
        options = shifted + change
        choice = options.argmax(1)
        score = np.take_along_axis(options, choice[:, None], 1)[:, 0]
        if step < longest:
            new = (step < lengths) & (fresh > score)
            score, choice = np.where(new, fresh, score), np.where(new, -1, choice)
        score = score + gain[step] + extra[step][:, None]
        recent[step % len(recent)], came[step] = score, choice
        if step >= len(gain) - longest:
            better = (step >= len(gain) - lengths) & (score > ends)
            ends, end_at = np.where(better, score, ends), np.where(better, step, end_at)
    return came, ends, end_at


def _prior(lengths: np.ndarray) -> np.ndarray:
    """Log probability of each length and of where in the first beat the clip begins, [L]."""
    octaves = np.log2(60 * RATE / lengths / _PRIOR_BPM) / _PRIOR_OCTAVES
    return -0.5 * octaves**2 - np.log(lengths)


def _changes(lengths: np.ndarray, steady: float) -> np.ndarray:
    """Log probability of coming to each length from its neighbours, [2 * _REACH + 1, L]."""
    near = np.abs(np.arange(len(lengths))[:, None] - np.arange(len(lengths))) <= _REACH
    change = -steady * np.abs(lengths[None, :] / lengths[:, None] - 1)  # [from, to]
    change = np.where(near, change, -np.inf)
    change -= np.log(np.exp(change).sum(1, keepdims=True))
    padded = np.pad(change, ((_REACH, _REACH), (0, 0)), constant_values=-np.inf)
    return np.stack([padded.diagonal(-shift) for shift in range(2 * _REACH + 1)])


def _walk_back(
    came: np.ndarray, ends: np.ndarray, end_at: np.ndarray, before: np.ndarray, lengths: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Steps [M] and places in the bar [M] on the best path, first beat first."""
    place, length = np.unravel_index(int(ends.argmax()), ends.shape)
    step, path = int(end_at[place, length]), []
    while True:
        path.append((step, place))
        choice = int(came[step, place, length])
        if choice < 0:
            break
        length += choice - _REACH
        step, place = step - int(lengths[length]), before[place]
    steps, places = np.array(path[::-1]).T
    return steps.astype(np.float64), places
