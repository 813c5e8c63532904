"""One window of a file's sound, decoded from shortly before it on.

Samples come out as if all had been decoded from the file's start. Packets that end well before the
window are passed over, and a file whose time stamps name its samples is entered there; a decoder
is warm again after `_WARM_S`.
"""

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
from .sound_canvas import Canvas, stamp
from .video_file import open_media, open_video, picture_stream, video_stream

_WARM_S = 2.0
"""Decoded before the window: MP3 borrows bits from frames before, Opus predicts from them."""

_SURELY_S = 0.6
"""What ends so much before the window cannot be moved into it by time stamps that shake."""

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
        except _TooFar:
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
        ahead = _Ahead(container, stream, canvas)
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
                for frame in _decoded(container, packet):
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


def sound_stream(path: Path, container: InputContainer, track: int = 0) -> AudioStream:
    """The sound track with this number, counted from 1; 0 is the default one, as players choose it."""
    tracks = [stream for stream in container.streams.audio if stream.codec_context is not None]
    if not tracks:
        raise MediaError(f"{path.name} has no sound; choose a file with sound.")
    if not 0 <= track <= len(tracks):
        raise MediaError(f"{path.name} has {len(tracks)} sound tracks; choose one from 1 to {len(tracks)}.")
    if track:
        return tracks[track - 1]
    return next((stream for stream in tracks if "default" in str(stream.disposition)), tracks[0])


def _first_frames(path: Path, packets: Iterator[Packet], container: InputContainer) -> list[AudioFrame]:
    """`_FIRST_FRAMES` of them, or all if there are fewer. Raises `MediaError` where there is none."""
    frames: list[AudioFrame] = []
    for packet in packets:
        frames.extend(_decoded(container, packet))
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
        self._end_s = 0.0

    def saw(self, frame: AudioFrame) -> None:
        """Learns from one of the first frames, before it is laid."""
        self.size = max(self.size, frame.samples)
        time_s = stamp(frame)
        if time_s is None or frame.sample_rate != self.canvas.rate:
            self.counts = self.stamped = False
            return
        if self._first is None:
            self._first = (time_s, self.canvas.places.at(time_s))
        else:
            self.stamped = self.stamped and self._at(time_s) == self._at(self._end_s)
        self._end_s = time_s + frame.samples / frame.sample_rate

    def _at(self, time_s: float) -> int:
        """Sample at this time, if no time stamp since the first frame's has been off."""
        assert self._first is not None
        return self._first[1] + round((time_s - self._first[0]) * self.canvas.rate)

    def can_enter(self) -> bool:
        """Whether there is a way to go, and time stamps can be relied on along it."""
        if not (self.counts and self.stamped and self._first):
            return False
        return self._wish() > self.canvas.places.tail and self._is_even(self._ticks())

    def _wish(self) -> int:
        return self.canvas.filled - round(_WARM_S * self.canvas.rate)

    def _ticks(self) -> int:
        assert self._first is not None
        return int((self._first[0] + (self._wish() - self._first[1]) / self.canvas.rate) / self.tick_s)

    def enter(self) -> None:
        """Moves the container to `_WARM_S` before the window."""
        try:
            self.container.seek(self._ticks(), stream=self.stream)
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
        places, samples = self.canvas.places, self._samples(packet)
        end = max(places.tail, places.tail if time_s is None else places.at(time_s)) + samples
        if end > self.canvas.filled - _SURELY_S * self.canvas.rate:
            self.counts = False
            return False
        self.canvas.pass_over(time_s, samples)
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
            self.canvas.places.next = at
        elif time_s is not None:
            late_s = abs(time_s - self._end_s)  # some decoders hold frames back
            self.counts = late_s <= max(1 / self.canvas.rate, 2 * self.tick_s) + 1e-6
        self._first = None

    def _samples(self, packet: Packet) -> int:
        told = (packet.duration or 0) * self.tick_s * self.canvas.rate
        if self.codec not in _OF_ONE_SIZE:
            return round(told)
        changed = told and not self.size / 2 < told < 2 * self.size
        return round(told) if changed and self.codec in _MAY_CHANGE else self.size
