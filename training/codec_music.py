"""What the codec hears in training: pieces of the studio band, kept on disk as 16-bit samples."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch

from d2m_core.config import STYLES
from d2m_core.files import replacing
from training.seeds import CODEC_HELD_OUT_SEED, CODEC_POOL_SEED
from training.studio.band.song import play
from training.studio.band.synth import SAMPLE_RATE

FULL_SCALE = 32767


def make_song(seed: int, duration_s: float) -> np.ndarray:
    """One piece of band music, int16 [N]; style and tempo follow from the seed."""
    rng = np.random.default_rng(seed)
    song = play(STYLES[seed % len(STYLES)], float(rng.uniform(70, 170)), duration_s, seed)
    return np.round(np.clip(song.samples, -1, 1) * FULL_SCALE).astype(np.int16)


def open_pool(folder: Path, minutes: float, piece_s: float = 45.0) -> list[np.ndarray]:
    """The training music as memory maps; missing pieces are made first."""
    pool = []
    pieces = max(1, math.ceil(minutes * 60 / piece_s))
    for seed in range(CODEC_POOL_SEED, CODEC_POOL_SEED + pieces):
        path = folder / f"song_{seed:04d}.npy"
        if not path.exists():
            with replacing(path) as partial:
                np.save(partial, make_song(seed, piece_s))
        pool.append(np.load(path, mmap_mode="r"))
    return pool


def held_out(duration_s: float = 6.0, per_style: int = 2) -> torch.Tensor:
    """Music nobody trained on, float32 [B, 1, N], two pieces of each style."""
    songs = [
        make_song(CODEC_HELD_OUT_SEED + i, duration_s + 4)[-int(SAMPLE_RATE * duration_s) :]
        for i in range(len(STYLES) * per_style)
    ]
    return torch.from_numpy(np.stack(songs)).float()[:, None] / FULL_SCALE


def draw_batch(
    pool: list[np.ndarray], batch: int, samples: int, rng: np.random.Generator
) -> torch.Tensor:
    """Random segments at random loudness (-12..0 dB) and sign, float32 [B, 1, N]."""
    rows = []
    for _ in range(batch):
        song = pool[rng.integers(len(pool))]
        start = rng.integers(len(song) - samples)
        gain = 10 ** (rng.uniform(-12, 0) / 20) * rng.choice((-1.0, 1.0)) / FULL_SCALE
        rows.append(song[start : start + samples].astype(np.float32) * np.float32(gain))
    return torch.from_numpy(np.stack(rows))[:, None]
