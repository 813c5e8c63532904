"""Progress where somebody looks, and where nobody does."""

from __future__ import annotations

import io
import sys

import pytest

from d2m_core.cli import progress_bars


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, show: bool = True) -> str:
    """What two stages of a thousand steps write."""
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bars(show) as on_progress:
        for stage in ("pose", "music"):
            for done in range(1001):
                on_progress(stage, done, 1000)
    return stream.getvalue()


def test_a_pipe_gets_a_line_for_each_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, io.StringIO()).splitlines()
    assert [line.split(":")[0] for line in lines] == ["pose", "music"]
    assert all(line.endswith(" s") for line in lines)


def test_a_terminal_gets_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, Terminal())
    assert "pose: 100%" in text
    assert "\r" in text


def test_quiet_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, io.StringIO(), show=False) == ""
    assert shown(monkeypatch, Terminal(), show=False) == ""
