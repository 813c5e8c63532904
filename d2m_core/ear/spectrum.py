"""What the ear reads: how loud each mel band of a sound is, 50 times a second."""

from __future__ import annotations

from functools import lru_cache

import torch

EAR_RATE = 24_000
"""Sample rate that the ear hears at."""
EAR_FPS = 50
"""Frames per second of what it reads and of what it says."""
HOP = EAR_RATE // EAR_FPS
WINDOW = 1024
"""Samples that a frame looks at, 43 ms around its moment."""

_LOW_HZ, _HIGH_HZ = 30.0, 11_000.0
_QUIET = 1e-4
"""Sounds are brought to one level, but nothing whose root mean square lies under this."""
_LEVEL = 0.1
_COMPRESSION = 100.0
"""Bands are log(1 + this * magnitude): quiet ones count too, silence does not."""


def level_of(samples: torch.Tensor) -> torch.Tensor:
    """What samples [B, N] are multiplied by to be as loud as any other music, [B, 1]."""
    power = samples.square().mean(-1, keepdim=True).sqrt()
    return _LEVEL / power.clamp(min=_QUIET)


def band_levels(samples: torch.Tensor, bands: int, hop: int = HOP) -> torch.Tensor:
    """Magnitudes of mel bands, float32 [B, S, bands], of samples [B, N] at `EAR_RATE`.

    Frame `s` lies around sample `s * hop`; there are ceil(N / hop) frames.
    """
    frames = max(1, -(-samples.shape[-1] // hop))
    room = (frames - 1) * hop + WINDOW - samples.shape[-1] - WINDOW // 2
    padded = torch.nn.functional.pad(samples, (WINDOW // 2, max(0, room)))
    window = torch.hann_window(WINDOW, device=samples.device)
    spectrum = torch.stft(padded, WINDOW, hop, window=window, center=False, return_complex=True)
    magnitude = spectrum[..., :frames].abs() / (WINDOW / 4)  # a full sine has 1
    return magnitude.transpose(1, 2) @ mel_filters(bands).to(samples.device)


def compressed(levels: torch.Tensor) -> torch.Tensor:
    """Magnitudes as the network reads them."""
    return torch.log1p(_COMPRESSION * levels)


@lru_cache(maxsize=4)
def mel_filters(bands: int) -> torch.Tensor:
    """Triangles evenly spread in mel, each with a peak of 1, float32 [WINDOW // 2 + 1, bands]."""
    low, high = (2595 * torch.log10(1 + torch.tensor(hz) / 700) for hz in (_LOW_HZ, _HIGH_HZ))
    edges = 700 * (10 ** (torch.linspace(float(low), float(high), bands + 2, dtype=torch.float64) / 2595) - 1)
    bins = torch.arange(WINDOW // 2 + 1, dtype=torch.float64)[:, None] * EAR_RATE / WINDOW
    # No triangle is narrower than two bins, or the lowest would fall between them.
    width = EAR_RATE / WINDOW
    centre = edges[1:-1]
    left = torch.minimum(edges[:-2], centre - width)
    right = torch.maximum(edges[2:], centre + width)
    rise, fall = (bins - left) / (centre - left), (right - bins) / (right - centre)
    return torch.minimum(rise, fall).clamp(min=0).float()
