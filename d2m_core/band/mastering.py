"""Mastering: glue, loudness by ITU-R BS.1770-4, and no true peak above the ceiling; block by block."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy
import torch

from ..media.limiter import limit
from .strip import Filter

LUFS = -14.0
TRUE_PEAK_DB = -1.0
_MARGIN_DB = 0.05
_CEILING = 10 ** (-2.1 / 20)
"""Of samples; what lies between them may be higher and is looked for afterwards."""
_DRIVE = 0.25
_HOPS = 1024
"""Steps of 5 ms in a block."""


def master(mix: np.ndarray, rate: int, tick: Callable[[], None] = lambda: None) -> None:
    """Makes float32 [2, N] as loud as `LUFS`, its true peaks under `TRUE_PEAK_DB`; in place."""
    _glue(mix, rate, tick)
    for _ in range(3):
        loud = loudness_of(mix, rate)
        if loud <= -69.0:
            return
        mix *= np.float32(10 ** ((LUFS - loud) / 20))
        limit(torch.from_numpy(mix)[None], rate, _CEILING)
        tick()
    over = true_peak_db(mix) - (TRUE_PEAK_DB - _MARGIN_DB)
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


def loudness_of(sound: np.ndarray, rate: int) -> float:
    """Integrated loudness of [C, N] in LUFS (ITU-R BS.1770-4); -70 for silence."""
    sections, step = _k_weighting(rate), rate // 10
    state = np.zeros((2, len(sound), 2))
    powers = []
    for low in range(0, sound.shape[1], 64 * step):
        block, state = scipy.signal.sosfilt(sections, sound[:, low : low + 64 * step], axis=-1, zi=state)
        whole = block.shape[1] // step * step
        powers.append((block[:, :whole] ** 2).reshape(len(sound), -1, step).mean(2).sum(0))
    power = np.concatenate(powers) if powers else np.zeros(0)
    if len(power) < 4:
        power = np.resize(power, 4) if len(power) else np.zeros(4)
    gates = np.lib.stride_tricks.sliding_window_view(power, 4).mean(1)  # 400 ms, every 100 ms
    gates = gates[gates > 10 ** ((-70 + 0.691) / 10)]
    if not len(gates):
        return -70.0
    gates = gates[gates > 0.1 * gates.mean()]
    return float(-0.691 + 10 * np.log10(gates.mean()))


def _k_weighting(rate: int) -> np.ndarray:
    """The two sections of BS.1770 at any rate, as libebur128 and De Man derive them."""
    turn, gain, q = (
        np.tan(np.pi * 1681.974450955533 / rate),
        10 ** (3.999843853973347 / 20),
        0.7071752369554196,
    )
    middle = gain**0.4996667741545416
    a0 = 1 + turn / q + turn**2
    shelf = [
        (gain + middle * turn / q + turn**2) / a0,
        2 * (turn**2 - gain) / a0,
        (gain - middle * turn / q + turn**2) / a0,
        1.0,
        2 * (turn**2 - 1) / a0,
        (1 - turn / q + turn**2) / a0,
    ]
    turn, q = np.tan(np.pi * 38.13547087602444 / rate), 0.5003270373238773
    a0 = 1 + turn / q + turn**2
    return np.array([shelf, [1, -2, 1, 1, 2 * (turn**2 - 1) / a0, (1 - turn / q + turn**2) / a0]])


def true_peak_db(sound: np.ndarray, times: int = 4) -> float:
    """Peak of [C, N] between the samples, in dB of full scale; looked for where samples are high."""
    width, reach = 256, 32
    top = float(np.abs(sound).max(initial=0.0))
    if top <= 0:
        return -np.inf
    found = top
    for low in range(0, sound.shape[1], 1 << 20):
        part = np.abs(sound[:, low : low + (1 << 20)]).max(0)
        blocks = np.pad(part, (0, -len(part) % width)).reshape(-1, width).max(1)
        for block in low // width + np.flatnonzero(blocks > 0.7 * top):
            piece = sound[:, max(0, block * width - reach) : (block + 1) * width + reach]
            found = max(found, float(np.abs(scipy.signal.resample_poly(piece, times, 1, axis=1)).max()))
    return float(20 * np.log10(found))
