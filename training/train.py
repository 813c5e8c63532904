"""Trains the transformer on a folder of items (`training.data`) and writes a checkpoint.

    python -m training.train --data runs/pairs --minutes 45
    python -m training.train --preset tiny --run runs/tiny --out runs/tiny/model.safetensors

A stopped run goes on with `--resume`. Flags are the fields of `TrainConfig` and `ModelConfig`.
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import math
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import MISSING, asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from d2m_core.checkpoint import save_model
from d2m_core.config import ModelConfig, TrainConfig
from d2m_core.errors import D2MError, SettingError
from d2m_core.files import replacing
from d2m_core.model import DanceToMusic
from d2m_core.patterns import apply_delay
from training.data import Batch, DataSet, draw_batch, motion_statistics, read_folder, split
from training.flags import add_flags
from training.synthetic_items import make_items

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

FINAL_RATE = 0.02
"""Share of the learning rate left at the end of the cosine."""

VALIDATION_BATCHES = 4


class Trainer:
    """The state of one run: network, optimiser, averaged weights, step and time spent."""

    def __init__(self, config: TrainConfig, shape: ModelConfig, data: DataSet) -> None:
        self.config, self.data = config, data
        self.device = torch.device(_device(config.device))
        torch.manual_seed(config.seed)
        self.net = DanceToMusic(shape)
        mean, std = motion_statistics(data.train)
        self.net.motion_mean.copy_(mean)
        self.net.motion_std.copy_(std)
        self.net.to(self.device)
        self.average = {name: p.detach().clone() for name, p in self.net.named_parameters()}
        self.optimiser = torch.optim.AdamW(_groups(self.net, config), betas=(0.9, 0.95), fused=True)
        self.step, self.spent_s = 0, 0.0
        self.precision = config.precision

    @property
    def progress(self) -> float:
        """Share of the run that is done, 0..1."""
        if self.config.steps:
            return min(1.0, self.step / self.config.steps)
        return min(1.0, self.spent_s / (60 * self.config.minutes))

    def learning_rate(self) -> float:
        """Linear warm-up, then a cosine over the budget of steps or of time."""
        warm = min(1.0, (self.step + 1) / max(1, self.config.warmup_steps))
        cosine = 0.5 * (1 + math.cos(math.pi * self.progress))
        return self.config.learning_rate * warm * (FINAL_RATE + (1 - FINAL_RATE) * cosine)

    def batch(self, step: int) -> Batch:
        """The windows of one step; they depend on seed and step only."""
        rng = np.random.default_rng([self.config.seed, step])
        drawn = draw_batch(self.data.train, self.net, self.config, rng)
        return Batch(drawn.codes.to(self.device), drawn.given.to(self.device))

    def losses(self, batch: Batch, net: DanceToMusic | None = None) -> torch.Tensor:
        """Cross-entropy of each codebook [K], in nats per token."""
        net = net or self.net
        delayed = apply_delay(batch.codes, net.pad)  # [B, K, S]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            logits = net(net.shift_right(delayed), batch.given)  # [B, K, S, V]
        each = [
            F.cross_entropy(
                logits[:, k].flatten(0, 1).float(), delayed[:, k].flatten(), ignore_index=net.pad
            )
            for k in range(delayed.shape[1])
        ]
        return torch.stack(each)

    def train_step(self, batch: Batch) -> torch.Tensor:
        """One update; returns the losses [K]."""
        self.net.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate()
        losses = self.losses(batch)
        self.optimiser.zero_grad()
        (losses * self._weights(len(losses))).sum().backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.config.clip_norm)
        self.optimiser.step()
        self.step += 1
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, parameter in self.net.named_parameters():
                self.average[name].lerp_(parameter, 1 - decay)
        return losses.detach()

    def averaged_net(self) -> DanceToMusic:
        """A copy of the network with the averaged weights."""
        net = copy.deepcopy(self.net).eval()
        net.load_state_dict(self.average, strict=False)  # the statistics are the same
        return net

    def validate(self) -> dict[str, list[float]]:
        """Losses per codebook of the averaged network on held-out items, conditioned and free."""
        items = self.data.held_out or self.data.train
        net, seed = self.averaged_net(), self.config.seed
        plain = replace(
            self.config, drop_motion=0, drop_rhythm=0, drop_style=0, drop_all=0, short_windows=0,
            jitter_s=0, curve_noise=0,
        )  # fmt: skip
        found = {}
        with torch.no_grad():
            for name, config in (("followed", plain), ("free", replace(plain, drop_all=1.0))):
                rng = np.random.default_rng([seed, 1])
                drawn = [draw_batch(items, net, config, rng) for _ in range(VALIDATION_BATCHES)]
                moved = [Batch(b.codes.to(self.device), b.given.to(self.device)) for b in drawn]
                mean = torch.stack([self.losses(b, net) for b in moved]).mean(0)
                found[name] = [round(x, 4) for x in mean.tolist()]
        return found

    def _weights(self, codebooks: int) -> torch.Tensor:
        given = self.config.codebook_weights
        full = torch.tensor((given + given[-1:] * codebooks)[:codebooks], device=self.device)
        return full / full.sum()

    # --- files ---

    def save(self) -> None:
        """The resumable state and, beside it, the averaged weights so far."""
        state = {
            "shape": json.dumps(asdict(self.net.config)), "net": self.net.state_dict(),
            "average": self.average, "optimiser": self.optimiser.state_dict(), "step": self.step,
            "spent_s": self.spent_s, "precision": self.precision,
        }  # fmt: skip
        with replacing(Path(self.config.run) / "last.pt") as partial:
            torch.save(state, partial)
        self.export(Path(self.config.run) / "last.safetensors", {"note": "unfinished run"})

    def restore(self) -> bool:
        """Goes on from the saved state; False where there is none."""
        path = Path(self.config.run) / "last.pt"
        if not path.exists():
            return False
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state["shape"] != json.dumps(asdict(self.net.config)):
            raise SettingError(
                f"{path} is of a network of another shape; give the same flags as before."
            )
        self.net.load_state_dict(state["net"])
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.spent_s, self.precision = (
            state["step"],
            state["spent_s"],
            state["precision"],
        )
        torch.manual_seed(self.config.seed + self.step)
        return True

    def export(self, path: Path, info: dict[str, Any]) -> None:
        """Writes the averaged network as a checkpoint with float16 matrices."""
        save_model(path, self.averaged_net(), self.data.codec, self.data.motion_names, None, info)


def train(config: TrainConfig, shape: dict[str, Any], command: str = "") -> dict[str, Any]:
    """A whole run; returns the info saved. `shape`: `ModelConfig` fields that data leaves open."""
    if config.threads:
        torch.set_num_threads(config.threads)
    data = split(make_items(12), config.hold_out) if config.data == SYNTHETIC else None
    data = data or read_folder(config.data, config.hold_out)
    codec = data.codec
    full = ModelConfig(len(data.motion_names), codec.codebooks, codec.cardinality, **shape)
    trainer = Trainer(config, full, data)
    resumed = config.resume and trainer.restore()
    if trainer.precision == "auto":
        trainer.precision = _faster_precision(trainer)
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
        "commit": _commit(),
        "licence": config.licence,
        "data": config.data_note or Path(config.data).name,
        "items": len(data.train),
        "hours": round(data.hours, 2),
        "steps": trainer.step,
        "minutes": round(trainer.spent_s / 60, 1),
        "device": trainer.device.type,
        "loss": trainer.validate(),
    }


def _commit() -> str | None:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True,
            cwd=Path(__file__).parent,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _device(name: str) -> str:
    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def _groups(net: DanceToMusic, config: TrainConfig) -> list[dict[str, Any]]:
    """Matrices decay; vectors and embeddings do not."""
    embeddings = {"tokens_in", "null", "style_in.weight"}
    named = dict(net.named_parameters())
    decayed = {name for name, p in named.items() if p.ndim > 1 and name not in embeddings}
    return [
        {"params": [named[n] for n in named if n in decayed], "weight_decay": config.weight_decay},
        {"params": [named[n] for n in named if n not in decayed], "weight_decay": 0.0},
    ]


def _faster_precision(trainer: Trainer) -> str:
    """bfloat16 on a GPU that has it; on a CPU whichever takes less processor time when tried."""
    if trainer.device.type != "cpu":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    spent: dict[str, float] = {}
    batch = trainer.batch(0)
    for trainer.precision in ("float32", "bfloat16") * 2:  # the first round warms up
        start = time.process_time()
        trainer.losses(batch).sum().backward()
        spent[trainer.precision] = time.process_time() - start
    trainer.net.zero_grad()
    return min(spent, key=spent.__getitem__)


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
