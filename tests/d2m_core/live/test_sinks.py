"""Where sound goes: paced like a device, gaps counted, and what was heard is in a file."""

from __future__ import annotations

import sys
import threading
import types
import wave
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from d2m_core.errors import MediaError
from d2m_core.live import sinks
from d2m_core.live.record import Kept, check_recorded, recording
from d2m_core.live.sinks import Loudspeakers, Silence, closing_sink
from d2m_core.media import Frame, load_audio, open_clip

RATE, BLOCK = 48_000, 1024
TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(BLOCK) / RATE).astype(np.float32)[None].repeat(2, 0)


class Clock:
    """Time that passes when the test says so, and while somebody waits for the event that it stands for."""

    def __init__(self) -> None:
        self.now_s, self.is_over = 100.0, False

    def monotonic(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> bool:
        self.now_s += seconds
        return self.is_over

    def is_set(self) -> bool:
        return self.is_over


def test_silence_takes_sound_at_its_own_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(sinks, "time", clock)
    stop, sink = cast(threading.Event, clock), Silence(RATE, 0.05)
    clock.now_s += 0.1  # whoever begins late has no gap
    began_s = clock.now_s
    for _ in range(12):
        assert sink.wait(stop)
        sink.write(TONE)
    assert clock.now_s - began_s == pytest.approx(11 * BLOCK / RATE - 0.05)
    assert sink.gaps == []
    clock.now_s += 0.3
    assert sink.wait(stop)
    assert sink.drops == 1
    assert sink.gaps == [pytest.approx((12 * BLOCK / RATE, 0.25 - BLOCK / RATE))]
    for _ in range(20):
        assert sink.wait(stop)
        sink.write(TONE)
    ahead_s = sink.next_s() - clock.now_s
    assert ahead_s == pytest.approx(0.05 + 0.021 + BLOCK / RATE), "more is kept ready from now on"
    for _ in range(20):
        assert sink.wait(stop, calm=True)
        sink.write(TONE)
    assert sink.next_s() - clock.now_s > 0.25, "and more still while nobody plays"
    clock.is_over = True
    assert not sink.wait(stop)


class Device:
    """Stands in for PortAudio's stream: asks for sound when the test says so."""

    latency, active = 0.01, True
    ahead_s = 0.02
    """What it is asked for is heard so much later."""

    def __init__(self, callback: Any, **_how: Any) -> None:
        self.callback = callback

    def start(self) -> None: ...

    def abort(self) -> None: ...

    def close(self) -> None: ...

    def ask(self, frames: int) -> np.ndarray:
        out = np.full((frames, 2), 9.0, np.float32)
        times = types.SimpleNamespace(outputBufferDacTime=1.0 + self.ahead_s, currentTime=1.0)
        self.callback(out, frames, times, None)
        return out


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> type[Device]:
    module = types.SimpleNamespace(OutputStream=Device, PortAudioError=RuntimeError)
    monkeypatch.setattr(sinks, "import_sounddevice", lambda: module)
    return Device


def test_loudspeakers_get_what_was_written_and_silence_where_nothing_was(
    device: type[Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, now_s = threading.Event(), 100.0
    monkeypatch.setattr(sinks, "time", types.SimpleNamespace(monotonic=lambda: now_s))
    with closing_sink(lambda: Loudspeakers(RATE, BLOCK, lead_s=0.06)) as sink:
        assert isinstance(sink, Loudspeakers)
        stream: Device = sink._stream
        written = []
        for k in range(9):
            assert sink.wait(stop)
            written.append(TONE * (k + 1) / 9)
            sink.write(written[-1])
            if k >= 2:
                got = stream.ask(BLOCK)
                now_s += BLOCK / RATE
                np.testing.assert_array_equal(got.T, written[k - 2])
        assert sink.drops == 0
        assert sink.next_s() - now_s == pytest.approx(Device.ahead_s + 2 * BLOCK / RATE)
        for _ in range(3):
            stream.ask(BLOCK)
        assert sink.drops == 1
        assert stream.ask(BLOCK).max() == 0
        ready = 0
        while sink._written - sink._read < sink._room:
            assert sink.wait(stop)
            sink.write(TONE)
            ready += 1
        assert ready > 3  # more is kept ready after a gap
        while sink._written - sink._read < sink._most:
            assert sink.wait(stop, calm=True)
            sink.write(TONE)
        assert sink._most > sink._room  # and more still while nobody plays


def test_a_device_that_will_not_open_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_how: Any) -> None:
        raise RuntimeError("Error querying device -1")

    module = types.SimpleNamespace(OutputStream=refuse, PortAudioError=RuntimeError)
    monkeypatch.setattr(sinks, "import_sounddevice", lambda: module)
    with pytest.raises(MediaError, match=r"querying device -1.*--record"):
        Loudspeakers(RATE, BLOCK)


def test_no_sound_library_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MediaError, match="pip install sounddevice"):
        sinks.import_sounddevice()


def test_what_was_heard_is_kept_with_its_silences(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "a.wav", RATE)
    kept.add(0.5, TONE)
    kept.add(0.5 + BLOCK / RATE + 0.001, TONE)  # a clock that drifts moves nothing
    kept.add(2.0, TONE)
    kept.close()
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert file.getnframes() == round(2.0 * RATE) + BLOCK
    sound = load_audio(tmp_path / "a.wav").samples[0]
    assert sound[:, : RATE // 2].abs().max() == 0
    assert sound[:, RATE // 2 : RATE // 2 + 2 * BLOCK].abs().max() > 0.45


def pictures(seconds: float) -> list[Frame]:
    noise = np.random.default_rng(0).integers(0, 255, (round(20 * seconds), 48, 65, 3)).astype(np.uint8)
    return [Frame(k / 20, rgb) for k, rgb in enumerate(noise)]


def test_a_camera_session_becomes_a_film_with_its_music(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with recording(path, RATE) as kept:
        assert kept.heard is not None
        assert kept.seen is not None
        for frame in pictures(2.0):
            kept.seen(frame)
        for k in range(90):
            kept.heard(k * BLOCK / RATE, TONE)
    clip = open_clip(path)
    assert clip.has_audio
    assert clip.duration_s == pytest.approx(2.0, abs=0.1)
    assert list(tmp_path.iterdir()) == [path]


def play_until(path: Path, error: BaseException) -> None:
    with recording(path, RATE) as kept:
        assert kept.heard is not None
        for k in range(60):
            kept.heard(k * BLOCK / RATE, TONE)
        raise error


def test_a_fault_of_ours_leaves_no_file_and_an_end_by_others_keeps_what_was_played(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        play_until(tmp_path / "a.wav", ZeroDivisionError())
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        play_until(tmp_path / "b.wav", KeyboardInterrupt())
    with pytest.raises(MediaError, match="unplugged"):
        play_until(tmp_path / "c.wav", MediaError("It was unplugged."))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.wav", "c.wav"]


def test_names_that_will_not_do_are_refused_before_the_dance(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"a\.txt.*known format"):
        check_recorded(tmp_path / "a.txt")
    assert check_recorded(tmp_path / "a.mp4")
    assert not check_recorded(tmp_path / "a.flac")
