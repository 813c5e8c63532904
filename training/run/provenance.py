"""What made something: the commit, the code, the versions of libraries, the files that went in."""

from __future__ import annotations

import ctypes.util
import hashlib
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = 1 << 20


def commit() -> str | None:
    """The short hash of the checked-out commit; None outside a checkout."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True, cwd=ROOT
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


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
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            total.update(block)
    return total.hexdigest()
