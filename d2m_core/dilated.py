"""What the networks that hear beats, in motion and in music, are made of."""

from __future__ import annotations

import torch
from torch import nn


class DilatedBlock(nn.Module):
    """Residual dilated convolution; normalised per frame, however many there are."""

    def __init__(self, channels: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.conv = nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=dilation * (kernel // 2))
        self.mix = nn.Conv1d(channels, channels, 1)
        self.drop = nn.Dropout1d(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(x.transpose(1, 2)).transpose(1, 2)  # [B, channels, F]
        return x + self.mix(self.drop(nn.functional.gelu(self.conv(y))))
