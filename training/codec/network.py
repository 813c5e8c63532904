"""The fresh codec that settings describe, and what leaves training: a plain `EncodecModel`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from d2m_core.codec.loading import read_folder
from d2m_core.errors import SettingError
from d2m_core.files import replacing

from .settings import SAMPLE_RATE, CodecTraining

_SHAPE = (
    "upsampling_ratios", "target_bandwidths", "num_filters", "hidden_size", "codebook_size",
    "num_residual_layers", "use_conv_shortcut", "use_causal_conv", "pad_mode",
)  # fmt: skip
"""What of a config must agree for weights to fit."""


def make_codec(settings: CodecTraining) -> Any:
    """A fresh `EncodecModel`, 24 kHz mono. Without LSTM layers, identities stand in their place."""
    from transformers import EncodecConfig, EncodecModel

    config = EncodecConfig(
        sampling_rate=SAMPLE_RATE,
        audio_channels=1,
        upsampling_ratios=list(settings.ratios),
        target_bandwidths=bandwidths(settings),
        num_filters=settings.filters,
        hidden_size=settings.hidden,
        codebook_dim=settings.hidden,
        codebook_size=settings.cardinality,
        num_lstm_layers=max(1, settings.lstm_layers),
        num_residual_layers=settings.residual_layers,
        use_conv_shortcut=False,
        use_causal_conv=settings.causal,
        pad_mode="constant",  # zeros before the start: a stream needs no look ahead
    )
    model = EncodecModel(config)
    if settings.lstm_layers == 0:
        for part in (model.encoder, model.decoder):
            for number, layer in enumerate(part.layers):
                if hasattr(layer, "lstm"):
                    part.layers[number] = nn.Identity()
    return model


def read_codec(settings: CodecTraining) -> Any:
    """The codec at `settings.init` with its codebooks, to be trained on.

    An LSTM that it was trained without stays out. Raises `SettingError` where the settings
    describe another shape.
    """
    model: Any = read_folder(Path(settings.init)).requires_grad_(True)
    found, wanted = model.config, make_codec(settings).config
    for name in _SHAPE:
        if getattr(found, name) != getattr(wanted, name):
            raise SettingError(
                f"{settings.init} has {name} {getattr(found, name)} and the settings say"
                f" {getattr(wanted, name)}; give the same."
            )
    size = model.encoder.layers[-1].conv.parametrizations.weight.original0.detach().mean()
    _rescale(model, 1.0 / float(size))
    return model


def bandwidths(settings: CodecTraining) -> list[float]:
    """What the codec offers in kbit/s: all books and, trained with dropout, fewer, ascending."""
    bits_per_s = math.log2(settings.cardinality) * settings.token_rate
    first = 1 if settings.quantizer_dropout > 0 else settings.codebooks
    return [_kbits(books, bits_per_s) for books in range(first, settings.codebooks + 1)]


def _kbits(books: int, bits_per_s: float) -> float:
    """kbit/s of so many books; readers divide and round down, which must give `books` again."""
    kbits = books * bits_per_s / 1000
    return kbits if kbits * 1000 // bits_per_s == books else math.nextafter(kbits, math.inf)


def parameters_of(model: nn.Module) -> int:
    """Learnt numbers of encoder and decoder; codebooks are not counted."""
    return sum(p.numel() for p in model.parameters())


@torch.no_grad()
def settle(model: nn.Module) -> None:
    """Orthogonal starting weights without biases, so that sound passes through a fresh codec.

    As they come, signals halve at every layer and biases drown them: for hundreds of steps nothing
    is learnt.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv1d | nn.ConvTranspose1d):
            # the weight norm splits what it is given into size and direction
            module.weight = orthogonal_like(module)
            assert module.bias is not None
            module.bias.zero_()
    for module in model.modules():
        if hasattr(module, "shortcut"):
            last = module.block[-1].conv  # type: ignore[union-attr, index]
            last.weight = last.weight * 0.2


def orthogonal_like(module: nn.Conv1d | nn.ConvTranspose1d) -> torch.Tensor:
    """Weights that keep a signal's energy; strided ones overlap two steps with equal halves."""
    first, second, width = module.weight.shape
    stride = module.stride[0]
    if stride == 1:
        return nn.init.orthogonal_(torch.empty(first, second * width)).view(first, second, width)
    half = nn.init.orthogonal_(torch.empty(first, second * stride)).view(first, second, stride)
    return torch.cat((half, half), -1) * 0.5**0.5


def tame(model: Any) -> None:
    """Gives latents and codebooks a middle size without changing the sound: halves end at 65504."""
    first = model.quantizer.layers[0].codebook.embed
    _rescale(model, 1.0 / float(first.std().clamp_min(1e-6)))


@torch.no_grad()
def _rescale(model: Any, factor: float) -> None:
    """Makes latents and codebooks `factor` times as large, and the decoder hear them as before.

    A network learns where its weights are of usual size: a layer that multiplies by 44 000 is
    thrown about by every step.
    """
    into, out = model.encoder.layers[-1].conv, model.decoder.layers[0].conv
    into.parametrizations.weight.original0.mul_(factor)
    into.bias.mul_(factor)
    out.parametrizations.weight.original0.div_(factor)
    for layer in model.quantizer.layers:
        book = layer.codebook
        book.embed.mul_(factor)
        book.embed_avg.copy_(book.embed)
        book.cluster_size.fill_(1.0)


def export(model: Any, out: Path, name: str | None = None) -> None:
    """Writes the codec as transformers reads it: halves in the file, float32 once loaded.

    `name` is what checkpoints and tokens know it by; without it the model keeps its own.
    An LSTM that was left out is written as zeros: it then adds nothing, and `load_codec` skips it.
    """
    model.config.dtype = "float32"
    if name is not None:
        model.config.codec_name = name
    tensors = {name: _halved(tensor) for name, tensor in _whole_state(model).items()}
    with replacing(out / "config.json") as config, replacing(out / "model.safetensors") as weights:
        model.config.to_json_file(config)
        save_file(tensors, weights, {"format": "pt"})


def _whole_state(model: Any) -> dict[str, torch.Tensor]:
    from transformers import EncodecModel

    own = model.state_dict()
    with torch.device("meta"):
        wanted = EncodecModel(model.config).state_dict()
    return {
        name: own[name] if name in own else torch.zeros(tensor.shape, dtype=tensor.dtype)
        for name, tensor in wanted.items()
    }


def _halved(tensor: torch.Tensor) -> torch.Tensor:
    """As float16 where that can hold it, else as it is."""
    half = tensor.detach().cpu().half() if tensor.is_floating_point() else tensor
    return (half if bool(torch.isfinite(half).all()) else tensor.detach().cpu()).contiguous()
