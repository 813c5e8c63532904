"""Tones made by arithmetic alone: band-limited waves behind a resonant low pass, and FM.

A wavetable holds one waveform at cutoffs from dull to bright, resonance included; a note moves
between them, which is a filter with an envelope. No recording goes in, and no licence.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

SAMPLE_RATE = 24_000

TABLE_SIZE = 8192
CUTOFFS = 2.0 ** np.arange(-1.0, 7.01, 1 / 3)
"""Cutoffs of the tables, in multiples of the note's frequency."""
HIGHEST = 11_600 / 24_000
"""Nothing sounds above this share of the sample rate."""


def midi_hz(note: float) -> float:
    return 440.0 * 2 ** ((note - 69) / 12)


@lru_cache(maxsize=48)
def wavetables(shape: str, resonance: float) -> np.ndarray:
    """Single cycles, float32 [len(CUTOFFS), TABLE_SIZE], harmonics up to twice the cutoff."""
    n = np.arange(1, 2 * int(CUTOFFS[-1]) + 1)
    amplitude = {
        "saw": 1.0 / n,
        "square": (n % 2) / n,
        "pulse": np.sin(np.pi * n * 0.22) / n,
        "triangle": (n % 2) * np.where(n % 4 == 1, 1.0, -1.0) / n**2,
        "organ": np.isin(n, (1, 2, 3, 4, 6, 8)) / np.sqrt(n),
        "reed": np.where(n < 12, 1.0 / n**0.6, 2.2 / n),
    }[shape]
    ratio = n[None] / CUTOFFS[:, None]  # [cutoffs, harmonics]
    gain = 1 / np.sqrt(1 + ratio**6) * (1 + resonance * np.exp(-((np.log2(ratio) / 0.35) ** 2)))
    gain *= np.clip((2.0 - ratio) / 0.5, 0, 1) + (n == 1) * (ratio >= 2.0)
    spectrum = np.zeros((len(CUTOFFS), TABLE_SIZE // 2 + 1), np.complex128)
    spectrum[:, 1 : len(n) + 1] = -0.5j * TABLE_SIZE * amplitude * gain
    tables = np.fft.irfft(spectrum, TABLE_SIZE)
    return (tables / np.abs(tables[len(CUTOFFS) // 2]).max()).astype(np.float32)


def tone(
    frequency_hz: np.ndarray | float,
    cutoff_hz: np.ndarray,
    shape: str,
    resonance: float = 0.0,
    unison_cents: tuple[float, ...] = (0.0,),
    rate: int = SAMPLE_RATE,
) -> np.ndarray:
    """A tone float32 [n] under a cutoff [n]; the frequency is a number or [n]."""
    tables = wavetables(shape, resonance)
    base = float(np.max(frequency_hz))
    ratio = np.clip(np.minimum(cutoff_hz, HIGHEST * rate / 2) / base, CUTOFFS[0], None)
    level = np.minimum((np.log2(ratio) + 1.0) * 3.0, len(CUTOFFS) - 1.001).astype(np.float32)
    low = level.astype(np.int32)
    blend = level - low
    row = low * TABLE_SIZE
    steps = np.broadcast_to(np.asarray(frequency_hz, np.float64) / rate, len(cutoff_hz))
    phase = np.cumsum(steps)
    flat = tables.reshape(-1)
    out = np.zeros(len(cutoff_hz), np.float32)
    for voice, cents in enumerate(unison_cents):
        turn = phase * 2 ** (cents / 1200) + voice * 0.618
        index = ((turn - np.floor(turn)) * TABLE_SIZE).astype(np.int32)
        index += row
        dull = flat[index]
        index += TABLE_SIZE
        out += dull + blend * (flat[index] - dull)
    return out / np.float32(np.sqrt(len(unison_cents)))


def fm(frequency_hz: float, index: np.ndarray, ratio: float, rate: int = SAMPLE_RATE) -> np.ndarray:
    """Two-operator frequency modulation, float32 [n]; `index` [n] is the depth in radians."""
    turn = 2 * np.pi * frequency_hz * np.arange(len(index)) / rate
    most = max(0.0, (HIGHEST * rate / frequency_hz - 1) / max(ratio, 0.5) - 1)
    return np.sin(turn + np.minimum(index, most) * np.sin(ratio * turn)).astype(np.float32)


def envelope(
    length: int,
    held: int,
    attack_s: float,
    decay_s: float,
    sustain: float,
    release_s: float,
    rate: int = SAMPLE_RATE,
) -> np.ndarray:
    """Gain float32 [length] of a note that is let go after `held` samples."""
    t = np.arange(length, dtype=np.float32) / rate
    gain = sustain + (1 - sustain) * np.exp(-np.maximum(t - attack_s, 0) / max(decay_s, 1e-3))
    gain *= np.minimum(t / max(attack_s, 1e-3), 1.0)
    after = np.maximum(t - held / rate, 0) / max(release_s, 1e-3)
    return (gain * np.maximum(1 - after, 0) ** 2).astype(np.float32)
