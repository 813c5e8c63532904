"""Sound of many speakers for two: as FFmpeg mixes it, so that the middle stays as loud as it was."""

from __future__ import annotations

import torch
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from ..errors import MediaError
from ..types import Waveform

_LAYOUTS = {3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""What so many channels are where nobody says, in FFmpeg's order."""
MOST_CHANNELS = max(_LAYOUTS)

_BLOCK_S = 10


def to_stereo(wave: Waveform) -> Waveform:
    """Mono and stereo as they are, up to 8 channels mixed to stereo [B, 2, N].

    The centre counts 0.71 on both sides, those behind 0.71 on theirs, and the low-frequency channel
    nothing (ITU-R BS.775); peaks may pass 1. Raises `MediaError`.
    """
    channels = wave.samples.shape[1]
    if channels <= 2:
        return wave
    if channels > MOST_CHANNELS:
        raise MediaError(
            f"The sound has {channels} channels; give {MOST_CHANNELS} or fewer, or mix it to stereo first."
        )
    mixed = [_mixed(one, wave.sample_rate) for one in wave.samples]
    return Waveform(torch.stack(mixed), wave.sample_rate)


def _mixed(samples: torch.Tensor, rate: int) -> torch.Tensor:
    """[C, N] to [2, N], block by block."""
    resampler = AudioResampler(format="fltp", layout="stereo", rate=rate)
    layout, parts = _LAYOUTS[len(samples)], []
    for block in samples.split(_BLOCK_S * rate, dim=1):
        # Packed: PyAV 18 cannot make a planar frame of 8 channels.
        packed = block.T.reshape(1, -1).contiguous().numpy()
        frame = AudioFrame.from_ndarray(packed, format="flt", layout=layout)
        frame.sample_rate = rate
        parts += [torch.from_numpy(one.to_ndarray()) for one in resampler.resample(frame)]
    return torch.cat(parts, dim=1)
