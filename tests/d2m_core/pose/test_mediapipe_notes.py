"""The console while MediaPipe works: its notes are dropped, all else comes through."""

from __future__ import annotations

import os
import sys

import pytest

from d2m_core.pose.mediapipe_notes import without_chatter

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
    with without_chatter():
        for line in (*CHATTER, *OTHERS):
            os.write(2, line.encode() + b"\n")
    os.write(2, b"after\n")
    said = capfd.readouterr().err.splitlines()
    assert said == ["before", *OTHERS, "after"]


def test_the_console_comes_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with without_chatter():
            os.write(2, b"a clue\n")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    os.write(2, b"after\n")
    assert capfd.readouterr().err.splitlines() == ["a clue", "after"]


def test_without_a_console_nothing_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with without_chatter():
        os.write(2, b"")
