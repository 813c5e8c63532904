"""How loud sound is and how far it goes, block by block: one measure for all music.

pyloudnorm filters a sound whole, as float64: an hour of 48 kHz stereo would need 8 GB. This is the same
measure in blocks; a test holds the two together.
"""

from __future__ import annotations

import numpy as np
import scipy

SILENT_LUFS = -70.0
"""The absolute gate of BS.1770: nothing quieter counts."""


def loudness_of(sound: np.ndarray, rate: int) -> float:
    """Integrated loudness of [C, N] in LUFS (ITU-R BS.1770-4); `SILENT_LUFS` for silence."""
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
    gates = gates[gates > 10 ** ((SILENT_LUFS + 0.691) / 10)]
    if not len(gates):
        return SILENT_LUFS
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
    top = max(float(sound.max(initial=0.0)), -float(sound.min(initial=0.0)))  # no copy of a long sound
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
