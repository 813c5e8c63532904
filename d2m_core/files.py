"""Writing files whole or not at all, and finding out beforehand whether they can be written."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import MediaError

_HINT_LENGTH = 24
"""So much of its name a temporary sibling shows: with any script and ending it fits the shortest limits."""

_USUAL_NAME_LIMIT = 255

_CAUSES = {
    errno.ENOSPC: "the disk of {folder} is full, so free some space or choose another",
    errno.EDQUOT: "your share of the disk of {folder} is used up, so free some space or choose another",
    errno.EFBIG: "the disk of {folder} takes no file that large, so choose another",
    errno.EROFS: "the disk of {folder} can only be read, so choose another folder",
    errno.EACCES: "{folder} takes no files from you, so choose another folder",
    errno.EPERM: "{folder} takes no files from you, so choose another folder",
    errno.ENAMETOOLONG: "the name is too long for this disk, so choose a shorter one",
    errno.ENOENT: "{folder} is gone or takes no files, so choose another folder",
    errno.ENOTDIR: "a part of {folder} is a file, so choose another folder",
    errno.EEXIST: "a part of {folder} is a file, so choose another folder",
    errno.EISDIR: "it is a folder, so choose another name",
    errno.EIO: "the disk of {folder} reports a fault, so choose another",
}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary sibling of `path`, with its suffix, to write to inside the `with`.

    It takes the place of `path` when the block ends well and is removed otherwise. Makes the folder
    if need be. Raises `OSError` where it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _sibling(path, path.parent)
    try:
        yield partial
        with suppress(OSError):  # disks without rights of their own refuse
            partial.chmod(0o644)  # mkstemp makes files that only their owner may read
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def check_place(path: Path, needed: int = 0) -> None:
    """Raises `MediaError` where `replacing(path)` could not write `needed` bytes; leaves nothing there.

    Tries it out: what the rights say is not what network disks, read-only disks and root do.
    """
    try:
        folder, missing = path.parent, [path.name]
        while not folder.exists() and folder != folder.parent:
            missing.append(folder.name)
            folder = folder.parent
        _check_names(folder, missing)
        _sibling(path, folder).unlink()
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        disk = shutil.disk_usage(folder)
    except OSError as error:
        raise not_written(path, error) from error
    if disk.total and disk.free < needed:  # some network disks tell nothing but zeros
        raise MediaError(
            f"{path.name} needs about {_size(needed)}, and the disk has {_size(disk.free)} left; "
            "free some space or choose another disk."
        )


def not_written(path: Path, error: BaseException) -> MediaError:
    """What to raise for a file that could not be written, by the cause that the system or FFmpeg gave."""
    return MediaError(f"{path.name} could not be written: {cause(path, error)}.")


def cause(path: Path, error: BaseException) -> str:
    """Why `path` could not be written and what to do next, without a full stop."""
    known = _CAUSES.get(getattr(error, "errno", None) or 0)
    if known is not None:
        return known.format(folder=path.parent)
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{reason}, so choose another kind of file or another folder"


def _sibling(path: Path, folder: Path) -> Path:
    """A new empty file in `folder` whose hidden name begins as that of `path` and ends in the same way."""
    hint = f".{path.stem[:_HINT_LENGTH]}."
    handle, name = tempfile.mkstemp(prefix=hint, suffix=path.suffix, dir=folder)
    os.close(handle)
    return Path(name)


def _check_names(folder: Path, names: list[str]) -> None:
    try:
        limit = os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # Windows, and disks that do not tell
        limit = _USUAL_NAME_LIMIT
    for name in names:
        length = len(name.encode("utf-16-le")) // 2 if os.name == "nt" else len(os.fsencode(name))
        if length > limit:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
