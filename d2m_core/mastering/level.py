"""One loudness for all music, and a ceiling for its true peaks."""

from __future__ import annotations

import torch

from ..media.limiter import limit
from ..types import Waveform
from .loudness import SILENT_LUFS, loudness_of

LOUDNESS_LUFS = -16.0
"""Integrated loudness (ITU-R BS.1770) of music that a model wrote: what podcasts and Apple Music play at. Its
hits rise far over the rest, and to be louder they would have to be pressed flat."""

BAND_LUFS = -14.0
"""Of what the band plays, which is mixed and compressed as records are: what YouTube and Spotify play at."""

CEILING_DB = -1.0
"""No true peak lies above it, in dB of full scale: players and encoders need the room (EBU R 128)."""

_MARGIN_DB = 0.8
"""What is read between samples on a few places each is short of the truth by less than this."""

_MOST_GAIN_DB = 12.0
"""Music is made louder by at most so much: what hardly sounds is meant to, or noise."""

_SHORTEST_S = 0.4
"""Loudness is not defined for less."""

_TIMES = 6
"""A limiter takes some loudness: so often it is given back."""

_NEAR_DB = 0.1


def loudness_lufs(wave: Waveform) -> float | None:
    """Integrated loudness of the first sound of a batch in LUFS; None for silence, or under 0.4 s."""
    if wave.samples.shape[-1] < _SHORTEST_S * wave.sample_rate:
        return None
    found = loudness_of(wave.samples[0].cpu().numpy(), wave.sample_rate)
    return found if found > SILENT_LUFS else None


def at_level(wave: Waveform) -> Waveform:
    """Every sound of the batch [B, C, N] at `LOUDNESS_LUFS`, its true peaks at most `CEILING_DB`."""
    parts = [_levelled(part, wave.sample_rate) for part in wave.samples.split(1)]
    return Waveform(torch.cat(parts), wave.sample_rate)


def _levelled(samples: torch.Tensor, rate: int) -> torch.Tensor:
    ceiling, gain_db = 10 ** ((CEILING_DB - _MARGIN_DB) / 20), 0.0
    out = samples
    for _ in range(_TIMES):
        found = loudness_lufs(Waveform(out, rate))
        if found is not None:
            gain_db = min(gain_db + LOUDNESS_LUFS - found, _MOST_GAIN_DB)
        out = samples * 10 ** (gain_db / 20)
        limit(out, rate, ceiling, true_peak=True)
        if found is None or abs(LOUDNESS_LUFS - found) < _NEAR_DB:
            break
    return out
