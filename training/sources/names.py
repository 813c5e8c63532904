"""Names of recordings, and finding files by the name a data set gives them."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from d2m_core.errors import SettingError

VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".qt", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mpe", ".m2v", ".vob"),
    *(".ts", ".mts", ".m2ts", ".m2t", ".wmv", ".asf", ".flv", ".f4v", ".3gp", ".3g2", ".ogv", ".ogm"),
    *(".mxf", ".dv", ".divx", ".mj2", ".rm", ".rmvb", ".wtv", ".gif"),
)
"""Endings of videos, in the order in which one of several of a name is taken."""
UNFINISHED_SUFFIXES = (".part", ".crdownload", ".download", ".tmp", ".ytdl")
"""What programs put behind the name of a video that has not come whole."""
SOUND_SUFFIXES = (".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus", ".aac")

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 80


def safe_name(text: str) -> str:
    """`text` itself where a recording may be called so; else its letters and a hash of the whole.

    Depends on `text` alone, so that new files never rename old recordings.
    """
    if _PLAIN.fullmatch(text) and len(text) <= _LONGEST:
        return text
    letters = re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_")[:_LONGEST]
    return f"{letters or 'x'}-{digest(text)}"


def digest(text: str) -> str:
    """12 hexadecimal digits that stand for `text`."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def same_name(text: str) -> str:
    """What two ways to write a file's path have in common.

    They may be composed or not (Macs take names apart), in capitals or not, with slashes of either
    kind (Windows).
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", text).casefold())
    return posixpath.normpath(text.replace("\\", "/").strip()).lstrip("/")


def files_under(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """All files with one of `suffixes` (any case) at any depth, sorted; hidden ones are left out.

    Raises `SettingError` where `folder` is no folder.
    """
    return look_under(folder, suffixes)[0]


def look_under(folder: Path, suffixes: Iterable[str]) -> tuple[list[Path], dict[Path, str]]:
    """The same, and why others with such an ending, or whole folders, are left out.

    Links to folders are followed, each folder once. Raises `SettingError` where `folder` is none.
    """
    if not folder.is_dir():
        raise SettingError(f"{folder} is not a folder; check the path.")
    wanted = tuple(suffixes)
    found: list[Path] = []
    left: dict[Path, str] = {}

    def note(error: OSError) -> None:
        left[Path(error.filename)] = f"the folder cannot be read ({error.strerror})"

    seen = {os.path.realpath(folder)}
    for place, folders, files in os.walk(folder, onerror=note, followlinks=True):
        folders[:] = sorted(name for name in folders if _is_new(os.path.join(place, name), seen))
        for name in files:
            path = Path(place, name)
            why = _passed_over(path, folder, wanted)
            if why:
                left[path] = why
            elif why is None:
                found.append(path)
    return sorted(found), dict(sorted(left.items()))


def _is_new(folder: str, seen: set[str]) -> bool:
    """Whether a folder was not met before, by another name."""
    real = os.path.realpath(folder)
    if real in seen:
        return False
    seen.add(real)
    return True


def _passed_over(path: Path, root: Path, wanted: tuple[str, ...]) -> str | None:
    """Why a file is left out; None where it is taken, "" where it is none of those looked for."""
    suffix, inner = path.suffix.lower(), Path(path.stem).suffix.lower()
    if suffix in UNFINISHED_SUFFIXES and inner in wanted:
        return f"it has not come whole ({suffix}); download it again"
    if suffix not in wanted or path.name.startswith("._"):  # what Macs keep beside a file
        return ""
    if any(part.startswith(".") for part in path.relative_to(root).parts):
        return "its name, or that of its folder, starts with a dot; rename it if it is meant"
    return None if path.is_file() else "it is no file, or a link to nothing"


def by_stem(folder: Path, suffixes: Iterable[str]) -> dict[str, Path]:
    """Files under `folder` by their name without ending; the first in `suffixes`' order wins.

    Raises `SettingError` where `folder` is no folder.
    """
    order = list(suffixes)
    found: dict[str, Path] = {}
    for path in sorted(files_under(folder, order), key=lambda p: order.index(p.suffix.lower())):
        found.setdefault(path.stem, path)
    return found
