"""Held tones: how far they stand out of what is around them, in long windows.

A codec of few bits tends to write noise in a band where overtones were: as loud, and no tone. Mel
bands above 1 kHz are too wide to tell the two apart.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

TONE_WINDOW = 4096
"""Samples at `WINDOW_RATE`: 171 ms, in which partials 20 Hz apart are two; more at a higher rate."""

WINDOW_RATE = 24_000

LOWEST_HZ, HIGHEST_HZ = 250.0, 6000.0
LEAST = 0.7
"""Decades of power by which a tone stands out at least: 7 dB."""

FLOOR = 1e-7
"""Power under which nothing is heard: -70 dB of a full-scale sine."""

_CORE, _AROUND = 1, 10
"""Bins on either side that belong to a tone, and that it is held against."""


def prominence(sound: torch.Tensor, sample_rate: int) -> torch.Tensor:
    """Decades of power by which each bin of [B, N] stands out of its surroundings [B, bins, T].

    Bins from `LOWEST_HZ` to `HIGHEST_HZ`; the surroundings are the geometric mean of the bins
    about it, so that a second tone nearby does not hide the first.
    """
    size = TONE_WINDOW * max(1, round(sample_rate / WINDOW_RATE))
    window = torch.hann_window(size, device=sound.device)
    spectrum = torch.stft(sound, size, size // 4, window=window, return_complex=True, center=False)
    power = (spectrum.real**2 + spectrum.imag**2) * (4.0 / size) ** 2
    level = (power + FLOOR).log10()
    width = 2 * _AROUND + 1
    padded = F.pad(level.transpose(1, 2), (_AROUND, _AROUND), mode="replicate")
    around = F.avg_pool1d(padded, width, 1) * width
    inner = F.pad(level.transpose(1, 2), (_CORE, _CORE), mode="replicate")
    around = around - F.avg_pool1d(inner, 2 * _CORE + 1, 1) * (2 * _CORE + 1)
    out = level - (around / (width - 2 * _CORE - 1)).transpose(1, 2)
    hz = torch.arange(out.shape[1], device=sound.device) * (sample_rate / size)
    return out[:, (hz >= LOWEST_HZ) & (hz <= HIGHEST_HZ)]


def lost_tones(fake: torch.Tensor, real: torch.Tensor, sample_rate: int) -> torch.Tensor:
    """Decades by which tones of `real` [B, N] stand out less in `fake`, mean over those tones."""
    wanted = prominence(real, sample_rate)
    there = (wanted > LEAST).float()
    short = (wanted - prominence(fake, sample_rate)).clamp_min(0.0)
    return (short * there).sum() / there.sum().clamp_min(1.0)


def tone_contrast_db(sound: torch.Tensor, real: torch.Tensor, sample_rate: int) -> float:
    """How far [B, N] stands out, in dB, where `real` has tones."""
    there = prominence(real, sample_rate) > LEAST
    if not there.any():
        return 0.0
    return 10.0 * float(prominence(sound, sample_rate)[there].mean())
