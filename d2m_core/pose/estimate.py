"""Finds the dancers of a clip with MediaPipe's Pose Landmarker."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import numpy as np

from ..errors import PoseError, SettingError
from ..media import Frame, iter_frames
from ..media.video import read_ahead
from ..types import LANDMARKS, MOTION_FPS, PoseSequence, Progress, VideoClip
from .dancer import MAX_PEOPLE
from .landmarker import Body, landmarkers
from .landmarks import HIPS, SHOULDERS
from .model_file import pose_model
from .track import Tracker, fill_gaps

SHORT_GAP_S = 0.2
"""Gaps up to this long are interpolated: a lost frame or a passing arm, not somebody leaving."""

MAX_HEIGHT = 720
"""Taller pictures are scaled down while decoding."""

_LEAST_FOUND = 0.1
"""A clip with a person in fewer of its frames is taken for one with nobody in it."""


def estimate_poses(
    clip: VideoClip,
    model: str = "full",
    people: int = 1,
    fps: float = MOTION_FPS,
    model_folder: Path | None = None,
    on_progress: Progress | None = None,
    *,
    max_height: int = MAX_HEIGHT,
    max_gap_s: float = SHORT_GAP_S,
) -> PoseSequence:
    """Poses of up to `people` dancers as MediaPipe follows them, for clips of one; see `find_dancers`.

    `model` is one of `POSE_MODELS`. Frames without a person stay in and are masked; gaps of up to
    `max_gap_s` are interpolated. More than one person costs speed: the detector then runs in every
    frame. `on_progress(frame, frames)` may raise to cancel. Raises `PoseError` where hardly any
    frame shows a person, `ModelError` where the model is missing, and `PoseModelError` where
    MediaPipe cannot run.
    """
    if not 1 <= people <= MAX_PEOPLE:
        raise SettingError(f"People to find is {people}; choose 1 to {MAX_PEOPLE}.")
    total = max(1, round(clip.duration_s * fps))

    def fetching(_done: int, _bytes: int) -> None:
        if on_progress is not None:
            on_progress(0, total)

    bundle = pose_model(model, model_folder, fetching)
    world = np.zeros((total, people, LANDMARKS, 3), np.float32)
    image = np.zeros((total, people, LANDMARKS, 2), np.float32)
    visibility = np.zeros((total, people, LANDMARKS), np.float32)
    present = np.zeros((total, people), np.bool_)
    with closing(_detect(clip, bundle, people, fps, max_height)) as found:
        for frame, slots in enumerate(found):
            for slot, (world_points, image_points, seen) in slots.items():
                world[frame, slot], image[frame, slot] = world_points, image_points
                visibility[frame, slot], present[frame, slot] = seen, True
            if on_progress is not None:
                on_progress(frame + 1, total)
    require_somebody(present)
    return fill_gaps(
        PoseSequence(world, image, visibility, present, fps, aspect=clip.width / clip.height), max_gap_s
    )


def require_somebody(present: np.ndarray) -> None:
    """Raises `PoseError` where a person is missing from nearly all frames [F, P]."""
    found = int(present.any(axis=1).sum())
    if found < _LEAST_FOUND * len(present):
        raise PoseError(
            f"A person was found in {found} of {len(present)} frames ({found / len(present):.0%}); "
            "use a clip that shows a whole dancer, well lit, or try the heavy pose model."
        )


def _detect(
    clip: VideoClip, bundle: Path, people: int, fps: float, max_height: int
) -> Generator[dict[int, Body], None, None]:
    """Yields for each frame the bodies found, by slot."""
    tracker = Tracker(people)
    frames = iter_frames(clip, fps, max_height)
    # A fresh landmarker for every clip: it keeps a tracker of its own.
    with closing(read_ahead(frames)) as ahead, landmarkers(bundle) as opens:
        film = opens.of_film(people)
        for index, frame in enumerate(ahead):
            # From the index, not from the frame: MediaPipe insists on rising whole milliseconds.
            bodies = film.find(frame.rgb, round(index * 1000 / fps))
            yield _assign(tracker, frame, bodies, coloured=people > 1)


def _assign(tracker: Tracker, frame: Frame, bodies: list[Body], coloured: bool) -> dict[int, Body]:
    if not bodies:
        return {}
    joints = np.stack([body.image for body in bodies])
    given = np.ones(joints.shape[:2], np.bool_)
    colours = np.stack([_colour(frame.rgb, points) for points in joints]) if coloured else None
    slots = tracker.assign(frame.time_s, joints, given, colours)
    return {slot: bodies[index] for slot, index in slots.items()}


def _colour(rgb: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Mean colour [3] in 0..1 of the chest and belly of a body [J, 2] in frame heights."""
    left_shoulder, right_shoulder, left_hip, right_hip = joints[[*SHOULDERS, *HIPS]]
    across, down = np.meshgrid(np.linspace(0.25, 0.75, 5), np.linspace(0.1, 0.9, 7))
    across, down = across[..., None], down[..., None]
    top = left_shoulder + (right_shoulder - left_shoulder) * across
    bottom = left_hip + (right_hip - left_hip) * across
    height, width = rgb.shape[:2]
    points = ((top + (bottom - top) * down) * height).astype(int)
    columns = np.clip(points[..., 0], 0, width - 1)
    rows = np.clip(points[..., 1], 0, height - 1)
    return rgb[rows, columns].reshape(-1, 3).mean(axis=0) / 255.0
