"""The command: what cannot be done is a sentence before any work, and a film comes out of a film."""

from __future__ import annotations

import logging
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from d2m_core.live import running, window
from d2m_core.live.clock import Clock
from d2m_core.live.flags import build_parser
from d2m_core.live.stage import Report, Shown
from d2m_core.live.watching import STANDING
from d2m_core.live.window import drawn, open_window
from d2m_core.media import Frame
from d2m_core.pose.landmarker import Body


def run(*flags: object) -> int:
    return running.main_of(build_parser().parse_args([str(flag) for flag in flags]))


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--video", "gone.mp4"), "gone.mp4"),
        (("--video", "gone.mp4", "--fast"), "--record"),
        (("--video", "gone.mp4", "--style", "polka"), "polka"),
        (("--video", "gone.mp4", "--calibrate"), "--camera"),
        (("--camera", "0", "--mute", "--record", "out.txt"), "out.txt"),
    ],
)
def test_what_cannot_be_done_is_said_at_once(
    flags: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(*flags) == 1
    assert said in capsys.readouterr().err


class Nobody:
    """Eyes before an empty room."""

    note = "Nobody is seen."

    def see(self, _rgb: np.ndarray, _time_s: float) -> Body | None:
        return None


def test_a_clip_without_a_person_is_a_sentence_and_no_file(
    make_clip: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @contextmanager
    def open_eyes() -> Iterator[Nobody]:
        yield Nobody()

    monkeypatch.setattr(running, "open_eyes", open_eyes)
    clip, out = make_clip(), tmp_path / "out.mp4"
    assert run("--video", clip, "--fast", "--record", out) == 1
    assert "nothing to play to" in capsys.readouterr().err
    assert not out.exists()


def test_a_session_is_told_in_words(tmp_path: Path) -> None:
    text = running.in_words(Report(61.0, 1800, 1750, 2, 0.834), tmp_path / "a.mp4")
    assert "1750 of 1800" in text
    assert "2 gaps" in text
    assert "83%" in text
    assert "a.mp4" in text


def test_without_a_screen_all_works_but_the_window(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(window.sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    session = types.SimpleNamespace()
    with caplog.at_level(logging.WARNING), open_window(session) as opened:  # type: ignore[arg-type]
        assert opened is None
    assert "no screen" in caplog.text


def test_the_window_shows_skeleton_beat_and_energy() -> None:
    frame = Frame(0.0, np.zeros((120, 160, 3), np.uint8))
    stage = types.SimpleNamespace(shown=Shown(frame, STANDING))
    session = types.SimpleNamespace(energy=1.0, clock=None, metre=4)
    still = drawn(stage, session)  # type: ignore[arg-type]
    session.clock = Clock(0.0, 4.0, 120.0)
    on_one = drawn(stage, session)  # type: ignore[arg-type]
    session.clock = Clock(0.0, 5.9, 120.0)
    late = drawn(stage, session)  # type: ignore[arg-type]
    assert still.shape == frame.rgb.shape
    assert still.any()
    assert (still != on_one).sum() > (still != late).sum() > 0
    assert not frame.rgb.any()
