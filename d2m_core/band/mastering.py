"""Mastering: glue, the band's loudness, and no true peak above the ceiling; block by block."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy
import torch

from ..mastering import BAND_LUFS, CEILING_DB, SILENT_LUFS, loudness_of, true_peak_db
from ..media.limiter import limit
from .strip import Filter

_MARGIN_DB = 0.05
_ROUNDS = 3
_CEILING = 10 ** (-2.1 / 20)
"""Of samples, in all rounds but the last, which looks between them."""
_DRIVE = 0.25
_HOPS = 1024
"""Steps of 5 ms in a block."""


def master(mix: np.ndarray, rate: int, tick: Callable[[], None] = lambda: None) -> None:
    """Makes float32 [2, N] as loud as `BAND_LUFS`, its true peaks under `CEILING_DB`; in place."""
    _glue(mix, rate, tick)
    for turn in range(_ROUNDS):
        loud = loudness_of(mix, rate)
        if loud <= SILENT_LUFS:
            return
        mix *= np.float32(10 ** ((BAND_LUFS - loud) / 20))
        last = turn == _ROUNDS - 1
        ceiling = 10 ** ((CEILING_DB - _MARGIN_DB) / 20) if last else _CEILING
        limit(torch.from_numpy(mix)[None], rate, ceiling, true_peak=last)
        tick()
    over = true_peak_db(mix, 8) - (CEILING_DB - _MARGIN_DB)
    if over > 0:
        mix *= np.float32(10 ** (-over / 20))


def _glue(mix: np.ndarray, rate: int, tick: Callable[[], None]) -> None:
    """Compression by the level of the whole, a little saturation, no offset."""
    hop = rate // 200
    clean = Filter("high", 24.0, 2, rate)
    falls = [np.exp(-5 / ms) for ms in (15, 150)]
    states, before = [np.zeros(1), np.zeros(1)], 0.0
    for low in range(0, mix.shape[1], hop * _HOPS):
        block = mix[:, low : low + hop * _HOPS]
        frames = -(-block.shape[1] // hop)
        power = np.pad((block**2).mean(0), (0, frames * hop - block.shape[1]))
        level = 10 * np.log10(power.reshape(frames, hop).mean(1) + 1e-9)
        over = np.maximum(level + 16.0, 0) * (1 - 1 / 1.8)
        drops = []
        for k, fall in enumerate(falls):
            drop, states[k] = scipy.signal.lfilter([1 - fall], [1, -fall], over, zi=states[k])
            drops.append(drop)
        drop = np.r_[before, np.maximum(*drops)]
        before = float(drop[-1])
        at = np.arange(block.shape[1]) / hop
        block *= np.interp(at, np.arange(frames + 1), 10 ** (-drop / 20)).astype(np.float32)
        np.tanh((1 + _DRIVE) * block, out=block)
        block[:] = clean(block / np.float32(1 + _DRIVE))
        tick()
