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
from d2m_core.live.session import Heard
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
        (("--video", "gone.mp4", "--seconds", "-3"), "--seconds"),
        (("--video", "gone.mp4", "--model", "a.safetensors"), "--player transformer"),
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


def shown(energy: float, beat: float | None, hit_s: float | None = None, note: str = "") -> np.ndarray:
    """What the window shows a tenth of a second after a hit, or without one."""
    frame = Frame(0.0, np.zeros((120, 160, 3), np.uint8))
    stage = types.SimpleNamespace(shown=Shown(frame, STANDING), seconds=5.0, note=note)
    session = types.SimpleNamespace(
        energy=energy, metre=4, style="house", section="verse", played=False,
        clock=None if beat is None else Clock(5.0, beat, 120.0),
        last_hit=None if hit_s is None else Heard("hit", hit_s, 6.0, 120.0, 0.9),
    )  # fmt: skip
    picture = drawn(stage, session)  # type: ignore[arg-type]
    assert picture.shape == frame.rgb.shape
    assert not frame.rgb.any()
    return picture


def test_the_window_shows_energy_beats_hits_and_words() -> None:
    calm, lively = shown(0.1, 4.0), shown(0.9, 4.0)
    changed = np.flatnonzero((calm != lively).any((0, 2)))
    assert changed.min() > 120  # the meter, at the right
    early, late = shown(0.5, 4.0), shown(0.5, 4.9)
    below = np.flatnonzero((early != late).any((1, 2)))
    assert below.min() > 80  # the dots, below
    still, hit = shown(0.5, 4.0), shown(0.5, 4.0, hit_s=4.9)
    assert (hit[0] != still[0]).any()  # the frame
    assert (shown(0.5, 4.0, hit_s=5.2) == still).all()  # not heard yet
    assert (shown(0.5, None) != shown(0.5, None, note="Nobody is seen; step back.")).any()
    assert (shown(0.5, 4.0, note="One person is seen and followed.") == still).all()
