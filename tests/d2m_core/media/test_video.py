"""`open_clip` and `iter_frames` on clips whose pictures carry their numbers."""

from __future__ import annotations

import gc
import shutil
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from d2m_core.errors import MediaError
from d2m_core.media import iter_frames, open_clip, save_audio, shown_frames
from d2m_core.types import VideoClip, Waveform
from tests.media import CLOCKWISE, read_number, red_top_left

MakeClip = Callable[..., Path]


def numbers(clip: VideoClip, fps: float = 25.0) -> list[int]:
    return [read_number(frame.rgb) for frame in iter_frames(clip, fps)]


def expected(duration_s: float, source_fps: float, fps: float, start_s: float = 0.0) -> list[int]:
    """Number of the picture shown at each k / fps, by definition."""
    count = round(duration_s * fps)
    return [int(source_fps * (start_s + k / fps) + 1e-6) for k in range(count)]


@pytest.mark.parametrize("source_fps", [12, 24, 25, 30, 50, 60])
@pytest.mark.parametrize("fps", [12.5, 25, 30])
def test_shows_the_picture_of_each_instant(make_clip: MakeClip, source_fps: int, fps: float) -> None:
    clip = open_clip(make_clip(fps=source_fps, duration_s=2.0))
    assert clip.duration_s == pytest.approx(2.0, abs=1e-3)
    assert numbers(clip, fps) == expected(2.0, source_fps, fps)


@pytest.mark.parametrize(
    ("name", "codec", "settings"),
    [
        ("b_frames.mp4", "libx264", {"options": {"bf": "3", "preset": "medium"}}),
        ("rounded_to_ms.mkv", "libx264", {}),
        ("browser.webm", "libvpx", {}),
        ("b_frames.avi", "mpeg4", {"options": {"bf": "2"}}),
        ("no_duration.ts", "libx264", {"audio": True}),
        ("flash.flv", "libx264", {"audio": True}),
        ("moving.gif", "gif", {"pix_fmt": "rgb8"}),
        ("ten_bit.mp4", "libx264", {"pix_fmt": "yuv420p10le"}),
        ("ten_bit.mov", "libx265", {"pix_fmt": "yuv422p10le"}),
        ("odd.mkv", "ffv1", {"width": 75, "height": 41, "pix_fmt": "yuv420p"}),
        ("late.mp4", "libx264", {"start_s": 0.7, "audio": True}),
        ("late.mkv", "libx264", {"start_s": 0.7, "audio": True}),
        ("early.mkv", "libx264", {"start_s": -0.3}),
    ],
)
def test_any_container_gives_the_same_pictures(
    make_clip: MakeClip, name: str, codec: str, settings: dict
) -> None:
    clip = open_clip(make_clip(name, codec=codec, fps=30, duration_s=2.0, **settings))
    assert clip.duration_s == pytest.approx(2.0, abs=0.035)
    assert (clip.width, clip.height) == (settings.get("width", 64), settings.get("height", 48))
    assert clip.has_audio == bool(settings.get("audio"))
    assert numbers(clip)[:50] == expected(2.0, 30, 25)


def test_raw_stream_without_times_is_counted(make_clip: MakeClip) -> None:
    clip = open_clip(make_clip("raw.h264", fps=25, duration_s=2.0))
    assert clip.duration_s == pytest.approx(2.0)
    assert numbers(clip) == list(range(50))
    assert numbers(open_clip(clip.path, 0.4, 1.0)) == list(range(10, 35))


def test_variable_rate_holds_each_picture_until_the_next(make_clip: MakeClip) -> None:
    times_s = [0.0, 0.1, 0.15, 1.9, 2.0, 2.5]  # the third stays for 1.75 s
    path = make_clip(times_s=times_s)
    clip = open_clip(path)
    shown = [sum(t <= k / 25 + 1e-6 for t in times_s) - 1 for k in range(round(clip.duration_s * 25))]
    assert clip.duration_s > 2.5
    assert numbers(clip) == shown
    assert [round(f.time_s, 4) for f in shown_frames(clip)] == times_s
    held = open_clip(path, start_s=1.0, duration_s=1.0)
    assert numbers(held)[0] == 2  # decoding starts before the window
    assert numbers(held) == shown[25:50]


@pytest.mark.parametrize("name", ["long.mp4", "long.mkv", "long.ts", "long.avi"])
@pytest.mark.parametrize("start_s", [0.0, 0.5, 2.48, 3.2])
def test_window_equals_the_same_part_of_the_whole(make_clip: MakeClip, name: str, start_s: float) -> None:
    options = {"g": "40", "bf": "2", "preset": "medium"}
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    path = make_clip(name, codec=codec, fps=25, duration_s=5.0, options=options)
    clip = open_clip(path, start_s, 1.2)
    assert clip.start_s == start_s
    assert numbers(clip) == expected(1.2, 25, 25, start_s)
    assert [frame.time_s for frame in iter_frames(clip)] == [k / 25 for k in range(30)]


@pytest.mark.parametrize(
    ("degrees", "corner"), [(0, "top left"), (90, "top right"), (180, "bottom right"), (270, "bottom left")]
)
def test_rotation_turns_the_picture_clockwise(make_clip: MakeClip, degrees: int, corner: str) -> None:
    """The stored red corner at the top left ends where a clockwise turn brings it."""
    path = make_clip("phone.mov", matrix=CLOCKWISE[degrees], paint=red_top_left)
    clip = open_clip(path)
    assert (clip.width, clip.height) == ((64, 48) if degrees % 180 == 0 else (48, 64))
    rgb = next(iter_frames(clip)).rgb
    assert rgb.shape == (clip.height, clip.width, 3)
    assert rgb.flags.c_contiguous
    assert where_is_red(rgb) == corner
    with av.open(str(path)) as container:  # FFmpeg counts the other way round
        assert (-next(container.decode(video=0)).rotation) % 360 == degrees


@pytest.mark.parametrize(
    ("matrix", "corner"),
    [((-1, 0, 0, 1), "top right"), ((1, 0, 0, -1), "bottom left"), ((0, 1, 1, 0), "top left")],
)
def test_mirrored_display_matrix(make_clip: MakeClip, matrix: tuple[int, int, int, int], corner: str) -> None:
    clip = open_clip(make_clip("selfie.mov", matrix=matrix, paint=red_top_left))
    rgb = next(iter_frames(clip)).rgb
    assert where_is_red(rgb) == corner
    if matrix[0] == 0:  # turned and mirrored: green was right of red, now below
        assert rgb[-8, 8, 1] > 150


def where_is_red(rgb: np.ndarray) -> str:
    redness = rgb[..., 0].astype(int) - rgb[..., 2]
    row, column = (int(axis.mean()) for axis in np.nonzero((redness > 100) & (rgb[..., 1] < 100)))
    height, width = redness.shape
    return f"{'top' if row < height / 2 else 'bottom'} {'left' if column < width / 2 else 'right'}"


def test_shrinks_to_max_height_and_never_grows(make_clip: MakeClip) -> None:
    path = make_clip("big.mov", width=128, height=96, matrix=CLOCKWISE[90], paint=red_top_left)
    clip = open_clip(path)
    small = next(iter_frames(clip, max_height=64)).rgb
    assert small.shape == (64, 48, 3)
    assert where_is_red(small) == "top right"
    assert next(iter_frames(clip, max_height=1000)).rgb.shape == (128, 96, 3)


def test_pixels_that_are_not_square_are_made_square(make_clip: MakeClip) -> None:
    clip = open_clip(make_clip(width=72, height=48, pixel_aspect=Fraction(4, 3)))
    assert (clip.width, clip.height) == (96, 48)
    assert next(iter_frames(clip)).rgb.shape == (48, 96, 3)


def test_colours_survive(make_clip: MakeClip) -> None:
    rgb = next(iter_frames(open_clip(make_clip(paint=red_top_left)))).rgb
    assert np.abs(rgb[8, 8].astype(int) - (220, 0, 0)).max() < 30
    assert np.abs(rgb[-8, 8].astype(int) - (0, 0, 220)).max() < 30


def test_held_pictures_are_not_shared(make_clip: MakeClip) -> None:
    first, second = list(iter_frames(open_clip(make_clip(fps=10)), 50))[:2]
    first.rgb[:] = 77
    assert not (second.rgb == 77).all()


@pytest.mark.parametrize("claimed_ms", [700.0, 0.0])
def test_length_is_that_of_the_pictures_not_of_the_header(make_clip: MakeClip, claimed_ms: float) -> None:
    path = make_clip("short_header.mkv", duration_s=2.0)
    data = bytearray(path.read_bytes())
    at = data.index(b"\x44\x89\x88") + 3  # the element Duration, eight bytes long
    data[at : at + 8] = struct.pack(">d", claimed_ms)
    path.write_bytes(data)
    clip = open_clip(path)
    assert clip.duration_s == pytest.approx(2.0, abs=2e-3)
    assert numbers(clip) == expected(2.0, 30, 25)


def test_recording_without_a_length_in_its_header(make_clip: MakeClip) -> None:
    """What browsers record."""
    path = make_clip("live.webm", codec="libvpx", container_options={"live": "1"})
    with av.open(str(path)) as container:
        assert container.duration is None
    assert open_clip(path).duration_s == pytest.approx(2.0, abs=2e-3)
    assert numbers(open_clip(path, 0.5, 1.0)) == expected(1.0, 30, 25, 0.5)


def test_pictures_that_an_edit_list_hides_are_not_part_of_the_clip(make_clip: MakeClip) -> None:
    clip = open_clip(make_clip(fps=30, duration_s=2.0, start_s=-0.3))
    assert clip.duration_s == pytest.approx(1.7, abs=1e-3)
    assert numbers(clip) == [9 + n for n in expected(1.7, 30, 25)]
    assert numbers(open_clip(clip.path, 0.5, 1.0)) == [9 + n for n in expected(1.0, 30, 25, 0.5)]


def test_sound_longer_than_the_picture_does_not_count(make_clip: MakeClip) -> None:
    path = make_clip(times_s=[k / 30 for k in range(45)], duration_s=4.0, audio=True)
    assert open_clip(path).duration_s == pytest.approx(1.5, abs=1e-3)


def error_of(path: Path, start_s: float = 0.0, duration_s: float | None = None) -> str:
    with pytest.raises(MediaError) as caught:
        list(iter_frames(open_clip(path, start_s, duration_s)))
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_what_is_not_a_video_is_said(tmp_path: Path, make_clip: MakeClip) -> None:
    assert "no file" in error_of(tmp_path / "absent.mp4")
    assert "is a folder" in error_of(tmp_path)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert "empty (0 bytes)" in error_of(empty)
    text = tmp_path / "text.mp4"
    text.write_text("no video at all\n" * 100)
    assert "cannot be opened" in error_of(text)
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nclip.ts\n#EXT-X-ENDLIST\n")
    assert "text file" in error_of(playlist) or "cannot be opened" in error_of(playlist)
    picture = tmp_path / "still.png"
    av.VideoFrame.from_ndarray(red_top_left(0, 64, 48)).to_image().save(picture)
    assert "single picture" in error_of(picture)


def test_a_cover_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as out:
        sound = out.add_stream("libmp3lame", rate=44_100, layout="mono")
        cover = out.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(red_top_left(0, 32, 32), format="rgb24")
        picture.pts, picture.time_base = 0, Fraction(1, 25)
        for packet in [*cover.encode(picture), *cover.encode(None)]:
            out.mux(packet)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 88_200), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 44_100, 0, Fraction(1, 44_100)
        for packet in [*sound.encode(frame), *sound.encode(None)]:
            out.mux(packet)
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 1
    assert "no video stream" in error_of(path)


def test_sound_without_picture_is_said(tmp_path: Path) -> None:
    wave = Waveform(torch.zeros(1, 1, 8000), 8000)
    assert "no video stream" in error_of(save_audio(wave, tmp_path / "song.wav"))


def test_too_short_is_said_with_the_minimum(make_clip: MakeClip) -> None:
    assert "0.50 s; a clip needs at least 1 s" in error_of(make_clip(duration_s=0.5))
    assert "a clip needs at least 1 s" in error_of(make_clip("one.mp4", duration_s=1 / 30))
    assert "window lasts 0.30 s" in error_of(make_clip("fine.mp4"), 0.0, 0.3)
    assert open_clip(make_clip("just.mp4", duration_s=1.0)).duration_s == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("start_s", "duration_s"), [(-1.0, None), (2.0, None), (99.0, 1.0), (0.5, 9.0), (float("nan"), None)]
)
def test_window_outside_the_clip_is_said(
    make_clip: MakeClip, start_s: float, duration_s: float | None
) -> None:
    sentence = error_of(make_clip(duration_s=2.0), start_s, duration_s)
    assert "window" in sentence
    assert "2.00 s" in sentence


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.mark.parametrize("name", ["index_first.mp4", "cut.mkv", "cut.avi", "cut.flv"])
def test_file_that_breaks_off_is_said_with_what_was_found(make_clip: MakeClip, name: str) -> None:
    path = make_clip(f"whole_{name}", duration_s=5.0, width=320, height=240, options={"g": "15", "crf": "5"})
    if name.endswith("mp4"):
        move_index_to_front(path)
    assert open_clip(path).duration_s == pytest.approx(5.0, abs=0.05)
    sentence = error_of(cut(path, 0.6))
    assert "breaks off at" in sentence
    found, promised = (float(word) for word in sentence.split() if word.replace(".", "").isdigit())
    assert 1.5 < found < 4.5
    assert promised == pytest.approx(5.0, abs=0.1)


def test_file_cut_before_its_index_is_said(make_clip: MakeClip) -> None:
    assert "damaged, cut off" in error_of(cut(make_clip(), 0.6))


def move_index_to_front(path: Path) -> None:
    whole = path.with_name("faststart.mp4")
    with av.open(str(path)) as source, av.open(str(whole), "w", options={"movflags": "faststart"}) as out:
        stream = out.add_stream_from_template(source.streams.video[0], opaque=True)
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    shutil.move(whole, path)


def test_damage_in_the_middle(make_clip: MakeClip) -> None:
    """A few broken pictures are bridged; seconds of them are not passed off as a dance."""
    path = make_clip("prores.mov", codec="prores_ks", pix_fmt="yuv422p10le", duration_s=4.0)
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    whole = path.read_bytes()
    path.write_bytes(with_zeros(whole, places[40:42]))
    clip = open_clip(path)
    assert len(numbers(clip)) == 100
    assert numbers(clip)[:30] == expected(1.2, 30, 25)
    path.write_bytes(with_zeros(whole, places[40:80]))
    assert "cannot be decoded for 1.3 s" in error_of(path)
    path.write_bytes(with_zeros(whole, places[40:]))
    assert "breaks off at 1.3 s of 4.0 s" in error_of(path)


def with_zeros(data: bytes, places: list[tuple[int, int]]) -> bytes:
    changed = bytearray(data)
    for at, size in places:
        changed[at : at + size] = bytes(size)
    return bytes(changed)


def test_frames_are_streamed(make_clip: MakeClip) -> None:
    """Leaving early closes the file; nothing keeps decoding."""
    frames = iter_frames(open_clip(make_clip()))
    assert next(frames).time_s == 0.0
    frames.close()
    assert list(frames) == []


def test_decoded_frames_do_not_wait_for_the_garbage_collector(make_clip: MakeClip) -> None:
    clip = open_clip(make_clip(fps=25, duration_s=2.0))
    gc.collect()
    gc.disable()
    try:
        before = sum(type(item) is av.VideoFrame for item in gc.get_objects())
        shown = sum(1 for _ in iter_frames(clip))
        kept = sum(type(item) is av.VideoFrame for item in gc.get_objects()) - before
    finally:
        gc.enable()
    assert shown == 50
    assert kept <= 2  # the first tells which side is up
