"""One window of sound, filled frame by frame: one rate, mono or stereo, each frame where it belongs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from .sound_places import Places


def stamp(frame: AudioFrame) -> float | None:
    """When a frame starts by the file's own time, in seconds."""
    return frame.time if frame.time_base else None


class Canvas:
    """Lays decoded frames within one window that begins at sample `filled`."""

    def __init__(
        self,
        first: AudioFrame,
        kind: str,
        zero_s: float | None,
        start_s: float,
        duration_s: float | None,
        until_s: float | None = None,
    ) -> None:
        self.rate = first.sample_rate
        self.channels = min(2, len(first.layout.channels))
        self.filled = round(start_s * self.rate)
        """The sample up to which the window is there, counted from time 0 as all here."""
        self.full = False
        zero_s = zero_s if zero_s is not None else (stamp(first) or 0.0)
        until = None if until_s is None else round(until_s * self.rate)
        self.places = Places(kind, self.rate, zero_s, until)
        self._end = None if duration_s is None else self.filled + round(duration_s * self.rate)
        self._other: _Converter | None = None

    def lay(self, frame: AudioFrame) -> Iterator[np.ndarray]:
        """Takes one frame; gives what is sure to come next in the window, float32 [C, n]."""
        for time_s, data in self._alike(frame):
            for placed in self.places.add(time_s, data.shape[1], data):
                yield from self._put(placed.at, placed.data)

    def pass_over(self, time_s: float | None, samples: int) -> None:
        """Counts a frame that lies well before the window."""
        for _ in self.places.add(time_s, samples, None):
            continue

    def rest(self) -> Iterator[np.ndarray]:
        """What was still waiting for frames to follow."""
        if self._other is not None:
            for time_s, data in self._other.rest():
                for placed in self.places.add(time_s, data.shape[1], data):
                    yield from self._put(placed.at, placed.data)
            self._other = None
        for placed in self.places.rest():
            yield from self._put(placed.at, placed.data)

    def _put(self, at: int, data: np.ndarray | None) -> Iterator[np.ndarray]:
        if data is not None and not self.full:
            begin = max(at, self.filled)
            end = at + data.shape[1]
            end = end if self._end is None else min(end, self._end)
            if begin < end:
                yield from _silence(self.channels, begin - self.filled)
                yield data[:, begin - at : end - at]
                self.filled = end
        self.full = self._end is not None and (self.places.next or 0) >= self._end

    def _alike(self, frame: AudioFrame) -> Iterator[tuple[float | None, np.ndarray]]:
        """Frames at the window's rate with its channels, and their times."""
        found = len(frame.layout.channels)
        fits = frame.sample_rate == self.rate and found <= 2
        if self._other is not None and (fits or not self._other.takes(frame)):
            yield from self._other.rest()
            self._other = None
        if fits:
            data = floats(frame)
            if found != self.channels:  # a stream may change from mono to stereo on the way
                data = np.repeat(data.mean(axis=0, keepdims=True), self.channels, axis=0)
            yield stamp(frame), data
            return
        if self._other is None:
            self._other = _Converter(frame, self.rate, self.channels)
        yield from self._other(frame)


class _Converter:
    """FFmpeg's own conversion: its matrix for 5.1 and the like, its resampler for another rate."""

    def __init__(self, frame: AudioFrame, rate: int, channels: int) -> None:
        self._made_for = self._kind(frame)
        self._resampler = AudioResampler("fltp", "mono" if channels == 1 else "stereo", rate)

    @staticmethod
    def _kind(frame: AudioFrame) -> tuple[int, str, str]:
        return frame.sample_rate, frame.layout.name, frame.format.name

    def takes(self, frame: AudioFrame) -> bool:
        return self._kind(frame) == self._made_for

    def __call__(self, frame: AudioFrame | None) -> Iterator[tuple[float | None, np.ndarray]]:
        for made in self._resampler.resample(frame):
            yield stamp(made), made.to_ndarray()

    def rest(self) -> Iterator[tuple[float | None, np.ndarray]]:
        return self(None)


def _silence(channels: int, samples: int) -> Iterator[np.ndarray]:
    """Zeros in pieces: a hole may be as long as a film."""
    while samples > 0:
        yield np.zeros((channels, min(samples, 1 << 20)), np.float32)
        samples -= 1 << 20


def floats(frame: AudioFrame) -> np.ndarray:
    """float32 [C, n] in -1..1 from any sample format."""
    data = frame.to_ndarray()
    if not frame.format.is_planar:
        data = data.reshape(-1, len(frame.layout.channels)).T
    if data.dtype == np.uint8:
        data = data.astype(np.float32) / 128.0 - 1.0
    elif np.issubdtype(data.dtype, np.integer):
        data = data / 2.0 ** (8 * data.dtype.itemsize - 1)
    return data.astype(np.float32)
