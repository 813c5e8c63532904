"""The rhythm network's weight file, see `checkpoint`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from ..checkpoint import Info, read_checkpoint, write_checkpoint
from ..errors import ModelError
from ..motion import MOTION_NAMES
from .network import RhythmConfig, RhythmNet

_KIND = "rhythm"


def save_rhythm(
    path: Path | str, net: RhythmNet, motion_names: Sequence[str], info: Info, *, half: bool = True
) -> Path:
    """Writes the rhythm network to `path`; see `save_model`."""
    assert len(motion_names) == net.config.features
    return write_checkpoint(
        path, _KIND, net.config, net.state_dict(), info, motion_names=motion_names, half=half
    )


def load_rhythm(path: Path | str, device: str | torch.device = "cpu") -> RhythmNet:
    """Reads what `save_rhythm` wrote. Raises `ModelError` for other files and unknown features."""
    file = read_checkpoint(path, _KIND)
    if not set(file.motion_names) <= set(MOTION_NAMES):
        raise ModelError(f"{path} was trained on other motion features; get the matching version of it.")
    return file.fill(RhythmNet(file.config(RhythmConfig), file.motion_names)).to(device)
