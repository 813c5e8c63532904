"""Finds the dancers of a clip with MediaPipe's Pose Landmarker."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ..errors import PoseError, PoseModelError, SettingError
from ..media import Frame, iter_frames
from ..media.video import read_ahead
from ..types import LANDMARKS, MOTION_FPS, PoseSequence, Progress, VideoClip
from .dancer import MAX_PEOPLE
from .landmarks import HIPS, SHOULDERS
from .mediapipe_notes import Quiet, without_chatter
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
    """Poses of up to `people` dancers, each in a slot of their own for the whole clip.

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
    _require_somebody(present)
    return fill_gaps(PoseSequence(world, image, visibility, present, fps), max_gap_s)


def _require_somebody(present: np.ndarray) -> None:
    """Raises `PoseError` where a person is missing from nearly all frames [F, P]."""
    found = int(present.any(axis=1).sum())
    if found < _LEAST_FOUND * len(present):
        raise PoseError(
            f"A person was found in {found} of {len(present)} frames ({found / len(present):.0%}); "
            "use a clip that shows a whole dancer, well lit, or try the heavy pose model."
        )


Body = tuple[np.ndarray, np.ndarray, np.ndarray]
"""One person in one frame: world [J, 3], image [J, 2], visibility [J], all float32."""


def _detect(
    clip: VideoClip, bundle: Path, people: int, fps: float, max_height: int
) -> Generator[dict[int, Body], None, None]:
    """Yields for each frame the bodies found, by slot."""
    vision, mediapipe = _import_mediapipe()
    options = vision.PoseLandmarkerOptions(
        base_options=mediapipe.tasks.BaseOptions(model_asset_path=str(bundle)),
        running_mode=vision.RunningMode.VIDEO,
        num_poses=people,
    )
    tracker = Tracker(people)
    frames = iter_frames(clip, fps, max_height)
    # A fresh landmarker for every clip: it keeps a tracker of its own.
    with closing(read_ahead(frames)) as ahead, _landmarker(vision, options, bundle) as (landmarker, quiet):
        for index, frame in enumerate(ahead):
            picture = mediapipe.Image(
                image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(frame.rgb)
            )
            # From the index, not from the frame: MediaPipe insists on rising whole milliseconds.
            with quiet() if index == 0 else nullcontext():
                result = landmarker.detect_for_video(picture, round(index * 1000 / fps))
            bodies = _bodies(result, frame.rgb.shape[1] / frame.rgb.shape[0])
            yield _assign(tracker, frame, bodies, coloured=people > 1)


def _import_mediapipe() -> tuple[ModuleType, ModuleType]:
    try:
        import mediapipe
        from mediapipe.tasks.python import vision
    except (ImportError, OSError) as error:
        raise PoseModelError(
            f"MediaPipe cannot be loaded ({error}); install it with `pip install mediapipe`, and "
            "on Linux its system libraries with `apt-get install libegl1 libgles2 libgl1`."
        ) from error
    return vision, mediapipe


@contextmanager
def _landmarker(vision: ModuleType, options: Any, bundle: Path) -> Iterator[tuple[Any, Quiet]]:
    """MediaPipe's landmarker, and what keeps its notes off the console while it starts."""
    with without_chatter() as quiet:
        try:
            with quiet():
                made = vision.PoseLandmarker.create_from_options(options)
        except (RuntimeError, ValueError, OSError) as error:
            raise PoseModelError(
                f"MediaPipe cannot open the pose model {bundle} ({str(error).strip() or 'no reason'}); "
                "on Linux install libegl1 libgles2 libgl1, else delete the model and run again."
            ) from error
        try:
            yield made, quiet
        finally:
            with quiet():
                made.close()


def _bodies(result: Any, aspect: float) -> list[Body]:
    """MediaPipe's answer as arrays; `aspect` is width / height."""
    bodies = []
    for flat, solid in zip(result.pose_landmarks, result.pose_world_landmarks, strict=True):
        image = np.array([(mark.x * aspect, mark.y) for mark in flat], np.float32)
        world = np.array([(mark.x, mark.y, mark.z) for mark in solid], np.float32)
        seen = np.array([mark.visibility for mark in flat], np.float32)
        if np.isfinite(image).all() and np.isfinite(world).all():
            bodies.append((world, image, np.clip(np.nan_to_num(seen), 0.0, 1.0)))
    return bodies


def _assign(tracker: Tracker, frame: Frame, bodies: list[Body], coloured: bool) -> dict[int, Body]:
    if not bodies:
        return {}
    joints = np.stack([image for _, image, _ in bodies])
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
