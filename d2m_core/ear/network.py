"""The ear: a small convolutional network from a mel spectrogram to beats, bar lines and onsets.

In the spirit of the temporal convolutional beat trackers (Davies and Böck, EUSIPCO 2019; Böck and
Davies, ISMIR 2020), with layers normalised per frame and 60 times the weights, and still half a megabyte.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from ..dilated import DilatedBlock
from ..errors import require


@dataclass(frozen=True)
class EarConfig:
    """Shape of the ear."""

    bands: int = 64
    """Mel bands that it reads; a multiple of 8."""
    front: tuple[int, int, int] = (8, 16, 16)
    """Channels of the three layers that look at time and pitch together; each halves the bands."""
    channels: int = 64
    """Channels of the layers that look along time alone."""
    layers: int = 9
    """Residual blocks; block i has dilation 2 ** i."""
    kernel: int = 5
    dropout: float = 0.1

    def __post_init__(self) -> None:
        require(self.bands % 8 == 0, f"bands is {self.bands}; use a multiple of 8.")
        require(len(self.front) == 3, f"front is {self.front}; give three numbers of channels.")
        require(self.kernel % 2 == 1, f"kernel is {self.kernel}; choose an odd number.")

    @property
    def reach(self) -> int:
        """Frames on either side that decide what is said of a frame."""
        return len(self.front) + (self.kernel // 2) * (2**self.layers - 1)


HEADS = ("beat", "downbeat", "onset")
"""What is said of each frame, in this order."""


class _Front(nn.Module):
    """Three small convolutions over time and pitch: timbre becomes features, and pitch coarse."""

    def __init__(self, config: EarConfig) -> None:
        super().__init__()
        sizes = (1, *config.front)
        self.convs = nn.ModuleList(
            nn.Conv2d(sizes[k], sizes[k + 1], 3, padding=1) for k in range(len(config.front))
        )
        self.out = nn.Conv1d(config.front[-1] * config.bands // 8, config.channels, 1)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        x = mel.transpose(1, 2)[:, None]  # [B, 1, bands, S]
        for conv in self.convs:
            x = functional.max_pool2d(functional.gelu(conv(x)), (2, 1))
        return self.out(x.flatten(1, 2))  # [B, channels, S]


class EarNet(nn.Module):
    """Mel spectrogram -> logits of `HEADS`, both at `spectrum.EAR_FPS`."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, config: EarConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(config.bands))
        self.register_buffer("std", torch.ones(config.bands))
        self.front = _Front(config)
        self.blocks = nn.ModuleList(
            DilatedBlock(config.channels, config.kernel, 2**i, config.dropout) for i in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.channels)
        self.head = nn.Linear(config.channels, len(HEADS))

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        """Logits [B, S, len(HEADS)] of a mel spectrogram [B, S, bands] as `spectrum` gives it."""
        x = self.front((mel - self.mean) / self.std)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x.transpose(1, 2)))
