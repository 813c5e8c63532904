"""Dances with their truth, as arrays that a rhythm network can be trained on or scored with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from d2m_core.config import TEMPO_RANGE_BPM
from d2m_core.files import replacing
from d2m_core.motion import MOTION_NAMES, extract_motion
from d2m_core.types import MOTION_FPS, MotionFeatures
from training.data import as_float16
from training.studio.dancer.dance import Dance
from training.studio.plan import Plan, make_plan, plan_on
from training.studio.stage.noise import mediapipe_like
from training.studio.stage.scene import Scene, stage
from training.studio.styles import STYLE_TABLE, STYLES

TARGETS = ("beat", "downbeat", "onset", "energy")
"""Columns of `Pool.targets`."""

_BEAT_WIDTH_S = 0.045
_SLOW_FPS = (12.0, 15.0, 20.0)
_FAST_FPS = (50.0, 60.0)


@dataclass(frozen=True, eq=False)
class Pool:
    """Many dances of one length."""

    motion: np.ndarray
    """float16 [N, F, D]."""
    targets: np.ndarray
    """float16 [N, F, len(TARGETS)]."""
    seeds: np.ndarray
    """int64 [N]."""

    def __len__(self) -> int:
        return len(self.motion)


def random_grid(duration_s: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Beats [M] and downbeats [M] of a pulse at 60-180 BPM that may drift by a few per cent."""
    tempo = rng.uniform(*TEMPO_RANGE_BPM)
    drift = rng.choice([0.0, rng.uniform(0, 0.01), rng.uniform(0, 0.03)], p=[0.4, 0.4, 0.2])
    turn_s, phase = rng.uniform(8, 30), rng.uniform(0, 2 * np.pi)
    times, beats = -rng.uniform(0, 60 / tempo), []
    while times < duration_s:
        beats.append(times)
        times += 60 / (tempo * (1 + drift * np.sin(2 * np.pi * times / turn_s + phase)))
    metre = 3 if rng.random() < 0.1 else 4
    grid = np.array(beats)
    downbeats = np.arange(len(grid)) % metre == rng.integers(metre)
    inside = grid >= 0
    return grid[inside], downbeats[inside]


def random_plan(seed: int, duration_s: float) -> Plan:
    """Half as music of the studio goes, half on a grid of any tempo that may drift more."""
    rng = np.random.default_rng([seed, 0xBEA7])
    if rng.random() < 0.5:
        return make_plan(seed, duration_s)
    beats, downbeats = random_grid(duration_s, rng)
    while len(beats) < 2:
        beats, downbeats = random_grid(duration_s, rng)
    starts = np.flatnonzero(downbeats)
    three = len(starts) > 1 and starts[1] - starts[0] == 3
    fitting = [name for name in STYLES if (STYLE_TABLE[name].metre == 3) == three]
    style = fitting[int(rng.integers(len(fitting)))]
    return plan_on(beats, downbeats, duration_s, seed, style)


def random_scene(seed: int, duration_s: float) -> Scene:
    """One dancer on stage; a few at source rates that motion features have to resample."""
    rng = np.random.default_rng([seed, 0xBEA8])
    draw, fps = rng.random(), MOTION_FPS
    if draw < 0.1:
        fps = float(rng.choice(_SLOW_FPS))
    elif draw < 0.2:
        fps = float(rng.choice(_FAST_FPS))
    return stage(random_plan(seed, duration_s), seed, looseness=float(rng.uniform(0, 0.6)), fps=fps)


def targets_of(truth: Dance, frames: int) -> np.ndarray:
    """What the network should say, float32 [frames, len(TARGETS)]."""
    times = np.arange(frames) / MOTION_FPS
    out = np.zeros((frames, len(TARGETS)), np.float32)
    for column, events in ((0, truth.beats_s), (1, truth.beats_s[truth.downbeats])):
        for event in events:
            bump = np.exp(-0.5 * ((times - event) / _BEAT_WIDTH_S) ** 2)
            out[:, column] = np.maximum(out[:, column], bump)
    for event, strength in zip(truth.accents_s, truth.accent_strengths, strict=True):
        bump = strength * np.maximum(0.0, 1.0 - np.abs(times - event) * MOTION_FPS)
        out[:, 2] = np.maximum(out[:, 2], bump)
    source = np.arange(len(truth.energy)) / truth.fps
    out[:, 3] = np.interp(times, source, truth.energy)
    return out


def example(seed: int, duration_s: float) -> tuple[Dance, MotionFeatures]:
    """One dance and its motion features as an estimator's poses give them."""
    scene = random_scene(seed, duration_s)
    seen = mediapipe_like(scene, np.random.default_rng([seed, 0x5EE]))
    return scene.dances[0], extract_motion(seen)


def make_pool(seeds: range, duration_s: float) -> Pool:
    """Dances all of these seeds (about nine a second on one core)."""
    frames = round(duration_s * MOTION_FPS)
    motion = np.zeros((len(seeds), frames, len(MOTION_NAMES)), np.float16)
    targets = np.zeros((len(seeds), frames, len(TARGETS)), np.float16)
    for index, seed in enumerate(tqdm(seeds, desc="dancing", unit="dance", mininterval=5)):
        truth, features = example(seed, duration_s)
        count = min(frames, len(features.values))
        motion[index, :count] = as_float16(features.values[:count])
        targets[index] = targets_of(truth, frames)
    return Pool(motion, targets, np.array(seeds, np.int64))


def cached_pool(folder: Path, seeds: range, duration_s: float) -> Pool:
    """The pool of these seeds from `folder`, danced and stored there when it is not."""
    path = folder / f"staged_{seeds.start}_{len(seeds)}_{duration_s:g}s_{len(MOTION_NAMES)}.npz"
    if path.exists():
        with np.load(path, allow_pickle=False) as stored:
            return Pool(stored["motion"], stored["targets"], stored["seeds"])
    pool = make_pool(seeds, duration_s)
    with replacing(path) as partial:
        np.savez(partial, motion=pool.motion, targets=pool.targets, seeds=pool.seeds)
    return pool
