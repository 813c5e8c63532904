"""Sound in blocks: cut to a length, brought to another rate and mixed, without ever being there as a whole.

The samples are those that the same steps give on the whole sound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from ..types import Waveform
from .resampling import context_of, resampled

BLOCK = 1 << 17
"""Samples that are worked on at once."""

FADE_S = 0.02
"""Length of the fade where sound is cut off."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """Sound that is made while it is read, from its beginning each time."""

    rate: int
    channels: int
    make: Callable[[], Iterator[torch.Tensor]]
    """Gives float32 [C, n], one after the other."""

    def whole(self) -> Waveform:
        """All of it at once."""
        parts = list(self.make())
        samples = torch.cat(parts, dim=-1) if parts else torch.zeros(self.channels, 0)
        return Waveform(samples[None], self.rate)


def of_wave(wave: Waveform) -> Blocks:
    """The first sound of a batch."""
    samples = wave.samples[0].detach()  # [C, N]

    def make() -> Iterator[torch.Tensor]:
        for begin in range(0, samples.shape[-1], BLOCK):
            yield samples[:, begin : begin + BLOCK].cpu()

    return Blocks(wave.sample_rate, samples.shape[0], make)


def fitted(sound: Blocks, duration_s: float) -> Blocks:
    """The sound, cut (with a fade of `FADE_S`) or filled with silence to exactly `duration_s`."""
    wanted = round(duration_s * sound.rate)
    fade = min(wanted, round(FADE_S * sound.rate))

    def make() -> Iterator[torch.Tensor]:
        reader = Reader(sound)
        for begin in range(0, wanted - fade, BLOCK):
            yield _filled(reader.take(min(BLOCK, wanted - fade - begin)), min(BLOCK, wanted - fade - begin))
        end = reader.take(fade)
        if reader.take(1).shape[-1]:
            end = end * torch.linspace(1.0, 0.0, fade)
        yield _filled(end, fade)

    return Blocks(sound.rate, sound.channels, make)


def _filled(block: torch.Tensor, length: int) -> torch.Tensor:
    missing = length - block.shape[-1]
    return torch.nn.functional.pad(block, (0, missing)) if missing else block


def at_rate(sound: Blocks, rate: int) -> Blocks:
    """The same sound at another rate, as `resampled` has it."""
    if rate == sound.rate:
        return sound
    common = math.gcd(sound.rate, rate)
    old, new = sound.rate // common, rate // common
    context = context_of(sound.rate, rate)
    step = max(1, BLOCK // old) * old

    def make() -> Iterator[torch.Tensor]:
        reader = Reader(sound)
        before = torch.zeros(sound.channels, 0)
        ahead = reader.take(step + context)
        while ahead.shape[-1] > step:
            made = resampled(torch.cat([before, ahead], dim=-1), sound.rate, rate)
            first = before.shape[-1] // old * new
            yield made[:, first : first + step // old * new]
            before = torch.cat([before, ahead[:, :step]], dim=-1)[:, -context:]
            before = before[:, before.shape[-1] % old :]
            more = reader.take(step)
            ahead = torch.cat([ahead[:, step:], more], dim=-1)
        made = resampled(torch.cat([before, ahead], dim=-1), sound.rate, rate)
        yield made[:, before.shape[-1] // old * new :]

    return Blocks(rate, sound.channels, make)


def mixed(one: Blocks, other: Blocks, gain: float) -> Blocks:
    """`one` with the other sound under it, both of the same rate; mono meets stereo."""

    def make() -> Iterator[torch.Tensor]:
        reader = Reader(other)
        for block in one.make():
            yield block + gain * _filled(reader.take(block.shape[-1]), block.shape[-1])

    return Blocks(one.rate, max(one.channels, other.channels), make)


def scaled(sound: Blocks, by: float) -> Blocks:
    """The same sound, lower or louder."""
    return Blocks(sound.rate, sound.channels, lambda: (block / by for block in sound.make()))


class Reader:
    """Reads blocks in pieces of any length."""

    def __init__(self, sound: Blocks) -> None:
        self._blocks = sound.make()
        self._held = torch.zeros(sound.channels, 0)

    def take(self, samples: int) -> torch.Tensor:
        """The next samples [C, n], fewer only at the end."""
        parts, there = [self._held], self._held.shape[-1]
        while there < samples:
            block = next(self._blocks, None)
            if block is None:
                break
            parts.append(block)
            there += block.shape[-1]
        held = torch.cat(parts, dim=-1) if len(parts) > 1 else self._held
        self._held = held[:, samples:]
        return held[:, :samples]
