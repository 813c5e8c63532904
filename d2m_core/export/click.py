"""A click on every beat, as sound: to play along with, or to condition a model on."""

from __future__ import annotations

import numpy as np
import torch

from ..errors import require
from ..types import Rhythm, Waveform

SAMPLE_RATE = 48000
_HIGH_HZ, _LOW_HZ = 1760.0, 1175.0
_LOUD, _SOFT = 0.9, 0.55
_RING_S, _DECAY = 0.06, 70.0
_CHANNELS = 2


def click_track(
    rhythm: Rhythm, duration_s: float | None = None, sample_rate: int = SAMPLE_RATE, beats_only: bool = False
) -> Waveform:
    """A click [1, 2, N] on each beat, higher and louder where a bar starts.

    Each begins, at its full height, with the sample nearest to its beat. `beats_only` makes all alike.
    """
    require(sample_rate >= 8000, f"Sample rate is {sample_rate} Hz; use 8000 or more.")
    length_s = rhythm.duration_s if duration_s is None else duration_s
    out = np.zeros(max(1, round(length_s * sample_rate)), np.float32)
    high, low = (_click(hertz, level, sample_rate) for hertz, level in ((_HIGH_HZ, _LOUD), (_LOW_HZ, _SOFT)))
    for time_s, starts_bar in zip(rhythm.beats_s, rhythm.downbeats, strict=True):
        start = round(float(time_s) * sample_rate)
        part = out[start : start + len(high)]
        part[:] = (high if starts_bar and not beats_only else low)[: len(part)]
    return Waveform(torch.from_numpy(out).expand(1, _CHANNELS, -1).clone(), sample_rate)


def _click(hertz: float, level: float, sample_rate: int) -> np.ndarray:
    """A tone that is struck: float32, loudest at its first sample."""
    time_s = np.arange(round(_RING_S * sample_rate)) / sample_rate
    return (level * np.cos(2 * np.pi * hertz * time_s) * np.exp(-_DECAY * time_s)).astype(np.float32)
