"""Finds the dancers of a clip with MediaPipe's Pose Landmarker, and picks one of them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from .assets import POSE_MODELS, pose_model
from .errors import PoseError, SettingError
from .pose_track import BODY, Tracker, body_height
from .quiet import without_chatter
from .types import LANDMARKS, MOTION_FPS, PoseSequence, Progress, VideoClip
from .video import Frame, iter_frames

__all__ = ["DANCERS", "POSE_MODELS", "estimate_poses", "fill_gaps", "select_dancer"]

DANCERS = ("largest", "most_active")
"""Ways to choose a dancer other than by number."""

SHORT_GAP_S = 0.2
"""Gaps up to this long are interpolated: a lost frame or a passing arm, not somebody leaving."""

MAX_HEIGHT = 720
"""Taller pictures are scaled down while decoding."""

_LEAST_FOUND = 0.1
"""A clip with a person in fewer of its frames is taken for one with nobody in it."""
_READ_AHEAD = 4
_MOST_PEOPLE = 16

Item = TypeVar("Item")


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
    frame shows a person, and `ModelError` where the model is missing.
    """
    if not 1 <= people <= _MOST_PEOPLE:
        raise SettingError(f"People to find is {people}; choose 1 to {_MOST_PEOPLE}.")
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
    with (
        closing(read_ahead(frames)) as ahead,
        _landmarker(vision, options, bundle) as landmarker,
    ):
        for index, frame in enumerate(ahead):
            picture = mediapipe.Image(
                image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(frame.rgb)
            )
            # From the index, not from the frame: MediaPipe insists on rising whole milliseconds.
            with without_chatter() if index == 0 else nullcontext():
                result = landmarker.detect_for_video(picture, round(index * 1000 / fps))
            bodies = _bodies(result, frame.rgb.shape[1] / frame.rgb.shape[0])
            yield _assign(tracker, frame, bodies, coloured=people > 1)


def _import_mediapipe() -> tuple[ModuleType, ModuleType]:
    try:
        import mediapipe
        from mediapipe.tasks.python import vision
    except (ImportError, OSError) as error:
        raise PoseError(
            f"MediaPipe cannot be loaded ({error}); install it with `pip install mediapipe`, and "
            "on Linux its system libraries with `apt-get install libegl1 libgles2 libgl1`."
        ) from error
    return vision, mediapipe


@contextmanager
def _landmarker(vision: ModuleType, options: Any, bundle: Path) -> Iterator[Any]:
    try:
        with without_chatter():
            made = vision.PoseLandmarker.create_from_options(options)
    except (RuntimeError, ValueError, OSError) as error:
        raise PoseError(
            f"MediaPipe cannot open the pose model {bundle} ({str(error).strip() or 'no reason'}); "
            "on Linux install libegl1 libgles2 libgl1, else delete the model and run again."
        ) from error
    try:
        yield made
    finally:
        with without_chatter():
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
    left_shoulder, right_shoulder, left_hip, right_hip = joints[[11, 12, 23, 24]]
    across, down = np.meshgrid(np.linspace(0.25, 0.75, 5), np.linspace(0.1, 0.9, 7))
    across, down = across[..., None], down[..., None]
    top = left_shoulder + (right_shoulder - left_shoulder) * across
    bottom = left_hip + (right_hip - left_hip) * across
    height, width = rgb.shape[:2]
    points = ((top + (bottom - top) * down) * height).astype(int)
    columns = np.clip(points[..., 0], 0, width - 1)
    rows = np.clip(points[..., 1], 0, height - 1)
    return rgb[rows, columns].reshape(-1, 3).mean(axis=0) / 255.0


def read_ahead(items: Iterable[Item], size: int = _READ_AHEAD) -> Generator[Item, None, None]:
    """Yields `items`, read by a thread at most `size` ahead that ends when this is closed."""
    waiting: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=size)
    stop = threading.Event()

    def offer(kind: str, value: Any) -> bool:
        while not stop.is_set():
            try:
                waiting.put((kind, value), timeout=0.05)
                return True
            except queue.Full:
                continue
        return False

    def read() -> None:
        try:
            for item in items:
                if not offer("item", item):
                    break
            else:
                offer("end", None)
        except BaseException as error:  # handed to the reader, who raises it
            offer("error", error)
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()

    thread = threading.Thread(target=read, name="d2m-decoder", daemon=True)
    thread.start()
    try:
        while True:
            kind, value = waiting.get()
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        stop.set()
        thread.join()


def fill_gaps(poses: PoseSequence, max_gap_s: float) -> PoseSequence:
    """Poses with gaps of up to `max_gap_s` between two sightings filled in a straight line.

    Filled frames count as present; a joint is as visible there as at the worse end of the gap.
    """
    arrays = [poses.world.copy(), poses.image.copy(), poses.visibility.copy()]
    present = poses.present.copy()
    longest = int(np.floor(max_gap_s * poses.fps + 1e-6))
    for person in range(poses.people):
        seen = np.flatnonzero(poses.present[:, person])
        for before, after in pairwise(seen):
            if not 0 < after - before - 1 <= longest:
                continue
            _fill(arrays, person, int(before), int(after))
            present[before:after, person] = True
    return PoseSequence(arrays[0], arrays[1], arrays[2], present, poses.fps)


def _fill(arrays: list[np.ndarray], person: int, before: int, after: int) -> None:
    """Fills the frames between two sightings, in place."""
    world, image, visibility = arrays
    share = np.arange(1, after - before, dtype=np.float32) / np.float32(after - before)
    for points in (world, image):
        start, end = points[before, person], points[after, person]
        points[before + 1 : after, person] = start + share[:, None, None] * (end - start)
    visibility[before + 1 : after, person] = np.minimum(
        visibility[before, person], visibility[after, person]
    )


def select_dancer(poses: PoseSequence, which: str | int = "largest") -> PoseSequence:
    """One dancer of several: the largest or most active in the picture, or by number from 0.

    Size and activity add up over the clip, so that somebody who is seen for a moment does not win.
    """
    seen = np.flatnonzero(poses.present.any(axis=0))
    if len(seen) == 0:
        raise PoseError("There is nobody in these poses; use a clip that shows a whole dancer.")
    if isinstance(which, int):
        if which not in seen:
            raise SettingError(
                f"Dancer {which} was asked for, but the clip has {len(seen)}; "
                f"choose {' or '.join(map(str, seen)) if len(seen) < 3 else f'0 to {seen[-1]}'}."
            )
        chosen = which
    elif which in DANCERS:
        score = _sizes(poses) if which == "largest" else _activity(poses)
        chosen = int(seen[np.argmax(score[seen])])
    else:
        raise SettingError(f"Dancer is {which!r}; choose {', '.join(DANCERS)} or a number from 0.")
    return poses.people_at(slice(chosen, chosen + 1))


def _sizes(poses: PoseSequence) -> np.ndarray:
    """Body height in frame heights [P], summed over the frames a person is in."""
    sizes = np.zeros(poses.people)
    for frame, person in np.argwhere(poses.present):
        given = poses.visibility[frame, person] > 0
        sizes[person] += body_height(poses.image[frame, person], given)
    return sizes


def _activity(poses: PoseSequence) -> np.ndarray:
    """Way of the body's joints [P] in body heights, over the whole clip."""
    both = poses.present[1:] & poses.present[:-1]
    given = (poses.visibility[1:, :, BODY] > 0) & (poses.visibility[:-1, :, BODY] > 0)
    given &= both[..., None]
    steps = np.linalg.norm(np.diff(poses.image[:, :, BODY], axis=0), axis=-1)  # [F-1, P, len(BODY)]
    way = np.where(given, steps, 0.0).sum(axis=(0, 2))
    frames = np.maximum(poses.present.sum(axis=0), 1)
    size = np.maximum(_sizes(poses) / frames, 1e-6)
    return way / size
