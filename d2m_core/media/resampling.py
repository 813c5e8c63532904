"""Another sample rate: windowed sinc, by torchaudio where it is there, else the same by SciPy."""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Callable

import numpy as np
import torch

_ZERO_CROSSINGS = 6
"""Half width of the filter, in periods of its cut-off: torchaudio's default."""
_ROLL_OFF = 0.99
"""The cut-off as a share of the lower Nyquist frequency: torchaudio's default."""
_LARGEST_KERNEL = 10_000_000
"""torchaudio keeps a filter for every phase: 8 GB of them from 44101 to 48000 Hz. SciPy has one."""

_log = logging.getLogger(__name__)


def context_of(from_rate: int, to_rate: int) -> int:
    """Samples on either side that a part of a sound needs to come out as in the whole.

    A multiple of the number of samples after which the two rates meet again.
    """
    meets = from_rate // math.gcd(from_rate, to_rate)
    reach = _ZERO_CROSSINGS * max(1.0, from_rate / to_rate) / _ROLL_OFF
    return (math.ceil(reach / meets) + 2) * meets


def resampled(samples: torch.Tensor, from_rate: int, to_rate: int) -> torch.Tensor:
    """The same sound [..., N] at another rate: float32 [..., ceil(N * to_rate / from_rate)].

    Both ways agree to 1e-5 of the peak: a sinc with a Hann window over 6 periods, cut off at 0.99
    of the lower Nyquist frequency (J. O. Smith, "Digital Audio Resampling", as torchaudio has it).
    """
    if from_rate == to_rate or samples.shape[-1] == 0:
        return samples
    with_torchaudio = torchaudio_resample()
    kernel = from_rate * to_rate // math.gcd(from_rate, to_rate) ** 2
    if with_torchaudio is None or kernel > _LARGEST_KERNEL:
        return with_scipy(samples, from_rate, to_rate)
    return with_torchaudio(samples, from_rate, to_rate)


@functools.cache
def torchaudio_resample() -> Callable[[torch.Tensor, int, int], torch.Tensor] | None:
    """torchaudio's function; None where it is missing, or cannot load its own library."""
    try:
        from torchaudio.functional import resample
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        _log.debug("resampling with SciPy: %s", error)
        return None
    return resample


def with_scipy(samples: torch.Tensor, from_rate: int, to_rate: int) -> torch.Tensor:
    """What `resampled` does without torchaudio."""
    from scipy.signal import resample_poly

    common = math.gcd(from_rate, to_rate)
    up, down = to_rate // common, from_rate // common
    # resample_poly multiplies its window by `up`, for it puts up - 1 zeros after each sample.
    window = _windowed_sinc(up, down) / up
    made = resample_poly(samples.detach().cpu().numpy(), up, down, axis=-1, window=window)
    return torch.from_numpy(made).to(samples)


@functools.lru_cache(maxsize=8)
def _windowed_sinc(up: int, down: int) -> np.ndarray:
    """The filter, float32 [taps], at `up` times the rate of the sound that comes in."""
    cut_off = min(1.0, up / down) * _ROLL_OFF  # of the incoming Nyquist frequency
    reach = int(_ZERO_CROSSINGS / cut_off * up)
    crossings = np.arange(-reach, reach + 1) / up * cut_off
    hann = np.cos(crossings * np.pi / _ZERO_CROSSINGS / 2) ** 2
    return (cut_off * np.sinc(crossings) * hann).astype(np.float32)
