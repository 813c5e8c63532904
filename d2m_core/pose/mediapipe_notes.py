"""Keeps what native libraries tell their own makers off the user's console."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_CHATTER = re.compile(
    rb"(INFO|WARNING): \[\w+\.cc:\d+\]|[IW]\d{4} [\d:.]+ +\d+ \w+\.cc:\d+\]"
    rb"|WARNING: Logging before InitGoogle|INFO: Created TensorFlow Lite"
)
"""How lines of notes and warnings begin, as MediaPipe and its parts write them; never errors."""

_one_at_a_time = threading.Lock()


@contextmanager
def without_chatter() -> Iterator[None]:
    """Holds standard error back until the end and drops MediaPipe's notes from it.

    For short steps only: what others write meanwhile comes late. MediaPipe writes past Python, and
    about fifty lines for every clip that no setting of its own turns off.
    """
    with _one_at_a_time, tempfile.TemporaryFile() as held:
        try:
            sys.stderr.flush()
            console = os.dup(2)
        except (OSError, AttributeError):  # no console, as under pythonw
            yield
            return
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(console, 2)
            os.close(console)
            held.seek(0)
            for line in held:
                if not _CHATTER.match(line):
                    os.write(2, line)
