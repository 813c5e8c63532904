"""Where the pose model lies, and how it gets there.

It comes from its official address. Its SHA-256 is recorded beside it the first time it
is seen and compared from then on.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import ModelError, SettingError
from ..files import cause, replacing
from ..settings import POSE_MODELS
from ..types import Progress

POSE_ADDRESS = (
    "https://storage.googleapis.com/mediapipe-models/pose_landmarker/"
    "pose_landmarker_{variant}/float16/latest/pose_landmarker_{variant}.task"
)

DETECTOR, LANDMARKER = "pose_detector.tflite", "pose_landmarks_detector.tflite"
"""Names of the two members of a bundle."""

_TIMEOUT_S = 5.0
_BLOCK = 1 << 18
_NOTE = "pose_landmarker_LICENSE.txt"
_NOTE_TEXT = """\
pose_landmarker_*.task are Google's MediaPipe Pose Landmarker models (BlazePose GHUM 3D).
Licence: Apache License 2.0, https://www.apache.org/licenses/LICENSE-2.0
Model card: https://ai.google.dev/edge/mediapipe/solutions/vision/pose_landmarker
The .json beside each file names the source it came from and its SHA-256.
"""


class PoseModelOutOfReach(ModelError):
    """The pose model is not in its folder, and its address did not answer."""


def model_folder() -> Path:
    """Where downloaded models are kept: `D2M_MODELS`, else the user's cache folder."""
    chosen = os.environ.get("D2M_MODELS")
    return Path(chosen).expanduser() if chosen else user_cache()


def user_cache() -> Path:
    """Our folder for what can be fetched or found again."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "dance2music"


def kept_folder() -> Path:
    """Where is kept what was found or made once: `D2M_CACHE`, else the user's cache folder."""
    chosen = os.environ.get("D2M_CACHE")
    return Path(chosen).expanduser() if chosen else user_cache()


def pose_model(variant: str, folder: Path | None = None, on_progress: Progress | None = None) -> Path:
    """Path of a pose model bundle, fetched from its official address if it is not there yet.

    `on_progress(bytes, total_bytes)` runs while it is fetched. Raises `ModelError`, of the kind
    `PoseModelOutOfReach` where the address does not answer.
    """
    path = _path_of(variant, folder)
    if path.is_file():
        _check_bundle(path)
        _check_record(path)
        return path
    address = POSE_ADDRESS.format(variant=variant)
    try:
        _install(path, address, lambda target: _download(address, target, on_progress))
    except _Unreachable as error:
        raise PoseModelOutOfReach(
            f"Pose model {path.name} is not in {path.parent} and could not be fetched ({error}); "
            f"download {address} into that folder."
        ) from error
    return path


def put_pose_model(variant: str, bundle: bytes, source: str, folder: Path | None = None) -> Path:
    """Puts a bundle that came from elsewhere where `pose_model` finds it, with its source on record.

    Raises `ModelError` where it is no bundle or cannot be written.
    """
    path = _path_of(variant, folder)
    _install(path, source, lambda target: target.write_bytes(bundle))
    return path


def _path_of(variant: str, folder: Path | None) -> Path:
    if variant not in POSE_MODELS:
        raise SettingError(f"Pose model is {variant!r}; choose {', '.join(POSE_MODELS)}.")
    return (model_folder() if folder is None else Path(folder)) / f"pose_landmarker_{variant}.task"


class _Unreachable(Exception):
    """The official address did not answer; the text says how."""


def _download(address: str, target: Path, on_progress: Progress | None) -> None:
    """Streams `address` into `target`. Raises `_Unreachable`, and lets disk errors rise."""
    with target.open("wb") as out:
        blocks = _fetch(address)
        total = next(blocks)
        done = 0
        for block in blocks:
            out.write(block)
            done += len(block)
            if on_progress is not None:
                on_progress(done, total)
    if total and done != total:
        raise _Unreachable(f"the connection ended after {done} of {total} bytes")


def _fetch(address: str) -> Generator[Any, None, None]:
    """Yields the length of what lies at `address` (0 if unknown), then its bytes in blocks."""
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as response:
            yield int(response.headers.get("Content-Length") or 0)
            while block := response.read(_BLOCK):
                yield block
    except (OSError, http.client.HTTPException) as error:
        raise _Unreachable(str(getattr(error, "reason", error))) from error


def _install(path: Path, source: str, write: Callable[[Path], object]) -> None:
    """Writes a bundle whole or not at all, with its record and licence note beside it."""
    try:
        with replacing(path) as target:
            write(target)
            _check_bundle(target)
            digest = _sha256(target)
        _write_record(path, source, digest)
        with replacing(path.parent / _NOTE) as target:
            target.write_text(_NOTE_TEXT, encoding="utf-8")
    except OSError as error:
        raise ModelError(
            f"Pose model {path.name} could not be written: {cause(path, error)} "
            "(D2M_MODELS names the folder)."
        ) from error


def _check_bundle(path: Path) -> None:
    """Refuses a file that is not a bundle: a zip with the two networks in it."""
    try:
        with zipfile.ZipFile(path) as bundle:
            whole = {DETECTOR, LANDMARKER} <= set(bundle.namelist()) and bundle.testzip() is None
    except (zipfile.BadZipFile, EOFError):
        whole = False
    if not whole:
        raise ModelError(f"Pose model {path} is not a pose landmarker bundle; delete it and run again.")


def _record_of(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _write_record(path: Path, source: str, digest: str) -> None:
    record = {"file": path.name, "source": source, "sha256": digest, "licence": "Apache-2.0"}
    with replacing(_record_of(path)) as target:
        target.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _check_record(path: Path) -> None:
    """Compares a bundle with its record; a bundle without one (put there by hand) gets one."""
    digest = _sha256(path)
    try:
        known = json.loads(_record_of(path).read_text(encoding="utf-8"))["sha256"]
    except FileNotFoundError:
        with suppress(OSError):  # a read-only models folder is fine
            _write_record(path, "found in the folder", digest)
        return
    except (ValueError, KeyError, TypeError):
        known = "unreadable"
    if known != digest:
        raise ModelError(
            f"Pose model {path} has changed since it was fetched (SHA-256 {digest[:12]}..., "
            f"recorded {str(known)[:12]}...); delete it and {_record_of(path).name} and run again."
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
