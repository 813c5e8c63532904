"""One window of a file's sound, decoded from shortly before it on.

Samples come out as if all had been decoded from the file's start. Packets that end well before the
window are passed over, and a file whose time stamps name its samples is entered there; a decoder
is warm again after `_WARM_S`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet

from ..errors import MediaError
from ..types import Waveform
from .sound_file import Canvas, sound_stream, stamp
from .video_file import open_media, open_video, picture_stream

_WARM_S = 2.0
"""Decoded before the window: MP3 borrows bits from frames before, Opus predicts from them."""

_FIRST_FRAMES = 3
"""Decoded at the file's start: the first are cut by the encoder's delay, the next show their size."""

_BY_SAMPLES = ("wav", "w64", "aiff", "flac")
"""Formats in which a time stamp is the number of a sample, also after a seek."""

_OF_ONE_SIZE = ("aac", "mp3", "mp3float", "ac3", "eac3", "opus", "libopus")
"""Codecs whose frames all hold as many samples, whatever a container says: it may round lengths, or
count what is missing behind a frame as part of it."""

_MAY_CHANGE = ("opus", "libopus")
"""Of those, the ones that may change their size on the way."""

_FINE = 0.01
"""A time stamp names a sample where its unit is a sample, or at most so much of one."""

_log = logging.getLogger(__name__)


class _TooFar(Exception):
    """Entering the file led past the window's start."""


def read_window(
    path: Path, start_s: float, duration_s: float | None, zero_s: float | None = None
) -> Waveform:
    """The sound [1, C, N] from `start_s` on, at most `duration_s` of it, at the file's own rate.

    `zero_s` is the file's own time of time 0 where that is known; else it is looked for: the first
    picture's, or the first sound's. Raises `MediaError` where there is no sound.
    """
    try:
        canvas = _filled(path, start_s, duration_s, zero_s)
    except _TooFar:
        canvas = _filled(path, start_s, duration_s, zero_s, enters=False)
    if not canvas.parts:
        raise MediaError(f"{path.name} has no sound after {start_s:g} s; choose an earlier start.")
    samples = torch.from_numpy(np.concatenate(canvas.parts, axis=1))[None]  # [1, C, N]
    return Waveform(samples.nan_to_num(0.0, 0.0, 0.0), canvas.rate)


def _filled(
    path: Path, start_s: float, duration_s: float | None, zero_s: float | None, enters: bool = True
) -> Canvas:
    """The window with its sound in it, if there is any."""
    with open_media(path) as container:
        stream = sound_stream(path, container)
        if zero_s is None and picture_stream(container) is not None:
            with open_video(path) as source:
                zero_s = source.first.time_s
        first = _first_frames(path, container, stream)
        canvas = Canvas(first[0], zero_s, start_s, duration_s)
        ahead = _Ahead(container, stream, canvas)
        for frame in first:
            ahead.saw(frame)
            if not canvas.lay(path, frame):
                return canvas
        if enters:
            ahead.enter()
        for packet in _packets(container, stream):
            if ahead.passes_over(packet):
                continue
            for frame in _decoded(container, packet):
                if not canvas.lay(path, frame):
                    return canvas
        return canvas


def _first_frames(path: Path, container: InputContainer, stream: AudioStream) -> list[AudioFrame]:
    """`_FIRST_FRAMES` of them, or all if there are fewer. Raises `MediaError` where there is none."""
    frames: list[AudioFrame] = []
    for packet in _packets(container, stream):
        frames.extend(_decoded(container, packet))
        if len(frames) >= _FIRST_FRAMES:
            break
    if not frames:
        raise MediaError(f"{path.name} has a sound stream that cannot be decoded; export it again.")
    return frames


def _packets(container: InputContainer, stream: AudioStream) -> Iterator[Packet]:
    """Packets from where the container stands; what cannot be read is passed over."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except FFmpegError as error:
            _log.info("%s: passed over broken sound: %s", container.name, error)
            continue
        if packet is None:
            return
        yield packet


def _decoded(container: InputContainer, packet: Packet) -> Iterator[AudioFrame]:
    """A packet's frames; where it is broken there are none, and time stamps show the hole."""
    try:
        for frame in packet.decode():
            if isinstance(frame, AudioFrame):
                yield frame
    except FFmpegError as error:
        _log.info("%s: passed over broken sound: %s", container.name, error)


class _Ahead:
    """Goes from the first frames to the window, and counts the samples that it does not decode."""

    def __init__(self, container: InputContainer, stream: AudioStream, canvas: Canvas) -> None:
        self.container, self.stream, self.canvas = container, stream, canvas
        self.codec = stream.codec_context.name
        self.tick_s = float(stream.time_base or 0)
        unit = float((stream.time_base or 0) * canvas.rate)
        self.counts = unit > 0 and (self.codec in _OF_ONE_SIZE or unit <= _FINE or unit == 1)
        """Whether packets can still be passed over."""
        self.stamped = True
        """Whether all frames so far lie exactly where their time stamps say."""
        self.size = 0
        """Samples of a whole frame."""
        self.entered = False
        self._first: tuple[float, int] | None = None

    def saw(self, frame: AudioFrame) -> None:
        """Learns from one of the first frames, before it is laid."""
        self.size = max(self.size, frame.samples)
        time_s = stamp(frame)
        if time_s is None:
            self.counts = self.stamped = False
            return
        at = self.canvas.place(time_s)
        self._first = self._first or (time_s, at)
        self.stamped = self.stamped and at == self._at(time_s)

    def _at(self, time_s: float) -> int:
        """Sample at this time, if no time stamp since the first frame's has been off."""
        assert self._first is not None
        return self._first[1] + round((time_s - self._first[0]) * self.canvas.rate)

    def enter(self) -> None:
        """Moves the container to `_WARM_S` before the window, where time stamps can be relied on."""
        canvas = self.canvas
        if not (self.counts and self.stamped and self._first and canvas.next is not None):
            return
        wish = canvas.filled - round(_WARM_S * canvas.rate)
        ticks = int((self._first[0] + (wish - self._first[1]) / canvas.rate) / self.tick_s)
        if wish <= canvas.next or not self._is_even(ticks):
            return
        try:
            self.container.seek(ticks, stream=self.stream)
        except FFmpegError as error:
            _log.info("%s: cannot seek: %s", self.container.name, error)
            return
        self.entered = True

    def _is_even(self, ticks: int) -> bool:
        """Whether time stamps count samples up to there: by the format, or by its table of frames."""
        if self.container.format.name in _BY_SAMPLES:
            return True
        entries = getattr(self.stream, "index_entries", None)  # PyAV 14 and later
        if "mp4" not in self.container.format.name or not entries:
            return False
        times = np.array([entry.timestamp for entry in entries])
        steps = np.diff(times[times <= ticks])
        even = steps * self.tick_s * self.canvas.rate - self.size
        return len(steps) > 0 and float(np.abs(even).max()) < _FINE

    def passes_over(self, packet: Packet) -> bool:
        """Whether a packet ends before the window; such a one is counted, or only warms the decoder."""
        if not self.counts or packet.size == 0:
            return False
        time_s = None if packet.pts is None else packet.pts * self.tick_s
        self._check(time_s)
        if not self.counts:
            return False
        end = self.canvas.place(time_s) + self._samples(packet)
        if end > self.canvas.filled:
            self.counts = False
            return False
        self.canvas.next = end
        if end > self.canvas.filled - _WARM_S * self.canvas.rate:
            for _ in _decoded(self.container, packet):
                continue
        return True

    def _check(self, time_s: float | None) -> None:
        """Looks at the first packet after the first frames: whether it follows them."""
        if self._first is None:
            return
        if self.entered:
            at = None if time_s is None else self._at(time_s)
            if at is None or at > self.canvas.filled:
                raise _TooFar
            self.canvas.next = at
        elif time_s is not None and self.canvas.next is not None:
            late = abs(self._at(time_s) - self.canvas.next)  # some decoders hold frames back
            self.counts = late <= max(1.0, 2 * self.tick_s * self.canvas.rate)
        self._first = None

    def _samples(self, packet: Packet) -> int:
        told = (packet.duration or 0) * self.tick_s * self.canvas.rate
        if self.codec not in _OF_ONE_SIZE:
            return round(told)
        changed = told and not self.size / 2 < told < 2 * self.size
        return round(told) if changed and self.codec in _MAY_CHANGE else self.size
