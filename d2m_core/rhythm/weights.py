"""The rhythm network's weight file, see `checkpoint`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from ..checkpoint import Info, _about, _config, _fill, _read, _write
from ..errors import ModelError
from ..motion import MOTION_NAMES
from .network import RhythmConfig, RhythmNet


def save_rhythm(
    path: Path | str, net: RhythmNet, motion_names: Sequence[str], info: Info, *, half: bool = True
) -> Path:
    """Writes the rhythm network to `path`; see `save_model`."""
    about = _about("rhythm", net.config, motion_names, None, info)
    return _write(Path(path), dict(net.state_dict()), about, half)


def load_rhythm(path: Path | str, device: str | torch.device = "cpu") -> RhythmNet:
    """Reads what `save_rhythm` wrote. Raises `ModelError` for other files and unknown features."""
    about, tensors = _read(Path(path), "rhythm")
    names = tuple(about["motion"]["names"])
    if not set(names) <= set(MOTION_NAMES):
        raise ModelError(f"{path} was trained on other motion features; get the matching version of it.")
    net = RhythmNet(_config(RhythmConfig, about["model"], path), names)
    return _fill(net, tensors, path).to(device)
