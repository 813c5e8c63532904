"""Beats that a tracker hears in a clip's own song, kept on disk because that takes long."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from d2m_core.audio import load_audio
from d2m_core.files import replacing
from d2m_core.rhythm import rhythm_from_audio
from training.madmom_beats import installed, madmom_beats


def tracker() -> str:
    """Who listens: madmom where it is installed, our own tracker where not."""
    return "madmom" if installed() else "ours"


def song_beats(path: Path, duration_s: float, folder: Path) -> np.ndarray:
    """Beats float64 [M] in the first `duration_s` seconds of a song's or clip's sound.

    Kept in `folder`. Raises `MediaError`.
    """
    kept = folder / f"{path.stem}_{duration_s:g}s_{tracker()}.json"
    if kept.exists():
        return np.array(json.loads(kept.read_text()), np.float64)
    wave = load_audio(path, duration_s=duration_s, mono=True)
    beats = madmom_beats(wave) if installed() else rhythm_from_audio(wave).beats_s
    with replacing(kept) as partial:
        partial.write_text(json.dumps([round(float(beat), 4) for beat in beats]))
    return beats
