"""Held-out figures of a codec, short enough to be taken while it trains."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
from torch import nn

from .hum import hum_db
from .quantizer import perplexity
from .repeats import mean_rates
from .settings import SAMPLE_RATE
from .spectra import mel_scales
from .tones import tone_contrast_db

OCTAVES_HZ = (40, 80, 160, 320, 640, 1280, 2560, 5120, 10240)
"""Edges of the octaves whose balance counts."""


def si_sdr(real: torch.Tensor, fake: torch.Tensor) -> float:
    """Scale-invariant signal-to-distortion ratio in dB, mean over [B, 1, N]."""
    target = (fake * real).sum(-1, keepdim=True) / real.pow(2).sum(-1, keepdim=True).clamp_min(1e-8) * real
    ratio = target.pow(2).sum(-1) / (fake - target).pow(2).sum(-1).clamp_min(1e-8)
    return float(10 * ratio.clamp_min(1e-8).log10().mean())


def octave_levels_db(real: torch.Tensor, fake: torch.Tensor) -> list[float]:
    """Power of each of `OCTAVES_HZ` against the original's in dB, all of [B, 1, N] together."""
    bins = np.fft.rfftfreq(real.shape[-1], 1 / SAMPLE_RATE)
    power = [np.abs(np.fft.rfft(x[:, 0].cpu().numpy(), axis=-1)) ** 2 for x in (real, fake)]
    levels = []
    for low, high in itertools.pairwise(OCTAVES_HZ):
        inside = (bins >= low) & (bins < high)
        before, after = (float(p[:, inside].sum()) + 1e-12 for p in power)
        levels.append(round(10 * float(np.log10(after / before)), 2))
    return levels


@torch.no_grad()
def coded(model: Any, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """`audio` [B, 1, N] through an `EncodecModel` and back, and its codes [B, K, T]."""
    bandwidth = max(model.config.target_bandwidths)
    codes, sounds = [], []
    for piece in audio.split(1):
        tokens = model.encode(piece, bandwidth=bandwidth).audio_codes
        sounds.append(model.decode(tokens, [None]).audio_values[..., : audio.shape[-1]])
        codes.append(tokens[0])
    return torch.cat(sounds), torch.cat(codes)


@torch.no_grad()
def measure(model: nn.Module, audio: torch.Tensor, bar_steps: tuple[int, ...] = ()) -> dict[str, Any]:
    """Figures of a codec on held-out `audio` [B, 1, N] through its own encode and decode.

    With the token steps that a bar of each piece lasts, how often tokens repeat as well.
    """
    model.eval()
    fake, codes = coded(model, audio)
    model.train()
    repeats = {"repeats": mean_rates(list(codes), bar_steps)} if bar_steps else {}
    return {
        **repeats,
        "tones_db": [round(tone_contrast_db(x[:, 0], audio[:, 0], SAMPLE_RATE), 2) for x in (fake, audio)],
        **spectral_figures(audio, fake),
        "hum_db": round(hum_db(audio, fake, int(model.config.hop_length)), 1),  # type: ignore[union-attr, arg-type]
        "si_sdr_db": round(si_sdr(audio, fake), 2),
        "perplexity": [
            round(p)
            for p in perplexity(codes.transpose(0, 1).flatten(1), model.config.codebook_size)  # type: ignore[union-attr, arg-type]
        ],
    }


@torch.no_grad()
def spectral_figures(real: torch.Tensor, fake: torch.Tensor) -> dict[str, Any]:
    """Distances between [B, 1, N], mean over all window lengths, and the octaves' balance."""
    scales = mel_scales(SAMPLE_RATE).to(real.device)
    distances = [scale(fake[:, 0], real[:, 0]) for scale in scales]
    means = {
        name: round(float(np.mean([float(getattr(d, name)) for d in distances])), 4)
        for name in ("mel", "linear", "balance")
    }
    return {**means, "octaves_db": octave_levels_db(real, fake)}
