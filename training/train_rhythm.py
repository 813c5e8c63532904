"""Trains the rhythm network on drawn dances.

`python -m training.train_rhythm --out weights/rhythm.safetensors`; the same command run again goes
on from what lies in `--folder`.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from d2m_core.checkpoint import save_rhythm
from d2m_core.config import RhythmConfig
from d2m_core.files import replacing
from d2m_core.grid import tempo_of
from d2m_core.metrics import beat_f, tempo_correct
from d2m_core.motion import MOTION_NAMES, mirror_motion
from d2m_core.pipeline import best_device
from d2m_core.rhythm import RhythmNet, RhythmOutput, rhythm_from_motion
from d2m_core.types import MOTION_FPS, MotionFeatures
from training.flags import add_flags
from training.rhythm_pool import Pool, cached_pool, example
from training.schedule import rate_factor
from training.seeds import RHYTHM_HELD_OUT_SEED, RHYTHM_SEED

log = logging.getLogger("train_rhythm")

WARM_STEPS = 50


@dataclass(frozen=True)
class TrainRhythmConfig:
    """Settings of a run."""

    out: Path = Path("weights/rhythm.safetensors")
    """File to write."""
    folder: Path = Path("runs/rhythm")
    """Where the dances, the log and the state to resume from are kept."""
    minutes: float = 12.0
    """Processor time of the training steps alone."""
    dances: int = 3000
    """Training dances of 12 seconds."""
    validation: int = 60
    """Held-out dances scored from time to time."""
    batch: int = 32
    rate: float = 3e-3
    """Peak learning rate."""
    weight_decay: float = 0.02
    average: float = 0.995
    """Decay of the moving average of the weights, which is what is saved."""
    seed: int = 0
    device: str = "auto"
    """cpu, cuda, or auto."""
    threads: int = 1
    """CPU threads."""


@dataclass(frozen=True)
class Score:
    """Means over validation dances."""

    beat_f: float
    tempo_right: float
    downbeat_f: float


class Trainer:
    """Network, optimiser and their averaged copy, with what is needed to go on later."""

    def __init__(self, config: TrainRhythmConfig, pool: Pool) -> None:
        self.config = config
        self.device = best_device(config.device)
        torch.manual_seed(config.seed)
        self.net = RhythmNet(RhythmConfig(features=len(MOTION_NAMES))).to(self.device)
        self._measure(pool)
        self.averaged = {k: v.clone() for k, v in self.net.state_dict().items()}
        self.optimiser = torch.optim.AdamW(
            self.net.parameters(), lr=config.rate, weight_decay=config.weight_decay
        )
        self.step = 0
        self.spent_s = 0.0
        self.loss = 0.0  # running mean over about 100 steps

    def _measure(self, pool: Pool) -> None:
        """Mean and deviation of every feature where the dancer is seen."""
        some = pool.motion[:: max(1, len(pool) // 500)].astype(np.float32)
        seen = some[some[..., MOTION_NAMES.index("present")] > 0]  # [*, D]
        low, high = np.percentile(seen, [1, 99], axis=0)
        kept = np.clip(seen, low, high)
        self.net.mean.copy_(torch.from_numpy(kept.mean(0)))
        self.net.std.copy_(torch.from_numpy(np.maximum(kept.std(0), 1e-3)))

    def rate(self) -> float:
        """Learning rate now: a short rise, then a cosine down to nearly nothing."""
        share = min(1.0, self.spent_s / (60 * self.config.minutes))
        return self.config.rate * rate_factor(self.step, WARM_STEPS, share)

    def train_step(self, pool: Pool) -> float:
        """One batch; gives its loss."""
        started = time.process_time()
        rng = np.random.default_rng([self.config.seed, self.step])
        motion, targets = batch_of(pool, self.config.batch, rng)
        motion, targets = motion.to(self.device), targets.to(self.device)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        self.net.train()
        present = motion[..., MOTION_NAMES.index("present")] > 0
        loss = loss_of(self.net(motion, present), targets, present)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        decay = min(self.config.average, self.step / (self.step + 10))
        for name, value in self.net.state_dict().items():
            self.averaged[name].lerp_(value, 1 - decay)
        self.spent_s += time.process_time() - started
        value = float(loss.detach())
        self.loss += (value - self.loss) / min(self.step, 100)
        return value

    def averaged_net(self) -> RhythmNet:
        """The network with averaged weights, on the CPU."""
        net = RhythmNet(self.net.config)
        net.load_state_dict(self.averaged)
        return net.eval()

    def save_state(self, path: Path) -> None:
        """Everything needed to go on, tensors and numbers only."""
        state = {
            "net": self.net.state_dict(),
            "averaged": self.averaged,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "spent_s": self.spent_s,
            "loss": self.loss,
        }
        with replacing(path) as partial:
            torch.save(state, partial)

    def load_state(self, path: Path) -> None:
        """Goes on from `save_state`'s file."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.averaged = state["averaged"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.spent_s, self.loss = state["step"], state["spent_s"], state["loss"]


def batch_of(pool: Pool, size: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Windows of one random length, half of them mirrored: [B, F, D] and [B, F, targets]."""
    whole = pool.motion.shape[1]
    length = min(whole, int(rng.choice([int(4 * MOTION_FPS), int(8 * MOTION_FPS), whole])))
    length = max(length, 1)
    count = max(1, size * whole // length // 1)
    picks = rng.integers(len(pool), size=min(count, 2 * size))
    starts = rng.integers(whole - length + 1, size=len(picks))
    motion = np.stack([pool.motion[i, s : s + length] for i, s in zip(picks, starts, strict=True)])
    targets = np.stack(
        [pool.targets[i, s : s + length] for i, s in zip(picks, starts, strict=True)]
    )
    motion = motion.astype(np.float32)
    half = len(motion) // 2
    shape = motion[:half].shape
    mirrored = mirror_motion(MotionFeatures(motion[:half].reshape(-1, shape[-1]), MOTION_NAMES))
    motion[:half] = mirrored.values.reshape(shape)
    return torch.from_numpy(motion), torch.from_numpy(targets.astype(np.float32))


_WEIGHTS = {"beat": (1.0, 3.0), "downbeat": (0.4, 6.0), "onset": (0.5, 3.0), "energy": (0.2, 1.0)}
"""How much each curve counts in the loss, and how much more its events count than their absence."""


def loss_of(out: RhythmOutput, targets: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """Weighted cross entropy of the four curves where the dancer is seen."""
    total = torch.zeros((), device=targets.device)
    for column, (name, (weight, events)) in enumerate(_WEIGHTS.items()):
        target = targets[..., column]
        loss = binary_cross_entropy_with_logits(
            getattr(out, name),
            target,
            weight=present.float(),
            pos_weight=torch.tensor(events, device=targets.device),
        )
        total = total + weight * loss
    return total


def score(net: RhythmNet, seeds: range, duration_s: float = 10.0) -> Score:
    """Beat F, share of right tempi and downbeat F on dances the network has not seen."""
    rows = []
    for seed in seeds:
        truth, motion = example(seed, duration_s)
        found = rhythm_from_motion(motion, net)
        right = tempo_correct(tempo_of(truth.beats_s), found.tempo_bpm)
        bars = beat_f(truth.beats_s[truth.downbeats], found.beats_s[found.downbeats])
        rows.append((beat_f(truth.beats_s, found.beats_s), right, bars))
    return Score(*(float(x) for x in np.mean(rows, 0)))


def train(config: TrainRhythmConfig, command: str) -> Score:
    """Trains until the time is spent, saves the averaged network and gives its score."""
    torch.set_num_threads(config.threads)
    config.folder.mkdir(parents=True, exist_ok=True)
    seeds = range(RHYTHM_SEED, RHYTHM_SEED + config.dances)
    pool = cached_pool(config.folder, seeds, 12.0)
    trainer = Trainer(config, pool)
    state = config.folder / "state.pt"
    if state.exists():
        trainer.load_state(state)
        log.info("going on at step %d, %.1f minutes in", trainer.step, trainer.spent_s / 60)
    held_out = range(RHYTHM_HELD_OUT_SEED, RHYTHM_HELD_OUT_SEED + config.validation)
    next_report_s = trainer.spent_s + 60.0
    while trainer.spent_s < 60 * config.minutes:
        trainer.train_step(pool)
        if trainer.spent_s >= next_report_s:
            next_report_s = trainer.spent_s + 60.0
            now = score(trainer.averaged_net(), held_out)
            log.info(
                "step %d, %.1f min: loss %.4f, beat F %.3f, tempo %.2f, downbeat F %.3f",
                trainer.step, trainer.spent_s / 60, trainer.loss, *vars(now).values(),
            )  # fmt: skip
            trainer.save_state(state)
    return _finish(config, trainer, held_out, command)


def _finish(config: TrainRhythmConfig, trainer: Trainer, held_out: range, command: str) -> Score:
    trainer.save_state(config.folder / "state.pt")
    net = trainer.averaged_net()
    final = score(net, held_out)
    info = {
        "command": command,
        "licence": "MIT",
        "data": f"{config.dances} drawn dances of 12 s (training/studio/dancer.py)",
        "steps": trainer.step,
        "minutes": round(trainer.spent_s / 60, 1),
        "loss": round(trainer.loss, 4),
        "beat_f": round(final.beat_f, 3),
        "tempo_right": round(final.tempo_right, 3),
        "downbeat_f": round(final.downbeat_f, 3),
    }
    config.out.parent.mkdir(parents=True, exist_ok=True)
    save_rhythm(config.out, net, MOTION_NAMES, info)
    log.info("saved %s: %s", config.out, info)
    return final


def parse(argv: Sequence[str] | None) -> TrainRhythmConfig:
    """The configuration a command line asks for; one option per field."""
    parser = argparse.ArgumentParser(
        prog="python -m training.train_rhythm",
        description="Train the rhythm network on drawn dances.",
    )
    add_flags(parser, TrainRhythmConfig)
    return TrainRhythmConfig(**vars(parser.parse_args(argv)))


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    config = parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    words = [f"--{f.name.replace('_', '-')}={getattr(config, f.name)}" for f in fields(config)]
    train(config, shlex.join(["python", "-m", "training.train_rhythm", *words]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
