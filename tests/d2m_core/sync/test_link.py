"""Ableton Link: another member of the session keeps our beat."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from d2m_core.errors import SettingError
from d2m_core.sync import LinkSender, Message, Outputs, open_link


class Line:
    """The arithmetic of a Link session alone on this machine, on a clock that the test turns."""

    def __init__(self, peers: int, beat: float, tempo: float) -> None:
        self.num_peers, self.playing, self.enabled = peers, False, True
        self._at_s, self._from_s, self._beat, self._tempo = 0.0, 0.0, beat, tempo
        self.tempi: list[float] = []

    def turn(self, now_s: float) -> None:
        self._at_s = now_s

    @property
    def beat(self) -> float:
        return self._beat + (self._at_s - self._from_s) * self._tempo / 60

    @property
    def tempo(self) -> float:
        return self._tempo

    @tempo.setter
    def tempo(self, bpm: float) -> None:
        self._beat, self._from_s, self._tempo = self.beat, self._at_s, bpm
        self.tempi.append(bpm)

    def force_beat(self, beat: float, /) -> None:
        assert not self.num_peers, "nobody else is made to leap"
        self._beat, self._from_s = beat, self._at_s


def run(line: Line, beats_s: np.ndarray, bpm: float) -> list[float]:
    """How far the session's beat is off at each of ours, in beats."""
    sender, off = LinkSender(line), []
    sender.tell(Message("start", float(beats_s[0]), 0, bpm))
    for number, at in enumerate(beats_s):
        sender.tell(Message("beat", float(at), number, bpm))
        line.turn(float(at) + 0.002)  # the thread is a little late
        off.append((line.beat - 0.002 * bpm / 60 + 0.5) % 1 - 0.5)
        sender.send_until(float(at) + 0.002)
    assert line.playing
    return off


def test_alone_the_first_beat_is_ours_at_once() -> None:
    off = run(Line(0, 3.3, 90.0), 1.0 + 0.5 * np.arange(6), 120.0)
    assert off[1:] == pytest.approx([0.0] * 5, abs=1e-6)


def test_beside_others_the_beat_is_drawn_to_ours_without_a_leap() -> None:
    line = Line(1, 3.3, 120.0)
    off = run(line, 1.0 + 0.5 * np.arange(30), 120.0)
    assert abs(off[0]) > 0.2
    assert np.abs(off[-5:]).max() < 0.01
    assert np.abs(np.array(line.tempi) / 120.0 - 1).max() <= 0.05 + 1e-9


def test_another_member_keeps_our_beat() -> None:
    pytest.importorskip("aalink")
    other, session = open_link(), open_link()
    began = time.monotonic()
    with Outputs([LinkSender(session)], lambda: time.monotonic() - began) as outputs:
        outputs.send(Message("start", 0.1, 0, 150.0))
        for number in range(12):
            outputs.send(Message("beat", 0.1 + 0.4 * number, number, 150.0))
        time.sleep(4.6)
        beat = (time.monotonic() - began - 0.1) / 0.4
        assert other.tempo == pytest.approx(150.0, rel=0.06)
        assert abs((other.beat - beat + 0.5) % 1 - 0.5) < 0.2
    assert not session.enabled


def test_where_aalink_is_missing_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aalink", None)
    with pytest.raises(SettingError, match=r"aalink .GPL.*not installed"):
        open_link()
