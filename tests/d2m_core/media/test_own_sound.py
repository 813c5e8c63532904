"""The clip's own sound: the right track, the right channels, the right place."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from d2m_core.errors import MediaError
from d2m_core.media import load_audio, open_clip
from d2m_core.media.mux import mux
from d2m_core.types import Waveform
from tests.marks import RATE, clicks, clicks_heard, remuxed, write_marked

SECONDS = 3.0
TIMES = np.arange(0.5, SECONDS - 0.01, 0.5)


def silence() -> Waveform:
    return Waveform(torch.zeros(1, 1, 24_000), 24_000)


def own(path: Path, out: Path, track: int = 0) -> Waveform:
    return load_audio(mux(open_clip(path, sound_track=track), silence(), out, original_gain=1.0))


@pytest.fixture
def two_tracks(tmp_path: Path) -> Path:
    """Silence first, and the clicks as the default track."""
    tracks = [np.zeros((1, round(SECONDS * RATE)), np.float32), clicks(SECONDS)]
    plain = write_marked(tmp_path / "plain.mkv", SECONDS, tracks=tracks, layouts=("mono", "mono"))
    path = tmp_path / "two.mkv"
    with av.open(str(plain)) as old, av.open(str(path), "w") as out:
        made: dict[int, Any] = {}
        for stream in old.streams:
            made[stream.index] = out.add_stream_from_template(stream, opaque=True)
            made[stream.index].disposition = 1 if stream.index != 1 else 0  # FFmpeg's "default"
        for packet in old.demux():
            if packet.size:
                packet.stream = made[packet.stream_index]
                out.mux(packet)
    return path


def test_the_default_track_is_the_clips_sound(two_tracks: Path, tmp_path: Path) -> None:
    heard = clicks_heard(own(two_tracks, tmp_path / "out.mp4"))
    assert np.abs(heard - TIMES).max() < 0.003
    assert np.abs(clicks_heard(load_audio(two_tracks)) - TIMES).max() < 0.003


def test_a_track_can_be_chosen(two_tracks: Path, tmp_path: Path) -> None:
    assert len(clicks_heard(own(two_tracks, tmp_path / "first.mp4", 1))) == 0
    assert len(clicks_heard(own(two_tracks, tmp_path / "second.mp4", 2))) == len(TIMES)
    with pytest.raises(MediaError, match=r"Sound track 3 of two.mkv is asked for, but it has 2; .*\.$"):
        open_clip(two_tracks, sound_track=3)


def tone(hertz: float, peak: float) -> np.ndarray:
    return (peak * np.sin(2 * np.pi * hertz * np.arange(round(SECONDS * RATE)) / RATE)).astype(np.float32)


def test_stereo_stays_stereo(tmp_path: Path) -> None:
    sides = np.stack([tone(440, 0.5), tone(1000, 0.2)])
    path = write_marked(tmp_path / "stereo.mp4", SECONDS, tracks=[sides], layouts=("stereo",))
    found = own(path, tmp_path / "out.mp4").samples[0]
    assert found.shape[0] == 2
    left, right = found[:, RATE // 4 : -RATE // 4].numpy()
    assert [strength(left, 440), strength(right, 1000)] == pytest.approx([0.5, 0.2], abs=0.02)
    assert max(strength(left, 1000), strength(right, 440)) < 0.01


def test_surround_is_mixed_down_as_ffmpeg_does(tmp_path: Path) -> None:
    """A voice in the centre with a peak of 0.6 comes out at 0.42 on both sides, not at 0.10."""
    channels = np.zeros((6, round(SECONDS * RATE)), np.float32)
    channels[2] = tone(440, 0.6)
    channels[4] = tone(1000, 0.2)  # back left
    path = write_marked(tmp_path / "cinema.mkv", SECONDS, sound="ac3", tracks=[channels], layouts=("5.1",))
    for found in (load_audio(path), own(path, tmp_path / "out.mp4")):
        left, right = found.samples[0][:, RATE // 4 : -RATE // 4].numpy()
        assert strength(left, 440) == pytest.approx(0.6 / 2**0.5, abs=0.01)
        assert strength(right, 440) == pytest.approx(0.6 / 2**0.5, abs=0.01)
        assert strength(left, 1000) == pytest.approx(0.2 / 2**0.5, abs=0.01)
        assert strength(right, 1000) < 0.01


def strength(samples: np.ndarray, hertz: float) -> float:
    turn = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / RATE)
    return float(2 * np.abs((samples * turn).mean()))


@pytest.mark.parametrize("hole_s", [0.02, 0.0333, 0.043, 0.3, 1.5])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_holes_are_kept(tmp_path: Path, name: str, hole_s: float) -> None:
    """Sound that stops for a moment goes on where its time stamps say."""
    source = write_marked(tmp_path / "base.mp4", SECONDS)

    def change(packet: av.Packet, n: int) -> None:
        if packet.stream.type == "audio" and n >= 60:
            move = round(hole_s / packet.time_base)
            packet.pts, packet.dts = packet.pts + move, packet.dts + move

    path = remuxed(source, tmp_path / name, change)
    heard = clicks_heard(load_audio(path))
    right = np.where(TIMES > 60 * 1024 / RATE - 0.03, TIMES + hole_s, TIMES)
    assert np.abs(heard - right[: len(heard)]).max() < 0.002
    heard, right = (t[t < SECONDS - 0.1] for t in (clicks_heard(own(path, tmp_path / "out.mkv")), right))
    assert np.abs(heard - right).max() < 0.003


def test_a_hole_of_a_minute_is_no_wrong_time_stamp_under_pictures(tmp_path: Path) -> None:
    source = write_marked(tmp_path / "base.mp4", SECONDS)

    def change(packet: av.Packet, n: int) -> None:
        late = n >= 60 if packet.stream.type == "audio" else n >= 40
        if late:
            move = round(60 / packet.time_base)
            packet.pts, packet.dts = packet.pts + move, packet.dts + move

    path = remuxed(source, tmp_path / "slow.mkv", change)
    assert open_clip(path).duration_s == pytest.approx(60 + SECONDS, abs=0.1)
    heard = clicks_heard(own(path, tmp_path / "out.mp4"))
    right = np.where(TIMES > 60 * 1024 / RATE - 0.03, TIMES + 60, TIMES)
    assert np.abs(heard - right).max() < 0.003


def test_stamps_that_only_shake_move_nothing(tmp_path: Path) -> None:
    source = write_marked(tmp_path / "base.mp4", SECONDS)
    rng = np.random.default_rng(1)

    def change(packet: av.Packet, _n: int) -> None:
        if packet.stream.type == "audio":
            move = round(rng.uniform(-0.008, 0.008) / packet.time_base)
            packet.pts, packet.dts = packet.pts + move, packet.dts + move

    shaken = load_audio(remuxed(source, tmp_path / "shaken.mkv", change))
    still = load_audio(remuxed(source, tmp_path / "still.mkv", lambda _packet, _n: None))
    assert np.abs(clicks_heard(shaken) - TIMES).max() < 0.01
    zero = round((clicks_heard(shaken)[0] - clicks_heard(still)[0]) * RATE)
    a, b = (wave.samples[0, 0, RATE // 2 + s : 2 * RATE + s] for wave, s in ((shaken, zero), (still, 0)))
    torch.testing.assert_close(a, b)


def test_a_stream_that_changes_its_rate(tmp_path: Path) -> None:
    """Raw AAC of two rates, one behind the other, as radio and joined recordings have it."""
    parts = []
    for name, rate in (("a.aac", 48_000), ("b.aac", 44_100)):
        path = tmp_path / name
        with av.open(str(path), "w", format="adts") as out:
            stream: Any = out.add_stream("aac", rate=rate, layout="mono")
            at = np.arange(round(SECONDS * rate)) / rate
            samples = (0.5 * np.sin(2 * np.pi * 440 * at)).astype(np.float32)[None]
            for begin in range(0, samples.shape[1], 1024):
                chunk = np.ascontiguousarray(samples[:, begin : begin + 1024])
                frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        parts.append(path.read_bytes())
    both = tmp_path / "both.aac"
    both.write_bytes(parts[0] + parts[1])
    wave = load_audio(both)
    assert wave.sample_rate == 48_000
    assert wave.duration_s == pytest.approx(2 * SECONDS, abs=0.15)
    for begin in (1.0, SECONDS + 1.0):  # the tone keeps its pitch
        part = wave.samples[0, 0, round(begin * RATE) : round((begin + 1) * RATE)].numpy()
        assert strength(part, 440) == pytest.approx(0.5, abs=0.02)
