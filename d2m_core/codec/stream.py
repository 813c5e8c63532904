"""A causal EnCodec piece by piece: the same samples and tokens as in one pass, at any moment.

Every layer keeps what it will need of the past: a convolution its last inputs, a transposed one
what it owes to samples still to come, an LSTM its state. `codec.py` builds on this.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F


def can_stream(config: Any) -> bool:
    """Whether an EnCodec of this config looks at the past alone and can go on from any place."""
    local = config.norm_type == "weight_norm" and config.trim_right_ratio == 1
    return bool(config.use_causal_conv and local)


class StreamEncoder:
    """Sound in, tokens out. The first piece may have to wait until a few steps are there."""

    def __init__(self, model: Any, codebooks: int) -> None:
        self.model, self.codebooks = model, codebooks
        self._layers = _Chain(model.encoder.layers, model.config.pad_mode)
        self._hop = int(model.config.hop_length)
        self._first = _first_steps(model.config) * self._hop
        self._waiting: torch.Tensor | None = None

    @torch.no_grad()
    def push(self, samples: torch.Tensor) -> torch.Tensor:
        """Tokens int64 [B, K, t] that `samples` [B, 1, n] complete; t may be 0."""
        if self._waiting is not None:
            samples = torch.cat((self._waiting, samples), -1)
        whole = samples.shape[-1] // self._hop * self._hop
        if not self._layers.begun and whole < self._first:
            whole = 0
        self._waiting = samples[..., whole:]
        return self._run(samples[..., :whole])

    @torch.no_grad()
    def finish(self) -> torch.Tensor:
        """Tokens of what is left, filled up with silence to a whole step."""
        rest, self._waiting = self._waiting, None
        if rest is None:
            rest = torch.zeros((1, 1, 0))
        return self._run(F.pad(rest, (0, -rest.shape[-1] % self._hop)))

    def _run(self, samples: torch.Tensor) -> torch.Tensor:
        if samples.shape[-1] == 0:
            shape = (len(samples), self.codebooks, 0)
            return torch.zeros(shape, dtype=torch.long, device=samples.device)
        codes = self.model.quantizer.encode(self._layers(samples))  # [K, B, t]
        return codes[: self.codebooks].transpose(0, 1)


class StreamDecoder:
    """Tokens in, sound out, a token step's samples as soon as it is there."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self._layers = _Chain(model.decoder.layers, model.config.pad_mode)
        self._first = _first_steps(model.config)
        self._waiting: torch.Tensor | None = None

    @torch.no_grad()
    def push(self, codes: torch.Tensor) -> torch.Tensor:
        """Sound float32 [B, 1, n] that `codes` int64 [B, K, t] complete; n may be 0."""
        if self._waiting is not None:
            codes = torch.cat((self._waiting, codes), -1)
        ready = codes.shape[-1]
        if not self._layers.begun and ready < self._first:
            ready = 0
        self._waiting = codes[..., ready:]
        return self._run(codes[..., :ready])

    @torch.no_grad()
    def finish(self) -> torch.Tensor:
        """Sound of what had to wait."""
        rest, self._waiting = self._waiting, None
        return torch.zeros((1, 1, 0)) if rest is None else self._run(rest)

    def _run(self, codes: torch.Tensor) -> torch.Tensor:
        if codes.shape[-1] == 0:
            return torch.zeros((len(codes), 1, 0), device=codes.device)
        return self._layers(self.model.quantizer.decode(codes.transpose(0, 1)))


def _first_steps(config: Any) -> int:
    """Steps that must be there to begin: where the start is padded by reflection, it reaches in."""
    return 1 if config.pad_mode == "constant" else max(config.kernel_size, config.last_kernel_size)


class _Chain:
    """The layers of an encoder or decoder, each with its past."""

    def __init__(self, layers: nn.ModuleList, pad_mode: str) -> None:
        self.steps = [_stream_of(layer, pad_mode) for layer in layers]
        self.begun = False

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, n] -> [B, C', n']."""
        self.begun = True
        for step in self.steps:
            x = step(x)
        return x


def _stream_of(layer: nn.Module, pad_mode: str) -> Any:
    if hasattr(layer, "block"):
        return _Residual(layer, pad_mode)
    if hasattr(layer, "lstm"):
        return _Recurrent(layer)
    convolution = getattr(layer, "conv", None)
    if isinstance(convolution, nn.ConvTranspose1d):
        return _Upsampling(convolution)
    if isinstance(convolution, nn.Conv1d):
        return _Convolution(layer, convolution, pad_mode)
    return layer  # ELU, identity: no past


class _Convolution:
    """Keeps the inputs that later outputs still see."""

    def __init__(self, layer: Any, conv: nn.Conv1d, pad_mode: str) -> None:
        self.layer, self.conv, self.pad_mode = layer, conv, pad_mode
        width = (conv.kernel_size[0] - 1) * conv.dilation[0] + 1
        self.past = width - conv.stride[0]
        self.kept: torch.Tensor | None = None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        if self.kept is None:
            x = self.layer._pad1d(x, (self.past, 0), mode=self.pad_mode)
        else:
            x = torch.cat((self.kept, x), -1)
        self.kept = x[..., x.shape[-1] - self.past :]
        return self.conv(x)


class _Upsampling:
    """Keeps what the last input adds to the samples after it."""

    def __init__(self, conv: nn.ConvTranspose1d) -> None:
        self.conv = conv
        self.owed: torch.Tensor | None = None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        stride = self.conv.stride[0]
        whole = self.conv(x)  # [B, C, n * stride + kernel - stride]
        if self.owed is not None:
            whole[..., : self.owed.shape[-1]] += self.owed
        ready, owed = whole[..., : x.shape[-1] * stride], whole[..., x.shape[-1] * stride :]
        if self.conv.bias is not None:
            owed = owed - self.conv.bias[:, None]  # each call adds it once more
        self.owed = owed
        return ready


class _Recurrent:
    """Keeps the state of an LSTM."""

    def __init__(self, layer: nn.Module) -> None:
        self.lstm: Any = layer.lstm
        self.state: Any = None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        steps = x.permute(2, 0, 1)
        out, self.state = self.lstm(steps, self.state)
        return (out + steps).permute(1, 2, 0)


class _Residual:
    """A residual block: both ways through it are as long."""

    def __init__(self, layer: Any, pad_mode: str) -> None:
        self.block = _Chain(layer.block, pad_mode)
        self.shortcut = _stream_of(layer.shortcut, pad_mode)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self.shortcut(x) + self.block(x)
