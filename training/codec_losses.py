"""What a codec is trained on: spectral distances at many window lengths, and judges."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

MEL_SCALES = ((64, 10), (128, 20), (256, 40), (512, 60), (1024, 80), (2048, 120))
"""(window in samples, mel bands), after the multi-scale mel loss of DAC (Kumar et al. 2023)."""

FLOOR = 1e-4
"""Smallest mel magnitude that counts, about -80 dB of full scale."""


@dataclass(frozen=True, eq=False)
class Distance:
    """How far two signals are apart, seen through one window length."""

    mel: torch.Tensor
    """Mean |log10| distance of mel magnitudes."""
    linear: torch.Tensor
    """Mean distance of magnitudes relative to their mean."""
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
            audio,
            self.size,
            self.size // 4,
            window=self.window,
            return_complex=True,
            pad_mode="constant",
        )
        return (spectrum.real**2 + spectrum.imag**2 + 1e-10).sqrt() * (4.0 / self.size)

    def forward(self, fake: torch.Tensor, real: torch.Tensor) -> Distance:
        a, b = self.magnitude(fake), self.magnitude(real)
        mel_a, mel_b = self.filters @ a, self.filters @ b
        return Distance(
            mel=log_distance(mel_a, mel_b),
            linear=(a - b).abs().mean() / b.mean().clamp_min(1e-4),
            balance=log_distance(loudness(mel_a), loudness(mel_b)),
        )


def log_distance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
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
    return nn.ModuleList(MelScale(sample_rate, size, bands) for size, bands in MEL_SCALES)


class StftJudge(nn.Module):
    """Tells real spectrograms from decoded ones (STFT discriminator, Défossez et al. 2022)."""

    window: torch.Tensor

    def __init__(self, size: int, channels: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("window", torch.hann_window(size), persistent=False)
        shapes = ((2, 2, 1), (channels, 2, 1), (channels, 2, 2), (channels, 2, 4))
        self.layers = nn.ModuleList(
            weight_norm(
                nn.Conv2d(
                    width,
                    channels,
                    (9, 3),
                    stride=(stride, 1),
                    dilation=(1, spread),
                    padding=(4, spread),
                )
            )
            for width, stride, spread in shapes
        )
        self.last = weight_norm(nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, audio: torch.Tensor) -> list[torch.Tensor]:
        """[B, N] -> features of each layer; the last one is the verdict, high for real."""
        spectrum = torch.stft(
            audio, self.size, self.size // 4, window=self.window, return_complex=True
        )
        x = torch.stack((spectrum.real, spectrum.imag), 1) * self.size**-0.5  # [B, 2, bins, frames]
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return [*features, self.last(x)]


class Judges(nn.Module):
    """Judges at several window lengths."""

    def __init__(self, sizes: tuple[int, ...] = (1024, 256), channels: int = 16) -> None:
        super().__init__()
        self.scales = nn.ModuleList(StftJudge(size, channels) for size in sizes)

    def forward(self, audio: torch.Tensor) -> list[list[torch.Tensor]]:
        return [judge(audio) for judge in self.scales]


@dataclass(frozen=True, eq=False)
class Verdict:
    """What the judges say to the codec."""

    fool: torch.Tensor
    """How much the codec still fails to pass for real (hinge)."""
    match: torch.Tensor
    """Distance of the judges' features, relative to their size."""


def judge_loss(judges: Judges, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Hinge loss that teaches the judges; `fake` must carry no gradient."""
    total = real.new_zeros(())
    for good, bad in zip(judges(real), judges(fake), strict=True):
        total = total + F.relu(1 - good[-1].float()).mean() + F.relu(1 + bad[-1].float()).mean()
    return total / len(judges.scales)


def ask_judges(judges: Judges, real: torch.Tensor, fake: torch.Tensor) -> Verdict:
    with torch.no_grad():
        wanted = judges(real)
    fool, match, layers = real.new_zeros(()), real.new_zeros(()), 0
    for good, bad in zip(wanted, judges(fake), strict=True):
        fool = fool + F.relu(1 - bad[-1].float()).mean()
        for a, b in zip(good[:-1], bad[:-1], strict=True):
            match = match + (a.float() - b.float()).abs().mean() / a.float().abs().mean().clamp_min(
                1e-4
            )
            layers += 1
    return Verdict(fool / len(wanted), match / layers)
