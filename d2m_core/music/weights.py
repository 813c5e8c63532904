"""The transformer's weight file, see `checkpoint`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from ..checkpoint import Info, _about, _config, _fill, _parse, _read, _write
from ..errors import ModelError
from ..types import CodecSpec
from .model import DanceToMusic, ModelConfig

STYLE_ADD = "style_add.weight"
"""What models until version 0.1.0 lack: as zeros it changes nothing."""

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
    tensors = dict(model.state_dict())
    if stats is not None:
        tensors["motion_mean"], tensors["motion_std"] = stats
    about = _about("model", model.config, motion_names, spec, info)
    return _write(Path(path), tensors, about, half)


def load_model(
    path: Path | str, device: str | torch.device = "cpu", *, codec: CodecSpec | None = None
) -> LoadedModel:
    """Reads what `save_model` wrote, as float32 in evaluation mode.

    Raises `ModelError` for any other file, and where `codec` cannot read its tokens.
    """
    about, tensors = _read(Path(path), "model")
    config = _config(ModelConfig, about["model"], path)
    spec = _config(CodecSpec, about["codec"], path)
    if (config.codebooks, config.cardinality) != (spec.codebooks, spec.cardinality):
        own = f"{config.codebooks} x {config.cardinality}"
        raise ModelError(f"{path} is damaged: a network for {own} with a codec of {_sizes(spec)}.")
    if codec is not None and not codec.reads(spec):
        raise ModelError(
            f"{path} writes tokens of codec {spec.name} ({_sizes(spec)}), not of {codec.name} "
            f"({_sizes(codec)}); choose a model and a codec that belong together."
        )
    model = DanceToMusic(config)
    tensors.setdefault(STYLE_ADD, torch.zeros_like(model.style_add.weight))
    model = _fill(model, tensors, path).to(device)
    return LoadedModel(model, spec, tuple(about["motion"]["names"]), about["info"])


def styles_in(path: Path | str) -> tuple[str, ...]:
    """Names of the styles that the model at `path` knows, from its description alone.

    Empty for a file that is no model of ours: `load_model` says what is wrong with it.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about = _parse(file.metadata() or {}, Path(path), "model")
        return _config(ModelConfig, about["model"], path).styles
    except (OSError, SafetensorError, ModelError):
        return ()


def _sizes(spec: CodecSpec) -> str:
    return f"{spec.codebooks} x {spec.cardinality} at {spec.token_rate:g} Hz"
