"""Networks that tell real sound from decoded sound, and what they and the codec learn by.

Spectrogram discriminators after EnCodec (Défossez et al. 2022, section 3.4), period ones after HiFi-GAN
(Kong et al. 2020) as DAC uses them (Kumar et al. 2023).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from .settings import CodecTraining


class StftDiscriminator(nn.Module):
    """One window length of EnCodec's multi-scale STFT discriminator."""

    window: torch.Tensor

    def __init__(self, size: int, channels: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("window", torch.hann_window(size), persistent=False)
        wide = [nn.Conv2d(2, channels, (3, 9), padding=(1, 4))]
        wide += [
            nn.Conv2d(channels, channels, (3, 9), (1, 2), (spread, 4), (spread, 1)) for spread in (1, 2, 4)
        ]
        wide += [nn.Conv2d(channels, channels, 3, padding=1)]
        self.layers = nn.ModuleList(weight_norm(layer) for layer in wide)
        self.last = weight_norm(nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, audio: torch.Tensor) -> list[torch.Tensor]:
        """[B, N] -> features of each layer; the last one is the verdict, high for real."""
        spectrum = torch.stft(
            audio, self.size, self.size // 4, window=self.window, return_complex=True
        ).transpose(1, 2)  # [B, frames, bins]
        x = torch.stack((spectrum.real, spectrum.imag), 1) * self.size**-0.5
        return _through(self.layers, self.last, x)


class PeriodDiscriminator(nn.Module):
    """Sees every `period`-th sample as a row of its own."""

    def __init__(self, period: int, channels: int) -> None:
        super().__init__()
        self.period = period
        widths = (1, channels, 4 * channels, 16 * channels, 32 * channels, 32 * channels)
        strides = (3, 3, 3, 3, 1)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(widths[i], widths[i + 1], (5, 1), (stride, 1), (2, 0)))
            for i, stride in enumerate(strides)
        )
        self.last = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, audio: torch.Tensor) -> list[torch.Tensor]:
        """As `StftDiscriminator`."""
        short = -audio.shape[-1] % self.period
        x = F.pad(audio[:, None], (0, short), mode="reflect")
        x = x.view(len(audio), 1, -1, self.period)  # [B, 1, N / period, period]
        return _through(self.layers, self.last, x)


def _through(layers: nn.ModuleList, last: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    features = []
    for layer in layers:
        x = F.leaky_relu(layer(x), 0.2)
        features.append(x)
    return [*features, last(x)]


class Discriminators(nn.Module):
    """Several discriminators, each with its own view."""

    def __init__(
        self, windows: tuple[int, ...] = (), periods: tuple[int, ...] = (), channels: int = 32
    ) -> None:
        super().__init__()
        views = [StftDiscriminator(size, channels) for size in windows]
        self.views = nn.ModuleList([*views, *(PeriodDiscriminator(p, channels) for p in periods)])

    def forward(self, audio: torch.Tensor) -> list[list[torch.Tensor]]:
        """[B, N] -> the features of each, its verdict last."""
        return [view(audio) for view in self.views]


def make_discriminators(settings: CodecTraining) -> Discriminators | None:
    """The discriminators that the settings name (as `judges`); none where they name none."""
    if settings.judges == "none":
        return None
    windows = settings.judge_windows if settings.judges in ("stft", "both") else ()
    periods = settings.judge_periods if settings.judges in ("periods", "both") else ()
    return Discriminators(windows, periods, settings.judge_channels)


@dataclass(frozen=True)
class Contest:
    """What verdicts are worth to either side."""

    teach: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    """Loss of a discriminator from its verdicts on real and on decoded sound."""
    fool: Callable[[torch.Tensor], torch.Tensor]
    """Loss of the codec from a discriminator's verdict on decoded sound."""


CONTESTS = {
    "hinge": Contest(
        lambda good, bad: F.relu(1 - good).mean() + F.relu(1 + bad).mean(), lambda bad: F.relu(1 - bad).mean()
    ),
    "squares": Contest(
        lambda good, bad: (1 - good).pow(2).mean() + bad.pow(2).mean(), lambda bad: (1 - bad).pow(2).mean()
    ),
}
"""EnCodec's hinge (section 3.4); least squares (Mao et al. 2017), as DAC has it."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """What the discriminators say to the codec."""

    fool: torch.Tensor
    """How much the codec still fails to pass for real."""
    match: torch.Tensor
    """Distance of their features from those of the real sound, relative to their size."""


def discriminator_loss(
    discriminators: nn.Module, real: torch.Tensor, fake: torch.Tensor, contest: Contest
) -> torch.Tensor:
    """Loss that teaches them on sounds [B, N]; no gradient reaches `fake`.

    Both go through in one call, as distributed training wants it.
    """
    seen = discriminators(torch.cat((real, fake.detach())))
    halves = [features[-1].float().split(len(real)) for features in seen]
    return torch.stack([contest.teach(good, bad) for good, bad in halves]).mean()


def teach_discriminators(
    discriminators: nn.Module,
    optimizer: torch.optim.Optimizer,
    real: torch.Tensor,
    fake: torch.Tensor,
    contest: Contest,
    clip_norm: float,
    in_half: bool = False,
) -> torch.Tensor:
    """One step of theirs on sounds [B, N]; returns its loss."""
    with torch.autocast(real.device.type, torch.bfloat16, enabled=in_half):
        lesson = discriminator_loss(discriminators, real, fake, contest)
    optimizer.zero_grad(set_to_none=True)
    lesson.backward()
    nn.utils.clip_grad_norm_(discriminators.parameters(), clip_norm)
    optimizer.step()
    return lesson.detach()


def ask_discriminators(
    discriminators: nn.Module, real: torch.Tensor, fake: torch.Tensor, contest: Contest
) -> Verdict:
    """What they think of `fake` [B, N] beside `real`."""
    with torch.no_grad():
        wanted = discriminators(real)
    seen = discriminators(fake)
    fool = torch.stack([contest.fool(features[-1].float()) for features in seen]).mean()
    match = [
        _relative(a.float(), b.float())
        for good, bad in zip(wanted, seen, strict=True)
        for a, b in zip(good[:-1], bad[:-1], strict=True)
    ]
    return Verdict(fool, torch.stack(match).mean())


def _relative(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Mean distance of features, each sound's relative to its own mean size."""
    size = a.abs().flatten(1).mean(1).clamp_min(1e-4)
    return ((a - b).abs().flatten(1).mean(1) / size).mean()
