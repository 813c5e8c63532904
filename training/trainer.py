"""The state of a transformer training and its steps; `train` runs it."""

from __future__ import annotations

import copy
import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from d2m_core.checkpoint import save_model
from d2m_core.config import ModelConfig, TrainConfig
from d2m_core.errors import SettingError
from d2m_core.files import replacing
from d2m_core.model import DanceToMusic
from d2m_core.patterns import apply_delay
from d2m_core.pipeline import best_device
from training.data import Batch, DataSet, draw_batch, motion_statistics
from training.schedule import rate_factor

VALIDATION_BATCHES = 4


class Trainer:
    """The state of one run: network, optimiser, averaged weights, step and time spent."""

    def __init__(self, config: TrainConfig, shape: ModelConfig, data: DataSet) -> None:
        self.config, self.data = config, data
        self.device = best_device(config.device)
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
        factor = rate_factor(self.step, self.config.warmup_steps, self.progress)
        return self.config.learning_rate * factor

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


def _groups(net: DanceToMusic, config: TrainConfig) -> list[dict[str, Any]]:
    """Matrices decay; vectors and embeddings do not."""
    embeddings = {"tokens_in", "null", "style_in.weight"}
    named = dict(net.named_parameters())
    decayed = {name for name, p in named.items() if p.ndim > 1 and name not in embeddings}
    return [
        {"params": [named[n] for n in named if n in decayed], "weight_decay": config.weight_decay},
        {"params": [named[n] for n in named if n not in decayed], "weight_decay": 0.0},
    ]


def faster_precision(trainer: Trainer) -> str:
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
