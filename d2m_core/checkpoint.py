"""Self-describing weight files: one `.safetensors` that needs nothing beside it.

Its text metadata holds `format_version`, `kind` ("model" or "rhythm"), `model` (the config as
JSON), `motion` (feature names and rate), `codec` (JSON of `CodecSpec`, null for a rhythm network)
and `info` (how it was trained, on what, under which licence). Feature means and deviations are
among the tensors. Whatever is unknown, missing or made for something else is refused with one
sentence.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from .errors import ModelError, SettingError
from .files import replacing
from .music import ModelConfig
from .rhythm import RhythmConfig
from .types import MOTION_FPS, CodecSpec

FORMAT_VERSION = 1
"""Raised when the meaning of a key changes; `_migrate` then learns the old one."""

KEYS = frozenset({"format_version", "kind", "model", "motion", "codec", "info"})

Net = TypeVar("Net", bound=nn.Module)

Info = dict[str, Any]
"""Training command, commit, data, licence, losses, ...: JSON values."""


def read_info(path: Path | str, kind: str = "model") -> Info:
    """How the checkpoint at `path` came about, without building the network."""
    return _read(Path(path), kind)[0]["info"]


# --- writing ---


def _about(
    kind: str,
    config: ModelConfig | RhythmConfig,
    motion_names: Sequence[str],
    spec: CodecSpec | None,
    info: Info,
) -> dict[str, Any]:
    assert len(motion_names) == config.features
    return {
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "model": asdict(config),
        "motion": {"names": list(motion_names), "fps": MOTION_FPS},
        "codec": asdict(spec) if spec is not None else None,
        "info": info,
    }


def _write(path: Path, tensors: dict[str, torch.Tensor], about: dict[str, Any], half: bool) -> Path:
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ModelError(f"{name} holds values that are not finite; train again with a lower rate.")
    stored = {name: _stored(tensor, half) for name, tensor in tensors.items()}
    try:
        with replacing(path) as partial:
            save_file(stored, partial, {key: json.dumps(value) for key, value in about.items()})
    except (OSError, SafetensorError) as error:
        raise ModelError(f"Cannot write {path}: {error}.") from error
    return path


def _stored(tensor: torch.Tensor, half: bool) -> torch.Tensor:
    """Matrices as float16; vectors (norms, biases, statistics) cost nothing and stay float32."""
    tensor = tensor.detach().cpu().contiguous()
    fits = tensor.ndim > 1 and tensor.is_floating_point()
    return tensor.half() if half and fits else tensor.clone()


# --- reading ---


def _read(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    if not path.is_file():
        raise ModelError(f"There is no weight file at {path}; check the path.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            about = _parse(metadata, path, kind)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} is not a safetensors file, or it is damaged ({error}).") from error
    return about, tensors


def _parse(metadata: dict[str, str], path: Path, kind: str) -> dict[str, Any]:
    if "format_version" not in metadata or "kind" not in metadata:
        raise ModelError(f"{path} was not made by this project; choose a Dance to Music checkpoint.")
    try:
        about = _migrate({key: json.loads(text) for key, text in metadata.items()}, path)
    except json.JSONDecodeError as error:
        raise ModelError(f"{path} is damaged: its description is not JSON ({error}).") from error
    if about["kind"] != kind:
        raise ModelError(f"{path} holds a {about['kind']} network where a {kind} network is needed.")
    if set(about) != KEYS:
        odd = ", ".join(sorted(set(about) ^ KEYS))
        raise ModelError(f"{path} has unknown or missing metadata: {odd}.")
    if about["motion"].get("fps") != MOTION_FPS:
        raise ModelError(f"{path} wants motion at another rate than {MOTION_FPS:g} frames per second.")
    return about


def _migrate(about: dict[str, Any], path: Path) -> dict[str, Any]:
    """Brings an older file's description up to `FORMAT_VERSION`: the only place that knows how."""
    version = about["format_version"]
    if version != FORMAT_VERSION:
        raise ModelError(
            f"{path} has format version {version} and this program reads {FORMAT_VERSION}; "
            "update the program, or get the matching file."
        )
    return about


def _config(kind: type, values: Any, path: Path | str) -> Any:
    """A config dataclass from its JSON; unknown and missing keys are refused."""
    known = {field.name: field for field in fields(kind)}
    needed = {name for name, f in known.items() if f.default is MISSING}
    given = set(values) if isinstance(values, dict) else set()
    odd = sorted((given - set(known)) | (needed - given))
    if odd:
        raise ModelError(f"{path}: unknown or missing in {kind.__name__}: {', '.join(odd)}.")
    try:
        return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
    except (SettingError, TypeError, ValueError) as error:
        raise ModelError(f"{path} describes an impossible {kind.__name__}: {error}") from error


def _fill(net: Net, tensors: dict[str, torch.Tensor], path: Path | str) -> Net:
    full = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
    own = {name: tensor.shape for name, tensor in net.state_dict().items()}
    odd = sorted(n for n in own.keys() | full.keys() if n not in full or own.get(n) != full[n].shape)
    if odd:
        raise ModelError(f"{path}: weights missing, unknown or of another shape: {', '.join(odd[:5])}.")
    net.load_state_dict(full)
    return net.eval()
