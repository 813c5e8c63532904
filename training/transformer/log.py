"""What the first process of a training does beside training: reports, saved states, samples."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import torch

from .flops import peak_flops, step_flops
from .listening import Listener
from .trainer import Trainer
from .windows import Batch

log = logging.getLogger("train")


class Watch:
    """Takes note of every step."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.lines = Lines(Path(trainer.config.folder))
        self.recent: list[torch.Tensor] = []
        self.saved_s = trainer.spent_s
        self.listener = Listener(trainer) if trainer.config.sample_every else None
        self.flops, self.since_s = 0.0, trainer.spent_s

    def after_step(self, losses: torch.Tensor, parts: list[Batch]) -> None:
        """Takes note of a step and its windows; now and then saves, measures and listens."""
        trainer, config = self.trainer, self.trainer.config
        self.recent.append(losses)
        rate = trainer.data.codec.token_rate
        self.flops += sum(step_flops(trainer.net.config, part.codes.shape, rate) for part in parts)
        if trainer.step % config.log_every == 0:
            self.lines.write(trainer, "train", torch.stack(self.recent).mean(0).tolist())
            self.recent.clear()
            self._speed()
        if trainer.spent_s - self.saved_s > config.save_every_s:
            self._save()
        if self.listener is not None and trainer.step % config.sample_every == 0:
            self.listener.listen(self.lines.board)

    def _save(self) -> None:
        self.saved_s = self.trainer.spent_s
        self.trainer.save()
        for name, means in self.trainer.validate().items():
            self.lines.write(self.trainer, name, means)

    def _speed(self) -> None:
        """Floating-point operations per second of this process, and its share of the GPU's peak."""
        spent_s = self.trainer.spent_s - self.since_s
        if spent_s > 0:
            peak = peak_flops(self.trainer.device)
            self.lines.speed(self.trainer, self.flops / spent_s, peak)
        self.flops, self.since_s = 0.0, self.trainer.spent_s


class Lines:
    """Losses as log lines, as JSON lines in the run's folder, and in TensorBoard if installed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = (folder / "log.jsonl").open("a", encoding="utf-8")
        self.told_s = 0.0
        try:
            from torch.utils.tensorboard import SummaryWriter

            self.board: Any = SummaryWriter(str(folder / "board"))
        except ImportError:
            self.board = None

    def write(self, trainer: Trainer, name: str, losses: list[float]) -> None:
        """One line of losses per codebook."""
        minutes, shown = trainer.spent_s / 60, " ".join(f"{loss:.3f}" for loss in losses)
        log.info("step %d, %.1f min, %s: %s", trainer.step, minutes, name, shown)
        row = {"step": trainer.step, "minutes": round(minutes, 2), "name": name, "losses": losses}
        self.file.write(json.dumps(row) + "\n")
        self.file.flush()
        if self.board is not None:
            for k, loss in enumerate(losses):
                self.board.add_scalar(f"{name}/codebook {k}", loss, trainer.step)

    def speed(self, trainer: Trainer, flops: float, peak: float | None) -> None:
        """Speed in TensorBoard, and once a minute as a line; `peak` where the GPU is known."""
        share = "" if peak is None else f", {100 * flops / peak:.1f} % of the GPU's peak"
        if time.monotonic() - self.told_s > 60:
            self.told_s = time.monotonic()
            log.info("speed: %.3g TFLOP/s%s", flops / 1e12, share)
        if self.board is not None:
            self.board.add_scalar("speed/TFLOP per s", flops / 1e12, trainer.step)
            if peak is not None:
                self.board.add_scalar("speed/model FLOPs utilisation", flops / peak, trainer.step)

    def close(self) -> None:
        """Ends the files."""
        self.file.close()
        if self.board is not None:
            self.board.close()
