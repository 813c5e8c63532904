"""What leaves, and when: MIDI through a port of mido's own, OSC through a real socket."""

from __future__ import annotations

import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from d2m_core.errors import SettingError
from d2m_core.sync import (
    KINDS,
    Message,
    MidiSender,
    MidiSettings,
    OscSender,
    Outputs,
    Sender,
    messages_of,
    open_midi_port,
    open_osc,
    play,
)
from d2m_core.sync.command import main
from d2m_core.types import Rhythm

mido = pytest.importorskip("mido")


class Port(mido.ports.BaseOutput):
    """A port of mido's that notes the virtual time at which each message left."""

    def _open(self, **_given: Any) -> None:
        self.now_s, self.sent = 0.0, []  # type: ignore[var-annotated]

    def _send(self, message: mido.Message) -> None:
        self.sent.append((self.now_s, message))

    def at(self, *kinds: str) -> list[float]:
        return [at for at, message in self.sent if message.type in kinds]


def rhythm(beats: int = 8, bpm: float = 120.0) -> Rhythm:
    times = 0.5 + 60 / bpm * np.arange(beats)
    curves = np.zeros((round((times[-1] + 1) * 25), 2), np.float32)
    curves[30, 0] = 0.8
    curves[:, 1] = 0.5
    return Rhythm(times, np.arange(beats) % 4 == 0, curves, bpm)


def run(sender: MidiSender, port: Port, messages: list[Message], ahead_s: float = 0.1) -> None:
    """Tells each message `ahead_s` before it is due, on a clock of milliseconds."""
    left = list(messages)
    for now_s in np.arange(0, left[-1].time_s + 0.2, 0.001):
        port.now_s = float(now_s)
        while left and left[0].time_s - ahead_s <= now_s:
            sender.tell(left.pop(0))
        sender.send_until(float(now_s))


def test_a_rhythm_becomes_messages_of_every_kind_in_order() -> None:
    found = messages_of(rhythm(), [(0.5, "intro")])
    assert {each.kind for each in found} == set(KINDS)
    assert [each.time_s for each in found] == sorted(each.time_s for each in found)
    assert [each.kind for each in found if each.time_s == 0.5] == [
        *"start beat downbeat bar tempo section".split()
    ]
    assert [each.value for each in found if each.kind == "bar"] == [0, 1]
    assert len([each for each in found if each.kind == "tempo"]) == 1
    assert found[-1].kind == "stop"
    with pytest.raises(SettingError, match="beet"):
        Message("beet", 0.0)


def test_midi_starts_on_the_first_beat_and_ticks_24_times_a_beat() -> None:
    port = Port()
    run(MidiSender(port), port, messages_of(rhythm(8, 120.0)))
    kinds = [message.type for _, message in port.sent]
    assert kinds[:2] == ["start", "clock"]
    assert kinds.count("start") == kinds.count("stop") == 1
    ticks = np.array(port.at("clock"))
    np.testing.assert_allclose(ticks[:193], 0.5 + np.arange(193) / 48, atol=1.001e-3)
    assert kinds[-1] == "stop", "no tick follows the stop"


def test_midi_leaves_as_much_ahead_as_asked() -> None:
    port = Port()
    run(MidiSender(port, MidiSettings(ahead_ms=30)), port, messages_of(rhythm()))
    assert port.at("start") == [pytest.approx(0.47, abs=1.001e-3)]
    assert port.at("clock")[24] == pytest.approx(0.97, abs=1.001e-3)


def test_midi_goes_on_in_the_middle_of_a_piece() -> None:
    port = Port()
    sender = MidiSender(port)
    run(sender, port, [Message("start", 0.2, 6, 120.0), Message("beat", 0.2, 6, 120.0)])
    kinds = [(message.type, getattr(message, "pos", None)) for _, message in port.sent[:3]]
    assert kinds == [("songpos", 24), ("continue", None), ("clock", None)]
    sender.close()
    assert port.sent[-1][1].type == "stop"
    assert port.closed


def test_midi_notes_say_beats_accents_and_energy_and_all_end() -> None:
    port = Port()
    settings = MidiSettings(clock=False, notes=True, channel=3)
    run(MidiSender(port, settings), port, messages_of(rhythm()))
    ons = [(round(at, 2), m.note) for at, m in port.sent if m.type == "note_on"]
    assert [at for at, note in ons if note == settings.beat] == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]
    assert [at for at, note in ons if note == settings.downbeat] == [0.5, 2.5]
    assert [at for at, note in ons if note == settings.accent] == [1.2]
    assert len(port.at("note_off")) == len(ons)
    assert {m.value for _, m in port.sent if m.type == "control_change"} == {64}
    assert {m.channel for _, m in port.sent} == {2}


@pytest.fixture
def heard() -> Any:
    """A server of python-osc's on this machine: its address, and what it has heard."""
    dispatcher = pytest.importorskip("pythonosc.dispatcher").Dispatcher()
    from pythonosc.osc_server import BlockingOSCUDPServer

    found: list[tuple[float, str, tuple[Any, ...]]] = []
    dispatcher.set_default_handler(lambda address, *values: found.append((time.monotonic(), address, values)))
    server = BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}", found
    server.shutdown()
    thread.join()
    server.server_close()


def test_osc_is_heard_by_a_real_server(heard: Any) -> None:
    place, found = heard
    sender = OscSender(open_osc(place))
    for message in messages_of(rhythm(2), [(0.5, "intro")]):
        sender.tell(message)
    sender.send_until(0.49)
    sender.send_until(100.0)
    sender.close()
    wait_for(lambda: any(address == "/d2m/stop" for _, address, _ in found))
    values = {address: values for _, address, values in reversed(found)}
    assert set(values) == {f"/d2m/{kind}" for kind in KINDS}
    assert values["/d2m/start"] == (0, 120.0)
    assert values["/d2m/beat"] == (0, 120.0)
    assert values["/d2m/section"] == ("intro",)
    assert values["/d2m/accent"] == (pytest.approx(0.8),)
    assert values["/d2m/stop"] == ()


def test_a_list_of_beats_is_played_in_time(heard: Any, tmp_path: Path) -> None:
    place, found = heard
    path = tmp_path / "beats.txt"
    path.write_text("0.10 d\n0.35\n0.60\n0.85\n", encoding="utf-8")
    assert main([str(path), "--osc", place]) == 0
    wait_for(lambda: any(address == "/d2m/stop" for _, address, _ in found))
    at = [when for when, address, _ in found if address == "/d2m/beat"]
    assert len(at) == 4
    assert at[3] - at[0] == pytest.approx(0.75, abs=0.2)  # a busy machine may be late


def test_a_sender_that_fails_is_left_out_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        next_s = 0.0

        def tell(self, message: Message) -> None:
            raise OSError("pulled out")

        def send_until(self, now_s: float) -> None: ...

        def close(self) -> None: ...

    port = Port()
    senders: list[Sender] = [Broken(), MidiSender(port, MidiSettings(clock=False, notes=True))]
    with Outputs(senders, lambda: 1.0) as outputs:
        outputs.send(Message("beat", 0.5, 0, 120.0))
        outputs.send(Message("beat", 0.9, 1, 120.0))
        wait_for(lambda: len(port.at("note_on")) == 2)
    assert caplog.text.count("Broken sends no more: pulled out") == 1
    assert port.closed


def test_playing_can_be_stopped_and_lets_no_note_hang() -> None:
    port = Port()

    def stop(message: Message) -> None:
        if message.value == 2:
            raise KeyboardInterrupt

    beats = [Message("beat", 0.02 * k, k, 120.0) for k in range(4)]
    with pytest.raises(KeyboardInterrupt):
        play(beats, [MidiSender(port, MidiSettings(notes=True))], stop, lead_s=0.0)
    assert port.closed
    notes = [(message.note, message.type) for _, message in port.sent if message.type.startswith("note_")]
    assert all(kind == "note_off" for kind in dict(notes).values())  # what was said of each last


@pytest.mark.parametrize(
    ("module", "work", "named"),
    [
        ("pythonosc.udp_client", lambda: open_osc("127.0.0.1:9000"), "python-osc"),
        ("rtmidi", lambda: open_midi_port("x"), "python-rtmidi"),
    ],
)
def test_what_is_not_installed_is_named(
    module: str, work: Any, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "mido.backends.rtmidi", raising=False)
    with pytest.raises(SettingError, match=f"{named}, which is not installed") as said:
        work()
    assert "\n" not in str(said.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no.mp3"], "no.mp3"),
        ([], "Nothing is played"),
        (["{beats}"], "Nobody is told"),
        (["{beats}", "--osc", "here:there"], "127.0.0.1:9000"),
        (["{one}", "--osc", "127.0.0.1:9"], "at least two"),
    ],
)
def test_mistakes_are_one_sentence(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "beats.txt").write_text("0.1 0.6", encoding="utf-8")
    (tmp_path / "one.txt").write_text("0.1", encoding="utf-8")
    places = {"beats": tmp_path / "beats.txt", "one": tmp_path / "one.txt"}
    assert main([word.format(**places) for word in words]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("wrong", [{"channel": 0}, {"beat": 128}, {"ahead_ms": 900}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        MidiSettings(**wrong)


def wait_for(done: Any, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.01)


def test_the_port_of_another_program_may_be_busy() -> None:
    pytest.importorskip("pythonosc")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        sender = OscSender(open_osc(f"127.0.0.1:{taken.getsockname()[1]}"))
        sender.tell(Message("stop", 0.0))
        sender.send_until(0.0)
        taken.settimeout(5)
        assert taken.recv(100).startswith(b"/d2m/stop")
        sender.close()
