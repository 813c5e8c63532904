"""Windows of sound: the samples of the whole file, without decoding what lies before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from d2m_core.errors import MediaError
from d2m_core.media import load_audio, sound_ahead, sound_window
from d2m_core.media.sound_places import _AHEAD_S
from d2m_core.types import Waveform

SECONDS = 8.0
FILES = (
    ("a.wav", "pcm_s16le"),
    ("a.flac", "flac"),
    ("a.mp3", "libmp3lame"),
    ("a.aac", "aac"),
    ("a.m4a", "aac"),
    ("a.mkv", "aac"),
    ("a.ts", "aac"),
    ("a.opus", "libopus"),
    ("a.webm", "libopus"),
    ("a.ogg", "vorbis"),
    ("a.mov", "pcm_s16le"),
)
"""Opus writes 48 kHz, all others 44.1: no whole number of milliseconds in a frame."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    for name, codec in FILES:
        write(folder / name, codec)
    return folder


def write(path: Path, codec: str, rest_s: float = 0.0) -> Path:
    """Eight seconds of clicks and noise; before the second half time stamps rest for `rest_s`."""
    rate = 48_000 if codec == "libopus" else 44_100
    rng = np.random.default_rng(1)
    count = round(SECONDS * rate)
    samples = 0.05 * rng.normal(size=(2, count)) + 0.4 * np.sin(np.arange(count) * 0.05)
    samples[:, :: rate // 3] = 0.9
    options = {"strict": "-2", "aac_pns": "0"}  # with it the decoder draws noise of its own
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=rate, layout="stereo", options=options)
        stream.bit_rate = 96_000
        resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=rate)
        for start in range(0, count, 1024):
            chunk = np.ascontiguousarray(samples[:, start : start + 1024], np.float32)
            frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout="stereo")
            late = round(rest_s * rate) if start > count / 2 else 0
            frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), start + late
            for each in resampler.resample(frame):
                out.mux(stream.encode(each))
        out.mux(stream.encode(None))
    return path


@pytest.fixture
def decoded_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Lengths of all frames that are decoded, in seconds."""
    lengths: list[float] = []
    really = sound_ahead.decoded

    def counting(*args: Any) -> Iterator[av.AudioFrame]:
        for frame in really(*args):
            lengths.append(frame.samples / frame.sample_rate)
            yield frame

    for module in (sound_ahead, sound_window):
        monkeypatch.setattr(module, "decoded", counting)
    return lengths


def part(whole: Waveform, start_s: float, duration_s: float | None) -> torch.Tensor:
    first = round(start_s * whole.sample_rate)
    last = None if duration_s is None else first + round(duration_s * whole.sample_rate)
    return whole.samples[..., first:last]


@pytest.mark.parametrize(("name", "_codec"), FILES)
@pytest.mark.parametrize(
    ("start_s", "duration_s"), [(0.0, 0.5), (0.013, 1.0), (2.2, 0.7), (4.1234, 1.0), (6.5, None), (7.9, 3.0)]
)
def test_a_window_has_the_samples_of_the_whole(
    folder: Path, name: str, _codec: str, start_s: float, duration_s: float | None
) -> None:
    whole = load_audio(folder / name)
    window = load_audio(folder / name, None, start_s, duration_s)
    assert torch.equal(window.samples, part(whole, start_s, duration_s))


@pytest.mark.parametrize("name", [name for name, _codec in FILES])
def test_only_about_the_window_is_decoded(folder: Path, name: str, decoded_s: list[float]) -> None:
    load_audio(folder / name, None, 6.0, 0.5)
    assert 0.5 <= sum(decoded_s) < 0.5 + sound_ahead._WARM_S + 0.5 + _AHEAD_S


@pytest.mark.parametrize("rest_s", [0.04, 1.5])
@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "aac"), ("a.m4a", "aac"), ("a.webm", "libopus")])
def test_time_stamps_that_jump_move_a_window_as_they_move_the_whole(
    tmp_path: Path, name: str, codec: str, rest_s: float
) -> None:
    """A step is silence, be it small or large, whether the packets there are decoded or not."""
    path = write(tmp_path / name, codec, rest_s)
    whole = load_audio(path)
    assert whole.duration_s == pytest.approx(
        load_audio(write(tmp_path / f"even_{name}", codec)).duration_s + rest_s, abs=0.002
    )
    window = load_audio(path, None, 7.1, 0.6)
    assert torch.equal(window.samples, part(whole, 7.1, 0.6))


def test_in_a_film_time_counts_from_the_first_picture(make_clip: Callable[..., Path]) -> None:
    path = make_clip("late.mp4", duration_s=4.0, start_s=0.5, audio=True)
    window, whole = load_audio(path, None, 2.9, 0.3), load_audio(path)
    off = (window.samples - part(whole, 2.9, 0.3)).abs().max()
    assert off < 0.005, "not even a sample late, which would be 0.03"  # the decoder's own noise


def test_past_the_end_there_is_no_sound(folder: Path) -> None:
    for name, _codec in FILES:
        with pytest.raises(MediaError, match="no sound after 9 s"):
            load_audio(folder / name, None, 9.0)
