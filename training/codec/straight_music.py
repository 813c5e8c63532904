"""Straight music that measures codecs: unheard pieces of the bands that they are trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from d2m_core.band import play
from d2m_core.files import replacing
from d2m_core.styles import STYLES
from training.seeds import STRAIGHT_HELD_OUT_SEED
from training.studio.pairs import plan_of
from training.studio.settings import PairSettings

from .band_music import installed_materials
from .settings import SAMPLE_RATE

PIECE_S = 8.0
"""Two bars at the slowest tempo, and more."""


@dataclass(frozen=True, eq=False)
class StraightMusic:
    """One piece of each style."""

    audio: torch.Tensor
    """float32 [B, 2, N] at 24 kHz."""
    bar_steps: tuple[int, ...]
    """Token steps in a bar of each."""

    @property
    def mono(self) -> torch.Tensor:
        """float32 [B, 1, N]."""
        return self.audio.mean(1, keepdim=True)


def held_out_straight(folder: Path, seconds: float = PIECE_S) -> StraightMusic:
    """The pieces, made once and kept in `folder`."""
    path = folder / f"straight_{seconds:g}s.npz"
    if not path.exists():
        _make(path, seconds)
    with np.load(path) as kept:
        return StraightMusic(torch.from_numpy(kept["audio"]), tuple(kept["bar_steps"].tolist()))


def _make(path: Path, seconds: float) -> None:
    settings = PairSettings(seconds=seconds + 4, bands=1, straight=True, materials=installed_materials())
    songs, bars = [], []
    first = -(-STRAIGHT_HELD_OUT_SEED // len(STYLES)) * len(STYLES)
    for seed in range(first, first + len(STYLES)):
        plan = plan_of(seed, settings)
        songs.append(play(plan, settings.materials).samples[:, -round(SAMPLE_RATE * seconds) :])
        assert plan.beat_steps is not None
        bars.append(plan.beat_steps * plan.metre)
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, audio=np.stack(songs), bar_steps=np.array(bars))
