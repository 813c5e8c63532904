"""Passes lines from standard input to standard error, but for MediaPipe's notes.

A process of its own, by the standard library alone: what was written before a crash still arrives.
Started by `mediapipe_notes`.
"""

from __future__ import annotations

import os
import re
import signal

_FILES = (
    rb"accelerator_registry|compiled_model|cpu_registry|environment|model_load|port|xnnpack\w*"
    rb"|inference_\w+|landmark_projection_calculator|gl_context\w*|face_landmarker_graph|task_runner"
    rb"|pose_landmarker\w*|\w+_calculator|\w+_accelerator|\w+_delegate\w*"
)
NOTE = re.compile(
    rb"(INFO|WARNING): \[(" + _FILES + rb")\.cc:\d+\]"
    rb"|[IW]\d{4} [\d:.]+ +\d+ (" + _FILES + rb")\.cc:\d+\]"
    rb"|WARNING: Logging before InitGoogle|INFO: Created TensorFlow Lite"
)
"""How lines of notes and warnings begin, as MediaPipe and its parts write them; never errors."""

_WORDS = (b"INFO: ", b"WARNING: ")
_STAMP = re.compile(rb"[IW](\d{0,4}|\d{4} .*)", re.DOTALL)


def may_become_note(line: bytes) -> bool:
    """Whether a line of which this is the start must be waited for."""
    return any(word.startswith(line[: len(word)]) for word in _WORDS) or bool(_STAMP.fullmatch(line))


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the one who writes, and so this
    line = b""
    passing = False  # within a line whose start is out
    while piece := os.read(0, 65_536):
        for part in piece.splitlines(keepends=True):
            line += part
            whole = line.endswith(b"\n")
            if passing or not may_become_note(line):
                os.write(2, line)
                line, passing = b"", not whole
            elif whole:
                if not NOTE.match(line):
                    os.write(2, line)
                line = b""
    if line and not NOTE.match(line):
        os.write(2, line)


if __name__ == "__main__":
    main()
