"""Clips whose pictures carry numbers and whose sound clicks at known times, and files made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from d2m_core.types import Waveform
from tests.media import numbered

FPS = 30
RATE = 48_000
CLICKS_S = 0.5
"""A click at every whole multiple, but for time 0."""


def clicks(duration_s: float, channels: int = 1, every_s: float = CLICKS_S) -> np.ndarray:
    """float32 [C, N] at `RATE`."""
    samples = np.zeros((channels, round(duration_s * RATE)), np.float32)
    for at_s in np.arange(every_s, duration_s - 0.01, every_s):
        start = round(at_s * RATE)
        room = samples[:, start : start + 400]
        room[:] = 0.8 * np.sin(np.arange(room.shape[1]) * 0.6)
    return samples


def clicks_heard(wave: Waveform) -> np.ndarray:
    """When clicks begin, in seconds."""
    loud = np.flatnonzero(wave.samples[0].abs().amax(0).numpy() > 0.25) / wave.sample_rate
    return loud[np.diff(loud, prepend=-1.0) > 0.1]


def write_marked(
    path: Path,
    duration_s: float = 4.0,
    *,
    codec: str = "libx264",
    sound: str = "aac",
    tracks: Sequence[np.ndarray] | None = None,
    layouts: Sequence[str] = ("mono",),
    options: dict[str, str] | None = None,
    b_frames: int = 2,
) -> Path:
    """Numbered pictures at `FPS` and a track for each sound, by default one with clicks."""
    tracks = [clicks(duration_s)] if tracks is None else tracks
    with av.open(str(path), "w", options=options or {}) as out:
        settings = {"bf": str(b_frames), "g": "15", "preset": "fast"} if codec == "libx264" else {"g": "15"}
        video: Any = out.add_stream(codec, rate=FPS, options=settings)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        streams: list[Any] = [out.add_stream(sound, rate=RATE, layout=layout) for layout in layouts]
        for index in range(round(duration_s * FPS)):
            frame = av.VideoFrame.from_ndarray(numbered(index % 256, 64, 48), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            out.mux(video.encode(frame))
            for stream, samples in zip(streams, tracks, strict=True):
                _encode(out, stream, samples, index)
        for stream in (video, *streams):
            out.mux(stream.encode(None))
    return path


def _encode(out: Any, stream: Any, samples: np.ndarray, index: int) -> None:
    step = RATE // FPS
    chunk = np.ascontiguousarray(samples[:, index * step : (index + 1) * step])
    if stream.format.name.startswith("s16"):
        chunk = (chunk * 32767).astype(np.int16)
    packed = chunk if stream.format.is_planar else np.ascontiguousarray(chunk.T.reshape(1, -1))
    frame = av.AudioFrame.from_ndarray(packed, format=stream.format.name, layout=stream.layout.name)
    frame.sample_rate, frame.pts, frame.time_base = RATE, index * step, Fraction(1, RATE)
    out.mux(stream.encode(frame))


Change = Callable[[av.Packet, int], bool | None]


def remuxed(source: Path, path: Path, change: Change, options: dict[str, str] | None = None) -> Path:
    """The same packets in another file; `change(packet, n)` sees the n-th of its stream, False drops it."""
    with av.open(str(source)) as old, av.open(str(path), "w", options=options or {}) as out:
        made = {s.index: out.add_stream_from_template(s, opaque=True) for s in old.streams}
        counts = dict.fromkeys(made, 0)
        for packet in old.demux():
            if packet.size:
                index = packet.stream_index
                kept = change(packet, counts[index])
                counts[index] += 1
                if kept is not False:
                    packet.stream = made[index]
                    out.mux(packet)
    return path


def later(seconds: float, only: str | None = None) -> Change:
    """Adds so much to all time stamps, or to those of the pictures or of the sound."""

    def change(packet: av.Packet, _n: int) -> None:
        if only in (None, packet.stream.type):
            move = round(seconds / packet.time_base)
            packet.pts, packet.dts = packet.pts + move, packet.dts + move

    return change


def joined(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path
