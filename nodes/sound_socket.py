"""Between ComfyUI's AUDIO, as the nodes of others give it, and our waveforms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ..d2m_core.errors import MediaError
from ..d2m_core.media.downmix import MOST_CHANNELS
from ..d2m_core.types import Waveform

_KEYS = ("waveform", "sample_rate")
_STEPS = {torch.int8: 2.0**7, torch.int16: 2.0**15, torch.int32: 2.0**31}
"""Steps from 0 to full scale of sound in whole numbers."""


def to_audio(wave: Waveform) -> dict[str, Any]:
    """ComfyUI's AUDIO from a waveform."""
    return {"waveform": wave.samples.cpu(), "sample_rate": wave.sample_rate}


def from_audio(audio: Mapping[str, Any] | None) -> Waveform:
    """A waveform of up to 8 channels from ComfyUI's AUDIO. Raises `MediaError`."""
    wave = sound_in(audio)
    if wave is None:
        raise MediaError("There is no sound in the audio input; connect audio that has some.")
    return wave


def sound_in(audio: Mapping[str, Any] | None) -> Waveform | None:
    """The waveform; None where there is none, as nodes say of a silent video. Raises `MediaError`.

    Some give arrays in the place of tensors, [C, N] or [N] in the place of [B, C, N], and a rate in
    a tuple of one.
    """
    if audio is None:
        return None
    if not isinstance(audio, Mapping):
        raise MediaError(f"The audio input is of type {type(audio).__name__}; connect AUDIO of another node.")
    missing = [key for key in _KEYS if key not in audio]
    if missing:
        found = ", ".join(map(str, audio)) or "nothing"
        raise MediaError(
            f"The audio input has no {' and no '.join(missing)}, only {found}; connect AUDIO of another node."
        )
    samples = _samples(audio["waveform"])
    return None if samples is None else Waveform(samples, _rate(audio["sample_rate"]))


def each(wave: Waveform) -> list[Waveform]:
    """The sounds of a batch, one by one."""
    return [Waveform(one[None], wave.sample_rate) for one in wave.samples]


def is_plain(audio: Mapping[str, Any] | None) -> bool:
    """Whether ComfyUI itself can write it: None, or a tensor [1, 1 or 2, N] that is not empty."""
    if audio is None:
        return True
    samples = audio["waveform"]
    whole = torch.is_tensor(samples) and samples.ndim == 3 and samples.numel() > 0
    return whole and samples.shape[0] == 1 and samples.shape[1] <= 2


def _samples(given: Any) -> torch.Tensor | None:
    """float32 [B, C, N] on the CPU; None where there is none."""
    try:
        samples = torch.as_tensor(given if torch.is_tensor(given) else np.ascontiguousarray(given))
        samples = _in_floats(samples.detach().cpu())
    except (TypeError, ValueError, RuntimeError) as error:
        raise MediaError(
            f"The waveform of the audio input cannot be read ({error}); it must be a tensor of float32."
        ) from error
    if samples.numel() == 0:
        return None
    shape = list(samples.shape)
    if not 1 <= samples.ndim <= 3 or (samples.ndim > 1 and shape[-2] > MOST_CHANNELS):
        raise MediaError(
            f"The waveform of the audio input has the shape {shape}; it must be "
            f"[batch, channels, samples] with at most {MOST_CHANNELS} channels."
        )
    if not bool(torch.isfinite(samples).all()):
        raise MediaError("The sound has values that are not numbers; make it again.")
    return samples.reshape([1] * (3 - samples.ndim) + shape)


def _in_floats(samples: torch.Tensor) -> torch.Tensor:
    """The same sound in -1..1, float32."""
    if samples.is_floating_point():
        return samples.float()
    if samples.dtype == torch.uint8:
        return (samples.float() - 128.0) / 128.0
    if samples.dtype in _STEPS:
        return (samples.double() / _STEPS[samples.dtype]).float()
    raise TypeError(f"its numbers are {samples.dtype}")


def _rate(given: Any) -> int:
    """The rate in Hz, out of whatever holds just one number."""
    try:
        (number,) = np.ravel(given.cpu() if torch.is_tensor(given) else given)
        rate = round(float(number))
    except (TypeError, ValueError, OverflowError):
        rate = 0
    if rate <= 0:
        raise MediaError(f"The sample_rate of the audio input is {given!r}; it must be one number above 0.")
    return rate
