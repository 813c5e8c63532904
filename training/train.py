"""Trains the transformer on a folder of items (`training.transformer.windows`) and writes a checkpoint.

    python -m training.train --data runs/items --minutes 45
    python -m training.train --preset tiny --folder runs/tiny --out runs/tiny/model.safetensors
    python -m training.train --init weights/model.safetensors --data runs/my_set/train ...
    python -m training.train --init facebook/musicgen-small --lora 16 --data runs/items_32khz ...
    accelerate launch -m training.train ...     # many GPUs or machines; torchrun does as well

A stopped run goes on from its folder with the same command; `--no-resume` begins anew. Flags are the
fields of `TrainConfig` and `ModelConfig`.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import shlex
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import torch

from d2m_core.music import ModelConfig
from training.run.command import GOES_ON, command_parser, run_command
from training.run.flags import add_flags, config_from
from training.run.provenance import commit
from training.transformer.log import Watch
from training.transformer.made_items import make_items
from training.transformer.settings import PRESETS, SYNTHETIC, TrainConfig
from training.transformer.start_musicgen import decoder_shape
from training.transformer.start_ours import checkpoint_shape, is_checkpoint
from training.transformer.trainer import Trainer, faster_precision
from training.transformer.windows import check_grids, read_folder, split

log = logging.getLogger("train")

_FIXED = ("styles", "gated")
"""Of `ModelConfig`, what the data and `init` decide."""


def train(config: TrainConfig, shape: dict[str, Any], command: str = "") -> dict[str, Any]:
    """A whole run; returns the info saved. `shape`: `ModelConfig` fields that data leaves open."""
    if config.threads:
        torch.set_num_threads(config.threads)
    trainer = _trainer(config, shape)
    if config.resume:
        trainer.restore()
    if trainer.precision == "auto":
        trainer.precision = faster_precision(trainer)
    watch = None
    if trainer.workers.is_main_process:
        _say_what(trainer)
        watch = Watch(trainer)
    try:
        _run(trainer, watch)
    except KeyboardInterrupt:
        if watch is not None:
            trainer.save()
        raise
    if watch is None:
        return {}
    watch.lines.close()
    trainer.save()
    info = _info(trainer, command)
    trainer.export(Path(config.out), info)
    log.info("saved %s", config.out)
    return info


def _trainer(config: TrainConfig, shape: dict[str, Any]) -> Trainer:
    """The trainer of a run that has not begun, its data read."""
    if config.data == SYNTHETIC:
        data = split(make_items(12), config.hold_out)
    else:
        data = read_folder(config.data, config.hold_out)
    if is_checkpoint(config.init):
        own, data = checkpoint_shape(config.init, data)
        check_grids(own.straight, data)
        return Trainer(config, own, data)
    codec = data.codec
    if config.init:
        shape = {**shape, **decoder_shape(config.init, codec)}
    full = ModelConfig(len(data.motion_names), codec.codebooks, codec.cardinality, data.styles, **shape)
    check_grids(full.straight, data)
    return Trainer(config, full, data)


def _say_what(trainer: Trainer) -> None:
    log.info(
        "%.2f M parameters, %d items (%.2f h), %d held out, %d processes of %s, %s, from step %d",
        sum(p.numel() for p in trainer.net.parameters()) / 1e6,
        len(trainer.data.train),
        trainer.data.hours,
        len(trainer.data.held_out),
        trainer.workers.num_processes,
        trainer.device,
        trainer.precision,
        trainer.step,
    )


def _run(trainer: Trainer, watch: Watch | None) -> None:
    """Steps until the budget is spent, or this call's share of it; the next batch is drawn meanwhile."""
    stop_s = trainer.spent_s + 60 * trainer.config.stop_after if trainer.config.stop_after else math.inf
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(trainer.batch, trainer.step)
        while trainer.progress < 1 and trainer.spent_s < stop_s:
            with trainer.on_the_clock():
                batch, coming = coming.result(), ahead.submit(trainer.batch, trainer.step + 1)
                losses = trainer.train_step(batch)
            if watch is not None:
                watch.after_step(losses, batch)


def _info(trainer: Trainer, command: str) -> dict[str, Any]:
    config, data = trainer.config, trainer.data
    return {
        "command": command,
        "commit": commit(),
        "licence": config.licence,
        "data": config.data_note or Path(config.data).name,
        "items": len(data.train),
        "hours": round(data.hours, 2),
        "steps": trainer.step,
        "minutes": round(trainer.spent_s / 60, 1),
        "device": trainer.device.type,
        "loss": trainer.validate(),
    }


# --- command line ---


def parser() -> argparse.ArgumentParser:
    """The flags, whose defaults are those of the preset `default`."""
    found = command_parser("train", __doc__)
    found.add_argument("--preset", choices=sorted(PRESETS), default="default", help="defaults to start from")
    add_flags(found, TrainConfig)
    add_flags(found, ModelConfig, leave_out=_FIXED)
    return found


def parse(words: Sequence[str]) -> tuple[TrainConfig, dict[str, Any]]:
    """Settings and network shape from command-line flags, which are the dataclasses' fields."""
    flags = parser()
    flags.set_defaults(**PRESETS[flags.parse_args(words).preset])
    args = flags.parse_args(words)
    shape = [f.name for f in fields(ModelConfig) if f.default is not MISSING and f.name not in _FIXED]
    return config_from(TrainConfig, args), {name: getattr(args, name) for name in shape}


def _work(words: list[str]) -> str:
    info = train(*parse(words), shlex.join(["python", "-m", "training.train", *words]))
    return json.dumps(info["loss"]) + "\n" if info else ""


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
