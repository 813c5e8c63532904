"""Straight music that measures codecs: unheard pieces of the bands that they are trained on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from d2m_core.band import installed_materials, play
from d2m_core.media.resampling import resampled
from d2m_core.styles import STYLES
from training.run.kept import kept, recipe
from training.seeds import STRAIGHT_HELD_OUT_SEED
from training.studio.materials import band_of
from training.studio.pairs import plan_of
from training.studio.settings import PairSettings

from .settings import SAMPLE_RATE

PIECE_S = 8.0
"""Two bars at the slowest tempo, and more."""


@dataclass(frozen=True, eq=False)
class StraightMusic:
    """One piece of each style."""

    audio: torch.Tensor
    """float32 [B, 2, N], at 24 kHz unless another rate was asked for."""
    bar_steps: tuple[int, ...]
    """Token steps in a bar of each."""

    @property
    def mono(self) -> torch.Tensor:
        """float32 [B, 1, N]."""
        return self.audio.mean(1, keepdim=True)


def held_out_straight(
    folder: Path, seconds: float = PIECE_S, sample_rate: int = SAMPLE_RATE
) -> StraightMusic:
    """The pieces, made once and kept in `folder`."""
    return kept(
        folder,
        f"straight_{seconds:g}s.npz",
        recipe(_made, seconds=seconds, rate=sample_rate, band=band_of(installed_materials())),
        partial(_write, seconds=seconds, sample_rate=sample_rate),
        _read,
    )


def _write(path: Path, seconds: float, sample_rate: int) -> None:
    audio, bar_steps = _made(seconds, sample_rate)
    np.savez(path, audio=audio, bar_steps=bar_steps)


def _made(seconds: float, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    settings = PairSettings(seconds=seconds + 4, bands=1, straight=True, materials=installed_materials())
    songs, bars = [], []
    first = -(-STRAIGHT_HELD_OUT_SEED // len(STYLES)) * len(STYLES)
    for seed in range(first, first + len(STYLES)):
        plan = plan_of(seed, settings)
        song = play(plan, settings.materials)
        whole = resampled(torch.from_numpy(song.samples)[None], song.sample_rate, sample_rate)[0].numpy()
        songs.append(whole[:, -round(sample_rate * seconds) :])
        assert plan.beat_steps is not None
        bars.append(plan.beat_steps * plan.metre)
    return np.stack(songs), np.array(bars)


def _read(path: Path) -> StraightMusic:
    with np.load(path) as found:
        return StraightMusic(torch.from_numpy(found["audio"]), tuple(found["bar_steps"].tolist()))
