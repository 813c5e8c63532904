"""A look-ahead limiter: no sample beyond full scale, everything else as loud as it was."""

from __future__ import annotations

import numpy as np
import scipy
import torch
from torch import nn

from ..types import Waveform
from .resampling import resampled

REACH_S = 0.005
"""The level falls so long before a peak and rises so long after it."""


_BLOCK = 1 << 18
"""Samples that are worked on at once."""

_FINER = 8
"""True peaks are looked for on so many places per sample (ITU-R BS.1770 asks for 4)."""

_PAST = 64
"""Samples that say how sound goes on between the next ones."""


def limited(wave: Waveform, ceiling: float = 1.0) -> Waveform:
    """The same sound with no sample beyond `ceiling`.

    Around a peak the level dips smoothly for a hundredth of a second, in all channels alike; sound
    without such peaks comes back as it is.
    """
    if _loudest(wave.samples) <= ceiling:
        return wave
    samples = wave.samples.clone()
    limit(samples, wave.sample_rate, ceiling)
    return Waveform(samples, wave.sample_rate)


def limit(samples: torch.Tensor, rate: int, ceiling: float = 1.0, *, true_peak: bool = False) -> None:
    """`limited` in place, float32 [B, C, N]: a long sound is not there twice.

    With `true_peak` what lies between the samples stays under the ceiling too.
    """
    reach = 2 * round(REACH_S * rate) + 1
    before, past = samples.new_zeros(samples.shape[0], 0), samples[..., :0]
    for begin in range(0, samples.shape[-1], _BLOCK):
        block = samples[..., begin : begin + _BLOCK]
        ahead = samples[..., begin : begin + _BLOCK + 2 * reach]
        near = (_between(ahead, past, rate) if true_peak else ahead.abs()).amax(dim=1)  # [B, n]
        past = block[..., -_PAST:].clone()
        loudest = torch.cat([before, near], dim=-1)
        if float(loudest.max()) > ceiling:
            gain = _gain(loudest, reach, ceiling)[:, before.shape[-1] :][:, : block.shape[-1]]
            block *= gain[:, None]
        before = torch.cat([before, near[:, : block.shape[-1]]], dim=-1)[:, -2 * reach :]


def _between(samples: torch.Tensor, past: torch.Tensor, rate: int) -> torch.Tensor:
    """How far sound [..., N], with its `past`, goes around each of its samples."""
    fine = resampled(torch.cat([past, samples], dim=-1), rate, _FINER * rate)
    after = fine.abs().unflatten(-1, (-1, _FINER)).amax(-1)
    before = nn.functional.pad(after[..., :-1], (1, 0))
    return torch.maximum(after, before)[..., past.shape[-1] :]


def _loudest(samples: torch.Tensor) -> float:
    return max(
        (float(part.abs().max()) for part in samples.split(_BLOCK, dim=-1) if part.numel()), default=0.0
    )


def _gain(loudest: torch.Tensor, reach: int, ceiling: float) -> torch.Tensor:
    """What to multiply with, float32 [B, n], where the channels together peak at `loudest`."""
    wanted = (ceiling / loudest.clamp(min=ceiling)).double().numpy()  # in 0..1
    lowest = scipy.ndimage.minimum_filter1d(wanted, reach, mode="nearest")
    window = np.hanning(reach + 2)[1:-1]
    # An average of minima that all saw the sample: never above what it needs.
    edged = np.pad(lowest, ((0, 0), (reach // 2, reach // 2)), mode="edge")
    gain = scipy.signal.oaconvolve(edged, (window / window.sum())[None], mode="valid", axes=-1)
    return torch.from_numpy(np.minimum(gain, wanted)).float()  # rounding
