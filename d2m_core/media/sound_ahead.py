"""The way from a file's first frames of sound to a window of it.

Samples come out as if all had been decoded from the file's start. Packets that end well before the
window are passed over, and a file whose time stamps name its samples is entered there; a decoder
is warm again after `_WARM_S`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet

from .sound_canvas import Canvas, stamp

_WARM_S = 2.0
"""Decoded before the window: MP3 borrows bits from frames before, Opus predicts from them."""

_SURELY_S = 0.6
"""What ends so much before the window cannot be moved into it by time stamps that shake."""

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


class TooFar(Exception):
    """Entering the file led past the window's start."""


def decoded(container: InputContainer, packet: Packet) -> Iterator[AudioFrame]:
    """A packet's frames; where it is broken there are none, and time stamps show the hole."""
    try:
        for frame in packet.decode():
            if isinstance(frame, AudioFrame):
                yield frame
    except FFmpegError as error:
        _log.info("%s: passed over broken sound: %s", container.name, error)


class Ahead:
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
            for _ in decoded(self.container, packet):
                continue
        return True

    def _check(self, time_s: float | None) -> None:
        """Looks at the first packet after the first frames: whether it follows them."""
        if self._first is None:
            return
        if self.entered:
            at = None if time_s is None else self._at(time_s)
            if at is None or at > self.canvas.filled:
                raise TooFar
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
