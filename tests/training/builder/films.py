"""Small films with music for tests of the builder: drawn dances, saved as ordinary MP4 files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from d2m_core.types import Waveform
from training.studio.picture.drawing import demo_dance, render_scene

SECONDS = 4.2
TEMPO = 120.0
RATE = 24_000


def beat(seconds: float, tempo: float = TEMPO) -> Waveform:
    """Kicks on the beat, hats between them."""
    rng, times = np.random.default_rng(0), np.arange(round(0.12 * RATE)) / RATE
    kick = 0.7 * np.sin(2 * np.pi * 60 * times) * np.exp(-times * 30)
    hat = 0.15 * rng.normal(size=len(times)) * np.exp(-times * 90)
    sound = np.zeros(round(seconds * RATE) + len(times))
    for half in range(int(seconds * tempo / 30)):
        at = round(half * 30 / tempo * RATE)
        sound[at : at + len(times)] += hat if half % 2 else kick
    return Waveform(torch.from_numpy(sound[: round(seconds * RATE)]).float()[None, None], RATE)


def film(path: Path, seed: int = 3) -> Path:
    """A dance of `SECONDS` with its music."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scene = demo_dance(seed, TEMPO, SECONDS, 25.0)
    return render_scene(scene, path, 320, 180, samples=beat(SECONDS), crf=26)
