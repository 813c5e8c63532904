"""The transformer's weight file, see `checkpoint`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ..checkpoint import Info, read_checkpoint, write_checkpoint
from ..errors import ModelError
from ..types import CodecSpec
from ..weights import who_reads
from .model import DanceToMusic, ModelConfig

_KIND = "model"

Stats = tuple[torch.Tensor, torch.Tensor]
"""Mean and standard deviation [D] of each motion feature in the training data."""


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A transformer with all that is needed to use it."""

    model: DanceToMusic
    spec: CodecSpec
    motion_names: tuple[str, ...]
    info: Info

    @property
    def mean(self) -> torch.Tensor:
        return self.model.motion_mean

    @property
    def std(self) -> torch.Tensor:
        return self.model.motion_std


def save_model(
    path: Path | str,
    model: DanceToMusic,
    spec: CodecSpec,
    motion_names: Sequence[str],
    stats: Stats | None,
    info: Info,
    *,
    half: bool = True,
) -> Path:
    """Writes the transformer to `path`, matrices as float16 unless `half` is off.

    `stats` replace the model's own feature statistics in the file; None keeps them. Raises
    `ModelError` where the weights are not finite or the file cannot be written.
    """
    assert len(motion_names) == model.config.features
    tensors = dict(model.state_dict())
    if stats is not None:
        tensors["motion_mean"], tensors["motion_std"] = stats
    return write_checkpoint(
        path, _KIND, model.config, tensors, info, motion_names=motion_names, codec=spec, half=half
    )


def load_model(
    path: Path | str, device: str | torch.device = "cpu", *, codec: CodecSpec | None = None
) -> LoadedModel:
    """Reads what `save_model` wrote, as float32 in evaluation mode.

    Raises `ModelError` for any other file, and where `codec` cannot read its tokens.
    """
    file = read_checkpoint(path, _KIND)
    config, spec = file.config(ModelConfig), file.codec()
    if (config.codebooks, config.cardinality) != (spec.codebooks, spec.cardinality):
        own = f"{config.codebooks} x {config.cardinality}"
        raise ModelError(f"{path} is damaged: a network for {own} with a codec of {_sizes(spec)}.")
    model = file.fill(DanceToMusic(config)).to(device)
    loaded = LoadedModel(model, spec, file.motion_names, file.info)
    if codec is not None:
        check_codec(loaded, codec)
    return loaded


def check_codec(model: LoadedModel, codec: CodecSpec) -> None:
    """Raises `ModelError` where `codec` cannot read what the model writes."""
    own = model.spec
    if not codec.reads(own):
        raise ModelError(
            f"The model writes tokens of codec {own.name} ({_sizes(own)}), not of {codec.name} "
            f"({_sizes(codec)}); choose a model and a codec that belong together.{who_reads(own.name)}"
        )


def styles_in(path: Path | str) -> tuple[str, ...]:
    """Names of the styles that the model at `path` knows, from its description alone.

    Empty for a file that is no model of ours: `load_model` says what is wrong with it.
    """
    try:
        return read_checkpoint(path, _KIND, tensors=False).config(ModelConfig).styles
    except ModelError:
        return ()


def _sizes(spec: CodecSpec) -> str:
    return f"{spec.codebooks} x {spec.cardinality} at {spec.token_rate:g} Hz"
