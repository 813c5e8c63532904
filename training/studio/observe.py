"""Draws scenes of many kinds and keeps what MediaPipe says about them beside the truth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from d2m_core.band import make_plan
from d2m_core.errors import PoseError
from d2m_core.media import open_clip
from d2m_core.pose import estimate_poses, pose_model
from d2m_core.pose.estimate import SHORT_GAP_S
from d2m_core.styles import STYLES
from d2m_core.types import LANDMARKS, PoseSequence
from training.run.kept import kept, recipe
from training.run.provenance import file_sha256, versions_of

from .picture.drawing import render_scene
from .picture.film import random_film
from .stage.scene import stage
from .stage.shot import ASPECTS, Shot

VARIANTS = ("full", "lite")
_SIZES = {16 / 9: (640, 360), 9 / 16: (360, 640), 4 / 3: (480, 360), 1.0: (400, 400)}
_ARRAYS = ("world", "image", "visibility", "present")

_KINDS: tuple[tuple[int, Shot], ...] = (
    (1, Shot()), (1, Shot(moves=("handheld",))), (1, Shot(aspect=ASPECTS["9:16"])),
    (1, Shot(facing=1.3)), (1, Shot(crop="knees")), (2, Shot()),
    (1, Shot()), (1, Shot(aspect=ASPECTS["9:16"], moves=("follow", "handheld"))),
    (1, Shot(facing=3.0)), (1, Shot(crop="feet", moves=("zoom",))),
    (1, Shot(occluders=("passer",))),
    (2, Shot(overlap=True)), (1, Shot(aspect=ASPECTS["1:1"])), (1, Shot(crop="hips")),
    (3, Shot(moves=("handheld",))), (1, Shot(crop="side", moves=("drift",))),
    (1, Shot(occluders=("box",))), (1, Shot(moves=("arc", "tilt"))),
    (1, Shot(crowd=True)), (4, Shot(overlap=True)),
)  # fmt: skip
"""People and shots, in turn: more than half show one whole dancer."""


@dataclass(frozen=True, eq=False)
class Observation:
    """One drawn clip."""

    truth: PoseSequence
    found: dict[str, PoseSequence]
    """By variant of the model; P = 1. A clip in which nobody was found has nobody present."""
    tags: tuple[str, ...]


def observation(number: int, seed: int, seconds: float, folder: Path) -> Observation:
    """Clip `number` of the series from `seed`, from `folder` or drawn and looked at now."""
    estimators = [estimator(variant) for variant in VARIANTS]
    made_of = recipe(observation, number=number, seed=seed, seconds=seconds, estimators=estimators)

    def write(path: Path) -> None:
        made = _made(number, seed, seconds, folder)
        np.savez_compressed(path, allow_pickle=False, **_packed(made))

    return kept(folder, f"{seed}_{number:03d}_{seconds:g}s.npz", made_of, write, _read)


@lru_cache
def estimator(variant: str = "full") -> dict[str, str]:
    """What of this machine decides the poses that MediaPipe finds: its version and its model."""
    return {"model": file_sha256(pose_model(variant)), **versions_of(("mediapipe",))}


def _read(path: Path) -> Observation:
    with np.load(path, allow_pickle=False) as stored:
        fps = float(stored["fps"])
        tags = tuple(json.loads(str(stored["tags"])))
        sequences = {
            name: _sequence([stored[f"{name}_{part}"] for part in _ARRAYS], fps)
            for name in ("truth", *VARIANTS)
        }
    return Observation(sequences.pop("truth"), sequences, tags)


def _sequence(arrays: list[np.ndarray], fps: float) -> PoseSequence:
    world, image, visibility, present = arrays
    return PoseSequence(world, image, visibility, present, fps)


def _packed(made: Observation) -> dict[str, np.ndarray]:
    arrays = {"tags": np.array(json.dumps(made.tags)), "fps": np.array(made.truth.fps)}
    for name, poses in {"truth": made.truth, **made.found}.items():
        arrays |= {f"{name}_{part}": getattr(poses, part) for part in _ARRAYS}
    return arrays


def _made(number: int, seed: int, seconds: float, folder: Path) -> Observation:
    people, shot = _KINDS[number % len(_KINDS)]
    plan = make_plan(seed + number, seconds, STYLES[number % len(STYLES)])
    scene = stage(plan, seed + number, people, shot=shot)
    width, height = _SIZES[shot.aspect]
    folder.mkdir(parents=True, exist_ok=True)
    clip_path = folder / f"{seed}_{number:03d}.mp4"
    try:
        render_scene(scene, clip_path, width, height, film=random_film(seed + number))
        found = {
            variant: looked_at(clip_path, scene.poses.frames, scene.fps, variant, max_gap_s=0.0)
            for variant in VARIANTS
        }
    finally:
        clip_path.unlink(missing_ok=True)
    moves = shot.moves or ("still",)
    tags = (
        f"crop:{shot.crop}",
        *(f"camera:{move}" for move in moves),
        f"people:{people}",
        *(f"in front:{thing}" for thing in shot.occluders),
        f"facing:{'away' if abs(shot.facing) > 2 else 'aside' if abs(shot.facing) > 1 else 'us'}",
        *(("crowd:yes",) if shot.crowd else ()),
        *(("overlap:yes",) if shot.overlap else ()),
    )
    return Observation(scene.poses, found, tags)


def looked_at(
    path: Path, frames: int, fps: float, variant: str = "full", max_gap_s: float = SHORT_GAP_S
) -> PoseSequence:
    """What MediaPipe finds when it is asked for one person; nobody, for so many `frames` at `fps`,
    where it refuses the clip."""
    try:
        return estimate_poses(open_clip(path), variant, max_gap_s=max_gap_s)
    except PoseError:
        shape = (frames, 1, LANDMARKS)
        return PoseSequence(
            np.zeros((*shape, 3), np.float32),
            np.zeros((*shape, 2), np.float32),
            np.zeros(shape, np.float32),
            np.zeros(shape[:2], bool),
            fps,
        )
