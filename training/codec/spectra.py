"""Spectral distances at many window lengths: what a codec is trained on and measured by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

MEL_SCALES = ((32, 5), (64, 10), (128, 20), (256, 40), (512, 80), (1024, 120), (2048, 160))
"""(window in samples, mel bands): DAC's list (Kumar et al. 2023), where 24 kHz has no room for
320 bands in 2048 samples, nor for 160 in 1024."""

FLOOR = 1e-4
"""Smallest magnitude that counts, about -80 dB of full scale."""


@dataclass(frozen=True, eq=False)
class Distance:
    """How far two signals are apart, seen through one window length.

    Each is a mean over the signals of a batch of what each pair has of its own, so that halves of a
    batch on two machines mean the same as the whole.
    """

    mel: torch.Tensor
    """Mean |log10| distance of mel magnitudes."""
    linear: torch.Tensor
    """Mean distance of STFT magnitudes relative to their mean."""
    log: torch.Tensor
    """Mean |log10| distance of STFT magnitudes."""
    balance: torch.Tensor
    """Mean |log10| distance of the bands' loudness: what is uncertain must not fade away."""


class MelScale(nn.Module):
    """Distances between two signals seen through one window length."""

    window: torch.Tensor
    filters: torch.Tensor

    def __init__(self, sample_rate: int, size: int, bands: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("window", torch.hann_window(size), persistent=False)
        filters = mel_filters(sample_rate, size, bands)
        self.register_buffer("filters", filters, persistent=False)

    def magnitude(self, audio: torch.Tensor) -> torch.Tensor:
        """[B, N] -> [B, size // 2 + 1, frames], scaled so that a full-scale sine is about 1."""
        spectrum = torch.stft(
            audio, self.size, self.size // 4, window=self.window, return_complex=True, pad_mode="constant"
        )
        return (spectrum.real**2 + spectrum.imag**2 + 1e-10).sqrt() * (4.0 / self.size)

    def forward(self, fake: torch.Tensor, real: torch.Tensor) -> Distance:
        a, b = self.magnitude(fake), self.magnitude(real)
        mel_a, mel_b = self.filters @ a, self.filters @ b
        relative = (a - b).abs().mean((1, 2)) / b.mean((1, 2)).clamp_min(1e-4)
        return Distance(
            mel=log_distance(mel_a, mel_b),
            linear=relative.mean(),
            log=log_distance(a, b),
            balance=log_distance(loudness(mel_a), loudness(mel_b)),
        )


def log_distance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Mean |log10| distance of what is above the floor."""
    return (a.clamp_min(FLOOR).log10() - b.clamp_min(FLOOR).log10()).abs().mean()


def loudness(mel: torch.Tensor, parts: int = 4) -> torch.Tensor:
    """Root mean square of each band over quarters of the piece, [B, bands, parts]."""
    return F.adaptive_avg_pool1d(mel.pow(2), parts).add(1e-12).sqrt()


def mel_filters(sample_rate: int, size: int, bands: int) -> torch.Tensor:
    """Triangular mel filters [bands, size // 2 + 1], each summing to 1."""
    top = 2595.0 * torch.log10(torch.tensor(1.0 + sample_rate / 2 / 700.0))
    edges = 700.0 * (10.0 ** (torch.linspace(0.0, float(top), bands + 2) / 2595.0) - 1.0)
    bins = torch.linspace(0.0, sample_rate / 2, size // 2 + 1)
    width = sample_rate / size  # a filter narrower than a bin still has to meet one
    low = torch.minimum(edges[:-2], edges[1:-1] - width)
    high = torch.maximum(edges[2:], edges[1:-1] + width)
    rise = (bins - low[:, None]) / (edges[1:-1] - low)[:, None]
    fall = (high[:, None] - bins) / (high - edges[1:-1])[:, None]
    filters = torch.minimum(rise, fall).clamp_min(0.0)
    return filters / filters.sum(1, keepdim=True).clamp_min(1e-6)


def mel_scales(sample_rate: int) -> nn.ModuleList:
    """Every window length of `MEL_SCALES`."""
    return nn.ModuleList(MelScale(sample_rate, size, bands) for size, bands in MEL_SCALES)


def some_distances(
    scales: nn.ModuleList, count: int, fake: torch.Tensor, real: torch.Tensor, rng: np.random.Generator
) -> dict[str, torch.Tensor]:
    """Mean distances of sounds [B, N] through `count` of `scales`, drawn anew each time; all of
    them where there are fewer."""
    chosen = rng.choice(len(scales), min(count, len(scales)), replace=False)
    seen = [scales[int(i)](fake, real) for i in sorted(chosen)]
    return {
        name: torch.stack([getattr(d, name) for d in seen]).mean()
        for name in ("mel", "linear", "log", "balance")
    }


def wave_distance(fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Squared error of each [B, 1, N] relative to its power, at most 10, as a mean."""
    error, power = (fake - real).pow(2).mean((1, 2)), real.pow(2).mean((1, 2))
    return (error / power.clamp_min(1e-5)).clamp_max(10.0).mean()
