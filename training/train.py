"""Trains the transformer on a folder of items (`training.data`) and writes a checkpoint.

    python -m training.train --data runs/items --minutes 45
    python -m training.train --preset tiny --run runs/tiny --out runs/tiny/model.safetensors

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
    log.info(
        "%.2f M parameters, %d items (%.2f h), %s, %s, from step %d",
        sum(p.numel() for p in trainer.net.parameters()) / 1e6, len(data.train), data.hours,
        trainer.device, trainer.precision, trainer.step if resumed else 0,
    )  # fmt: skip
    try:
        _run(trainer)
    except KeyboardInterrupt:
        trainer.save()
        raise
    trainer.save()
    info = _info(trainer, command)
    trainer.export(Path(config.out), info)
    log.info("saved %s", config.out)
    return info


def _run(trainer: Trainer) -> None:
    config, lines = trainer.config, Lines(Path(trainer.config.run))
    recent: list[torch.Tensor] = []
    saved_s = trainer.spent_s
    with ThreadPoolExecutor(1) as ahead, lines:
        coming = ahead.submit(trainer.batch, trainer.step)
        while trainer.progress < 1:
            start = time.perf_counter()
            batch, coming = coming.result(), ahead.submit(trainer.batch, trainer.step + 1)
            recent.append(trainer.train_step(batch))
            if trainer.step % config.log_every == 0:
                lines.write(trainer, "train", torch.stack(recent).mean(0).tolist())
                recent.clear()
            trainer.spent_s += time.perf_counter() - start
            if trainer.spent_s - saved_s > config.save_every_s:
                saved_s = trainer.spent_s
                trainer.save()
                for name, losses in trainer.validate().items():
                    lines.write(trainer, name, losses)


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

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
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
    sys.stdout.write(json.dumps(info["loss"]) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
