"""The console while MediaPipe works: its notes are dropped, all else comes through."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from d2m_core.pose import mediapipe_notes
from d2m_core.pose.mediapipe_notes import without_chatter

ROOT = Path(__file__).resolve().parents[3]
CHATTER = (
    "INFO: [environment.cc:36] Creating LiteRT environment with options",
    "WARNING: [model_load.cc:402] Sparsity tensors may not yet be fully supported.",
    "WARNING: Logging before InitGoogle() is written to STDERR",
    "W0000 00:00:1795945269.136875   14822 landmark_projection_calculator.cc:81] Using NORM_RECT",
    "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.",
)
OTHERS = (
    "E0000 00:00:1795945269.136875   14822 gl_context.cc:100] no display",
    "ERROR: [model_load.cc:12] broken",
    "WARNING: something of yours",
    "Traceback (most recent call last):",
)


def test_only_notes_are_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, b"before\n")
    with without_chatter() as quiet, quiet():
        for line in (*CHATTER, *OTHERS):
            os.write(2, line.encode() + b"\n")
    os.write(2, b"after\n")
    said = capfd.readouterr().err.splitlines()
    assert said == ["before", *OTHERS, "after"]


def test_the_console_comes_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with without_chatter() as quiet, quiet():
            os.write(2, b"a clue\n")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    os.write(2, b"after\n")
    assert capfd.readouterr().err.splitlines() == ["a clue", "after"]


def test_without_a_console_nothing_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with without_chatter() as quiet, quiet():
        os.write(2, b"")


CRASH = """
import os, sys
from d2m_core.pose.mediapipe_notes import without_chatter
with without_chatter() as quiet, quiet():
    os.write(2, b"I0000 00:00:17.2   14 model_load.cc:1] a note\\n")
    os.write(2, b"F0000 00:00:17.2   14 gpu.cc:7] Check failed: no display\\nlast words")
    os.abort()
"""


def test_the_last_words_before_a_crash_arrive() -> None:
    done = subprocess.run([sys.executable, "-c", CRASH], cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode != 0
    assert b"Check failed: no display\nlast words" in done.stderr
    assert b"a note" not in done.stderr


def test_other_lines_arrive_at_once_whoever_writes_them() -> None:
    """A thread, a process, and half a line, while the step goes on; none looks like MediaPipe's."""
    reading, writing = os.pipe()
    console = os.dup(2)
    os.dup2(writing, 2)
    try:
        with without_chatter() as quiet, quiet():
            others = (b"W0000 00:00:17.2   14 somebody_elses.cc:1] heed this\n", b"Installing: 7 %")
            thread = threading.Thread(target=os.write, args=(2, others[0]))
            thread.start()
            assert os.read(reading, 99) == others[0]
            subprocess.run([sys.executable, "-c", f"import os; os.write(2, {others[1]!r})"], check=True)
            assert os.read(reading, 99) == others[1]
            thread.join()
    finally:
        os.dup2(console, 2)
        for end in (console, reading, writing):
            os.close(end)


def test_who_was_started_inside_and_lives_on_keeps_its_voice(capfd: pytest.CaptureFixture[str]) -> None:
    script = "import sys; sys.stdin.read(); sys.stderr.write('still here')"
    with without_chatter() as quiet, quiet():
        child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE)
    child.communicate(b"", timeout=30)
    assert child.returncode == 0
    for sieve in mediapipe_notes._still_reading:
        sieve.wait(30)
    assert capfd.readouterr().err == "still here"
