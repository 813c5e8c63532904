"""One loudness for all music, and a ceiling for its true peaks."""

from __future__ import annotations

import warnings

import numpy as np
import torch

from ..media.limiter import limit
from ..types import Waveform

LOUDNESS_LUFS = -16.0
"""Integrated loudness of music (ITU-R BS.1770)."""

CEILING_DB = -1.0
"""No true peak lies above it, in dB of full scale: players and encoders need the room (EBU R 128)."""

_MARGIN_DB = 0.8
"""What is read between samples on a few places each is short of the truth by less than this."""

_MOST_GAIN_DB = 12.0
"""Music is made louder by at most so much: what hardly sounds is meant to, or noise."""

_SHORTEST_S = 0.4
"""Loudness is not defined for less."""

_PART_S = 600.0

_TIMES = 6
"""A limiter takes some loudness: so often it is given back."""

_NEAR_DB = 0.1


def loudness_lufs(wave: Waveform) -> float | None:
    """Integrated loudness of the first sound of a batch in LUFS; None for silence, or under 0.4 s.

    Of a long sound it is the mean of its parts' of ten minutes, so that an hour fits in memory.
    """
    from pyloudnorm import Meter

    meter, powers = Meter(wave.sample_rate), []
    for part in wave.samples[0].split(round(_PART_S * wave.sample_rate), dim=-1):
        if part.shape[-1] < _SHORTEST_S * wave.sample_rate:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it takes the logarithm of silence
            found = float(meter.integrated_loudness(part.T.double().cpu().numpy()))
        if np.isfinite(found):
            powers.append(10 ** (found / 10))
    return 10 * float(np.log10(np.mean(powers))) if powers else None


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
