"""Dances that are drawn and looked at with MediaPipe, for a rhythm network to be trained on.

The noise model of `stage.noise` is near MediaPipe but not the same; these are the real thing, at
17 s of work for one of 12 s. Every dance is used at several speeds, so that few go far.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from d2m_core.grid import TEMPO_RANGE_BPM
from d2m_core.motion import MOTION_NAMES, extract_motion
from d2m_core.pose import load_poses, save_poses
from d2m_core.types import MOTION_FPS, PoseSequence
from training.pairs.pair import as_float16
from training.run.kept import Kept, place_for, recipe
from training.run.processes import run, step_done
from training.studio.any_scene import random_scene
from training.studio.observe import estimator, looked_at
from training.studio.picture.drawing import render_scene
from training.studio.picture.film import random_film
from training.studio.stage.scene import Scene

from .pool import TARGETS, Pool, targets_of, tempo_at

SPEEDS = (1.0, 0.85, 0.92, 1.09, 1.18)
"""How fast a dance is shown, as shares of the speed it was danced at."""

_SHORT_EDGE = 270
"""Pixels: a whole dancer then is about as large as the 256 pixels that MediaPipe looks at."""


def drawn_pool(folder: Path, seeds: range, duration_s: float, workers: int = 0) -> Pool:
    """The dances of these seeds at all `SPEEDS`; `workers` 0 uses every core.

    What MediaPipe saw is kept in `folder`, a file for a dance. Faster dances end before
    `duration_s` does, with nobody present; those that leave `TEMPO_RANGE_BPM` are left out.
    """
    places = {seed: _place(folder, seed, duration_s) for seed in seeds}
    missing = [(seed, duration_s, dance) for seed, dance in places.items() if not dance.there]
    workers = workers or os.cpu_count() or 1
    with tqdm(total=len(missing), desc="drawing", unit="dance", disable=not missing) as bar:
        for _ in run(_look, missing, workers, lambda count: bar.update(count)):
            continue
    made = [
        (seed, row)
        for seed, dance in places.items()
        for row in _rows(random_scene(seed, duration_s), load_poses(dance.path))
    ]
    motion, targets, tempo = zip(*(row for _, row in made), strict=True)
    return Pool(
        np.stack(motion), np.stack(targets), np.stack(tempo), np.array([seed for seed, _ in made], np.int64)
    )


def joined(pools: Sequence[Pool], shares: Sequence[float]) -> tuple[Pool, np.ndarray]:
    """One pool of several, and how likely each of its dances is drawn [N] for these shares."""
    parts = [[getattr(pool, name) for pool in pools] for name in vars(pools[0])]
    odds = [np.full(len(pool), share / len(pool)) for pool, share in zip(pools, shares, strict=True)]
    return Pool(*(np.concatenate(part) for part in parts)), np.concatenate(odds) / sum(shares)


def _place(folder: Path, seed: int, duration_s: float) -> Kept:
    made_of = recipe(_look, seed=seed, duration_s=duration_s, estimator=estimator())
    return place_for(folder, f"{seed}_{duration_s:g}s.npz", made_of)


def _look(seed: int, duration_s: float, dance: Kept) -> None:
    """Draws the scene of a seed and keeps what MediaPipe sees in it.

    A dance in which nobody is found teaches nothing.
    """
    scene = random_scene(seed, duration_s)
    aspect = scene.shot.aspect
    width, height = (2 * round(_SHORT_EDGE * max(1.0, side) / 2) for side in (aspect, 1 / aspect))
    film_path = dance.path.with_suffix(".mp4")
    film_path.parent.mkdir(parents=True, exist_ok=True)
    try:
        fps = min(scene.fps, MOTION_FPS)
        render_scene(scene, film_path, width, height, fps, film=random_film(seed), crf=23)
        poses = looked_at(film_path, round(duration_s * MOTION_FPS), MOTION_FPS)
    finally:
        film_path.unlink(missing_ok=True)
    dance.write(lambda path: save_poses(poses, path))
    step_done()


def _rows(scene: Scene, seen: PoseSequence) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Motion, targets and tempo, as in `Pool`, of one dance at each speed that it can have."""
    low, high = TEMPO_RANGE_BPM
    tempo = scene.plan.tempo_bpm
    said = targets_of(scene, round(scene.duration_s * MOTION_FPS))
    return [_at_speed(scene, seen, said, s) for s in SPEEDS if s == 1 or low <= s * tempo <= high]


def _at_speed(
    scene: Scene, seen: PoseSequence, said: np.ndarray, speed: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    frames = len(said)
    features = extract_motion(replace(seen, fps=seen.fps * speed)).values[:frames]
    motion = np.zeros((frames, len(MOTION_NAMES)), np.float16)
    motion[: len(features)] = as_float16(features)
    then = np.arange(frames) * speed  # the frame of the dance that is seen at each frame
    targets = np.stack([np.interp(then, np.arange(frames), said[:, k]) for k in range(len(TARGETS))], 1)
    tempo = speed * tempo_at(then / MOTION_FPS, scene.dances[0].beats_s)
    return motion, targets.astype(np.float16), tempo.astype(np.float16)
