"""Metronomes: bare clicks at any tempo, which music made by a band never is and people do play."""

from __future__ import annotations

import numpy as np

from d2m_core.ear import EAR_RATE
from d2m_core.grid import steady_beats

from .piece import Piece

_TEMPO_BPM = (55.0, 200.0)


def click_piece(seconds: float, rng: np.random.Generator) -> Piece:
    """Clicks of one sound at one tempo, bars accented or not, softer eighths between or not.

    Without accents nobody can tell bars, so none are marked.
    """
    tempo = float(np.exp(rng.uniform(*np.log(_TEMPO_BPM))))
    beats = steady_beats(tempo, seconds, float(rng.uniform(0, 60 / tempo)))
    metre = int(rng.choice([3, 4, 4]))
    downbeats = np.arange(len(beats)) % metre == int(rng.integers(metre))
    accented, halves = rng.random() < 0.6, rng.random() < 0.3
    samples = np.zeros(round(seconds * EAR_RATE), np.float32)
    low, high = _click(rng), _click(rng)
    for beat, bar in zip(beats, downbeats, strict=True):
        _add(samples, high if bar and accented else low, beat, 1.0)
        if halves:
            _add(samples, low, beat + 30 / tempo, float(rng.uniform(0.2, 0.6)))
    onsets = np.stack([beats, np.full(len(beats), 0.9)], 1)
    marked = downbeats if accented else np.zeros(len(beats), bool)
    samples = np.clip(samples, -1.0, 1.0)
    return Piece("clicks", samples, beats, marked, onsets)


def _click(rng: np.random.Generator) -> np.ndarray:
    """A tone, a thump or a burst of noise of 5 to 60 ms, float32 [n]."""
    count = round(rng.uniform(0.005, 0.06) * EAR_RATE)
    time = np.arange(count) / EAR_RATE
    kind = int(rng.integers(4))
    if kind == 0:
        wave = np.sin(2 * np.pi * rng.uniform(300, 4000) * time)
    elif kind == 1:
        wave = np.sin(2 * np.pi * rng.uniform(50, 150) * time)
    elif kind == 2:
        wave = rng.standard_normal(count)
    else:
        wave = np.ones(count)
    return (0.7 * wave * np.linspace(1, 0, count) ** rng.uniform(0.5, 3)).astype(np.float32)


def _add(samples: np.ndarray, click: np.ndarray, at_s: float, gain: float) -> None:
    first = round(at_s * EAR_RATE)
    part = samples[first : first + len(click)]
    part += np.float32(gain) * click[: len(part)]
