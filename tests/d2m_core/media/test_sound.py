"""Sound files there and back, and clips with new sound."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from d2m_core.errors import MediaError
from d2m_core.media import (
    fit_length,
    iter_frames,
    load_audio,
    open_clip,
    resample,
    save_audio,
    shown_frames,
    to_mono,
)
from d2m_core.media.mux import mux
from d2m_core.media.sound_file import AUDIO_FORMATS
from d2m_core.types import Waveform
from tests.media import CLOCKWISE, read_number

MakeClip = Callable[..., Path]

ROOT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("D2M_SHARED_DATA", ROOT.parent / "shared" / "data")) / "dance_clips"


def tone(duration_s: float = 1.0, rate: int = 48_000, hertz: float = 440.0, channels: int = 1) -> Waveform:
    time_s = torch.arange(round(duration_s * rate)) / rate
    wave = 0.5 * torch.sin(2 * torch.pi * hertz * time_s)
    return Waveform(torch.stack([wave * 0.9**c for c in range(channels)])[None], rate)


def clicks(duration_s: float, at_s: np.ndarray, rate: int = 24_000) -> Waveform:
    samples = torch.zeros(1, 1, round(duration_s * rate))
    for time_s in at_s:
        start = round(time_s * rate)
        samples[0, 0, start : start + 200] = 0.8 * torch.sin(torch.arange(200) * 0.6)
    return Waveform(samples, rate)


def onset_errors(wave: Waveform, at_s: np.ndarray) -> np.ndarray:
    """How late each click is, in seconds; NaN where there is none within 0.1 s."""
    loud = np.flatnonzero(np.abs(wave.samples[0, 0].numpy()) > 0.2) / wave.sample_rate
    late = [loud[np.abs(loud - t) < 0.1] - t for t in at_s]
    return np.array([found.min() if len(found) else np.nan for found in late])


def strength(wave: Waveform, hertz: float) -> float:
    """Amplitude of one frequency."""
    x = wave.samples[0, 0].numpy()
    turn = np.exp(-2j * np.pi * hertz * np.arange(len(x)) / wave.sample_rate)
    return float(2 * np.abs((x * turn).mean()))


@pytest.mark.parametrize("suffix", sorted(AUDIO_FORMATS))
@pytest.mark.parametrize(("rate", "channels"), [(24_000, 1), (44_100, 2), (48_000, 1)])
def test_saved_sound_loads_back(tmp_path: Path, suffix: str, rate: int, channels: int) -> None:
    wave = tone(1.5, rate, channels=channels)
    path = save_audio(wave, tmp_path / f"tone{suffix}")
    back = load_audio(path)
    assert os.listdir(tmp_path) == [path.name]
    assert back.samples.shape[:2] == (1, channels)
    assert back.duration_s == pytest.approx(1.5, abs=0.06)
    quarter = back.sample_rate // 4
    middle = Waveform(back.samples[..., quarter:-quarter], back.sample_rate)
    assert strength(middle, 440) == pytest.approx(0.5, abs=0.03)  # LAME lowers by 2 %
    if not AUDIO_FORMATS[suffix].lossy:
        assert back.sample_rate == rate
        assert back.samples.shape == wave.samples.shape
        assert (back.samples - wave.samples).abs().max() <= 1 / 2**15


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".opus", ".m4a", ".mkv"])
def test_coding_does_not_move_the_sound(tmp_path: Path, make_clip: MakeClip, suffix: str) -> None:
    """Encoders put silence in front; players and `load_audio` take it away again."""
    at_s = np.arange(0.25, 1.9, 0.25)
    wave = clicks(2.0, at_s)
    path = tmp_path / f"clicks{suffix}"
    if suffix == ".mkv":
        mux(open_clip(make_clip(duration_s=2.0)), wave, path)
    else:
        save_audio(wave, path)
    assert np.abs(onset_errors(load_audio(path), at_s)).max() < 0.002


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".opus", ".m4a", ".aac"])
def test_tags_are_kept(tmp_path: Path, suffix: str) -> None:
    path = save_audio(tone(), tmp_path / f"a{suffix}", {"title": "Ünö", "comment": '{"seed": 7}'})
    with av.open(str(path)) as container:
        tags = {**container.metadata, **container.streams.audio[0].metadata}
    found = {name.lower(): value for name, value in tags.items()}
    assert found["title"] == "Ünö"
    assert found["comment"] == '{"seed": 7}'


@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".opus", ".m4a"])
def test_tags_of_any_name_are_kept(tmp_path: Path, suffix: str) -> None:
    path = save_audio(tone(), tmp_path / f"a{suffix}", {"prompt": '{"1": {}}', "title": "x"})
    with av.open(str(path)) as container:
        tags = {**container.metadata, **container.streams.audio[0].metadata}
    assert {name.lower(): value for name, value in tags.items()}["prompt"] == '{"1": {}}'


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("pcm_u8", ".wav"), ("pcm_s24le", ".wav"), ("pcm_f64le", ".wav"), ("alac", ".m4a"), ("vorbis", ".ogg")],
)
def test_any_sample_format_loads(tmp_path: Path, codec: str, suffix: str) -> None:
    path = tmp_path / f"other{suffix}"
    wave = tone(1.0, 48_000, channels=2)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=48_000, layout="stereo", options={"strict": "-2"})
        frame = av.AudioFrame.from_ndarray(wave.samples[0].numpy(), format="fltp", layout="stereo")
        frame.sample_rate = 48_000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    back = load_audio(path)
    assert back.samples.dtype == torch.float32
    assert back.samples.shape[:2] == (1, 2)
    assert strength(back, 440) == pytest.approx(0.5, abs=0.02)
    right = Waveform(back.samples[:, 1:], 48_000)
    assert strength(right, 440) == pytest.approx(0.45, abs=0.02)


def test_window_rate_and_mono(tmp_path: Path) -> None:
    at_s = np.array([0.3, 0.8, 1.3])
    path = save_audio(clicks(2.0, at_s), tmp_path / "c.wav")
    part = load_audio(path, start_s=0.5, duration_s=1.0)
    assert part.samples.shape == (1, 1, 24_000)
    assert np.abs(onset_errors(part, np.array([0.3, 0.8]))).max() < 1e-3
    assert load_audio(path, 16_000, 1.5, 9.0).samples.shape == (1, 1, 8_000)
    stereo = save_audio(tone(channels=2), tmp_path / "s.wav")
    mono = load_audio(stereo, mono=True)
    assert mono.samples.shape == (1, 1, 48_000)
    assert strength(mono, 440) == pytest.approx(0.475, abs=0.01)
    with pytest.raises(MediaError, match="no sound after 7 s"):
        load_audio(path, start_s=7.0)


def test_time_zero_is_the_first_picture(make_clip: MakeClip, tmp_path: Path) -> None:
    """In this file the sound runs for 0.7 s before the picture starts."""
    path = make_clip("late.mp4", start_s=0.7, duration_s=3.0, audio=True)
    assert load_audio(path).duration_s == pytest.approx(2.3, abs=0.03)
    at_s = np.arange(0.5, 2.9, 0.5)
    out = mux(open_clip(path), clicks(3.0, at_s), tmp_path / "out.mp4")
    assert np.abs(onset_errors(load_audio(out), at_s)).max() < 0.002


def test_no_sound_is_said(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip()
    with pytest.raises(MediaError, match="has no sound"):
        load_audio(path)
    with pytest.raises(MediaError, match="has no sound"):
        mux(open_clip(path), tone(), tmp_path / "out.mp4", original_gain=0.5)
    with pytest.raises(MediaError, match="no file"):
        load_audio(tmp_path / "absent.wav")
    assert sorted(os.listdir(tmp_path)) == [path.name]


@pytest.mark.parametrize("rate", [8_000, 24_000, 44_100])
def test_resample_keeps_pitch_and_length(rate: int) -> None:
    wave = resample(tone(1.0, 32_000), rate)
    assert wave.sample_rate == rate
    assert wave.samples.shape[-1] == rate
    assert strength(wave, 440) == pytest.approx(0.5, abs=0.01)


def test_fit_length_cuts_with_a_fade_and_pads_with_silence() -> None:
    wave = tone(1.0, 24_000, channels=2)
    before = wave.samples.clone()
    cut = fit_length(wave, 0.5003)
    assert cut.samples.shape == (1, 2, 12_007)
    assert cut.samples[..., -1].abs().max() == 0.0
    assert torch.equal(cut.samples[..., :11_000], before[..., :11_000])
    longer = fit_length(wave, 1.5)
    assert longer.samples.shape == (1, 2, 36_000)
    assert torch.equal(longer.samples[..., :24_000], before)
    assert longer.samples[..., 24_000:].abs().max() == 0.0
    assert torch.equal(fit_length(wave, 1.0).samples, before)
    assert torch.equal(wave.samples, before)
    assert to_mono(wave).samples.shape == (1, 1, 24_000)


def test_peaks_lower_the_sound_instead_of_clipping(tmp_path: Path, caplog) -> None:  # type: ignore[no-untyped-def]
    loud = Waveform(tone().samples * 4, 48_000)
    back = load_audio(save_audio(loud, tmp_path / "loud.wav"))
    assert float(back.samples.abs().max()) == pytest.approx(1.0, abs=1e-3)
    assert strength(back, 440) == pytest.approx(1.0, abs=1e-3)
    assert strength(back, 1320) < 1e-3  # clipping would put overtones here
    assert "lowered by 6.0 dB" in caplog.text


@pytest.mark.parametrize(
    "samples",
    [torch.zeros(2, 1, 9), torch.zeros(1, 3, 9), torch.zeros(1, 1, 0), torch.full((1, 1, 9), torch.nan)],
)
def test_sound_that_cannot_be_saved_is_said(tmp_path: Path, samples: torch.Tensor) -> None:
    with pytest.raises(MediaError, match=r"The sound has .*\.$"):
        save_audio(Waveform(samples, 24_000), tmp_path / "x.wav")
    with pytest.raises(MediaError, match="known sound format"):
        save_audio(tone(), tmp_path / "x.txt")
    assert os.listdir(tmp_path) == []


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import torch
from d2m_core.media import save_audio
from d2m_core.errors import MediaError
from d2m_core.media.mux import mux
from d2m_core.types import Waveform
from d2m_core.media import open_clip
wave = Waveform(torch.rand(1, 1, 240_000) - 0.5, 24_000)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
for name in sys.argv[2:]:
    try:
        mux(open_clip(sys.argv[1]), wave, name) if name.endswith("mp4") else save_audio(wave, name)
    except MediaError as error:
        sys.stdout.write(f"{error}\\n")
"""


def test_full_disk_leaves_no_half_file(tmp_path: Path, make_clip: MakeClip) -> None:
    """A real limit on file size stands in for a full disk: the system refuses to write on."""
    clip = make_clip("long.mp4", duration_s=10.0)
    folder = tmp_path / "out"
    folder.mkdir()
    olds = [folder / f"old{suffix}" for suffix in (".wav", ".flac", ".mp3", ".opus", ".m4a", ".mp4")]
    for old in olds:
        old.write_bytes(b"what was there before")
    command = [sys.executable, "-c", FULL_DISK, str(clip), *map(str, olds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sentences = done.stdout.splitlines()
    for old, said in zip(olds, sentences, strict=True):
        assert said.startswith(f"{old.name} could not be written")
    assert sorted(os.listdir(folder)) == sorted(old.name for old in olds)
    assert {old.read_bytes() for old in olds} == {b"what was there before"}


def video_packets(path: Path) -> list[tuple[bytes, float, float, bool]]:
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return [
            (bytes(p), float(p.pts * p.time_base), float(p.dts * p.time_base), p.is_keyframe) for p in packets
        ]


def from_zero(packets: list[tuple[bytes, float, float, bool]]) -> np.ndarray:
    """Times [n, 2] of packets, counted from the first picture that is shown."""
    first = min(packet[1] for packet in packets if packet[1] > -1e-6)
    return np.array([packet[1:3] for packet in packets]) - first


def assert_same_picture(before: Path, after: Path, rounding_s: float = 1e-4) -> None:
    old, new = video_packets(before), video_packets(after)
    assert [packet[0] for packet in new] == [packet[0] for packet in old]
    assert [packet[3] for packet in new] == [packet[3] for packet in old]
    assert np.abs(from_zero(new) - from_zero(old)).max() < rounding_s
    assert min(abs(packet[1]) for packet in new) < rounding_s
    for a, b in zip(shown_frames(open_clip(before)), shown_frames(open_clip(after)), strict=True):
        assert b.time_s == pytest.approx(a.time_s, abs=rounding_s)
        assert b.frame.rotation == a.frame.rotation


@pytest.mark.parametrize(
    ("name", "out_name", "settings"),
    [
        ("plain.mp4", "out.mp4", {"audio": True, "options": {"bf": "2", "preset": "medium"}}),
        ("phone.mov", "out.mp4", {"matrix": CLOCKWISE[90], "audio": True}),
        ("late.mp4", "out.mp4", {"start_s": 0.7}),
        ("hidden_start.mp4", "out.mp4", {"start_s": -0.3}),
        ("vfr.mp4", "out.mov", {"times_s": [0.0, 0.1, 0.15, 1.2, 1.3]}),
        ("vp9.webm", "out.mp4", {"codec": "libvpx-vp9", "width": 64, "options": {"cpu-used": "8"}}),
        ("vp8.webm", "out.mkv", {"codec": "libvpx"}),
        ("plain.mp4", "out.mkv", {}),
    ],
)
def test_mux_copies_the_picture(
    make_clip: MakeClip, tmp_path: Path, name: str, out_name: str, settings: dict
) -> None:
    clip = open_clip(make_clip(name, **settings))
    music = tone(5.0, 24_000, 1000.0)
    out = mux(clip, music, tmp_path / out_name, metadata={"title": "T", "comment": "C"})
    if name.endswith("webm") and out_name.endswith("mkv"):
        assert [p[0] for p in video_packets(clip.path)] == [p[0] for p in video_packets(out)]
    else:
        # Matroska counts in milliseconds.
        assert_same_picture(clip.path, out, 1e-3 if out_name.endswith("mkv") else 1e-4)
    after = open_clip(out)
    assert after.has_audio
    assert after.duration_s == pytest.approx(clip.duration_s, abs=2e-3)
    assert (after.width, after.height) == (clip.width, clip.height)
    sound = load_audio(out)
    assert sound.duration_s == pytest.approx(clip.duration_s, abs=0.05)
    assert strength(sound, 1000) == pytest.approx(0.5, abs=0.05)
    assert strength(sound, 440) < 0.01  # the clip's own tone is gone
    with av.open(str(out)) as container:
        assert len(container.streams.audio) == 1
        tags = {key.lower(): value for key, value in container.metadata.items()}
    assert (tags["title"], tags["comment"]) == ("T", "C")


def test_mux_keeps_the_tag_that_apple_players_need(make_clip: MakeClip, tmp_path: Path) -> None:
    quiet = {"x265-params": "log-level=none"}
    clip = make_clip("phone.mov", codec="libx265", pix_fmt="yuv420p10le", tag="hvc1", options=quiet)
    out = mux(open_clip(clip), tone(), tmp_path / "out.mp4")
    with av.open(str(out)) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"
    assert_same_picture(clip, out)


def test_mux_of_a_window_codes_it_again(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip("odd.mkv", codec="ffv1", width=75, height=41, fps=30, duration_s=4.0, audio=True)
    clip = open_clip(path, start_s=1.5, duration_s=2.0)
    at_s = np.arange(0.25, 1.9, 0.25)
    out = open_clip(mux(clip, clicks(2.0, at_s), tmp_path / "out.mp4"))
    assert (out.width, out.height) == (74, 40)
    assert out.duration_s == pytest.approx(2.0, abs=0.04)
    assert [read_number(f.rgb) for f in iter_frames(out, 30)][:60] == list(range(45, 105))
    assert np.abs(onset_errors(load_audio(out.path), at_s)).max() < 0.002


def test_mux_of_a_window_keeps_rotation_and_held_pictures(make_clip: MakeClip, tmp_path: Path) -> None:
    times_s = [0.0, 0.1, 0.15, 1.9, 2.0, 2.5]
    clip = open_clip(make_clip("phone.mov", times_s=times_s, matrix=CLOCKWISE[180]), 1.0, 1.2)
    out = open_clip(mux(clip, tone(), tmp_path / "out.mp4"))
    assert [f.time_s for f in shown_frames(out)] == pytest.approx([0.0, 0.9, 1.0], abs=1e-4)
    rgb = next(iter_frames(out)).rgb
    assert read_number(rgb[:, ::-1]) == 2
    assert out.duration_s == pytest.approx(1.2, abs=0.04)


def test_original_sound_is_mixed_in(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip(duration_s=2.0, audio=True)  # 440 Hz at 0.5
    music = Waveform(tone(2.0, 24_000, 1000.0, channels=2).samples * 0.5, 24_000)
    out = mux(open_clip(path), music, tmp_path / "out.mp4", original_gain=0.5)
    sound = load_audio(out, duration_s=2.0)
    assert sound.samples.shape[:2] == (1, 2)
    assert strength(sound, 440) == pytest.approx(0.25, abs=0.02)
    assert strength(sound, 1000) == pytest.approx(0.25, abs=0.02)
    window = open_clip(path, 0.5, 1.0)
    sound = load_audio(mux(window, music, tmp_path / "w.mp4", original_gain=0.5))
    assert strength(sound, 440) == pytest.approx(0.25, abs=0.02)


def test_mux_says_what_does_not_fit(make_clip: MakeClip, tmp_path: Path) -> None:
    vp8 = open_clip(make_clip("browser.webm", codec="libvpx"))
    with pytest.raises(MediaError, match=r"coded as vp8, which \.mp4 files do not hold; end the name"):
        mux(vp8, tone(), tmp_path / "out.mp4", recode="copy")
    with pytest.raises(MediaError, match="known video format"):
        mux(vp8, tone(), tmp_path / "out.txt")
    clip = open_clip(make_clip("same.mp4"))
    before = clip.path.read_bytes()
    with pytest.raises(MediaError, match="is the clip itself"):
        mux(clip, tone(), clip.path)
    assert clip.path.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["browser.webm", "same.mp4"]


@pytest.mark.parametrize("index", range(7))
def test_real_clips(tmp_path: Path, index: int) -> None:
    """Bytes of every picture before and after, times, and a window against the whole."""
    clips = sorted(SHARED.glob("*.mp4"))
    if index >= len(clips):
        pytest.skip(f"no clip number {index} in {SHARED.name} of the shared data")
    clip = open_clip(clips[index])
    width, height = (
        int(n) for n in clips[index].stem.replace("1080p", "1920x1080").split("_")[-3].split("x")
    )
    assert (clip.width, clip.height) == (width, height)
    assert clip.has_audio == (not clips[index].stem.startswith("silent"))
    at_s = np.arange(0.5, clip.duration_s - 0.2, 0.5)
    out = mux(clip, clicks(clip.duration_s, at_s), tmp_path / "out.mp4")
    old, new = video_packets(clip.path), video_packets(out)
    assert [packet[:1] + packet[3:] for packet in new] == [packet[:1] + packet[3:] for packet in old]
    assert np.abs(np.array([n[1:3] for n in new]) - from_zero(old)).max() < 1e-4
    assert open_clip(out).duration_s == pytest.approx(clip.duration_s, abs=1e-3)
    assert np.abs(onset_errors(load_audio(out), at_s)).max() < 0.002
    if clip.has_audio:
        assert load_audio(clip.path).duration_s == pytest.approx(clip.duration_s, abs=0.2)
