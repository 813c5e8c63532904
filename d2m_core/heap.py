"""What the C library keeps of freed memory, and giving it back."""

from __future__ import annotations

import ctypes
import functools
import os

_ARENA_MAX, _HEAPS = -8, 2
"""glibc's `M_ARENA_MAX`, and what it is set to."""


@functools.cache
def _glibc() -> ctypes.CDLL | None:
    """The C library where it is glibc."""
    try:
        library = ctypes.CDLL("libc.so.6")
    except OSError:
        return None
    return library if hasattr(library, "malloc_trim") else None


def few_heaps() -> None:
    """Two heaps at most, unless the user has chosen.

    By itself glibc gives every thread of MediaPipe's a new one, up to 64 MB each, and keeps their
    free tops.
    """
    library = _glibc()
    if library is not None and "MALLOC_ARENA_MAX" not in os.environ:
        library.mallopt(_ARENA_MAX, _HEAPS)


def give_back() -> None:
    """Gives freed memory back to the system."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)
