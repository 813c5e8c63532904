"""The state of a transformer training and its steps; `train` runs it.

accelerate spreads it over processes: each takes its share of every batch, gradients are averaged,
and all hold the same weights.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import reduce

from d2m_core.errors import SettingError
from d2m_core.music import DanceToMusic, ModelConfig, save_model
from d2m_core.music.patterns import apply_delay
from d2m_core.pipeline import best_device
from training.run.average import Average
from training.run.schedule import Run, of_first, rate_factor
from training.run.state import digest_of, making_of, save_state, settings_in, state_to_go_on_from

from .adapters import add_adapters, merged
from .extra_heads import Learner, heads_losses
from .items import TrainItem
from .losses import token_losses
from .optimisers import optimisers_of
from .settings import FREE, TrainConfig
from .start_even import start_even
from .start_musicgen import take_over
from .start_ours import is_checkpoint, start_from
from .windows import Batch, DataSet, draw_batch, motion_statistics

VALIDATION_WINDOWS = 56
"""Four of each style where there are 14."""

STATE = "last.pt"
"""The resumable state in the folder of a run."""


class Trainer(Run):
    """The state of one run: network, optimiser, averaged weights, step and time spent."""

    def __init__(self, config: TrainConfig, shape: ModelConfig, data: DataSet) -> None:
        self.config, self.data = config, data
        self.workers = Accelerator(cpu=best_device(config.device).type == "cpu")
        super().__init__(config.minutes, config.steps, self.workers)
        self.device = self.workers.device
        shares = self.workers.num_processes * config.accumulate
        if config.batch % shares:
            raise SettingError(
                f"batch is {config.batch}, which {self.workers.num_processes} processes in "
                f"{config.accumulate} parts cannot share evenly; choose a multiple of {shares}."
            )
        torch.manual_seed(config.seed)
        self.net = DanceToMusic(shape)
        if config.even_start:
            start_even(self.net)
        mean, std = motion_statistics(data.train)
        self.net.motion_mean.copy_(mean)
        self.net.motion_std.copy_(std)
        if is_checkpoint(config.init):
            start_from(self.net, config.init)
        elif config.init:
            take_over(self.net, config.init)
        if config.lora:
            add_adapters(self.net, config.lora)
        self.learner = Learner(self.net) if config.heads_weight else self.net
        self.shared = self.workers.prepare_model(self.learner.to(self.device))
        self.net_of_all = self.shared
        if config.compile != "none":
            self.net_of_all = torch.compile(self.shared, backend=config.compile)
        self.average = Average(self.net, config.ema)
        self.optimisers = optimisers_of(self.learner, config)
        self.precision = config.precision

    def learning_rate(self) -> float:
        """Linear warm-up, then a cosine over the budget of steps or of time."""
        factor = rate_factor(self.step, self.config.warmup_steps, self.progress)
        return self.config.learning_rate * factor

    def batch(self, step: int) -> list[Batch]:
        """This process's windows of one step, in parts; they depend on seed and step only."""
        rng = np.random.default_rng([self.config.seed, step])
        drawn = draw_batch(self.data.train, self.net, self.config, rng)
        parts = self.config.accumulate
        shares = self.workers.num_processes * parts
        count, first = self.config.batch // shares, self.workers.process_index * parts
        return [drawn.part(at * count, count).to(self.device) for at in range(first, first + parts)]

    def losses(self, batch: Batch, net: torch.nn.Module | None = None) -> torch.Tensor:
        """Cross-entropy of each codebook [K], in nats per token."""
        return self.all_losses(batch, self.net if net is None else net)[0]

    def all_losses(self, batch: Batch, call: torch.nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
        """Cross-entropy of each codebook [K], and what extra heads miss, in sum."""
        net = self.net
        delayed = apply_delay(batch.codes, net.pad)  # [B, K, S]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            found = call(net.shift_right(delayed), batch.given, batch.copied)
        logits, *heads = found if isinstance(found, tuple) else (found,)  # [B, K, S, V]
        order = delayed.transpose(1, 2)  # [B, S, K], as the heads lie in memory: no copy
        each = token_losses(logits.transpose(1, 2).flatten(0, 2), order.flatten()).view(order.shape)
        books = each.sum((0, 1)) / (order != net.pad).sum((0, 1))
        if not heads or batch.sound is None:
            return books, books.new_zeros(())
        missed = heads_losses(heads[0], heads[1], batch.sound, batch.codes[:, 0])
        return books, torch.stack(list(missed.values())).sum()

    def train_step(self, parts: list[Batch]) -> torch.Tensor:
        """One update from the parts of a batch; returns the losses [K] over all processes."""
        self.net.train()
        torch.manual_seed(self.chance_seed())
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = self.learning_rate()
            optimiser.zero_grad()
        *early, last = parts
        with self.workers.no_sync(self.shared):
            found = [self.backward(part, len(parts)) for part in early]
        found.append(self.backward(last, len(parts)))
        torch.nn.utils.clip_grad_norm_(self.learner.parameters(), self.config.clip_norm)
        for optimiser in self.optimisers:
            optimiser.step()
        self.step += 1
        self.average.follow(self.net, self.step + 1)
        return reduce(torch.stack(found).mean(0), "mean")

    def backward(self, part: Batch, parts: int) -> torch.Tensor:
        """Adds a part's gradients; returns its losses [K]."""
        losses, heads = self.all_losses(part, self.net_of_all)
        total = (losses * self._weights(len(losses))).sum() + self.config.heads_weight * heads
        (total / parts).backward()
        return losses.detach()

    def chance_seed(self) -> int:
        """Of this step's dropout: a run that was stopped goes on as if it had not been."""
        numbers = [self.config.seed, self.step, self.workers.process_index]
        return int(np.random.default_rng(numbers).integers(2**62))

    def averaged_net(self) -> DanceToMusic:
        """A copy of the network with the averaged weights."""
        net = copy.deepcopy(self.net).eval()
        net.load_state_dict(self.average.state_of(self.net))
        return net

    def validate(self) -> dict[str, list[float]]:
        """Losses per codebook of the averaged network on held-out items, conditioned and free: a window of
        each, or of as many as `VALIDATION_WINDOWS`, evenly spread over them."""
        items = self.data.held_out or self.data.train
        net, seed = self.averaged_net(), self.config.seed
        plain = replace(
            self.config,
            drop_motion=0,
            drop_rhythm=0,
            drop_style=0,
            drop_all=0,
            short_windows=0,
            jitter_s=0,
            curve_noise=0,
            heads_weight=0.0,
        )
        numbers = np.arange(len(items))[:: -(-len(items) // VALIDATION_WINDOWS)]
        parts = np.array_split(numbers, -(-len(numbers) // self.config.batch))
        found = {}
        with torch.no_grad():
            for name, config in (("followed", plain), ("free", replace(plain, drop_all=1.0))):
                rng = np.random.default_rng([seed, 1])
                drawn = [draw_batch(items, net, config, rng, part.tolist()) for part in parts]
                losses = [self.losses(b.to(self.device), net) for b in drawn]
                shares = torch.tensor([len(part) / len(numbers) for part in parts], device=self.device)
                mean = (shares[:, None] * torch.stack(losses)).sum(0)
                found[name] = [round(x, 4) for x in mean.tolist()]
        return found

    def _weights(self, codebooks: int) -> torch.Tensor:
        given = self.config.codebook_weights
        full = torch.tensor((given + given[-1:] * codebooks)[:codebooks], device=self.device)
        return full / full.sum()

    # --- files ---

    @cached_property
    def made_of(self) -> dict[str, Any]:
        """What decides the result of this run, for its state (`training.run.state`)."""
        return {
            "settings": settings_in(self.config, FREE),
            "network": asdict(self.net.config),
            "codec": asdict(self.data.codec),
            "motion_names": self.data.motion_names,
            "data": _items_in_short(self.data.train),
            "held_out": _items_in_short(self.data.held_out),
        }

    def save(self) -> None:
        """The resumable state and, beside it, the averaged weights so far."""
        state = {
            "net": self.net.state_dict(),
            "average": self.average.values,
            "heads": _heads_of(self.learner),
            "optimisers": [each.state_dict() for each in self.optimisers],
            "step": self.step,
            "spent_s": self.spent_s,
            "precision": self.precision,
        }
        save_state(Path(self.config.folder) / STATE, self.made_of, state)
        self.export(Path(self.config.folder) / "last.safetensors", {"note": "unfinished run"})

    def restore(self) -> bool:
        """Goes on from the saved state; False where there is none.

        Raises `SettingError` where it is of something else.
        """
        state = state_to_go_on_from(Path(self.config.folder) / STATE, self.made_of)
        if state is None:
            return False
        self.net.load_state_dict(state["net"])
        self.average.restore(state["average"])
        self.learner.load_state_dict(state["heads"], strict=False)
        for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        self.step, self.spent_s, self.precision = state["step"], state["spent_s"], state["precision"]
        return True

    def export(self, path: Path, info: dict[str, Any]) -> None:
        """Writes the averaged network as a checkpoint with float16 matrices."""
        net = merged(self.averaged_net())
        save_model(path, net, self.data.codec, self.data.motion_names, None, info)


def shape_of(state: dict[str, Any]) -> ModelConfig:
    """The network's shape in a saved state."""
    values = making_of(state)["network"]
    return ModelConfig(**{**values, "styles": tuple(values["styles"])})


def _items_in_short(items: Sequence[TrainItem]) -> str:
    """What items are known by: their number and a digest of all that is learnt from them."""
    arrays: list[np.ndarray] = []
    for item in items:
        arrays += [item.codes, item.curves, item.beats_s, item.downbeats]
        arrays += [np.array([item.style, str(item.tempo_bpm)])]
        arrays += [] if item.motion is None else [item.motion]
    return f"{len(items)} items {digest_of(arrays)}"


def _heads_of(learner: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The weights that a learner has beside its network's."""
    whole = learner.state_dict() if isinstance(learner, Learner) else {}
    return {name: value for name, value in whole.items() if not name.startswith("net.")}


def faster_precision(trainer: Trainer) -> str:
    """bfloat16 on a GPU that has it; on a CPU whichever takes less processor time when tried.

    The first process decides for all.
    """
    if trainer.device.type != "cpu":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    spent: dict[str, float] = {}
    batch = trainer.batch(0)[0]
    for trainer.precision in ("float32", "bfloat16") * 2:  # the first round warms up
        start = time.process_time()
        trainer.losses(batch).sum().backward()
        spent[trainer.precision] = time.process_time() - start
    trainer.net.zero_grad()
    gain_s = of_first(trainer.workers, spent["float32"] - spent["bfloat16"])
    return "bfloat16" if gain_s > 0 else "float32"
