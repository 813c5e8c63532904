"""The ear's weight file, see `checkpoint`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from ..checkpoint import Info, read_checkpoint, write_checkpoint
from ..weights import default_weights
from .network import EarConfig, EarNet

_KIND = "ear"


def save_ear(path: Path | str, net: EarNet, info: Info, *, half: bool = True) -> Path:
    """Writes the ear to `path`; see `checkpoint.write_checkpoint`."""
    return write_checkpoint(path, _KIND, net.config, net.state_dict(), info, half=half)


def load_ear(path: Path | str) -> EarNet:
    """Reads what `save_ear` wrote. Raises `ModelError` for other files."""
    file = read_checkpoint(path, _KIND)
    return file.fill(EarNet(file.config(EarConfig)))


def default_ear() -> EarNet:
    """The ear that comes with the project, read once. Raises `ModelError` where it is missing."""
    path = default_weights(_KIND)
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int) -> EarNet:
    return load_ear(path)
