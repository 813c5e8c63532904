"""Turns the state of a training, finished or not, into the file that users load.

    python -m training.export_checkpoint --run runs/model --out mine.safetensors

The averaged weights are written, adapters worked in, with all that is needed to use them. In
ComfyUI the file goes into `models/dance2music/`; on the command line it is `--model FILE`.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from d2m_core.checkpoint import read_info
from d2m_core.errors import D2MError, ModelError
from d2m_core.music import DanceToMusic, load_model, save_model
from d2m_core.types import CodecSpec
from training.run.provenance import commit
from training.transformer.adapters import add_adapters, merged
from training.transformer.trainer import shape_of


@dataclass(frozen=True)
class Export:
    """What to write of which run."""

    run: Path
    """Folder of the training (`TrainConfig.folder`), with its `last.pt`."""
    out: Path
    weights: str = "average"
    """average: what training measures and exports itself; last: those of the last step."""
    half: bool = True
    """Matrices as float16."""
    note: str = ""
    licence: str = "MIT"


def export(given: Export) -> dict[str, Any]:
    """Writes the checkpoint; returns its info. Raises `ModelError` where there is no state."""
    path = given.run / "last.pt"
    if not path.is_file():
        raise ModelError(f"There is no {path}; give the folder of a training (--folder).")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        net = _network(state, given.weights)
    except Exception as error:  # torch names its errors for broken files in many ways
        raise ModelError(
            f"{path} is no state of a training, or it is damaged ({type(error).__name__})."
        ) from error
    spec, names = _kind(state, given.run)
    info = {
        "note": given.note,
        "licence": given.licence,
        "weights": given.weights,
        "steps": state["step"],
        "minutes": round(state["spent_s"] / 60, 1),
        "commit": commit(),
    }
    save_model(given.out, net, spec, names, None, info, half=given.half)
    load_model(given.out)  # what was written can be read
    return read_info(given.out)


def _network(state: dict[str, Any], weights: str) -> DanceToMusic:
    net = DanceToMusic(shape_of(state)).eval()
    if state.get("lora"):
        add_adapters(net, state["lora"])
    net.load_state_dict(state["net"])
    if weights == "average":
        net.load_state_dict(state["average"], strict=False)  # statistics are the network's
    return merged(net)


def _kind(state: dict[str, Any], run: Path) -> tuple[CodecSpec, list[str]]:
    """Codec and motion features; for older states they are in the file beside."""
    if "codec" in state:
        return CodecSpec(**json.loads(state["codec"])), list(state["motion_names"])
    beside = run / "last.safetensors"
    if not beside.is_file():
        raise ModelError(f"{run} lacks last.safetensors, which names its codec; resume it once.")
    with safe_open(beside, framework="pt") as file:
        about = file.metadata()
    codec, motion = json.loads(about["codec"]), json.loads(about["motion"])
    return CodecSpec(**codec), motion["names"]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m training.export_checkpoint",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--run", type=Path, default=Path("runs/model"), help="folder of the training [%(default)s]")
    add("--out", type=Path, required=True, help="file to write (.safetensors)")
    add("--weights", choices=("average", "last"), default="average", help="[%(default)s]")
    add("--half", action=argparse.BooleanOptionalAction, default=True, help="float16 [%(default)s]")
    add("--note", default="", help="what it was trained on, for its description")
    add("--licence", default="MIT", help="of the weights; it follows from the data [%(default)s]")
    try:
        info = export(Export(**vars(parser.parse_args(argv))))
    except D2MError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(json.dumps(info) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
