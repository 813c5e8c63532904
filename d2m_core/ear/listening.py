"""Sound in, what the ear says of it out, however long it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from ..media import resample, to_mono
from ..types import Progress, Waveform
from .network import HEADS, EarNet
from .spectrum import EAR_RATE, HOP, WINDOW, band_levels, compressed, level_of

_PART_FRAMES = 6000
"""So much is listened to at once, two minutes."""
_DIGITS = 3
"""What is said is rounded to so many: the last bits differ with the number of threads, and two runs of one
data set should hear the same."""
_SILENT = 1e-5
"""A sound that never rises over this holds nothing to hear."""


@dataclass(frozen=True, eq=False)
class EarCurves:
    """What the ear hears, 0..1 per frame at `EAR_FPS`, float32 [S] each."""

    beat: np.ndarray
    downbeat: np.ndarray
    onset: np.ndarray
    """How strongly something begins to sound."""


def listen(wave: Waveform, net: EarNet, on_progress: Progress | None = None) -> EarCurves:
    """What `net` hears in all channels together of a sound, of its first if there are several.

    Long sounds are heard in parts that reach into each other as far as the network looks, so that
    every frame is heard as in the whole; memory grows by 0.1 MB a second.
    """
    samples = to_mono(resample(Waveform(wave.samples[:1], wave.sample_rate), EAR_RATE)).samples[0]  # [1, N]
    samples = torch.nan_to_num(samples)
    frames = max(1, -(-samples.shape[-1] // HOP))
    if not samples.numel() or float(samples.abs().max()) < _SILENT:
        return EarCurves(*np.zeros((len(HEADS), frames), np.float32))
    samples = samples * level_of(samples)
    said = []
    with torch.inference_mode():
        for first, last, low, high in _parts(frames, net.config.reach):
            mel = compressed(_levels_between(samples, low, high, net.config.bands))
            said.append(net(mel)[0, first - low : last - low].sigmoid())
            if on_progress is not None:
                on_progress(last, frames)
    curves = np.round(torch.cat(said).numpy(), _DIGITS)  # [S, heads]
    return EarCurves(*np.ascontiguousarray(curves.T))


def _parts(frames: int, reach: int) -> Iterator[tuple[int, int, int, int]]:
    """(first, last, from, to): frames to be told, and those that have to be looked at for them."""
    for first in range(0, frames, _PART_FRAMES):
        last = min(frames, first + _PART_FRAMES)
        yield first, last, max(0, first - reach), min(frames, last + reach)


def _levels_between(samples: torch.Tensor, low: int, high: int, bands: int) -> torch.Tensor:
    """`band_levels` of frames low..high alone, the same as in the whole."""
    margin = -(-WINDOW // HOP)
    first = max(0, low - margin)
    part = samples[:, first * HOP : (high + margin) * HOP]
    return band_levels(part, bands)[:, low - first : high - first]
