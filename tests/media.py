"""Tiny clips made on the spot: each picture carries its own number for a test to read."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

BITS = 8
"""Pictures are numbered 0 .. 255, one vertical stripe per bit."""

TICKS = 90_000
"""Time base of the clips' pictures, per second."""

CLOCKWISE = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
"""(a, b, c, d) of the display matrix that a player needs to turn the picture clockwise.

A stored point (x, y) is shown at (a x + c y, b x + d y): turning by 90 degrees clockwise takes the
right edge (x) to the bottom (y) and the bottom (y) to the left (-x).
"""

SPEED = {
    "libx264": {"preset": "ultrafast"},
    "libx265": {"preset": "ultrafast"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
}
"""What makes each encoder fast."""

Paint = Callable[[int, int, int], np.ndarray]


def numbered(index: int, width: int, height: int) -> np.ndarray:
    """A picture uint8 [H, W, 3] whose stripes are the bits of `index`, highest bit on the left."""
    edges = np.linspace(0, width, BITS + 1).astype(int)
    picture = np.zeros((height, width, 3), np.uint8)
    for bit in range(BITS):
        picture[:, edges[bit] : edges[bit + 1]] = 235 if index >> (BITS - 1 - bit) & 1 else 20
    return picture


def read_number(rgb: np.ndarray) -> int:
    """The number that `numbered` painted."""
    edges = np.linspace(0, rgb.shape[1], BITS + 1).astype(int)
    middles = (edges[:-1] + edges[1:]) // 2
    grey = rgb[rgb.shape[0] // 2].mean(axis=1)
    return int("".join("1" if grey[x] > 128 else "0" for x in middles), 2)


def red_top_left(index: int, width: int, height: int) -> np.ndarray:
    """A blue picture uint8 [H, W, 3] with a red top left quarter and a green top right quarter."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, :] = (0, 0, 220)
    picture[: height // 2, : width // 2] = (220, 0, 0)
    picture[: height // 2, width // 2 :] = (0, 220, 0)
    return picture


def make_clip(
    path: Path,
    *,
    duration_s: float = 2.0,
    fps: float = 30,
    width: int = 64,
    height: int = 48,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    times_s: Sequence[float] | None = None,
    start_s: float = 0.0,
    matrix: tuple[int, int, int, int] = (1, 0, 0, 1),
    audio: bool | float = False,
    paint: Paint = numbered,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    pixel_aspect: Fraction | None = None,
    tag: str | None = None,
) -> Path:
    """Writes a clip; the suffix picks the container.

    `times_s` overrides the steady `fps`; `start_s` delays the pictures; `matrix` (MP4 and MOV
    only) is a display matrix, see `CLOCKWISE`; `audio` adds a
    440 Hz tone, at this frequency if a number.
    """
    times = list(times_s) if times_s is not None else [i / fps for i in range(round(duration_s * fps))]
    speed = SPEED.get(codec, {})
    with av.open(str(path), "w", options=container_options or {}) as out:
        video: Any = out.add_stream(
            codec, rate=Fraction(fps).limit_denominator(1001), options={**speed, **(options or {})}
        )
        video.width, video.height, video.pix_fmt = width, height, pix_fmt
        if path.suffix != ".avi":
            video.codec_context.time_base = Fraction(1, TICKS)
        if tag is not None:
            video.codec_context.codec_tag = tag
        if pixel_aspect is not None:
            video.codec_context.sample_aspect_ratio = pixel_aspect
        sound = out.add_stream("aac", rate=48_000, layout="mono") if audio else None
        for index, time_s in enumerate(times):
            frame = av.VideoFrame.from_ndarray(paint(index % 2**BITS, width, height), format="rgb24")
            ticks = TICKS if path.suffix != ".avi" else fps
            frame.pts, frame.time_base = round((time_s + start_s) * ticks), 1 / Fraction(ticks)
            out.mux(video.encode(frame))
        out.mux(video.encode())
        if sound is not None:
            _add_tone(out, sound, duration_s, 440.0 if audio is True else float(audio))
    if matrix != CLOCKWISE[0]:
        set_display_matrix(path, matrix)
    return path


def _add_tone(out: Any, stream: Any, duration_s: float, hertz: float) -> None:
    time_s = np.arange(round(duration_s * stream.rate)) / stream.rate
    samples = (0.5 * np.sin(2 * np.pi * hertz * time_s)).astype(np.float32)
    for start in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = stream.rate, start, Fraction(1, stream.rate)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def set_display_matrix(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Writes (a, b, c, d) into the first track header of an MP4 or MOV file, as phones do."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # version 0: the matrix follows 40 bytes of times, ids and volume
    a, b, c, d = (value << 16 for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
