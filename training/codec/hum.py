"""What a decoder adds at every token alike: tones at multiples of the token rate.

A decoder that writes some hundred samples for each token tends to give all of them a pattern in
common. It repeats with every token, so it is heard as a chord of steady tones that swell with the
music. Means over many tokens show it: music averages out, the pattern stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


def repeating(sound: torch.Tensor, period: int) -> torch.Tensor:
    """What of sounds [B, N] comes again every `period` samples: their mean over periods,
    [B, period]. What is left over at the end does not count."""
    whole = sound[:, : sound.shape[1] // period * period]
    return whole.reshape(len(whole), -1, period).mean(1)


def hum(fake: torch.Tensor, real: torch.Tensor, period: int) -> torch.Tensor:
    """Power of what repeats in `fake` [B, N] and not in `real`, relative to `real`'s power: mean
    over the batch. Sound without any hum has about its squared error over the count of periods."""
    extra = repeating(fake - real, period).pow(2).mean(1)
    return (extra / real.pow(2).mean(1).clamp_min(1e-5)).mean()


def hum_db(real: torch.Tensor, fake: torch.Tensor, period: int) -> float:
    """`hum` of [B, 1, N] in dB under the music."""
    return 10 * float(hum(fake[:, 0], real[:, 0], period).clamp_min(1e-9).log10())


@dataclass(frozen=True)
class Lines:
    """Where in a spectrum the decoder's tones would stand, and how closely to look."""

    per_period: int
    """Lines are this many times the token rate apart."""
    bins: int
    """Bins of the spectrum from one line to the next."""
    core: int = 2
    """Bins on either side that still count as the line: a tone that trembles is wider."""
    beside: tuple[int, int] = (4, 5)
    """Bins next to it, on either side, that a line's level is held against: first and last."""


LINES = (Lines(1, 10), Lines(4, 16, beside=(5, 8)))
"""Every multiple of the token rate, sharply; and every fourth, where they are strongest, widely."""

LINE_PERIODS = max(lines.bins // lines.per_period for lines in LINES)
"""Sound has to be this long to show lines, in periods."""


def line_levels(sound: torch.Tensor, period: int, lines: Lines) -> torch.Tensor:
    """How far the spectrum of [B, N] stands out at `lines`: log10 of power against what lies
    beside them, mean over time, [B, lines]."""
    size = period * lines.bins // lines.per_period
    window = torch.hann_window(size, device=sound.device)
    spectrum = torch.stft(sound, size, size // 4, window=window, return_complex=True, center=False)
    power = (spectrum.real**2 + spectrum.imag**2).transpose(1, 2) + 1e-6
    around = power[..., lines.bins // 2 :].unfold(2, lines.bins + 1, lines.bins)
    middle = lines.bins // 2
    core = around[..., middle - lines.core : middle + lines.core + 1].mean(3)
    near, far = lines.beside
    beside = [middle + way * each for each in range(near, far + 1) for way in (-1, 1)]
    return (core.log10() - around[..., beside].log10().mean(3)).mean(1)


def added_lines(fake: torch.Tensor, real: torch.Tensor, period: int) -> torch.Tensor:
    """How far lines of `fake` [B, N] stand out further than those of `real`, log10 of power: mean
    over lines of each kind in `LINES`, and over kinds."""
    found = []
    for lines in LINES:
        levels = line_levels(fake, period, lines) - line_levels(real, period, lines)
        found.append(levels.mean(0).clamp_min(0.0).mean())
    return torch.stack(found).mean()
