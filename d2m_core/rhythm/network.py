"""The rhythm network: dilated convolutions over motion features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from ..dilated import DilatedBlock
from ..errors import require
from ..grid import TEMPO_RANGE_BPM
from ..types import PART_CURVES


@dataclass(frozen=True)
class RhythmConfig:
    """Shape of the rhythm network: a dilated convolutional network over motion features."""

    features: int = 0
    """Motion features per frame (D)."""
    channels: int = 64
    layers: int = 8
    """Residual blocks; block i has dilation 2 ** (i % 8)."""
    kernel: int = 5
    dropout: float = 0.1
    parts: bool = False
    """Whether there are curves of what kick, snare and hat might answer (`types.PART_CURVES`)."""
    tempo_bins: int = 0
    """Bins of the tempo distribution, evenly spread in octaves; 0 has none."""
    foretells: int = 0
    """So many frames in which nobody is seen, after the last one, it says something of all the same."""

    def __post_init__(self) -> None:
        require(self.features > 0, f"features is {self.features}; give the number of motion features.")
        require(self.foretells >= 0, f"foretells is {self.foretells}; use 0 or more.")
        require(self.tempo_bins >= 0, f"tempo_bins is {self.tempo_bins}; use 0 or more.")
        require(self.kernel % 2 == 1, f"kernel is {self.kernel}; choose an odd number.")


_CLAMP = 5.0
"""Features further out than so many deviations are taken as outliers."""
_DILATIONS = 8
_CURVES = 4
"""Outputs that every network has."""


@dataclass(frozen=True, eq=False)
class RhythmOutput:
    """Logits per motion frame, float32 [B, F] unless said."""

    beat: torch.Tensor
    downbeat: torch.Tensor
    felt: torch.Tensor
    """Accents as the network feels them; taught with those seen in true poses (`find_accents`)."""
    energy: torch.Tensor
    parts: torch.Tensor | None = None
    """[B, F, len(PART_CURVES)]."""
    tempo: torch.Tensor | None = None
    """[B, F, tempo bins], see `tempo_bins_bpm`; to be taken through a softmax."""


def tempo_bins_bpm(count: int) -> np.ndarray:
    """Centres of `count` tempo bins in BPM, evenly spread in octaves, float64 [count]."""
    return np.geomspace(*TEMPO_RANGE_BPM, count)


class RhythmNet(nn.Module):
    """Dilated convolutions over motion features -> beat, downbeat, felt and energy logits."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, config: RhythmConfig, names: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.config = config
        self.names = names
        """The motion features that it reads; empty: those it is given."""
        self.register_buffer("mean", torch.zeros(config.features))
        self.register_buffer("std", torch.ones(config.features))
        self.enter = nn.Conv1d(config.features, config.channels, 3, padding=1)
        self.blocks = nn.ModuleList(
            DilatedBlock(config.channels, config.kernel, 2 ** (i % _DILATIONS), config.dropout)
            for i in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.channels)
        parts = len(PART_CURVES) if config.parts else 0
        self.head = nn.Linear(config.channels, _CURVES + parts + config.tempo_bins)

    def forward(self, motion: torch.Tensor, mask: torch.Tensor | None = None) -> RhythmOutput:
        """Logits for motion features.

        Args:
            motion: [B, F, D], as `extract_motion` gives them; normalised here.
            mask: bool [B, F], False where nobody is seen; those frames count as average.
        """
        x = ((motion - self.mean) / self.std).clamp(-_CLAMP, _CLAMP)
        if mask is not None:
            x = x * mask.unsqueeze(-1)
        x = self.enter(x.transpose(1, 2))  # [B, channels, F]
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x.transpose(1, 2)))  # [B, F, 4 + parts + bins]
        bins = self.config.tempo_bins
        beat, downbeat, felt, energy = logits[..., :_CURVES].unbind(-1)
        return RhythmOutput(
            beat,
            downbeat,
            felt,
            energy,
            parts=logits[..., _CURVES : logits.shape[-1] - bins] if self.config.parts else None,
            tempo=logits[..., logits.shape[-1] - bins :] if bins else None,
        )
