"""Fits the rhythm network to dances of one's own; the work behind `train_rhythm --data`.

Real files are never in perfect sync: sound and picture are cut, re-encoded and captured on clocks
of their own. So each dance has a latent offset and drift. Both are found again and again, as those
at which the network's beat curve agrees best with the music's beats (hard expectation
maximisation); in between, the network learns the beats at these times. Half of every batch are
studio dances, so that it forgets nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from d2m_core.errors import SettingError
from d2m_core.motion import MOTION_NAMES, extract_motion
from d2m_core.rhythm import RhythmNet, rhythm_curves
from d2m_core.types import MOTION_FPS, MotionFeatures
from training.judges.trackers import song_beats
from training.pairs.pair import POSES
from training.pairs.shards import INDEX, read_pairs
from training.run.schedule import rate_factor
from training.sources.melody import EXCERPT_S, captured_poses, dances_in

from .losses import WEIGHTS, loss_of
from .pool import Pool, bumps
from .trainer import seen_in, windows_of

log = logging.getLogger("train_rhythm")

OFFSETS_S = np.arange(-15, 16) * 0.04
DRIFTS = np.linspace(-0.02, 0.02, 21)
"""Seconds per second, around the dance's middle."""
_OFFSET_LIKELY_S, _DRIFT_LIKELY = 0.25, 0.008
"""Deviations of how far apart clocks usually are."""
_WINDOW_S = 8.0
_WARM_STEPS = 10


@dataclass(frozen=True, eq=False)
class RealDance:
    """A dance with the beats of its music, whose clock may be off."""

    name: str
    motion: MotionFeatures
    beats_s: np.ndarray
    """float64 [M]."""
    song: str = ""


@dataclass(frozen=True)
class Clock:
    """How a dance's clock relates to its music's: t -> t + offset + drift * (t - middle)."""

    offset_s: float = 0.0
    drift: float = 0.0

    def moved(self, beats_s: np.ndarray, duration_s: float) -> np.ndarray:
        """The music's beats as the dance's clock has them."""
        return _moved(beats_s, self.offset_s, self.drift, duration_s)


def _moved(
    beats_s: np.ndarray, offset_s: float | np.ndarray, drift: float | np.ndarray, duration_s: float
) -> np.ndarray:
    return beats_s + offset_s + drift * (beats_s - duration_s / 2)


@dataclass(frozen=True)
class AdaptSettings:
    """How long and how hard to fit."""

    minutes: float = 5.0
    """Wall-clock minutes of training."""
    batch: int = 16
    """Windows of own dances, and as many of studio dances."""
    rate: float = 5e-4
    clocks_every: int = 25
    """Steps between two looks at the clocks."""
    seed: int = 0


def read_dances(folder: Path, cache: Path) -> list[RealDance]:
    """Dances of a data set (`training.build_dataset`), or of Dance with Melody.

    `cache` keeps beats found in music. Raises `SettingError` for other folders and where no dance
    has beats.
    """
    if (folder / INDEX).exists():
        pairs = list(read_pairs(folder, kinds=(POSES,)))
        found = [
            RealDance(p.name, extract_motion(p.seen), np.array(p.facts.beats_s))
            for p in pairs
            if p.seen is not None and len(p.facts.beats_s) > 1
        ]
    else:
        found = [
            RealDance(
                path.stem,
                extract_motion(captured_poses(path)),
                song_beats(path.with_suffix(".opus"), EXCERPT_S, cache),
            )
            for path in dances_in(folder)
        ]
    if not found:
        raise SettingError(f"{folder} holds no dance with beats; build it with its music.")
    return found


def clock_of(beat: np.ndarray, beats_s: np.ndarray, fps: float = MOTION_FPS) -> Clock:
    """The likeliest clock: where the curve says most of the moved beats, and clocks usually are.

    Args:
        beat: The network's beat curve, 0..1 [F].
        beats_s: The music's beats, [M].
    """
    duration_s = len(beat) / fps
    sure = np.clip(beat, 0.02, 0.98)
    odds = np.log(sure / (1 - sure))
    odds = odds - odds.mean()
    offsets, drifts = (axis.ravel() for axis in np.meshgrid(OFFSETS_S, DRIFTS))
    moved = _moved(beats_s, offsets[:, None], drifts[:, None], duration_s)  # [tries, M]
    said = np.interp(moved * fps, np.arange(len(odds)), odds, left=0.0, right=0.0).sum(1)
    usual = (offsets / _OFFSET_LIKELY_S) ** 2 + (drifts / _DRIFT_LIKELY) ** 2
    best = int((said - 0.5 * usual).argmax())
    return Clock(float(offsets[best]), float(drifts[best]))


def clocks_of(net: RhythmNet, dances: Sequence[RealDance]) -> list[Clock]:
    """The likeliest clock of every dance, as the network sees it now."""
    return [clock_of(rhythm_curves(d.motion, net).beat, d.beats_s) for d in dances]


def adapt(net: RhythmNet, dances: Sequence[RealDance], pool: Pool, settings: AdaptSettings) -> list[Clock]:
    """Fits `net` in place; returns the clocks found last."""
    names = net.names or MOTION_NAMES
    dances = [replace(dance, motion=dance.motion.only(names)) for dance in dances]
    pool = pool.with_motion(names)
    optimiser = torch.optim.AdamW(net.parameters(), settings.rate, weight_decay=0.02)
    clocks, spent_s, step = clocks_of(net, dances), 0.0, 0
    while spent_s < 60 * settings.minutes:
        started = time.perf_counter()
        rng = np.random.default_rng([settings.seed, step])
        # In turns: clocks by what the network hears now, then the network by these clocks.
        if step and step % settings.clocks_every == 0:
            clocks = clocks_of(net, dances)
        share = spent_s / (60 * settings.minutes)
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * rate_factor(step, _WARM_STEPS, share)
        net.train()
        loss = _own_loss(net, dances, clocks, settings.batch, rng)
        # Studio dances beside them keep what is known of bars, tempo and other moves.
        loss = loss + _studio_loss(net, pool, settings.batch, rng)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        step += 1
        spent_s += time.perf_counter() - started
        if step % 50 == 0:
            log.info("step %d, %.1f min: loss %.4f", step, spent_s / 60, float(loss.detach()))
    net.eval()
    return clocks_of(net, dances)


def _own_loss(
    net: RhythmNet, dances: Sequence[RealDance], clocks: Sequence[Clock], batch: int, rng: np.random.Generator
) -> torch.Tensor:
    size = min(round(_WINDOW_S * MOTION_FPS), max(len(d.motion.values) for d in dances))
    motion, wanted = [], []
    for pick in rng.integers(len(dances), size=batch):
        dance = dances[pick]
        first = int(rng.integers(max(len(dance.motion.values) - size, 0) + 1))
        times = (first + np.arange(size)) / MOTION_FPS
        motion.append(_window(dance.motion.values, first, size))
        wanted.append(bumps(times, clocks[pick].moved(dance.beats_s, dance.motion.duration_s)))
    seen = torch.from_numpy(np.stack(motion).astype(np.float32))
    present = seen_in(seen)
    return binary_cross_entropy_with_logits(
        net(seen, present).beat,
        torch.from_numpy(np.stack(wanted).astype(np.float32)),
        weight=present.float(),
        pos_weight=torch.tensor(WEIGHTS["beat"][1]),
    )


def _window(values: np.ndarray, first: int, size: int) -> np.ndarray:
    """Frames [size, D] from `first` on; behind the end of a shorter dance nobody is present."""
    out = np.zeros((size, values.shape[1]), values.dtype)
    part = values[first : first + size]
    out[: len(part)] = part
    return out


def _studio_loss(net: RhythmNet, pool: Pool, batch: int, rng: np.random.Generator) -> torch.Tensor:
    size = min(round(_WINDOW_S * MOTION_FPS), pool.motion.shape[1])
    picks = rng.integers(len(pool), size=batch)
    starts = rng.integers(pool.motion.shape[1] - size + 1, size=batch)
    motion, targets, tempo = windows_of(pool, picks, starts, size)
    present = seen_in(motion)
    return loss_of(net(motion, present), targets, tempo, present)
