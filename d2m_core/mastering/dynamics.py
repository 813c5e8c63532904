"""Loud and quiet: the level of music follows how much is going on in the dance."""

from __future__ import annotations

import numpy as np
import scipy
import torch

from ..media.blocks import BLOCK
from ..types import Rhythm, Waveform

_SLOW_S = 0.7
"""Standard deviation of the window over which energy is looked at: longer than beats last, so that the level
swells and falls as a hand on a fader moves it, and never pumps with the hits."""

_STILL, _MOVING = 0.07, 0.15
"""Energy that varies by less than the first is one level; from the second on it is followed all the way."""

_DB_PER_ENERGY = 50.0
"""Of the gain, where the energy is followed: calm and lively parts of a dance differ in it by 0.15 to 0.4."""

_MOST_DB = 8.0
"""Between the quietest and the loudest."""


def level_curve(rhythm: Rhythm, amount: float = 1.0) -> np.ndarray:
    """Gain in dB per frame of the rhythm, float64 [F]; 0 on average, and throughout where energy stays.

    `amount` 1 follows the energy as an engineer would, 0 not at all.
    """
    energy = scipy.ndimage.gaussian_filter1d(
        rhythm.energy.astype(np.float64), _SLOW_S * rhythm.fps, mode="nearest"
    )
    low, high = np.percentile(energy, (5, 95))
    share = np.clip((high - low - _STILL) / (_MOVING - _STILL), 0.0, 1.0)
    if share * amount == 0.0:
        return np.zeros(len(energy))
    slope = min(_DB_PER_ENERGY, _MOST_DB / (high - low))
    gain = amount * share * share * (3 - 2 * share) * slope * (np.clip(energy, low, high) - (low + high) / 2)
    return gain - gain.mean()


def with_dynamics(wave: Waveform, rhythm: Rhythm, amount: float = 1.0) -> Waveform:
    """The music [B, C, N] louder where the dance has more energy; peaks may pass 1."""
    gain_db = level_curve(rhythm, amount)
    if not gain_db.any():
        return wave
    samples, frames_s = wave.samples.clone(), np.arange(len(gain_db)) / rhythm.fps
    for first in range(0, samples.shape[-1], BLOCK):
        block = samples[..., first : first + BLOCK]
        times_s = (first + np.arange(block.shape[-1])) / wave.sample_rate
        block *= torch.from_numpy(10 ** (np.interp(times_s, frames_s, gain_db) / 20)).to(block)
    return Waveform(samples, wave.sample_rate)
