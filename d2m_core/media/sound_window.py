"""One window of a file's sound, decoded from shortly before it on, by the clock of its pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet

from ..errors import MediaError
from ..types import VideoClip, Waveform
from .clock import Clock, may_restart
from .ends import packet_ends
from .sound_ahead import Ahead, TooFar, decoded
from .sound_canvas import Canvas
from .sound_tracks import sound_stream
from .video_file import open_media, open_video, picture_stream, video_stream

_FIRST_FRAMES = 3
"""Decoded at the file's start: the first are cut by the encoder's delay, the next show their size."""

_log = logging.getLogger(__name__)


def read_window(
    path: Path, start_s: float, duration_s: float | None, clip: VideoClip | None = None
) -> Waveform:
    """The sound [1, C, N] of `window_blocks` in one piece."""
    window = window_blocks(path, start_s, duration_s, clip)
    parts = list(window.blocks)
    if not parts:
        raise MediaError(f"{path.name} has no sound after {start_s:g} s; choose an earlier start.")
    samples = torch.from_numpy(np.concatenate(parts, axis=1))[None]  # [1, C, N]
    return Waveform(samples, window.rate)


@dataclass(frozen=True, eq=False)
class SoundWindow:
    """Sound that is read while it is used."""

    rate: int
    channels: int
    blocks: Iterator[np.ndarray]
    """float32 [C, n] each, finite."""


def window_blocks(
    path: Path, start_s: float, duration_s: float | None, clip: VideoClip | None = None
) -> SoundWindow:
    """The sound from `start_s` on, at most `duration_s` of it, at the file's own rate, mono or stereo.

    What lies in the window is read when its blocks are taken. A `clip` of the file tells its clock and the
    track; else they are looked for. Raises `MediaError` where there is no sound.
    """
    pieces = _pieces(path, start_s, duration_s, clip)
    canvas = next(pieces)
    assert isinstance(canvas, Canvas)
    return SoundWindow(canvas.rate, canvas.channels, (p for p in pieces if isinstance(p, np.ndarray)))


def _pieces(
    path: Path, start_s: float, duration_s: float | None, clip: VideoClip | None
) -> Iterator[Canvas | np.ndarray]:
    """First the canvas, then the blocks of the window."""
    begun = False
    for enters in (True, False):
        try:
            for piece in _filling(path, start_s, duration_s, clip, enters):
                if isinstance(piece, np.ndarray):
                    piece = np.nan_to_num(piece, nan=0.0, posinf=0.0, neginf=0.0)
                elif begun:
                    continue
                begun = True
                yield piece
            return
        except TooFar:
            continue


def _filling(
    path: Path, start_s: float, duration_s: float | None, clip: VideoClip | None, enters: bool
) -> Iterator[Canvas | np.ndarray]:
    with open_media(path) as container:
        stream = sound_stream(path, container, 0 if clip is None else clip.sound_track)
        times = _times_of(path, container) if clip is None else _Times.of(clip)
        packets = _packets(container, stream, Clock(container, None, times.shifts_s))
        first = _first_frames(path, packets, container)
        kind = container.format.name
        canvas = Canvas(first[0], kind, times.zero_s, start_s, duration_s, times.end_s)
        yield canvas
        ahead = Ahead(container, stream, canvas)
        for frame in first:
            ahead.saw(frame)
            yield from canvas.lay(frame)
        if enters and ahead.can_enter():
            yield from canvas.rest()
            ahead.enter()
            packets = _packets(container, stream, Clock(container, None, times.shifts_s))
        for packet in packets:
            if canvas.full:
                return
            if not ahead.passes_over(packet):
                for frame in decoded(container, packet):
                    yield from canvas.lay(frame)
        yield from canvas.rest()


@dataclass(frozen=True)
class _Times:
    """What a file's pictures tell about its clock."""

    zero_s: float | None = None
    shifts_s: tuple[float, ...] = (0.0,)
    end_s: float | None = None
    """When the pictures end, counted from the first."""

    @classmethod
    def of(cls, clip: VideoClip) -> _Times:
        return cls(clip.first_s or 0.0, clip.shifts_s, clip.file_s)


def _times_of(path: Path, container: InputContainer) -> _Times:
    pictures = picture_stream(container)
    if pictures is None:
        return _Times()
    with open_video(path) as source:
        zero_s = source.first.time_s
    if not may_restart(container, pictures):
        length_s = (container.duration or 0) / av.time_base
        return _Times(zero_s, end_s=length_s)
    with open_media(path) as again:
        ends = packet_ends(again, video_stream(path, again))
    return _Times(zero_s, ends.shifts_s, ends.video_s - zero_s)


def _first_frames(path: Path, packets: Iterator[Packet], container: InputContainer) -> list[AudioFrame]:
    """`_FIRST_FRAMES` of them, or all if there are fewer. Raises `MediaError` where there is none."""
    frames: list[AudioFrame] = []
    for packet in packets:
        frames.extend(decoded(container, packet))
        if len(frames) >= _FIRST_FRAMES:
            break
    if not frames:
        raise MediaError(f"{path.name} has a sound stream that cannot be decoded; export it again.")
    return frames


def _packets(container: InputContainer, stream: AudioStream, clock: Clock) -> Iterator[Packet]:
    """Packets from where the container stands, by the straight clock; what cannot be read is passed over."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except FFmpegError as error:
            _log.info("%s: passed over broken sound: %s", container.name, error)
            continue
        if packet is None:
            return
        clock.straighten(packet)
        yield packet
