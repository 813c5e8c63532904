"""Clocks as real files have them: late, wrapped, joined, restarted, falling. Everything comes out from 0."""

from __future__ import annotations

import logging
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from d2m_core.media import iter_frames, load_audio, open_clip, shown_frames
from d2m_core.media.clock import Rising
from d2m_core.media.mux import mux
from d2m_core.types import VideoClip, Waveform
from tests.marks import FPS, clicks_heard, joined, later, remuxed, write_marked
from tests.media import read_number

SECONDS = 4.0
PICTURES = round(SECONDS * FPS)
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
LIVE = {"movflags": FRAGMENTS["movflags"] + "+frag_discont", "avoid_negative_ts": "disabled"}


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without B-frames."""
    return write_marked(tmp_path_factory.mktemp("in_order") / "base.mp4", SECONDS, b_frames=0)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_marked(tmp_path_factory.mktemp("base") / "base.mp4", SECONDS)


def numbers(clip: VideoClip) -> list[int]:
    return [read_number(frame.rgb) for frame in iter_frames(clip, FPS)]


def silence() -> Waveform:
    return Waveform(torch.zeros(1, 1, 24_000), 24_000)


def times_of(path: Path, kind: str) -> tuple[float, float]:
    """When the shown part of a stream begins and ends, in seconds, by decoding it."""
    with av.open(str(path)) as container:
        frames = list(container.decode(**{kind: 0}))
    last = frames[-1]
    length_s = last.samples / last.sample_rate if kind == "audio" else 1 / FPS
    return float(frames[0].time), float(last.time) + length_s


def assert_straight(path: Path, out: Path, pictures: list[int], clicks_s: np.ndarray) -> None:
    """Facts, pictures, window, copy and own sound of a file all count from 0 and last as long."""
    clip = open_clip(path)
    length_s = len(pictures) / FPS
    assert clip.duration_s == pytest.approx(length_s, abs=2e-3)
    assert numbers(clip) == pictures
    assert numbers(open_clip(path, 1.5, 1.0)) == pictures[45:75]
    heard = clicks_heard(load_audio(path))
    assert len(heard) == len(clicks_s)
    assert np.abs(heard - clicks_s).max() < 0.002
    made = mux(clip, silence(), out, original_gain=1.0)
    begin, end = times_of(made, "video")
    assert (begin, end) == pytest.approx((0.0, length_s), abs=2e-3)
    begin, end = times_of(made, "audio")
    assert (begin, end) == pytest.approx((0.0, length_s), abs=0.03)  # a frame of AAC
    assert numbers(open_clip(made)) == pictures
    heard = clicks_heard(load_audio(made))
    assert np.abs(heard - clicks_s).max() < 0.003


@pytest.mark.parametrize(
    ("name", "seconds", "only", "options"),
    [
        ("plain.ts", 1.45, None, {}),
        ("camera.m2ts", 1.45, None, {}),
        ("ten_hours.ts", 36_000.0, None, {}),
        ("live.mp4", 1867.0, None, LIVE),
        ("fragments.mp4", 0.0, None, FRAGMENTS),
        ("section.mp4", 3.0, "video", {}),
        ("section.mov", 3.0, "video", {}),
        ("section.mkv", 3.0, "video", {}),
        ("wraps.ts", 95_442.0, None, {}),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_late_and_wrapped_clocks(
    base: Path,
    in_order: Path,
    tmp_path: Path,
    name: str,
    seconds: float,
    only: str | None,
    options: dict,
    suffix: str,
) -> None:
    source = in_order if options is LIVE else base  # FFmpeg writes live B-frames late by their delay
    path = remuxed(source, tmp_path / name, later(seconds, only), options)
    clicks_s = np.arange(0.5, SECONDS - 0.01, 0.5)
    if only:  # the sound goes on as it was, and counts from the first picture
        clicks_s = np.array([0.0, 0.5])
    assert_straight(path, tmp_path / f"out{suffix}", list(range(PICTURES)), clicks_s)


def test_program_streams(tmp_path: Path) -> None:
    path = write_marked(tmp_path / "dvd.mpg", SECONDS, codec="mpeg2video", sound="mp2")
    assert open_clip(path).first_s == pytest.approx(0.5, abs=0.1)
    clicks_s = np.arange(0.5, SECONDS - 0.01, 0.5)
    assert_straight(path, tmp_path / "out.mkv", list(range(PICTURES)), clicks_s)


@pytest.mark.parametrize(
    ("name", "offsets"),
    [
        ("twice.ts", (0.0, 0.0)),
        ("thrice.ts", (0.0, 0.0, 0.0)),
        ("forward.ts", (1.4, 36_000.0)),
        ("backward.ts", (36_000.0, 1.4)),
        ("there_and_back.ts", (0.0, 500.0, 0.0)),
        ("twice.mkv", (0.0, 0.0)),
    ],
)
def test_joined_recordings_are_seen_whole(base: Path, tmp_path: Path, name: str, offsets: tuple) -> None:
    suffix = Path(name).suffix
    parts = [remuxed(base, tmp_path / f"{k}{suffix}", later(s)) for k, s in enumerate(offsets)]
    path = joined(tmp_path / name, *parts)
    times = np.arange(0.5, SECONDS - 0.01, 0.5)
    clicks_s = np.concatenate([times + SECONDS * k for k in range(len(offsets))])
    assert open_clip(path).restarts
    assert_straight(path, tmp_path / "out.mp4", list(range(PICTURES)) * len(offsets), clicks_s)


def test_joined_browser_recordings(tmp_path: Path) -> None:
    part = write_marked(tmp_path / "a.webm", SECONDS, codec="libvpx", sound="libopus")
    clicks_s = np.concatenate([np.arange(0.5, SECONDS - 0.01, 0.5) + SECONDS * k for k in range(2)])
    pictures = list(range(PICTURES)) * 2
    assert_straight(joined(tmp_path / "two.webm", part, part), tmp_path / "out.mkv", pictures, clicks_s)


def test_two_pictures_with_one_time(in_order: Path, tmp_path: Path) -> None:
    """As browsers and WebRTC record them in Matroska's milliseconds."""
    times: list[int] = []

    def change(packet: av.Packet, n: int) -> None:
        if packet.stream.type == "video":
            times.append(packet.pts)
            if n == 50:
                packet.pts = packet.dts = times[49]

    clip = open_clip(remuxed(in_order, tmp_path / "webrtc.mkv", change))
    assert clip.duration_s == pytest.approx(SECONDS, abs=2e-3)
    for suffix in (".mp4", ".mkv"):
        made = open_clip(mux(clip, silence(), tmp_path / f"out{suffix}"))
        assert made.duration_s == pytest.approx(SECONDS, abs=2e-3)
        assert len(list(shown_frames(made))) == PICTURES
        window = open_clip(clip.path, 1.2, 1.5)
        made = open_clip(mux(window, silence(), tmp_path / f"window{suffix}"))
        assert made.duration_s == pytest.approx(1.5, abs=2e-3)
        assert len(list(shown_frames(made))) == 45


def test_segments_that_overlap_by_a_picture(base: Path, tmp_path: Path) -> None:
    parts = [remuxed(base, tmp_path / f"{k}.ts", later(1 + k * (SECONDS - 1 / FPS))) for k in range(2)]
    path = joined(tmp_path / "overlap.ts", *parts)
    clip = open_clip(path)
    assert clip.duration_s == pytest.approx(2 * SECONDS - 1 / FPS, abs=2e-3)
    assert not clip.restarts
    made = open_clip(mux(clip, silence(), tmp_path / "out.mp4", original_gain=1.0))
    assert made.duration_s == pytest.approx(clip.duration_s, abs=2e-3)
    assert len(list(shown_frames(made))) == 2 * PICTURES
    heard = clicks_heard(load_audio(made.path))
    times = np.arange(0.5, SECONDS - 0.01, 0.5)
    assert np.abs(heard - np.concatenate([times, times + SECONDS - 1 / FPS])).max() < 0.003
    window = mux(open_clip(path, 3.0, 2.0), silence(), tmp_path / "window.mp4")
    assert open_clip(window).duration_s == pytest.approx(2.0, abs=2e-3)


def test_times_rise_by_one_tick() -> None:
    rising = Rising()
    assert [rising(t) for t in (-2, -1, -1, -3, 5, 5, 6)] == [-2, -1, 0, 1, 5, 6, 7]


def test_a_hole_in_the_pictures_stays_a_hole(base: Path, tmp_path: Path) -> None:
    """Lost packets: the last picture is held, and what follows keeps its time."""

    def lost(packet: av.Packet, n: int) -> bool:
        return not (packet.stream.type == "video" and 30 <= n < 60)

    clip = open_clip(remuxed(base, tmp_path / "lost.ts", lost))
    assert clip.duration_s == pytest.approx(SECONDS, abs=2e-3)
    assert not clip.restarts
    shown = numbers(clip)
    assert (shown[20], shown[70]) == (20, 70)
    assert shown[40:56] == [shown[40]] * 16  # 31: a B-frame's neighbour was sent before the hole


def test_what_cannot_be_read_is_told(base: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        open_clip(base)
        assert not caplog.text
        clip = open_clip(joined(tmp_path / "two.mp4", base, base))
    assert clip.duration_s == pytest.approx(SECONDS, abs=2e-3)
    assert "two.mp4: only its first 4.0 s can be read" in caplog.text
