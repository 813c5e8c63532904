"""Dances that are still going on, and the fit of a trained rhythm network to them.

A network that reads whole clips is at its worst where a live one is needed: at the end of what has been
seen. Motion features lean on the future there, and beats to come are not asked for. So windows end
where the poses end, their features are taken of nothing but what was seen, and `AHEAD_S` more, in which
nobody is seen, have to be foretold. The work behind `training.train_running`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from d2m_core.motion import MOTION_NAMES, extract_motion
from d2m_core.rhythm import RhythmNet
from d2m_core.types import MOTION_FPS, PoseSequence
from training.pairs.pair import as_float16
from training.run.average import Average
from training.run.fitted import Fitted
from training.run.kept import Kept, place_for, recipe
from training.run.processes import run, step_done
from training.run.schedule import rate_factor
from training.run.state import digest_of, settings_in
from training.studio.any_scene import random_scene
from training.studio.stage.noise import mediapipe_like
from training.studio.stage.scene import Scene

from .losses import loss_of
from .pool import TARGETS, Pool, targets_of, tempo_at
from .trainer import WARM_STEPS, mirrored_half, seen_in, spoilt

LENGTHS_S = (12.0, 8.0, 4.0)
"""How long a stream has been going on; one window of each is taken of every dance."""
_SHARES = {12.0: 0.5, 8.0: 0.3, 4.0: 0.2}
"""How often a batch is of each length."""
DANCE_S = 14.0
AHEAD_S = 1.0
"""So much of what is to come has to be foretold."""
_NEAR_S, _LONG_AGO = 4.0, 0.5
"""What is older than so much weighs so little: a live reader leans on the end."""
_CHUNK = 100

FREE = ("out", "folder", "minutes", "resume", "threads")
"""Settings that may differ when a run goes on."""


@dataclass(frozen=True)
class RunningConfig:
    """Settings of `training.train_running`."""

    out: Path = Path("runs/running.safetensors")
    """File to write."""
    folder: Path = Path("runs/running")
    """Where the dances and the state to go on from are kept."""
    start: Path = Path("weights/rhythm.safetensors")
    """The network that is fitted."""
    resume: bool = True
    """Go on from the state in `folder`, if there is one. Without, begin anew and replace it."""
    minutes: float = 25.0
    """Wall-clock minutes of training, earlier parts of a resumed run included."""
    dances: int = 3000
    """Dances of 14 seconds, three windows of each."""
    batch: int = 32
    rate: float = 1e-3
    """Peak learning rate."""
    weight_decay: float = 0.02
    average: float = 0.995
    """Decay of the moving average of the weights, which is what is saved."""
    spoil: float = 0.15
    """How often a training window lacks a group of cues, is noisier, or has frames missing."""
    seed: int = 0
    threads: int = 1
    """CPU threads, and processes that make the dances."""


# --- the windows ---


def window_of(scene: Scene, poses: PoseSequence, start_s: float, length_s: float) -> tuple[np.ndarray, ...]:
    """Motion, targets and tempo, float16 [F, ...], of a stream that began at `start_s` and has gone on for
    `length_s`, with `AHEAD_S` more at its end."""
    first = round(start_s * poses.fps)
    seen = poses.frames_at(slice(first, first + round(length_s * poses.fps)))
    features = extract_motion(seen).values
    frames = round((length_s + AHEAD_S) * MOTION_FPS)
    motion = np.zeros((frames, len(MOTION_NAMES)), np.float16)
    shown = min(len(features), round(length_s * MOTION_FPS))
    motion[:shown] = as_float16(features[:shown])
    # The window may begin between two frames of the scene's targets.
    said = targets_of(scene, round(scene.duration_s * MOTION_FPS))
    at = first / poses.fps * MOTION_FPS + np.arange(frames)
    targets = np.stack([np.interp(at, np.arange(len(said)), said[:, k]) for k in range(len(TARGETS))], 1)
    tempo = tempo_at(at / MOTION_FPS, scene.dances[0].beats_s)
    return motion, targets.astype(np.float16), tempo.astype(np.float16)


def make_windows(seeds: Sequence[int]) -> list[Pool]:
    """A pool for each of `LENGTHS_S`, a window of every dance in each."""
    rows: list[list[tuple[np.ndarray, ...]]] = [[] for _ in LENGTHS_S]
    for seed in seeds:
        scene = random_scene(seed, DANCE_S)
        rng = np.random.default_rng([seed, 0x5EE])
        poses = mediapipe_like(scene, rng)
        for some, length_s in zip(rows, LENGTHS_S, strict=True):
            some.append(window_of(scene, poses, rng.uniform(0, DANCE_S - AHEAD_S - length_s), length_s))
        step_done()
    numbers = np.array(seeds, np.int64)
    stacked = [[np.stack(part) for part in zip(*some, strict=True)] for some in rows]
    return [Pool(motion, targets, tempo, numbers) for motion, targets, tempo in stacked]


def kept_windows(folder: Path, seeds: range, workers: int = 1) -> list[Pool]:
    """`make_windows` from `folder`, made and stored there in chunks where they are not."""
    chunks = [seeds[first : first + _CHUNK] for first in range(0, len(seeds), _CHUNK)]
    places = [_place(folder, chunk) for chunk in chunks]
    jobs = [(place, chunk) for place, chunk in zip(places, chunks, strict=True) if not place.there]
    total = sum(len(chunk) for _, chunk in jobs)
    with tqdm(total=total, desc="dancing", unit="dance", mininterval=5, disable=not jobs) as bar:
        for _ in run(_store, jobs, workers, lambda count: bar.update(count)):
            continue
    stored = [_stored(place.path) for place in places]
    return [_joined([pools[k] for pools in stored]) for k in range(len(LENGTHS_S))]


def _place(folder: Path, chunk: range) -> Kept:
    made_of = recipe(make_windows, seeds=chunk)
    return place_for(folder, f"running_{chunk.start}_{len(chunk)}.npz", made_of)


def _store(place: Kept, seeds: range) -> None:
    pools = make_windows(seeds)
    arrays = {f"{k}_{name}": part for k, pool in enumerate(pools) for name, part in vars(pool).items()}
    place.write(lambda path: np.savez(path, **arrays))


def _stored(path: Path) -> list[Pool]:
    with np.load(path, allow_pickle=False) as stored:
        return [
            Pool(*(stored[f"{k}_{name}"] for name in Pool.__dataclass_fields__))
            for k in range(len(LENGTHS_S))
        ]


def _joined(pools: Sequence[Pool]) -> Pool:
    return Pool(*(np.concatenate([getattr(p, name) for p in pools]) for name in Pool.__dataclass_fields__))


# --- the fit ---


class RunningTrainer(Fitted[RhythmNet]):
    """The network that is fitted, its optimiser and averaged copy, with what is needed to go on later."""

    def __init__(self, config: RunningConfig, net: RhythmNet, pools: Sequence[Pool]) -> None:
        super().__init__(config.minutes)
        self.config, self.net, self.pools = config, net, pools
        torch.manual_seed(config.seed)
        self.average = Average(net, config.average)
        self.optimiser = torch.optim.AdamW(net.parameters(), lr=config.rate, weight_decay=config.weight_decay)

    def train_step(self) -> float:
        """One batch, on the clock; gives its loss."""
        with self.on_the_clock():
            return self._train_step()

    def _train_step(self) -> float:
        rng = np.random.default_rng([self.config.seed, self.step])
        motion, targets, tempo = batch_of(self.pools, self.config.batch, rng)
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.rate * rate_factor(self.step, WARM_STEPS, self.progress)
        self.net.train()
        motion = spoilt(motion, self.net.mean, self.net.std, self.config.spoil, rng)
        present = seen_in(motion)
        return self.learn(loss_of(self.net(motion, present), targets, tempo, weights_of(present)))

    def averaged_net(self) -> RhythmNet:
        """The network with averaged weights, which says that it foretells."""
        net = RhythmNet(replace(self.net.config, foretells=round(AHEAD_S * MOTION_FPS)), self.net.names)
        net.load_state_dict(self.average.state_of(self.net))
        return net.eval()

    @cached_property
    def made_of(self) -> dict[str, Any]:
        """What decides the result of this run, for its state (`training.run.state`)."""
        arrays = [part for pool in self.pools for part in (pool.motion, pool.targets, pool.tempo)]
        return {
            "settings": settings_in(self.config, FREE),
            "motion_names": MOTION_NAMES,
            "data": f"{len(self.pools[0])} dances {digest_of(arrays)}",
        }


def batch_of(
    pools: Sequence[Pool], size: int, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Windows of one length, half of them mirrored, twice `size` of the shortest: motion [B, F, D],
    targets [B, F, len(TARGETS)] and tempo in BPM [B, F]."""
    odds = np.array([_SHARES[round(pool.motion.shape[1] / MOTION_FPS - AHEAD_S, 3)] for pool in pools])
    pool = pools[int(rng.choice(len(pools), p=odds / odds.sum()))]
    count = min(2 * size, round(size * pools[0].motion.shape[1] / pool.motion.shape[1]))
    picks = rng.choice(len(pool), size=count)
    motion, targets, tempo = (
        torch.from_numpy(part[picks].astype(np.float32)) for part in (pool.motion, pool.targets, pool.tempo)
    )
    return mirrored_half(motion), targets, tempo


def weights_of(present: torch.Tensor) -> torch.Tensor:
    """How much each frame counts, float32 [B, F]: those in which nobody is seen nothing, but for those
    that are to be foretold; what is long ago less."""
    ahead, near = round(AHEAD_S * MOTION_FPS), round((AHEAD_S + _NEAR_S) * MOTION_FPS)
    weights = present.float()
    weights[:, -ahead:] = 1.0
    weights[:, :-near] *= _LONG_AGO
    return weights
