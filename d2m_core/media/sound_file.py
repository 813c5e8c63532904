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
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet

from ..files import not_written, replacing
from .blocks import Blocks, Reader
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


def add_sound(out: OutputContainer, sound: Blocks, codec: str) -> AudioStream:
    """A new stream in `out` for this sound."""
    stream = out.add_stream(codec, rate=sound.rate, layout=LAYOUTS[sound.channels])
    assert isinstance(stream, AudioStream)
    if not codec.startswith(("pcm", "flac")):
        stream.bit_rate = _BIT_RATE_PER_CHANNEL * sound.channels
    return stream


def sound_packets(stream: AudioStream, sound: Blocks) -> Iterator[Packet]:
    """Encodes the sound block by block."""
    reader, begin = Reader(sound), 0
    while (samples := reader.take(_CHUNK)).shape[-1]:
        chunk = np.ascontiguousarray(samples.numpy())  # [C, n]
        frame = AudioFrame.from_ndarray(chunk, format="fltp", layout=LAYOUTS[sound.channels])
        frame.sample_rate = sound.rate
        frame.pts, frame.time_base = begin, Fraction(1, sound.rate)
        begin += samples.shape[-1]
        yield from stream.encode(frame)
    yield from stream.encode(None)


def packet_time(packet: Packet) -> float:
    """When a packet is wanted, in seconds: packets of several streams are written in this order."""
    ticks = packet.dts if packet.dts is not None else packet.pts
    return float("-inf") if ticks is None else float(ticks * packet.time_base)
