"""The state of a rhythm network's training and its steps; `train_rhythm` runs it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from d2m_core.motion import MOTION_NAMES, mirror_motion
from d2m_core.pipeline import best_device
from d2m_core.rhythm import RhythmConfig, RhythmNet
from d2m_core.types import MOTION_FPS, MotionFeatures
from training.run.average import Average
from training.run.fitted import Fitted
from training.run.schedule import rate_factor
from training.run.state import digest_of, settings_in

from .losses import CUES, TEMPO_BINS, loss_of, unseen_columns
from .pool import Pool

WARM_STEPS = 50

FREE = ("out", "folder", "minutes", "validation", "data", "start", "folds", "device", "threads", "resume")
"""Settings that may differ when a run goes on. The dances themselves are compared as well."""


@dataclass(frozen=True)
class TrainRhythmConfig:
    """Settings of a run."""

    out: Path = Path("runs/rhythm.safetensors")
    """File to write."""
    folder: Path = Path("runs/rhythm")
    """Where the dances and the state to go on from are kept."""
    resume: bool = True
    """Go on from the state in `folder`, if there is one; it must be of the same settings and dances.
    Without, begin anew and replace it."""
    minutes: float = 12.0
    """Wall-clock minutes of training, earlier parts of a resumed run included."""
    dances: int = 5000
    """Training dances of 12 seconds, as landmarks with the noise model fitted to MediaPipe."""
    drawn: int = 0
    """Training dances that are drawn and looked at with MediaPipe, at several speeds each; making
    one takes a core about 17 s."""
    drawn_share: float = 0.5
    """Share of the training windows that is taken from drawn dances, if there are any."""
    validation: int = 60
    """Held-out dances scored from time to time."""
    batch: int = 32
    rate: float = 3e-3
    """Peak learning rate."""
    weight_decay: float = 0.02
    average: float = 0.995
    """Decay of the moving average of the weights, which is what is saved."""
    channels: int = 64
    layers: int = 8
    data: str = ""
    """Folder of own dances with music, to fit a trained network to."""
    start: Path = Path("weights/rhythm.safetensors")
    """The network that is fitted to `data`."""
    folds: int = 0
    """Cross-validate the fit to `data` in so many parts instead of writing a file."""
    spoil: float = 0.3
    """How often a training window lacks a group of cues, is noisier, or has frames missing."""
    leave_out: tuple[str, ...] = ()
    """For ablations: losses (of `LOSSES`), cues (of `CUES`) and families of moves to do without."""
    seed: int = 0
    device: str = "auto"
    """cpu, cuda, or auto."""
    threads: int = 1
    """CPU threads."""


class Trainer(Fitted[RhythmNet]):
    """Network, optimiser and their averaged copy, with what is needed to go on later."""

    def __init__(self, config: TrainRhythmConfig, pool: Pool) -> None:
        super().__init__(config.minutes)
        self.config, self.pool = config, pool
        self.device = best_device(config.device)
        torch.manual_seed(config.seed)
        shape = RhythmConfig(
            len(MOTION_NAMES), config.channels, config.layers, parts=True, tempo_bins=TEMPO_BINS
        )
        self.net = RhythmNet(shape, MOTION_NAMES).to(self.device)
        self._measure(pool)
        self.average = Average(self.net, config.average, rise=10.0)  # the buffers stay, and may be infinite
        self.optimiser = torch.optim.AdamW(
            self.net.parameters(), lr=config.rate, weight_decay=config.weight_decay
        )

    def _measure(self, pool: Pool) -> None:
        """Mean and deviation of every feature where the dancer is seen."""
        some = pool.motion[:: max(1, len(pool) // 500)].astype(np.float32)
        seen = some[some[..., MOTION_NAMES.index("present")] > 0]  # [*, D]
        low, high = np.percentile(seen, [1, 99], axis=0)
        kept = np.clip(seen, low, high)
        self.net.mean.copy_(torch.from_numpy(kept.mean(0)))
        self.net.std.copy_(torch.from_numpy(np.maximum(kept.std(0), 1e-3)))
        for column in unseen_columns(self.config.leave_out):
            self.net.std[column] = torch.inf  # always average: the network learns nothing of it

    def rate(self) -> float:
        """Learning rate now: a short rise, then a cosine down to nearly nothing."""
        return self.config.rate * rate_factor(self.step, WARM_STEPS, self.progress)

    def train_step(self, pool: Pool, odds: np.ndarray | None = None) -> float:
        """One batch, on the clock; gives its loss. `odds`: as for `batch_of`."""
        with self.on_the_clock():
            return self._train_step(pool, odds)

    def _train_step(self, pool: Pool, odds: np.ndarray | None) -> float:
        rng = np.random.default_rng([self.config.seed, self.step])
        batch = batch_of(pool, self.config.batch, rng, odds)
        motion, targets, tempo = (part.to(self.device) for part in batch)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        self.net.train()
        if self.config.spoil:
            motion = spoilt(motion, self.net.mean, self.net.std, self.config.spoil, rng)
        present = seen_in(motion)
        return self.learn(loss_of(self.net(motion, present), targets, tempo, present, self.config.leave_out))

    def averaged_net(self) -> RhythmNet:
        """The network with averaged weights, on the CPU."""
        net = RhythmNet(self.net.config, self.net.names)
        net.load_state_dict(self.average.state_of(self.net))
        return net.eval()

    @cached_property
    def made_of(self) -> dict[str, Any]:
        """What decides the result of this run, for its state (`training.run.state`)."""
        pool = self.pool
        return {
            "settings": settings_in(self.config, FREE),
            "motion_names": MOTION_NAMES,
            "data": f"{len(pool)} dances {digest_of((pool.motion, pool.targets, pool.tempo))}",
        }


def batch_of(
    pool: Pool, size: int, rng: np.random.Generator, odds: np.ndarray | None = None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Windows of one random length, half of them mirrored; `odds` [N] sum to 1, None is even.

    Motion [B, F, D], targets [B, F, len(TARGETS)] and tempo in BPM [B, F].
    """
    whole = pool.motion.shape[1]
    length = min(whole, int(rng.choice([int(4 * MOTION_FPS), int(8 * MOTION_FPS), whole])))
    length = max(length, 1)
    count = max(1, size * whole // length)
    picks = rng.choice(len(pool), size=min(count, 2 * size), p=odds)
    starts = rng.integers(whole - length + 1, size=len(picks))
    motion, targets, tempo = windows_of(pool, picks, starts, length)
    return mirrored_half(motion), targets, tempo


def mirrored_half(motion: torch.Tensor) -> torch.Tensor:
    """The same windows [B, F, D], the first half of them seen in a mirror; in place."""
    half = len(motion) // 2
    shape = motion[:half].shape
    plain = motion[:half].numpy().reshape(-1, shape[-1])
    mirrored = mirror_motion(MotionFeatures(plain, MOTION_NAMES))
    motion[:half] = torch.from_numpy(mirrored.values.reshape(shape))
    return motion


def windows_of(
    pool: Pool, picks: np.ndarray, starts: np.ndarray, length: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Motion, targets and tempo of `length` frames of the picked dances, as `batch_of`."""

    def cut(values: np.ndarray) -> torch.Tensor:
        parts = [values[i, s : s + length] for i, s in zip(picks, starts, strict=True)]
        return torch.from_numpy(np.stack(parts).astype(np.float32))

    return cut(pool.motion), cut(pool.targets), cut(pool.tempo)


def seen_in(motion: torch.Tensor) -> torch.Tensor:
    """Where the dancer of motion features [B, F, D] is seen, bool [B, F]."""
    return motion[..., MOTION_NAMES.index("present")] > 0


def spoilt(
    motion: torch.Tensor, mean: torch.Tensor, std: torch.Tensor, share: float, rng: np.random.Generator
) -> torch.Tensor:
    """Windows [B, F, D] as worse clips show them, each fault in a `share` of the windows.

    A group of `CUES` is average throughout, every feature is noisier, or frames are missing.
    """
    motion, groups = motion.clone(), [unseen_columns([cue]) for cue in CUES]
    frames = motion.shape[1]
    for window in motion:
        if rng.random() < share:
            columns = groups[int(rng.integers(len(groups)))]
            window[:, columns] = mean[columns]
        if rng.random() < share:
            loud = float(rng.uniform(0.1, 0.6)) * std[1:].nan_to_num(posinf=0.0)
            noise = rng.standard_normal((frames, len(loud)), dtype=np.float32)
            window[:, 1:] += torch.from_numpy(noise).to(motion) * loud
        if rng.random() < share:
            first, length = int(rng.integers(frames)), int(rng.integers(1, 1 + frames // 6))
            window[first : first + length, MOTION_NAMES.index("present")] = 0
    return motion
