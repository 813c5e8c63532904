"""Dances with their truth, as arrays that a rhythm network can be trained on or scored with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from d2m_core.band import Materials, Plan
from d2m_core.band.drummer import play_drums
from d2m_core.band.notes import DRUM_FAMILY, bars_of
from d2m_core.motion import MOTION_NAMES, extract_motion, find_accents
from d2m_core.motion.accents import accent_curve
from d2m_core.types import MOTION_FPS, PART_CURVES, MotionFeatures
from training.pairs.pair import as_float16
from training.run.kept import Kept, place_for, recipe
from training.run.processes import run, step_done
from training.studio.any_scene import random_scene
from training.studio.dancer.dance import Dance
from training.studio.stage.noise import mediapipe_like
from training.studio.stage.scene import Scene

TARGETS = ("beat", "downbeat", "felt", "energy", *PART_CURVES)
"""Columns of `Pool.targets`."""

_STROKES = {"kick": ("kick",), "snare": ("snare", "clap", "rim"), "hat": ("hat", "ride", "open")}
"""Families of drums behind each of `PART_CURVES`."""

_PARTS = ("motion", "targets", "tempo", "seeds")
_CHUNK = 250
"""Dances in one file."""
_BEAT_WIDTH_S = 0.045


@dataclass(frozen=True, eq=False)
class Pool:
    """Many dances of one length."""

    motion: np.ndarray
    """float16 [N, F, D]."""
    targets: np.ndarray
    """float16 [N, F, len(TARGETS)]."""
    tempo: np.ndarray
    """float16 [N, F]: BPM at each frame."""
    seeds: np.ndarray
    """int64 [N]."""

    def __len__(self) -> int:
        return len(self.motion)

    def with_motion(self, names: tuple[str, ...]) -> Pool:
        """The same with some of `MOTION_NAMES` alone, as a network reads them."""
        if names == MOTION_NAMES:
            return self
        return replace(self, motion=self.motion[..., [MOTION_NAMES.index(n) for n in names]])


def targets_of(scene: Scene, frames: int) -> np.ndarray:
    """What the network should say of the lead dancer, float32 [frames, len(TARGETS)].

    Accents are those that one sees in the true poses (`find_accents`).
    """
    truth = scene.dances[0]
    times = np.arange(frames) / MOTION_FPS
    out = np.zeros((frames, len(TARGETS)), np.float32)
    out[:, 0] = bumps(times, truth.beats_s)
    out[:, 1] = bumps(times, truth.beats_s[truth.downbeats])
    out[:, 2] = accent_curve(find_accents(scene.poses), frames)
    out[:, 3] = np.interp(times, np.arange(len(truth.energy)) / truth.fps, truth.energy)
    out[:, 4:] = _strokes(scene.plan, times)
    return out


def bumps(times: np.ndarray, events: np.ndarray, heights: np.ndarray | None = None) -> np.ndarray:
    """What the network learns to say at `times` [F] around events, 0..1 [F]."""
    if len(events) == 0:
        return np.zeros(len(times), np.float32)
    bumps = np.exp(-0.5 * ((times[:, None] - events) / _BEAT_WIDTH_S) ** 2)
    return (bumps if heights is None else bumps * heights).max(1)


def _strokes(plan: Plan, times: np.ndarray) -> np.ndarray:
    """What the studio's drummer plays to this plan, float32 [F, len(PART_CURVES)]."""
    notes = play_drums(plan, bars_of(plan), Materials()).notes
    family = [DRUM_FAMILY.get(note.part, note.part) for note in notes]
    at = plan.seconds(np.array([note.beat for note in notes])) if notes else np.zeros(0)
    loud = np.array([note.velocity for note in notes])
    columns = []
    for part in PART_CURVES:
        ours = np.isin(family, _STROKES[part])
        columns.append(bumps(times, at[ours], loud[ours]) if ours.any() else 0 * times)
    return np.stack(columns, 1).astype(np.float32)


def tempo_at(times: np.ndarray, beats_s: np.ndarray) -> np.ndarray:
    """BPM at some moments, from the beats around them; of the nearest two beyond the ends, [F]."""
    middles = (beats_s[1:] + beats_s[:-1]) / 2
    return 60 / np.interp(times, middles, np.diff(beats_s))


def example_scene(
    seed: int, duration_s: float, without: frozenset[str] = frozenset()
) -> tuple[Scene, MotionFeatures]:
    """One scene and its lead's motion features as an estimator's poses give them."""
    scene = random_scene(seed, duration_s, without)
    seen = mediapipe_like(scene, np.random.default_rng([seed, 0x5EE]))
    return scene, extract_motion(seen)


def example(seed: int, duration_s: float) -> tuple[Dance, MotionFeatures]:
    """One dance and its motion features as an estimator's poses give them."""
    scene, motion = example_scene(seed, duration_s)
    return scene.dances[0], motion


def make_pool(seeds: Sequence[int], duration_s: float, without: frozenset[str] = frozenset()) -> Pool:
    """Dances all of these seeds (about nine a second on one core)."""
    frames = round(duration_s * MOTION_FPS)
    motion = np.zeros((len(seeds), frames, len(MOTION_NAMES)), np.float16)
    targets = np.zeros((len(seeds), frames, len(TARGETS)), np.float16)
    tempo = np.zeros((len(seeds), frames), np.float16)
    times = np.arange(frames) / MOTION_FPS
    for index, seed in enumerate(seeds):
        scene, features = example_scene(seed, duration_s, without)
        count = min(frames, len(features.values))
        motion[index, :count] = as_float16(features.values[:count])
        targets[index] = targets_of(scene, frames)
        tempo[index] = tempo_at(times, scene.dances[0].beats_s)
        step_done()
    return Pool(motion, targets, tempo, np.array(seeds, np.int64))


def cached_pool(
    folder: Path, seeds: range, duration_s: float, without: frozenset[str] = frozenset(), workers: int = 0
) -> Pool:
    """The pool of these seeds from `folder`, danced and stored there where it is not.

    Stored in chunks, so that a stopped run loses little. `workers` 0 uses every core.
    """
    chunks = [seeds[first : first + _CHUNK] for first in range(0, len(seeds), _CHUNK)]
    places = [_chunk_place(folder, chunk, duration_s, without) for chunk in chunks]
    missing = [k for k, chunk in enumerate(places) if not chunk.there]
    jobs = [(places[k], chunks[k], duration_s, without) for k in missing]
    total = sum(len(chunks[k]) for k in missing)
    with tqdm(total=total, desc="dancing", unit="dance", mininterval=5, disable=not jobs) as bar:
        for _ in run(_store_chunk, jobs, workers or os.cpu_count() or 1, lambda n: bar.update(n)):
            continue
    pools = [_stored_chunk(chunk.path) for chunk in places]
    return Pool(*(np.concatenate([getattr(pool, part) for pool in pools]) for part in _PARTS))


def _chunk_place(folder: Path, seeds: range, duration_s: float, without: frozenset[str]) -> Kept:
    made_of = recipe(make_pool, seeds=seeds, duration_s=duration_s, without=without)
    return place_for(folder, f"dances_{seeds.start}_{len(seeds)}_{duration_s:g}s.npz", made_of)


def _store_chunk(chunk: Kept, seeds: range, duration_s: float, without: frozenset[str]) -> None:
    pool = make_pool(seeds, duration_s, without)
    chunk.write(lambda path: np.savez(path, **{part: getattr(pool, part) for part in _PARTS}))


def _stored_chunk(path: Path) -> Pool:
    with np.load(path, allow_pickle=False) as stored:
        return Pool(*(stored[part] for part in _PARTS))
