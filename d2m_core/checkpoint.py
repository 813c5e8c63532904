"""Self-describing weight files: one `.safetensors` that needs nothing beside it.

Its text metadata holds `format_version`, `kind` ("model", "rhythm" or "style"), `model` (the config
as JSON), `motion` (feature names and rate), `codec` (JSON of `CodecSpec`, null where no tokens are
written) and `info` (how it was trained, on what, under which licence). Feature means and deviations
are among the tensors. Whatever is unknown, missing or made for something else is refused with one
sentence. No network is known here: each room's `weights` says what its own file holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from .errors import ModelError, SettingError
from .files import replacing
from .types import MOTION_FPS, CodecSpec

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FORMAT_VERSION = 1
"""Raised when the meaning of a key changes; `_migrate` then learns the old one."""

KEYS = frozenset({"format_version", "kind", "model", "motion", "codec", "info"})

Net = TypeVar("Net", bound=nn.Module)
Config = TypeVar("Config", bound="DataclassInstance")

Info = dict[str, Any]
"""Training command, commit, data, licence, losses, ...: JSON values."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a weight file says, and what it holds."""

    path: Path
    about: dict[str, Any]
    """The values of `KEYS`."""
    tensors: dict[str, torch.Tensor] = field(default_factory=dict)
    """Empty where only the description was read."""

    @property
    def info(self) -> Info:
        return self.about["info"]

    @property
    def motion_names(self) -> tuple[str, ...]:
        """The motion features that the network reads; empty where it reads none."""
        return tuple(self.about["motion"]["names"])

    def config(self, kind: type[Config]) -> Config:
        """The network's config as the dataclass `kind`. Raises `ModelError` where it does not fit."""
        return _made(kind, self.about["model"], self.path)

    def codec(self) -> CodecSpec:
        """The codec that its tokens are for. Raises `ModelError`."""
        return _made(CodecSpec, self.about["codec"], self.path)

    def fill(self, net: Net) -> Net:
        """`net` in evaluation mode with these tensors as float32. Raises `ModelError` unless all fit."""
        full = {name: t.float() if t.is_floating_point() else t for name, t in self.tensors.items()}
        own = {name: tensor.shape for name, tensor in net.state_dict().items()}
        odd = sorted(n for n in own.keys() | full.keys() if n not in full or own.get(n) != full[n].shape)
        if odd:
            raise ModelError(
                f"{self.path}: weights missing, unknown or of another shape: {', '.join(odd[:5])}."
            )
        net.load_state_dict(full)
        return net.eval()


def write_checkpoint(
    path: Path | str,
    kind: str,
    config: DataclassInstance,
    tensors: Mapping[str, torch.Tensor],
    info: Info,
    *,
    motion_names: Sequence[str] = (),
    codec: CodecSpec | None = None,
    half: bool = True,
) -> Path:
    """Writes a network to `path`, matrices as float16 unless `half` is off; whole or not at all.

    Raises `ModelError` where the weights are not finite or the file cannot be written.
    """
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ModelError(f"{name} holds values that are not finite; train again with a lower rate.")
    about = {
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "model": asdict(config),
        "motion": {"names": list(motion_names), "fps": MOTION_FPS},
        "codec": asdict(codec) if codec is not None else None,
        "info": info,
    }
    stored = {name: _stored(tensor, half) for name, tensor in tensors.items()}
    path = Path(path)
    try:
        with replacing(path) as partial:
            save_file(stored, partial, {key: json.dumps(value) for key, value in about.items()})
    except (OSError, SafetensorError) as error:
        raise ModelError(f"Cannot write {path}: {error}.") from error
    return path


def read_checkpoint(path: Path | str, kind: str, *, tensors: bool = True) -> Checkpoint:
    """The file at `path`, which must hold a network of this `kind`; without `tensors` what it says alone.

    Raises `ModelError` for any other file.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"There is no weight file at {path}; check the path.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            held = {n: file.get_tensor(n) for n in file.keys()} if tensors else {}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} is not a safetensors file, or it is damaged ({error}).") from error
    return Checkpoint(path, _parse(metadata, held, path, kind), held)


def read_info(path: Path | str, kind: str = "model") -> Info:
    """How the checkpoint at `path` came about, without building the network."""
    return read_checkpoint(path, kind, tensors=False).info


# --- writing ---


def _stored(tensor: torch.Tensor, half: bool) -> torch.Tensor:
    """Matrices as float16; vectors (norms, biases, statistics) and doubles stay as they are."""
    tensor = tensor.detach().cpu().contiguous()
    fits = tensor.ndim > 1 and tensor.is_floating_point() and tensor.dtype != torch.float64
    return tensor.half() if half and fits else tensor.clone()


# --- reading ---


def _parse(
    metadata: dict[str, str], tensors: dict[str, torch.Tensor], path: Path, kind: str
) -> dict[str, Any]:
    if "kind" not in metadata:
        raise ModelError(f"{path} was not made by this project; choose a Dance to Music checkpoint.")
    try:
        about = _migrate({key: _value(key, text) for key, text in metadata.items()}, tensors, path)
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


# --- what older files say: these two alone know yesterday's names ---


def _value(key: str, text: str) -> Any:
    """A metadata value; the judge of styles once wrote its kind as it is, not as JSON."""
    return text if (key, text) == ("kind", "style") else json.loads(text)


def _migrate(about: dict[str, Any], tensors: dict[str, torch.Tensor], path: Path) -> dict[str, Any]:
    """Brings an older file's description, and in place its tensors, up to `FORMAT_VERSION`."""
    if set(about) == {"kind", "styles", "info"}:  # a judge of styles until version 0.1.1
        motion = {"names": [], "fps": MOTION_FPS}
        return {
            "format_version": FORMAT_VERSION,
            "kind": about["kind"],
            "model": {"styles": about["styles"]},
            "motion": motion,
            "codec": None,
            "info": about["info"],
        }
    if "format_version" not in about:
        raise ModelError(f"{path} was not made by this project; choose a Dance to Music checkpoint.")
    version = about["format_version"]
    if version != FORMAT_VERSION:
        raise ModelError(
            f"{path} has format version {version} and this program reads {FORMAT_VERSION}; "
            "update the program, or get the matching file."
        )
    if about["kind"] == "model" and "style_in.weight" in tensors:
        # Models until version 0.1.0 had no style at every step: as zeros it changes nothing.
        tensors.setdefault("style_add.weight", torch.zeros_like(tensors["style_in.weight"]))
    return about


def _made(kind: type[Config], values: Any, path: Path) -> Config:
    """A dataclass from its JSON; unknown and missing keys are refused."""
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
