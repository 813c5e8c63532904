"""Trains the transformer on a folder of items (`training.transformer.windows`) and writes a checkpoint.

    python -m training.train --data runs/items --minutes 45
    python -m training.train --preset tiny --folder runs/tiny --out runs/tiny/model.safetensors
    python -m training.train --init weights/model.safetensors --data runs/my_set/train ...
    python -m training.train --init facebook/musicgen-small --lora 16 --data runs/items_32khz ...
    accelerate launch -m training.train ...     # many GPUs or machines; torchrun does as well

A stopped run goes on with `--resume`. Flags are the fields of `TrainConfig` and `ModelConfig`.
"""

from __future__ import annotations

import argparse
import json
import logging
import shlex
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import torch

from d2m_core.errors import D2MError
from d2m_core.music import ModelConfig
from training.run.flags import add_flags
from training.run.provenance import commit
from training.transformer.log import Watch
from training.transformer.made_items import make_items
from training.transformer.settings import PRESETS, SYNTHETIC, TrainConfig
from training.transformer.start_musicgen import decoder_shape
from training.transformer.start_ours import checkpoint_shape, is_checkpoint
from training.transformer.trainer import Trainer, faster_precision
from training.transformer.windows import read_folder, split

log = logging.getLogger("train")


def train(config: TrainConfig, shape: dict[str, Any], command: str = "") -> dict[str, Any]:
    """A whole run; returns the info saved. `shape`: `ModelConfig` fields that data leaves open."""
    if config.threads:
        torch.set_num_threads(config.threads)
    data = split(make_items(12), config.hold_out) if config.data == SYNTHETIC else None
    data = data or read_folder(config.data, config.hold_out)
    codec = data.codec
    if is_checkpoint(config.init):
        full, data = checkpoint_shape(config.init, data)
    else:
        if config.init:
            shape = {**shape, **decoder_shape(config.init, codec)}
        full = ModelConfig(len(data.motion_names), codec.codebooks, codec.cardinality, data.styles, **shape)
    trainer = Trainer(config, full, data)
    resumed = config.resume and trainer.restore()
    if trainer.precision == "auto":
        trainer.precision = faster_precision(trainer)
    first = trainer.workers.is_main_process
    if first:
        log.info(
            "%.2f M parameters, %d items (%.2f h), %d processes of %s, %s, from step %d",
            sum(p.numel() for p in trainer.net.parameters()) / 1e6,
            len(data.train),
            data.hours,
            trainer.workers.num_processes,
            trainer.device,
            trainer.precision,
            trainer.step if resumed else 0,
        )
    watch = Watch(trainer) if first else None
    try:
        _run(trainer, watch)
    except KeyboardInterrupt:
        if first:
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


def _run(trainer: Trainer, watch: Watch | None) -> None:
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(trainer.batch, trainer.step)
        start = time.perf_counter()
        while trainer.progress < 1:
            batch, coming = coming.result(), ahead.submit(trainer.batch, trainer.step + 1)
            losses = trainer.train_step(batch)
            now = time.perf_counter()
            trainer.agree_on_time(trainer.spent_s + now - start)
            start = now
            if watch is not None and watch.after_step(losses, batch):
                start = time.perf_counter()  # measuring is not training


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


def parse(argv: list[str]) -> tuple[TrainConfig, dict[str, Any]]:
    """Settings and network shape from command-line flags, which are the dataclasses' fields."""
    parser = argparse.ArgumentParser(
        "training.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", choices=sorted(PRESETS), default="default", help="defaults to start from")
    left = ("styles", "gated")  # the data's, and the business of init
    shape = [f for f in fields(ModelConfig) if f.default is not MISSING and f.name not in left]
    add_flags(parser, TrainConfig)
    add_flags(parser, ModelConfig, leave_out=left)
    parser.set_defaults(**PRESETS[parser.parse_args(argv).preset])
    given = vars(parser.parse_args(argv))
    del given["preset"]
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    names = {field.name for field in shape}
    config = TrainConfig(**{name: v for name, v in given.items() if name not in names})
    return config, {name: given[name] for name in names}


def main(argv: list[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        config, shape = parse(argv)
        info = train(config, shape, shlex.join(["python", "-m", "training.train", *argv]))
    except D2MError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if info:
        sys.stdout.write(json.dumps(info["loss"]) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
