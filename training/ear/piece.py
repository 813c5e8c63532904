"""A stretch of music whose beats are known, as the ear learns from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from d2m_core.band.song import ACCENT
from d2m_core.ear import EAR_RATE
from d2m_core.media import resample, to_mono
from d2m_core.types import Waveform

PIECE_S = 30.0
"""Length of the pieces."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Sound and all that the ear should say of it."""

    name: str
    samples: np.ndarray
    """float32 [N] at `EAR_RATE`, one channel."""
    beats_s: np.ndarray
    """float64 [M]."""
    downbeats: np.ndarray
    """bool [M]."""
    onsets: np.ndarray
    """float64 [n, 2]: seconds and strength 0..1, in order of time."""

    @property
    def wave(self) -> Waveform:
        return Waveform(torch.from_numpy(self.samples)[None, None], EAR_RATE)


def onsets_of(parts: dict[str, np.ndarray]) -> np.ndarray:
    """All parts' onsets [n, 2] (seconds, strength), each counted as its part stands out in a mix."""
    rows = [rows * [1.0, ACCENT.get(part, 0.3)] for part, rows in parts.items() if len(rows)]
    if not rows:
        return np.zeros((0, 2))
    together = np.concatenate(rows)
    return together[np.argsort(together[:, 0], kind="stable")]


def heard(samples: np.ndarray, rate: int) -> np.ndarray:
    """Sound [C, N] as a piece has it, float32 [N]."""
    wave = Waveform(torch.from_numpy(np.ascontiguousarray(samples, np.float32))[None], rate)
    return to_mono(resample(wave, EAR_RATE)).samples[0, 0].numpy()
