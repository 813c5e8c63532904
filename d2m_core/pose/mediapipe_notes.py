"""Keeps what native libraries tell their own makers off the user's console."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

_SIEVE = Path(__file__).with_name("notes_sieve.py")

_LONGEST_WAIT_S = 2.0
"""For what is still in the pipe at the end; another process may hold it open for long."""

_one_at_a_time = threading.Lock()
_still_reading: list[subprocess.Popen[bytes]] = []
_log = logging.getLogger(__name__)


Quiet = Callable[[], AbstractContextManager[None]]
"""Makes a `with` within which notes are dropped from standard error."""


@contextmanager
def without_chatter() -> Iterator[Quiet]:
    """Gives a `with` for short steps, within which MediaPipe's notes are kept off standard error.

    MediaPipe writes past Python, and about fifty lines for every clip that no setting of its own
    turns off. A process of ours reads them and passes on all other lines at once: those of other
    threads and processes too, and the last words before a crash. Without a console, or where no
    process can be started, nothing is changed.
    """
    sieve = _start_sieve()
    if sieve is None:
        yield nullcontext
        return
    try:
        yield lambda: _through(sieve)
    finally:
        _close(sieve)


@contextmanager
def _through(sieve: subprocess.Popen[bytes]) -> Iterator[None]:
    assert sieve.stdin is not None
    with _one_at_a_time:
        _flush()
        console = os.dup(2)
        os.dup2(sieve.stdin.fileno(), 2)
        try:
            yield
        finally:
            _flush()
            os.dup2(console, 2)
            os.close(console)


def _start_sieve() -> subprocess.Popen[bytes] | None:
    _still_reading[:] = [sieve for sieve in _still_reading if sieve.poll() is None]
    if sys.stderr is None or not sys.executable or getattr(sys, "frozen", False):
        return None  # pythonw; a program that holds Python starts itself by that name
    try:
        os.fstat(2)
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_SIEVE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        _log.info("MediaPipe's notes are not dropped: %s", error)
        return None


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()


def _close(sieve: subprocess.Popen[bytes]) -> None:
    """Waits until all that was written has been passed on."""
    assert sieve.stdin is not None
    sieve.stdin.close()
    try:
        sieve.wait(_LONGEST_WAIT_S)
    except subprocess.TimeoutExpired:  # somebody was started inside and goes on writing
        _still_reading.append(sieve)
