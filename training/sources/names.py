"""Names of recordings, and finding files by the name a data set gives them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from d2m_core.errors import SettingError

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv", ".flv")
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


def files_under(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """All files with one of `suffixes` (any case) at any depth, sorted; hidden ones are left out.

    Raises `SettingError` where `folder` is no folder.
    """
    if not folder.is_dir():
        raise SettingError(f"{folder} is not a folder; check the path.")
    wanted = tuple(suffixes)
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in wanted
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def by_stem(folder: Path, suffixes: Iterable[str]) -> dict[str, Path]:
    """Files under `folder` by their name without ending; the first in `suffixes`' order wins.

    Raises `SettingError` where `folder` is no folder.
    """
    order = list(suffixes)
    found: dict[str, Path] = {}
    for path in sorted(files_under(folder, order), key=lambda p: order.index(p.suffix.lower())):
        found.setdefault(path.stem, path)
    return found
