"""The finisher: makes stereo music with clear tones of what an EnCodec's decoder says.

A decoder of few bits writes hits where they belong, and noise where held tones were: it would have
to guess their phase anew in every token. The finisher reads the same tokens with a look at what is
around them, opens and shuts the decoder's sound at every frequency, for the middle and for the
sides, and lets oscillators at fixed pitches sound, whose phase runs on: a held tone stays a line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from ..checkpoint import Info, read_checkpoint, write_checkpoint
from ..errors import ModelError, require
from ..types import CodecSpec

_KIND = "finisher"

CHUNK_STEPS = 1000
"""Token steps that are finished at a time."""


@dataclass(frozen=True)
class FinishConfig:
    """Shape of a finisher."""

    sample_rate: int = 24_000
    hop: int = 480
    """Samples per token step."""
    latent: int = 128
    """Width of what the codebooks say."""
    dim: int = 192
    layers: int = 6
    fine_dim: int = 128
    fine_layers: int = 3
    parts: int = 4
    """Frames per token step."""
    window: int = 960
    """Samples of a frame's window."""
    lowest_hz: float = 110.0
    """Of the oscillators; equal temperament on A at 440 Hz."""
    octaves: float = 5.75
    per_octave: int = 48
    up: int = 1
    """So many times the codec's rate is what comes out: 2 makes 48 kHz of 24. What lies above the codec's
    sound is made of its upper half."""

    def __post_init__(self) -> None:
        require(
            self.hop % self.parts == 0 and self.window % (4 * self.frame) == 0,
            f"parts {self.parts} and window {self.window} do not fit a token step of {self.hop} samples; "
            "choose parts that divide it, and a window of four frames or a multiple.",
        )
        require(self.up >= 1, f"up is {self.up}; use 1 (the codec's rate) or more.")
        require(
            self.up == 1 or self.frame % 4 == 0,
            f"a frame has {self.frame} samples; with up it must be a multiple of 4.",
        )

    @property
    def context(self) -> int:
        """Token steps on either side that a moment's sound may depend on."""
        coarse = 2 + 3 * sum(2 ** (i // 2) for i in range(self.layers))
        return coarse + -(-3 * self.fine_layers // self.parts) + 2 * -(-self.window // self.hop)

    @property
    def frame(self) -> int:
        """Samples from frame to frame."""
        return self.hop // self.parts

    @property
    def bins(self) -> int:
        return self.window // 2 + 1

    @property
    def out_rate(self) -> int:
        """Samples per second that come out."""
        return self.sample_rate * self.up

    @property
    def out_hop(self) -> int:
        """Samples per token step that come out."""
        return self.hop * self.up

    @property
    def out_bins(self) -> int:
        return self.window * self.up // 2 + 1

    @property
    def oscillators(self) -> int:
        return round(self.octaves * self.per_octave) + 1


_SHUT = -4.0
"""Gates above the codec's own sound start nearly shut."""


class Block(nn.Module):
    """Depthwise convolution over time, then a small network at every step (ConvNeXt)."""

    def __init__(self, dim: int, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        self.over_time = nn.Conv1d(
            dim, dim, kernel, padding=kernel // 2 * dilation, dilation=dilation, groups=dim
        )
        self.norm = nn.LayerNorm(dim)
        self.wide = nn.Linear(dim, 3 * dim)
        self.back = nn.Linear(3 * dim, dim)
        self.scale = nn.Parameter(torch.full((dim,), 0.3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, T, dim] to the same."""
        y = self.over_time(x.transpose(1, 2)).transpose(1, 2)
        return x + self.scale * self.back(F.gelu(self.wide(self.norm(y))))


class Finisher(nn.Module):
    """Latents and decoded sound in, stereo sound out."""

    def __init__(self, config: FinishConfig) -> None:
        super().__init__()
        self.config = c = config
        self.latent_in = nn.Conv1d(c.latent, c.dim, 5, padding=2)
        self.coarse = nn.ModuleList(Block(c.dim, 7, 2 ** (i // 2)) for i in range(c.layers))
        self.split = nn.Linear(c.dim, c.parts * c.fine_dim)
        self.sound_in = nn.Linear(c.bins, c.fine_dim)
        self.fine = nn.ModuleList(Block(c.fine_dim, 7) for _ in range(c.fine_layers))
        self.norm = nn.LayerNorm(c.fine_dim)
        self.gates = nn.Linear(c.fine_dim, 2 * c.out_bins)
        self.tones = nn.Linear(c.fine_dim, 2 * c.oscillators)
        nn.init.zeros_(self.gates.weight)
        nn.init.zeros_(self.gates.bias)
        nn.init.constant_(self.gates.bias[c.bins : c.out_bins], _SHUT)
        nn.init.normal_(self.tones.weight, std=0.01)
        nn.init.constant_(self.tones.bias, -7.0)
        self.window = nn.Buffer(torch.hann_window(c.window), persistent=False)
        self.wide = c.window * c.up
        window = torch.hann_window(self.wide)
        self.out_window = nn.Buffer(window, persistent=False)
        self.sources = nn.Buffer(_sources(c), persistent=False)
        k = torch.arange(c.oscillators)
        turns = 2 * math.pi * c.lowest_hz * 2 ** (k / c.per_octave) / c.out_rate
        at = torch.arange(self.wide // 2)  # the later half: the earlier one mirrors it
        # windows overlap; what they add up to is divided out
        shape = window[self.wide // 2 :] * (c.frame * 2 / c.window)
        self.speed = nn.Buffer(turns.double(), persistent=False)
        self.cosines = nn.Buffer((turns[:, None] * at).cos() * shape, persistent=False)
        self.sines = nn.Buffer((turns[:, None] * at).sin() * shape, persistent=False)

    def forward(self, latent: torch.Tensor, sound: torch.Tensor, first: int = 0) -> torch.Tensor:
        """Stereo [B, 2, N * up] of latents [B, H, T] and the decoder's sound [B, N], N = T * hop.

        `first` is the place of the first token step in the piece: oscillators run through.
        """
        c = self.config
        spectrum = torch.stft(
            sound, c.window, c.frame, window=self.window, return_complex=True, pad_mode="constant"
        )  # [B, bins, frames + 1]: the last stands in the middle of the last sample
        hidden = self.hidden(latent, spectrum)
        gates = self.gates(hidden).unflatten(-1, (2, c.out_bins)).permute(0, 2, 3, 1)
        if c.up > 1:
            spectrum = spectrum.index_select(1, self.sources) * c.up
        middle = spectrum * 2 * torch.sigmoid(gates[:, 0])
        side = spectrum * torch.tanh(gates[:, 1])
        both = torch.stack((middle, side), 1).flatten(0, 1)
        length = sound.shape[-1] * c.up
        wave = torch.istft(both, self.wide, c.frame * c.up, window=self.out_window, length=length)
        wave = wave.unflatten(0, (-1, 2))
        levels = self.tones(hidden).clamp(-14.0, 2.0).exp().unflatten(-1, (2, c.oscillators))
        tones = self.ring(levels.transpose(1, 2), first * c.parts)[..., :length]
        left, right = wave[:, 0] + wave[:, 1], wave[:, 0] - wave[:, 1]
        return torch.stack((left, right), 1) + tones

    def hidden(self, latent: torch.Tensor, spectrum: torch.Tensor) -> torch.Tensor:
        """What is known at every frame [B, frames, fine_dim]."""
        x = self.latent_in(latent).transpose(1, 2)
        for block in self.coarse:
            x = block(x)
        x = self.split(x).unflatten(-1, (self.config.parts, -1)).flatten(1, 2)
        x = torch.cat((x, x[:, -1:]), 1)
        level = (spectrum.real**2 + spectrum.imag**2 + 1e-8).log10().transpose(1, 2)
        x = x + self.sound_in(level / 2)
        for block in self.fine:
            x = block(x)
        return self.norm(x)

    def ring(self, levels: torch.Tensor, first: int) -> torch.Tensor:
        """Oscillators at levels [B, 2, frames, oscillators], frame by frame: [B, 2, N]."""
        frames, step = levels.shape[2], self.config.frame * self.config.up
        turn = (torch.arange(first, first + frames, device=levels.device) * step)[:, None]
        phase = torch.remainder(turn * self.speed, 2 * math.pi).to(levels.dtype)
        even, odd = (levels * phase.cos()) @ self.cosines, (levels * phase.sin()) @ self.sines
        earlier = F.pad((even + odd)[..., 1:].flip(-1), (1, 0))  # a window begins with 0
        pieces = torch.cat((earlier, even - odd), -1).unflatten(-1, (-1, step))
        out = pieces.new_zeros(*pieces.shape[:2], frames + pieces.shape[3] - 1, step)
        for late in range(pieces.shape[3]):
            out[:, :, late : late + frames] += pieces[:, :, :, late]
        return out.flatten(2)[..., self.wide // 2 :]


def _sources(config: FinishConfig) -> torch.Tensor:
    """Of which bin of the decoder's sound each that comes out is made [out_bins].

    Above its own come those of its upper half, again and again. In a frame's time they turn by whole turns
    more than the ones that they are made of, so that they run on from frame to frame.
    """
    bins = torch.arange(config.out_bins)
    half = (config.bins - 1) // 2
    turns = (bins - config.bins + half) // half
    return torch.where(bins < config.bins, bins, bins - turns * half)


@torch.no_grad()
def finished(net: Finisher, latent: torch.Tensor, sound: torch.Tensor) -> torch.Tensor:
    """Stereo [B, 2, N * up] on the CPU of latents [B, H, T] and the decoder's sound [B, N], however long.

    Chunk by chunk, each with as much around it as its sound depends on, so that all is as if at once.
    """
    hop, steps = net.config.hop, latent.shape[-1]
    device = net.norm.weight.device
    parts = []
    for low, high, first, last in _chunks(steps, net.config.context):
        part = net(latent[..., first:last].to(device), sound[:, first * hop : last * hop].to(device), first)
        out = net.config.out_hop
        parts.append(part[..., (low - first) * out : (high - first) * out].cpu())
    return torch.cat(parts, -1)


def _chunks(steps: int, context: int) -> Iterator[tuple[int, int, int, int]]:
    """Stretches of `CHUNK_STEPS` and the wider ones computed for them."""
    for low in range(0, steps, CHUNK_STEPS):
        high = min(low + CHUNK_STEPS, steps)
        yield low, high, max(0, low - context), min(steps, high + context)


def save_finisher(path: Path | str, net: Finisher, codec: CodecSpec, info: Info) -> Path:
    """Writes a finisher for tokens of `codec`. Raises `ModelError` where weights are not finite."""
    return write_checkpoint(path, _KIND, net.config, net.state_dict(), info, codec=codec)


def load_finisher(path: Path | str, codec: CodecSpec) -> Finisher:
    """Reads what `save_finisher` wrote. Raises `ModelError` for another file, or another codec's."""
    file = read_checkpoint(path, _KIND)
    if not codec.reads(replace(file.codec(), codebooks=codec.codebooks)):  # at any bandwidth
        raise ModelError(
            f"{path} finishes sound of codec {file.codec().name}, not of {codec.name}; put it beside its own."
        )
    return file.fill(Finisher(file.config(FinishConfig)))
