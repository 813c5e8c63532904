"""Music that was written in straight time, bent back to its dance.

What all of the piece has in common is undone by reading its samples a little faster or slower: another
pitch by under a semitone, and hits stay whole. So is slow drift, up to `_DRIFT`. Only what is left needs
the stretcher.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..media import fit_length
from ..types import Progress, Waveform
from .stretch import stretch
from .time_map import limited, to_edges

_NEAR_S = 0.006
"""Beats that come out so near to where they should are on it."""
_DRIFT = 0.02
"""Share of the rate by which samples may be read faster or slower here than in common: 34 cents. Dancers
drift slowly, and a slow drift of pitch is heard less than what a stretcher does to hits."""
_LEFT_S = 0.008
"""Less than this is not worth a stretcher."""
PIECE_MARGIN_S = 0.05
"""So far the filter reaches that lays samples closer, generously."""
_PIECE_S = 10.0
"""Sound is read in pieces of this length: what lies between its samples takes many times its memory."""
FINER = 4
"""Samples are laid so much closer before they are read between."""


@dataclass(frozen=True, eq=False)
class Bend:
    """How a piece is bent."""

    read: np.ndarray
    """float64 [A, 2]: rows (straight seconds, seconds heard) along which samples are read."""
    stretched: np.ndarray | None
    """float64 [A, 2]: rows (seconds read, seconds of the dance) for what is left; None if nothing is."""
    rate: float
    """Straight seconds per second of the dance, in common."""

    @property
    def semitones(self) -> float:
        """By how much the piece sounds higher."""
        return 12 * float(np.log2(self.rate))


def plan_bend(anchors: np.ndarray, duration_s: float) -> Bend:
    """How sound in straight time is brought into a dance's, from anchors [A >= 2, 2] (straight seconds,
    seconds of the dance)."""
    few = _fewer(anchors)
    straight, dance = to_edges(few[:, 0], few[:, 1], duration_s)
    rates = np.diff(straight) / np.diff(dance)
    rate = _middle(rates, np.diff(dance))
    read = limited(straight, dance, rate, _DRIFT)
    left = np.interp(straight, read, dance)
    left[0], left[-1] = dance[0], dance[-1]
    stretched = None
    if np.abs(left - dance).max() > _LEFT_S:
        stretched = np.stack([left, dance], axis=1)
    return Bend(np.stack([read, dance], axis=1), stretched, rate)


def _middle(values: np.ndarray, weights: np.ndarray) -> float:
    """Their median by weight."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def bend_back(
    wave: Waveform, anchors: np.ndarray, duration_s: float, on_progress: Progress | None = None
) -> Waveform:
    """The sound in the dance's time, exactly `duration_s` long; `anchors` as in `plan_bend`.

    Peaks may pass 1.
    """
    bend = plan_bend(anchors, duration_s)
    heard = _read_along(wave, bend.read, duration_s)
    del wave  # a long one is not there three times
    if bend.stretched is not None:
        heard = stretch(heard, bend.stretched, duration_s, on_progress, as_loud=False)
    return fit_length(heard, duration_s)


def _read_along(wave: Waveform, anchors: np.ndarray, duration_s: float) -> Waveform:
    """Samples read where anchors [A, 2] (seconds of the sound, seconds heard) say; silence outside."""
    rate, total = wave.sample_rate, round(duration_s * wave.sample_rate)
    out = torch.zeros(*wave.samples.shape[:2], total)
    margin, step = round(PIECE_MARGIN_S * rate), round(_PIECE_S * rate)
    for first in range(0, total, step):
        count = min(step, total - first)
        ends_s = np.array([first, first + count]) / rate
        low, high = np.interp(ends_s, anchors[:, 1], anchors[:, 0]) * rate
        start = max(0, int(low) - margin)
        piece = wave.samples[..., start : int(high) + margin]
        if piece.shape[-1]:
            out[..., first : first + count] = read_piece(piece, rate, start, anchors, first, count)
    return Waveform(out, rate)


def read_piece(
    samples: torch.Tensor, rate: int, start: int, anchors: np.ndarray, first: int, count: int
) -> torch.Tensor:
    """The `count` samples heard from number `first` on, [B, C, count].

    They are read as anchors [A, 2] (seconds of the sound, seconds heard) say. `samples` [B, C, n] are the
    sound's from number `start` on; outside is silence, and within `PIECE_MARGIN_S` of their ends the answer
    is not yet that of the whole.
    """
    fine = laid_closer(samples.flatten(0, 1).cpu().numpy(), rate)
    heard_s = (first + np.arange(count)) / rate
    at = np.interp(heard_s, anchors[:, 1], anchors[:, 0]) * (FINER * rate) - start * FINER
    out = np.stack([between(row, at) for row in fine])
    return torch.from_numpy(out).reshape(*samples.shape[:2], -1)


def laid_closer(samples: np.ndarray, rate: int) -> np.ndarray:
    """Samples [C, n], `FINER` for one; right but for `PIECE_MARGIN_S` at their ends, if more come there."""
    import librosa

    return librosa.resample(samples, orig_sr=rate, target_sr=FINER * rate, res_type="soxr_hq", axis=-1)


def between(samples: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Samples [N] at places between them, float32, through the cubic of four (Catmull and Rom)."""
    padded = np.pad(samples.astype(np.float64), 2)
    low = np.clip(np.floor(at).astype(np.int64), -1, len(samples) - 1)
    t = np.clip(at - low, 0.0, 1.0)
    a, b, c, d = (padded[low + k] for k in (1, 2, 3, 4))
    cubic = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return np.where((at < -1) | (at > len(samples)), 0.0, cubic).astype(np.float32)


def _fewer(anchors: np.ndarray) -> np.ndarray:
    """The fewest of the anchors that keep all others within `_NEAR_S` (Ramer, Douglas, Peucker)."""
    first, last = anchors[0], anchors[-1]
    if len(anchors) == 2:
        return anchors
    rate = (last[0] - first[0]) / (last[1] - first[1])
    off = np.abs(anchors[:, 1] - first[1] - (anchors[:, 0] - first[0]) / rate)
    far = int(off.argmax())
    if off[far] <= _NEAR_S:
        return anchors[[0, -1]]
    return np.concatenate([_fewer(anchors[: far + 1])[:-1], _fewer(anchors[far:])])
