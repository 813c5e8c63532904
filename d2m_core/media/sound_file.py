"""Sound files, packet by packet: decoding any, encoding a few. `sound` builds on this."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet

from ..errors import MediaError
from ..files import not_written, replacing
from ..types import Waveform
from .video_file import clean_tags


@dataclass(frozen=True)
class AudioFormat:
    """How one kind of sound file is written."""

    container: str
    codec: str
    lossy: bool


AUDIO_FORMATS = {
    ".wav": AudioFormat("wav", "pcm_s16le", lossy=False),
    ".flac": AudioFormat("flac", "flac", lossy=False),
    ".mp3": AudioFormat("mp3", "libmp3lame", lossy=True),
    ".opus": AudioFormat("opus", "libopus", lossy=True),
    ".m4a": AudioFormat("ipod", "aac", lossy=True),
    ".aac": AudioFormat("adts", "aac", lossy=True),
}
"""What `save_audio` writes, by the end of the file's name."""

LAYOUTS = {1: "mono", 2: "stereo"}
"""Channels that can be written."""

_BIT_RATE_PER_CHANNEL = 128_000
_CHUNK = 4096
"""Samples handed to an encoder at once."""

_JITTER_S = 0.05
"""Sound is laid where its time stamp says, but smaller steps than this are rounding."""

_LONGEST_GAP_S = 30.0
"""A longer hole in the sound is a wrong time stamp, not silence."""

_PLAIN_TAGS = frozenset(
    {"title", "artist", "album", "album_artist", "comment", "composer", "copyright", "date"}
    | {"description", "genre", "grouping", "lyrics"}
)
"""Tags that MP4 files have a place for; others need its free form."""


@contextmanager
def open_output(path: Path, container: str, metadata: dict[str, str] | None) -> Iterator[OutputContainer]:
    """A new file with its tags set, there when the block has ended well; else `MediaError`."""
    tags = clean_tags({name: str(value) for name, value in (metadata or {}).items()})
    options = {}
    if container in ("mp4", "mov", "ipod"):
        options["movie_timescale"] = "90000"  # the default of 1000 shifts tracks by up to 0.5 ms
        if not _PLAIN_TAGS.issuperset(tags):
            options["movflags"] = "use_metadata_tags"
    elif container == "adts" and tags:
        options["write_id3v2"] = "1"
    try:
        with (
            replacing(path) as part,
            av.open(str(part.resolve()), "w", format=container, options=options) as out,
        ):
            out.metadata.update(tags)
            yield out
    except (FFmpegError, OSError) as error:
        raise not_written(path, error) from error


def add_sound(out: OutputContainer, wave: Waveform, codec: str) -> AudioStream:
    """A new stream in `out` for this sound."""
    channels = wave.samples.shape[1]
    stream = out.add_stream(codec, rate=wave.sample_rate, layout=LAYOUTS[channels])
    assert isinstance(stream, AudioStream)
    if not codec.startswith(("pcm", "flac")):
        stream.bit_rate = _BIT_RATE_PER_CHANNEL * channels
    return stream


def sound_packets(stream: AudioStream, wave: Waveform, start_s: float = 0.0) -> Iterator[Packet]:
    """Encodes the sound so that it begins at `start_s`."""
    samples = wave.samples[0].detach().cpu().numpy()  # [C, N]
    offset = round(start_s * wave.sample_rate)
    for begin in range(0, samples.shape[1], _CHUNK):
        chunk = np.ascontiguousarray(samples[:, begin : begin + _CHUNK])
        frame = AudioFrame.from_ndarray(chunk, format="fltp", layout=LAYOUTS[len(samples)])
        frame.sample_rate = wave.sample_rate
        frame.pts, frame.time_base = offset + begin, Fraction(1, wave.sample_rate)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def sound_stream(path: Path, container: InputContainer) -> AudioStream:
    for stream in container.streams.audio:
        if stream.codec_context is not None:
            return stream
    raise MediaError(f"{path.name} has no sound; choose a file with sound.")


def stamp(frame: AudioFrame) -> float | None:
    """When a frame starts by the file's own time, in seconds."""
    return frame.time if frame.time_base else None


class Canvas:
    """Lays decoded frames end to end where their time stamps say, within one window.

    `filled` is the sample up to which the window is there, counted from time 0 as all here, and
    `next` the one after the last frame, None before the first.
    """

    def __init__(
        self, first: AudioFrame, zero_s: float | None, start_s: float, duration_s: float | None
    ) -> None:
        self.rate = first.sample_rate
        self.parts: list[np.ndarray] = []
        """float32 [C, n] each."""
        self._channels = len(first.layout.channels)
        self._zero_s = zero_s if zero_s is not None else (stamp(first) or 0.0)
        self.filled = round(start_s * self.rate)
        self._end = None if duration_s is None else self.filled + round(duration_s * self.rate)
        self.next: int | None = None

    def lay(self, path: Path, frame: AudioFrame) -> bool:
        """Takes one frame; False when the window is full."""
        if frame.sample_rate != self.rate:
            raise MediaError(f"{path.name} changes its sample rate in the middle; convert it first.")
        data = _floats(frame, self._channels)  # [C, n]
        at = self.place(stamp(frame))
        self.next = at + data.shape[1]
        begin = max(at, self.filled)
        end = self.next if self._end is None else min(self.next, self._end)
        if begin < end:
            self._silence(begin - self.filled)
            self.parts.append(data[:, begin - at : end - at])
            self.filled = end
        return self._end is None or self.next < self._end

    def place(self, time_s: float | None) -> int:
        """Sample at which a frame starts that follows, stamped with this time of the file's own."""
        if time_s is None:
            return self.next or 0
        at = round((time_s - self._zero_s) * self.rate)
        if self.next is None:
            return at
        gap_s = (at - self.next) / self.rate
        return at if _JITTER_S < gap_s < _LONGEST_GAP_S else self.next

    def _silence(self, samples: int) -> None:
        if samples > 0:
            self.parts.append(np.zeros((self._channels, samples), np.float32))


def _floats(frame: AudioFrame, channels: int) -> np.ndarray:
    """float32 [C, n] in -1..1 from any sample format."""
    data = frame.to_ndarray()
    if not frame.format.is_planar:
        data = data.reshape(-1, len(frame.layout.channels)).T
    if data.dtype == np.uint8:
        data = data.astype(np.float32) / 128.0 - 1.0
    elif np.issubdtype(data.dtype, np.integer):
        data = data / 2.0 ** (8 * data.dtype.itemsize - 1)
    data = data.astype(np.float32)
    if data.shape[0] != channels:  # a stream may change from mono to stereo on the way
        data = np.repeat(data.mean(axis=0, keepdims=True), channels, axis=0)
    return data
