"""What made something: the commit, the code, the versions of libraries, the files that went in."""

from __future__ import annotations

import ctypes.util
import hashlib
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from .closure import closure_of, meaning_of

if TYPE_CHECKING:
    import torch

ROOT = Path(__file__).resolve().parents[2]


def commit() -> str | None:
    """The short hash of the checked-out commit; None outside a checkout."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True, cwd=ROOT
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


Code = ModuleType | Callable[..., Any] | str
"""A module, something defined in one, or a module's name."""


def code_of(*parts: Code, root: Path = ROOT) -> str:
    """A checksum of these modules, or the modules of these functions, and all they import in `root`.

    Layout, comments and docstrings do not count; names of modules do. Files are read once in a
    process. What is imported and not there raises `ModuleNotFoundError`.
    """
    return _code_of(frozenset(map(_module_of, parts)), root)


@cache
def _code_of(modules: frozenset[str], root: Path) -> str:
    files = closure_of(modules, root)
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{meaning_of(files[name])}\n".encode())
    return total.hexdigest()[:16]


def _module_of(part: Code) -> str:
    if isinstance(part, str):
        return part
    name = part.__name__ if isinstance(part, ModuleType) else part.__module__
    if name == "__main__" and (spec := sys.modules[name].__spec__) is not None:
        return spec.name  # `python -m` calls it by another name than it has
    return name


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """Versions of Python and of those packages that are installed."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def fluidsynth_version() -> str | None:
    """The version of the FluidSynth library, None where there is none."""
    name = ctypes.util.find_library("fluidsynth")
    if name is None:
        return None
    try:
        text = ctypes.CDLL(name).fluid_version_str
    except (OSError, AttributeError):
        return None
    text.restype = ctypes.c_char_p
    return text().decode()


def digest(*paths: Path) -> str:
    """One SHA-256 over files, and over all files of folders with their places inside them."""
    total = hashlib.sha256()
    for path in paths:
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        for file in files:
            total.update(f"{file.relative_to(path).as_posix()}\0{file_sha256(file)}\n".encode())
    return total.hexdigest()


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's content, as `sha256sum` prints it."""
    seen = path.stat()
    return _file_sha256(path.absolute(), seen.st_size, seen.st_mtime_ns)


@lru_cache(maxsize=4096)
def _file_sha256(path: Path, _size: int, _changed_ns: int) -> str:
    """Read once in a process as long as the file stays as it is."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def array_sha256(array: np.ndarray) -> str:
    """A checksum of an array's type, shape and values."""
    total = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    total.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    return total.hexdigest()


def tensors_sha256(tensors: Mapping[str, torch.Tensor]) -> str:
    """A checksum of named tensors, such as a network's `state_dict()`."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        total.update(f"{name}\0{array_sha256(tensors[name].detach().cpu().numpy())}\n".encode())
    return total.hexdigest()
