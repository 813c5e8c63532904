"""A look-ahead limiter: no sample beyond full scale, everything else as loud as it was."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage

from ..types import Waveform

_REACH_S = 0.005
"""The level falls so long before a peak and rises so long after it."""


def limited(wave: Waveform, ceiling: float = 1.0) -> Waveform:
    """The same sound with no sample beyond `ceiling`.

    Around a peak the level dips smoothly for a hundredth of a second, in all channels alike; sound
    without such peaks comes back as it is.
    """
    loudest = wave.samples.abs().amax(dim=1)  # [B, N]
    if float(loudest.max()) <= ceiling:
        return wave
    wanted = (ceiling / loudest.clamp(min=ceiling)).double().numpy()  # [B, N] in 0..1
    reach = 2 * round(_REACH_S * wave.sample_rate) + 1
    lowest = ndimage.minimum_filter1d(wanted, reach, mode="nearest")
    window = np.hanning(reach + 2)[1:-1]
    # An average of minima that all saw the sample: never above what it needs.
    gain = ndimage.convolve1d(lowest, window / window.sum(), mode="nearest")
    gain = np.minimum(gain, wanted)  # rounding
    return Waveform(wave.samples * torch.from_numpy(gain[:, None]).float(), wave.sample_rate)
