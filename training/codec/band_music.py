"""What the codec hears in training: pieces of the studio band, kept on disk as 16-bit samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from d2m_core.band import Materials, installed_materials, make_plan, play
from d2m_core.band.synth import SAMPLE_RATE
from d2m_core.styles import STYLES
from training.run.kept import kept, recipe
from training.seeds import CODEC_HELD_OUT_SEED, CODEC_POOL_SEED
from training.studio.materials import band_of

FULL_SCALE = 32767


def make_song(seed: int, duration_s: float, materials: Materials | None = None) -> np.ndarray:
    """One piece of band music, int16 [N] mono; the style follows from the seed, all in turn."""
    mono = make_stereo(seed, duration_s, materials).mean(axis=0)
    return np.round(np.clip(mono, -1, 1) * FULL_SCALE).astype(np.int16)


def make_stereo(seed: int, duration_s: float, materials: Materials | None = None) -> np.ndarray:
    """The same before it is mixed down, float32 [2, N]."""
    plan = make_plan(seed, duration_s, STYLES[seed % len(STYLES)])
    return play(plan, installed_materials() if materials is None else materials).samples


def open_pool(folder: Path, minutes: float, piece_s: float = 45.0) -> list[np.ndarray]:
    """The training music as memory maps; what this band, here and now, has not made is made first.

    To train where the band lacks its instruments, make shards where it has them (`training.studio`).
    """
    pieces = max(1, math.ceil(minutes * 60 / piece_s))
    return [_piece(folder, seed, piece_s) for seed in range(CODEC_POOL_SEED, CODEC_POOL_SEED + pieces)]


def _piece(folder: Path, seed: int, seconds: float) -> np.ndarray:
    return kept(
        folder,
        f"song_{seed:04d}.npy",
        recipe(make_song, seed=seed, seconds=seconds, band=band_of(installed_materials())),
        lambda path: np.save(path, make_song(seed, seconds)),
        lambda path: np.load(path, mmap_mode="r"),
    )


def held_out_pieces(folder: Path, seconds: float) -> torch.Tensor:
    """Music to measure on, float32 [B, 1, N], made once and kept in `folder`."""
    return kept(
        folder,
        f"held_out_{seconds:g}s.npy",
        recipe(held_out, seconds=seconds, band=band_of(installed_materials())),
        lambda path: np.save(path, held_out(seconds).numpy()),
        lambda path: torch.from_numpy(np.load(path)),
    )


def held_out(duration_s: float = 6.0, per_style: int = 2, materials: Materials | None = None) -> torch.Tensor:
    """Music nobody trained on, float32 [B, 1, N], as many pieces of each style.

    Of `materials` that hold samples and drummers only the reserved tenth is played.
    """
    songs = _unheard(make_song, duration_s, len(STYLES) * per_style, materials)
    return songs[:, None] / FULL_SCALE


def held_out_stereo(duration_s: float = 12.0) -> torch.Tensor:
    """The first of these pieces in each style before mixing down, float32 [B, 2, N]."""
    return _unheard(make_stereo, duration_s, len(STYLES), None)


def _unheard(
    make: Callable[[int, float, Materials], np.ndarray],
    duration_s: float,
    count: int,
    materials: Materials | None,
) -> torch.Tensor:
    """The ends of the first pieces that only measure, as `make` gives them, float32 [B, ..., N]."""
    materials = replace(materials or installed_materials(), held_out=True)
    songs = [make(CODEC_HELD_OUT_SEED + i, duration_s + 4, materials) for i in range(count)]
    tails = [song[..., -int(SAMPLE_RATE * duration_s) :] for song in songs]
    return torch.from_numpy(np.stack(tails)).float()
