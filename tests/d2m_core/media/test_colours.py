"""What is coded again keeps what its numbers mean, and the numbers: read back from the files."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from d2m_core.media import open_clip
from d2m_core.media.coded import encoder_for
from d2m_core.media.colours import Redrawing, as_yuv
from d2m_core.media.mux import mux
from d2m_core.pictures import overlay_video
from d2m_core.types import Colours, PoseSequence, Waveform

WIDTH, HEIGHT, FPS, SECONDS = 128, 96, 25, 2

FIELDS = ((60, 128, 128), (180, 128, 128), (95, 105, 190), (130, 90, 110), (80, 170, 100), (150, 60, 150))
"""Flat fields from left to right, Y U V in 8 bits of limited range."""

HDR = "libx265" if encoder_for(10).name == "libx265" else "libx264"
CASES = {
    "BT.709": (Colours(1, 1, 1, 1), "yuv420p", "libx264"),
    "full range": (Colours(1, 2, 1, 1), "yuv420p", "libx264"),
    "Motion JPEG": (Colours(5, 2, 1, 1), "yuvj420p", "mjpeg"),
    "BT.601": (Colours(6, 1, 6, 6), "yuv420p", "libx264"),
    "nothing said": (Colours(), "yuv420p", "libx264"),
    "HLG": (Colours(9, 1, 18, 9, 10), "yuv420p10le", HDR),
    "HDR10": (Colours(9, 1, 16, 9, 10), "yuv420p10le", HDR),
    "BT.709 in 10 bits": (Colours(1, 1, 1, 1, 10), "yuv420p10le", HDR),
}


def picture(pixels: str) -> av.VideoFrame:
    frame = av.VideoFrame(WIDTH, HEIGHT, pixels)
    wide = pixels.endswith("10le")
    for plane, values in zip(frame.planes, zip(*FIELDS, strict=True), strict=True):
        row = np.zeros(plane.line_size // (2 if wide else 1), np.uint16 if wide else np.uint8)
        for index, value in enumerate(values):
            begin, end = (plane.width * at // len(values) for at in (index, index + 1))
            row[begin:end] = value << 2 if wide else value
        plane.update(np.tile(row, plane.height).tobytes())
    return frame


def make(path: Path, colours: Colours, pixels: str, codec: str) -> Path:
    options = {"x265-params": "log-level=none", "crf": "4", "preset": "ultrafast"} if "26" in codec else {}
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixels
        if not options:
            stream.codec_context.qmin = stream.codec_context.qmax = 1
        context = stream.codec_context
        context.colorspace, context.color_range = colours.matrix, colours.range
        context.color_trc, context.color_primaries = colours.transfer, colours.primaries
        for index in range(SECONDS * FPS):
            frame = picture(pixels)
            frame.colorspace, frame.color_range = colours.matrix, colours.range
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def fields(path: Path) -> np.ndarray:
    """Y U V in the middle of each field of a picture, in 8 bits, float64 [fields, 3]."""
    with av.open(str(path)) as container:
        frame = [f for f, _ in zip(container.decode(video=0), range(10), strict=False)][-1]
    wide = "10" in frame.format.name
    rows = []
    for plane in frame.planes:
        numbers = np.frombuffer(bytes(plane), np.uint16 if wide else np.uint8)
        row = numbers.reshape(plane.height, -1)[plane.height // 2]
        middles = [round(plane.width * (at + 0.5) / len(FIELDS)) for at in range(len(FIELDS))]
        rows.append(row[middles] / (4 if wide else 1))
    return np.array(rows, float).T


def labels(path: Path) -> Colours:
    return open_clip(path).colours


def nobody(frames: int) -> PoseSequence:
    zeros = np.zeros((frames, 1, 33, 3), np.float32)
    return PoseSequence(zeros, zeros[..., :2], zeros[..., 0], np.zeros((frames, 1), bool))


SILENCE = Waveform(torch.zeros(1, 1, 24_000), 24_000)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_window_keeps_its_colours(name: str, suffix: str, tmp_path: Path) -> None:
    colours, pixels, codec = CASES[name]
    clip = open_clip(make(tmp_path / "clip.mov", colours, pixels, codec), 0.2, 1.2)
    assert clip.colours == colours, "the file itself is labelled as meant"
    made = mux(clip, SILENCE, tmp_path / f"out{suffix}")
    assert labels(made) == colours
    assert np.abs(fields(made) - fields(clip.path)).max() <= 1.5


@pytest.mark.parametrize("name", [name for name in CASES if "10" not in name and name != "HLG"])
def test_a_film_of_skeletons_keeps_the_colours(name: str, tmp_path: Path) -> None:
    colours, pixels, codec = CASES[name]
    clip = open_clip(make(tmp_path / "clip.mov", colours, pixels, codec))
    made = overlay_video(clip, nobody(FPS * SECONDS), tmp_path / "out.mp4")
    assert labels(made) == colours
    assert np.abs(fields(made) - fields(clip.path)).max() <= 3


@pytest.mark.parametrize("name", ["HLG", "HDR10"])
def test_a_film_of_skeletons_on_hdr_keeps_the_labels(name: str, tmp_path: Path) -> None:
    colours, pixels, codec = CASES[name]
    clip = open_clip(make(tmp_path / "clip.mov", colours, pixels, codec))
    made = overlay_video(clip, nobody(FPS * SECONDS), tmp_path / "out.mp4")
    assert labels(made) == replace(colours, bits=8)
    assert np.abs(fields(made) - fields(clip.path)).max() <= 3


@pytest.mark.parametrize(("matrix", "green"), [(1, (173, 42, 26)), (6, (145, 54, 34)), (9, (164, 47, 25))])
def test_rgb_becomes_yuv_by_the_matrix_that_it_is_labelled_with(matrix: int, green: tuple[int, ...]) -> None:
    """Pure green by the standards' own formulas: Kg = 0.7152, 0.587 and 0.678."""
    frame = av.VideoFrame.from_ndarray(np.full((16, 16, 3), (0, 255, 0), np.uint8), format="rgb24")
    target = Colours(matrix, 1, 1, 1)
    drawn = Redrawing((16, 16), "yuv420p", Colours(rgb=True), target)(frame)
    assert [abs(bytes(plane)[0] - right) <= 1 for plane, right in zip(drawn.planes, green, strict=True)] == [
        True
    ] * 3
    assert (int(drawn.colorspace), int(drawn.color_range)) == (matrix, 1)


def test_what_is_stored_as_rgb_is_coded_as_bt709() -> None:
    assert as_yuv(Colours(rgb=True)) == Colours(1, 1, 1, 1)
    assert as_yuv(Colours(0, 2, 16, 9, 10, rgb=True)) == Colours(9, 1, 16, 9, 10)
    assert as_yuv(Colours(6, 2, 6, 6)) == Colours(6, 2, 6, 6)
