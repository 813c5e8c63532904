"""Items made up in memory, whose tokens follow the beat: for `--preset tiny` and for tests."""

from __future__ import annotations

import numpy as np

from d2m_core.grid import position, steady_beats
from d2m_core.styles import STYLES
from d2m_core.types import MOTION_FPS, CodecSpec

from .items import TrainItem

CODEC = CodecSpec("synthetic", 24_000, 50.0, 4, 32)
MOTION_NAMES = ("bounce", "sway", "noise")


def make_items(count: int, duration_s: float = 6.0, seed: int = 0) -> list[TrainItem]:
    """Items whose codebook 0 counts eighths of a beat and codebook 1 beats; 2 and 3 are chance."""
    return [_make_item(np.random.default_rng([seed, i]), duration_s) for i in range(count)]


def _make_item(rng: np.random.Generator, duration_s: float) -> TrainItem:
    tempo_bpm = float(rng.uniform(80, 150))
    beats_s = steady_beats(tempo_bpm, duration_s, rng.uniform(0, 0.5))
    downbeats = np.arange(len(beats_s)) % 4 == 0
    style = STYLES[int(rng.integers(len(STYLES)))]
    steps, frames = round(duration_s * CODEC.token_rate), round(duration_s * MOTION_FPS)
    beat = position(beats_s, np.arange(steps) / CODEC.token_rate)
    angle = 2 * np.pi * position(beats_s, np.arange(frames) / MOTION_FPS)
    motion = np.stack([np.cos(angle), np.sin(angle / 2), rng.normal(size=frames)], axis=1)
    chance = rng.integers(0, CODEC.cardinality, (2, steps))
    codes = np.stack([np.floor(beat * 8) % 8, 8 + np.floor(beat) % 4, *chance])
    return TrainItem(
        codes=codes.astype(np.int16),
        curves=np.stack([np.cos(angle) > 0.9, np.full(frames, 0.5)], axis=1).astype(np.float16),
        beats_s=beats_s,
        downbeats=downbeats,
        codec=CODEC,
        tempo_bpm=tempo_bpm,
        motion=motion.astype(np.float16),
        motion_names=MOTION_NAMES,
        style=style,
    )
