"""Averages the weights of models of one shape, such as one and what was taught on from it.

    python -m training.average_models --models FILE FILE --shares 0.35 0.65 --out both.safetensors

What two trainings from one start have learnt is often both there in the average (Wortsman et al., 2022,
"Model soups"); which shares are best, a scoreboard says.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from d2m_core.checkpoint import read_info
from d2m_core.errors import require
from d2m_core.music import DanceToMusic, LoadedModel, load_model, save_model
from training.run.command import command_parser, run_command
from training.run.provenance import commit


@dataclass(frozen=True)
class Average:
    """What to average."""

    models: list[Path]
    shares: list[float]
    """One for each model; they add up to 1."""
    out: Path
    note: str = ""


def average(given: Average) -> dict[str, Any]:
    """Writes the average; returns its info.

    Raises `SettingError` for shares that do not fit, for models of several shapes, codecs or licences, and
    `ModelError` for a file that is no model.
    """
    count, total = len(given.models), sum(given.shares)
    require(count > 1, f"{count} model is given; averages want two or more.")
    require(
        len(given.shares) == count and min(given.shares) >= 0 and abs(total - 1) < 1e-6,
        f"Shares {given.shares} for {count} models; give one for each, in sum 1.",
    )
    loaded = [load_model(path) for path in given.models]
    for path, one in zip(given.models, loaded, strict=True):
        _check_alike(given.models[0], loaded[0], path, one)
    first = loaded[0]
    net = DanceToMusic(first.model.config).eval()
    net.load_state_dict(_mixed([one.model.state_dict() for one in loaded], given.shares))
    info = {
        "note": given.note,
        "licence": first.info.get("licence"),
        "average_of": [
            {"share": share, **{key: one.info.get(key) for key in ("data", "steps", "minutes", "note")}}
            for share, one in zip(given.shares, loaded, strict=True)
        ],
        "commit": commit(),
    }
    save_model(given.out, net, first.spec, first.motion_names, None, info)
    return read_info(given.out)


def _check_alike(first_path: Path, first: LoadedModel, path: Path, other: LoadedModel) -> None:
    licences = first.info.get("licence"), other.info.get("licence")
    for what, alike in (
        ("shape", first.model.config == other.model.config),
        (f"codec ({first.spec.name} and {other.spec.name})", first.spec == other.spec),
        ("motion features", first.motion_names == other.motion_names),
        (f"licence ({licences[0]} and {licences[1]})", licences[0] == licences[1]),
    ):
        require(alike, f"{first_path} and {path} differ in their {what}; average models that agree in it.")


def _mixed(states: Sequence[dict[str, torch.Tensor]], shares: Sequence[float]) -> dict[str, torch.Tensor]:
    """Averages of what are numbers with fractions; the rest is the first one's."""

    def mix(name: str, value: torch.Tensor) -> torch.Tensor:
        if not value.is_floating_point():
            return value
        parts = (share * state[name].double() for share, state in zip(shares, states, strict=True))
        return torch.stack(list(parts)).sum(0).to(value.dtype)

    return {name: mix(name, value) for name, value in states[0].items()}


def parser() -> argparse.ArgumentParser:
    """The flags, which are the fields of `Average`."""
    found = command_parser("average_models", __doc__)
    add = found.add_argument
    add("--models", type=Path, nargs="+", required=True, metavar="FILE", help="two or more")
    add("--shares", type=float, nargs="+", required=True, help="one for each, in sum 1")
    add("--out", type=Path, required=True, help="file to write (.safetensors)")
    add("--note", default="", help="for its description")
    return found


def _work(words: list[str]) -> str:
    return json.dumps(average(Average(**vars(parser().parse_args(words))))) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv)


if __name__ == "__main__":
    raise SystemExit(main())
