"""Trains the transformer on a folder of items (`training.data`) and writes a checkpoint.

    python -m training.train --data runs/items --minutes 45
    python -m training.train --preset tiny --folder runs/tiny --out runs/tiny/model.safetensors
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

from d2m_core.config import ModelConfig, TrainConfig
from d2m_core.errors import D2MError
from training.data import read_folder, split
from training.flags import add_flags
from training.synthetic_items import make_items
from training.trainer import Trainer, faster_precision
from training.versions import commit

log = logging.getLogger("train")

SYNTHETIC = "synthetic"
"""As `--data`: a few items made up in memory."""

PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "tiny": {
        "data": SYNTHETIC, "steps": 60, "batch": 4, "learning_rate": 1e-2, "warmup_steps": 5,
        "ema": 0.9, "hold_out": 4, "precision": "float32", "log_every": 10, "dim": 32, "heads": 2,
        "encoder_layers": 1, "decoder_layers": 1, "ffn": 64, "dropout": 0.0, "window_s": 2.0,
    },
}  # fmt: skip


def train(config: TrainConfig, shape: dict[str, Any], command: str = "") -> dict[str, Any]:
    """A whole run; returns the info saved. `shape`: `ModelConfig` fields that data leaves open."""
    if config.threads:
        torch.set_num_threads(config.threads)
    data = split(make_items(12), config.hold_out) if config.data == SYNTHETIC else None
    data = data or read_folder(config.data, config.hold_out)
    codec = data.codec
    full = ModelConfig(
        len(data.motion_names), codec.codebooks, codec.cardinality, data.styles, **shape
    )
    trainer = Trainer(config, full, data)
    resumed = config.resume and trainer.restore()
    if trainer.precision == "auto":
        trainer.precision = faster_precision(trainer)
    first = trainer.workers.is_main_process
    if first:
        log.info(
            "%.2f M parameters, %d items (%.2f h), %d processes of %s, %s, from step %d",
            sum(p.numel() for p in trainer.net.parameters()) / 1e6, len(data.train), data.hours,
            trainer.workers.num_processes, trainer.device, trainer.precision,
            trainer.step if resumed else 0,
        )  # fmt: skip
    watch = _Watch(trainer) if first else None
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


def _run(trainer: Trainer, watch: _Watch | None) -> None:
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(trainer.batch, trainer.step)
        start = time.perf_counter()
        while trainer.progress < 1:
            batch, coming = coming.result(), ahead.submit(trainer.batch, trainer.step + 1)
            losses = trainer.train_step(batch)
            now = time.perf_counter()
            trainer.agree_on_time(trainer.spent_s + now - start)
            start = now
            if watch is not None and watch.after_step(losses):
                start = time.perf_counter()  # measuring is not training


class _Watch:
    """What the first process does beside training: reports, saved states, validation."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.lines = Lines(Path(trainer.config.folder))
        self.recent: list[torch.Tensor] = []
        self.saved_s = trainer.spent_s

    def after_step(self, losses: torch.Tensor) -> bool:
        """Takes note of a step; whether it took its time over it."""
        trainer, config = self.trainer, self.trainer.config
        self.recent.append(losses)
        if trainer.step % config.log_every == 0:
            self.lines.write(trainer, "train", torch.stack(self.recent).mean(0).tolist())
            self.recent.clear()
        if trainer.spent_s - self.saved_s <= config.save_every_s:
            return False
        self.saved_s = trainer.spent_s
        trainer.save()
        for name, means in trainer.validate().items():
            self.lines.write(trainer, name, means)
        return True


class Lines:
    """Losses as log lines, as JSON lines in the run's folder, and in TensorBoard if installed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = (folder / "log.jsonl").open("a", encoding="utf-8")
        try:
            from torch.utils.tensorboard import SummaryWriter

            self.board: Any = SummaryWriter(str(folder / "board"))
        except ImportError:
            self.board = None

    def write(self, trainer: Trainer, name: str, losses: list[float]) -> None:
        minutes, shown = trainer.spent_s / 60, " ".join(f"{loss:.3f}" for loss in losses)
        log.info("step %d, %.1f min, %s: %s", trainer.step, minutes, name, shown)
        row = {"step": trainer.step, "minutes": round(minutes, 2), "name": name, "losses": losses}
        self.file.write(json.dumps(row) + "\n")
        self.file.flush()
        if self.board is not None:
            for k, loss in enumerate(losses):
                self.board.add_scalar(f"{name}/codebook {k}", loss, trainer.step)

    def close(self) -> None:
        """Ends the files."""
        self.file.close()
        if self.board is not None:
            self.board.close()


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
    parser.add_argument(
        "--preset", choices=sorted(PRESETS), default="default", help="defaults to start from"
    )
    shape = [f for f in fields(ModelConfig) if f.default is not MISSING and f.name != "styles"]
    add_flags(parser, TrainConfig)
    add_flags(parser, ModelConfig, leave_out=("styles",))
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
