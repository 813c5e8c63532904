"""Turns the state of a training, finished or not, into the file that users load.

    python -m training.export_checkpoint --run runs/model --out mine.safetensors

The averaged weights are written, adapters worked in, with all that is needed to use them. In
ComfyUI the file goes into `models/dance2music/`; on the command line it is `--model FILE`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from d2m_core.checkpoint import read_info
from d2m_core.errors import ModelError
from d2m_core.music import DanceToMusic, load_model, save_model
from d2m_core.types import CodecSpec
from training.run.command import command_parser, run_command
from training.run.provenance import commit
from training.run.state import load_state, making_of
from training.transformer.adapters import add_adapters, merged
from training.transformer.trainer import STATE, shape_of


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
    path = given.run / STATE
    if not path.is_file():
        raise ModelError(f"There is no {path}; give the folder of a training (--folder).")
    state = load_state(path)
    try:
        net, made_of = _network(state, given.weights), making_of(state)
        spec, names = CodecSpec(**made_of["codec"]), made_of["motion_names"]
    except (KeyError, TypeError, RuntimeError) as error:
        raise ModelError(
            f"{path} is no state of a transformer, or of another version ({type(error).__name__}: {error})."
        ) from error
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
    if rank := making_of(state)["settings"]["lora"]:
        add_adapters(net, rank)
    net.load_state_dict(state["net"])
    if weights == "average":
        net.load_state_dict(state["average"], strict=False)  # statistics are the network's
    return merged(net)


def parser() -> argparse.ArgumentParser:
    """The flags, which are the fields of `Export`."""
    found = command_parser("export_checkpoint", __doc__)
    add = found.add_argument
    add("--run", type=Path, default=Path("runs/model"), help="folder of the training [%(default)s]")
    add("--out", type=Path, required=True, help="file to write (.safetensors)")
    add("--weights", choices=("average", "last"), default="average", help="[%(default)s]")
    add("--half", action=argparse.BooleanOptionalAction, default=True, help="float16 [%(default)s]")
    add("--note", default="", help="what it was trained on, for its description")
    add("--licence", default="MIT", help="of the weights; it follows from the data [%(default)s]")
    return found


def _work(words: list[str]) -> str:
    return json.dumps(export(Export(**vars(parser().parse_args(words))))) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv)


if __name__ == "__main__":
    raise SystemExit(main())
