"""Poses that were found once are not looked for again: kept in the user's cache folder, bounded.

What a clip's poses depend on makes the name of their file: the video file, the window, the settings, the
pose model, MediaPipe's version and the very code that finds them. So nothing old is ever taken for new.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ..files import replacing
from ..types import PoseSequence, VideoClip
from .model_file import kept_folder

MOST_MB = 256
"""So much is kept; what was not asked for longest goes first. A dancer takes 1.2 MB a minute."""

_ENDING = ".poses.safetensors"
_PIECE = 1 << 20
"""Bytes of a video's start and end that tell it from others of its size and date."""

_log = logging.getLogger(__name__)


def poses_folder() -> Path:
    """Where poses are kept."""
    return kept_folder() / "poses"


def kept_poses(
    find: Callable[[], PoseSequence],
    clip: VideoClip,
    bundle: Path,
    settings: Mapping[str, Any],
    folder: Path | None = None,
    *,
    most_mb: float = MOST_MB,
) -> PoseSequence:
    """What `find()` finds in a clip, or what it found when all was the same.

    `bundle` is the pose model's file, `settings` all else that `find` depends on, as plain values. Errors
    of `find` rise and are not kept. Where the cache cannot be read or written, poses are found each time.
    """
    folder = folder or poses_folder()
    path = folder / f"{_name(clip, bundle, settings)}{_ENDING}"
    poses = _read(path)
    if poses is not None:
        with suppress(OSError):
            os.utime(path)
        return poses
    poses = find()
    try:
        with replacing(path) as partial:
            _write(poses, partial)
        _make_room(folder, most_mb)
    except (OSError, SafetensorError) as error:
        _log.info("Poses are not kept in %s: %s", folder, error)
    return poses


def forget_poses(folder: Path | None = None) -> int:
    """Removes all that `kept_poses` keeps; gives the number of clips. Raises `OSError`."""
    found = list((folder or poses_folder()).glob(f"*{_ENDING}"))
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def _make_room(folder: Path, most_mb: float) -> None:
    """Removes those asked for longest ago until the rest fits."""
    files = [(path, path.stat()) for path in folder.glob(f"*{_ENDING}")]
    held = sum(facts.st_size for _, facts in files)
    for path, facts in sorted(files, key=lambda file: file[1].st_mtime_ns):
        if held <= most_mb * 1e6:
            return
        path.unlink(missing_ok=True)
        held -= facts.st_size


# --- what tells one from another ---


def _name(clip: VideoClip, bundle: Path, settings: Mapping[str, Any]) -> str:
    window = [clip.start_s, clip.duration_s, clip.width, clip.height, clip.first_s, list(clip.shifts_s)]
    about = {
        "file": _file(clip.path),
        "window": window,
        "settings": dict(settings),
        "model": hashlib.sha256(bundle.read_bytes()).hexdigest(),
        "code": _code(),
    }
    text = json.dumps(about, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _file(path: Path) -> list[Any]:
    """Size, date, and a hash of both ends: a file copied over an old one may have its size and date."""
    facts = path.stat()
    ends = hashlib.sha256()
    with path.open("rb") as file:
        ends.update(file.read(_PIECE))
        file.seek(max(0, facts.st_size - _PIECE))
        ends.update(file.read(_PIECE))
    return [facts.st_size, facts.st_mtime_ns, ends.hexdigest()]


@cache
def _code() -> str:
    """What finds poses: the files of this room and of `media`, and MediaPipe's version."""
    room = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*room.glob("*.py"), *(room.parent / "media").glob("*.py")]):
        digest.update(path.read_bytes())
    for package in ("mediapipe", "av"):
        with suppress(PackageNotFoundError):
            digest.update(f"{package} {version(package)}".encode())
    return digest.hexdigest()


# --- files ---


def _write(poses: PoseSequence, path: Path) -> None:
    held = {field.name: getattr(poses, field.name) for field in fields(poses)}
    arrays = {name: np.ascontiguousarray(value) for name, value in held.items() if _is_array(value)}
    rest = {name: json.dumps(value) for name, value in held.items() if not _is_array(value)}
    save_file(arrays, path, rest)


def _read(path: Path) -> PoseSequence | None:
    """What `_write` wrote; None where there is nothing, or something else."""
    try:
        with safe_open(path, framework="numpy") as file:
            values = {name: _tuples(json.loads(text)) for name, text in (file.metadata() or {}).items()}
            values |= {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return PoseSequence(**values)
    except FileNotFoundError:
        return None
    except (OSError, SafetensorError, ValueError, TypeError) as error:
        _log.info("%s is not what was kept there, and is found again: %s", path.name, error)
        return None


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _tuples(value: Any) -> Any:
    """JSON's lists as the tuples they were."""
    return tuple(_tuples(each) for each in value) if isinstance(value, list) else value
