"""MediaPipe's Pose Landmarker: one that looks at stills, one that follows a film."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..errors import PoseModelError
from .bundle import lean_model
from .mediapipe_notes import Quiet, without_chatter

_log = logging.getLogger(__name__)


class Body(NamedTuple):
    """One person in one picture, all float32."""

    world: np.ndarray
    """[J, 3] metres around the hips."""
    image: np.ndarray
    """[J, 2] in heights of the picture."""
    visibility: np.ndarray
    """[J] in 0..1."""


_TALKS = 8
"""It talks at its first picture, and at the first that shows somebody: for so many pictures at most."""


class Landmarker:
    """Finds up to `people` bodies in a picture. Used by one thread at a time; the GIL is let go."""

    def __init__(self, made: Any, quiet: Quiet, moving: bool) -> None:
        self._made, self._quiet, self._moving = made, quiet, moving
        self._fresh = True
        self._talks = _TALKS
        self._time_ms = -1

    def find(self, rgb: np.ndarray, time_ms: int = 0) -> list[Body]:
        """The bodies in a picture uint8 [H, W, 3]; one that follows a film needs rising times."""
        import mediapipe

        picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(rgb))
        self._fresh = False
        with self._quiet() if self._talks else nullcontext():
            result = self._detect(picture, time_ms)
        self._talks = 0 if result.pose_landmarks else max(0, self._talks - 1)
        return _bodies(result, rgb.shape[1] / rgb.shape[0])

    def forget(self) -> None:
        """Lets go of whom a film's landmarker follows: a black picture, a millisecond later."""
        if self._moving and not self._fresh:
            self.find(np.zeros((64, 64, 3), np.uint8), self._time_ms + 1)

    def _detect(self, picture: Any, time_ms: int) -> Any:
        if not self._moving:
            return self._made.detect(picture)
        self._time_ms = time_ms
        return self._made.detect_for_video(picture, time_ms)


class Landmarkers:
    """Opens landmarkers of one model, which are closed together."""

    def __init__(self, bundle: Path, quiet: Quiet, stack: ExitStack) -> None:
        self._bundle, self._quiet, self._stack = bundle, quiet, stack

    def of_stills(self, people: int, least: float = 0.5) -> Landmarker:
        """One that looks at single pictures; `least` is the detector's confidence, 0..1."""
        return self._open("IMAGE", people, least)

    def of_film(self, people: int) -> Landmarker:
        """One that follows people from picture to picture."""
        return self._open("VIDEO", people, 0.5)

    def _open(self, mode: str, people: int, least: float) -> Landmarker:
        vision, mediapipe = import_mediapipe()

        def make(**model: Any) -> Any:
            options = vision.PoseLandmarkerOptions(
                base_options=mediapipe.tasks.BaseOptions(**model),
                running_mode=getattr(vision.RunningMode, mode),
                num_poses=people,
                min_pose_detection_confidence=least,
            )
            with self._quiet():
                return vision.PoseLandmarker.create_from_options(options)

        made = self._lean(make) or self._whole(make)
        self._stack.callback(self._close, made)
        return Landmarker(made, self._quiet, mode == "VIDEO")

    def _lean(self, make: Callable[..., Any]) -> Any | None:
        """One of the model without its silhouette; None where this MediaPipe insists on it."""
        lean = lean_model(self._bundle)
        try:
            return None if lean is None else make(**lean)
        except (RuntimeError, ValueError) as error:
            _log.info("MediaPipe wants %s whole: %s", self._bundle.name, error)
            return None

    def _whole(self, make: Callable[..., Any]) -> Any:
        try:
            return make(model_asset_path=str(self._bundle))
        except (RuntimeError, ValueError, OSError) as error:
            raise PoseModelError(
                f"MediaPipe cannot open the pose model {self._bundle} ({str(error).strip() or 'no reason'}); "
                "on Linux install libegl1 libgles2 libgl1, else delete the model and run again."
            ) from error

    def _close(self, made: Any) -> None:
        with self._quiet():
            made.close()


@contextmanager
def landmarkers(bundle: Path) -> Iterator[Landmarkers]:
    """What opens landmarkers of the model `bundle`; all of them are closed at the end.

    Raises `PoseModelError` where MediaPipe cannot run.
    """
    import_mediapipe()
    with without_chatter() as quiet, ExitStack() as stack:
        yield Landmarkers(bundle, quiet, stack)


def import_mediapipe() -> tuple[ModuleType, ModuleType]:
    """MediaPipe's vision tasks and MediaPipe. Raises `PoseModelError`."""
    try:
        import mediapipe
        from mediapipe.tasks.python import vision
    except (ImportError, OSError) as error:
        raise PoseModelError(
            f"MediaPipe cannot be loaded ({error}); install it with `pip install mediapipe`, and "
            "on Linux its system libraries with `apt-get install libegl1 libgles2 libgl1`."
        ) from error
    return vision, mediapipe


def _bodies(result: Any, aspect: float) -> list[Body]:
    """MediaPipe's answer as arrays; `aspect` is width / height."""
    bodies = []
    for flat, solid in zip(result.pose_landmarks, result.pose_world_landmarks, strict=True):
        image = np.array([(mark.x * aspect, mark.y) for mark in flat], np.float32)
        world = np.array([(mark.x, mark.y, mark.z) for mark in solid], np.float32)
        seen = np.array([mark.visibility for mark in flat], np.float32)
        if np.isfinite(image).all() and np.isfinite(world).all():
            bodies.append(Body(world, image, np.clip(np.nan_to_num(seen), 0.0, 1.0)))
    return bodies
