"""Pictures of a clip, copied into another container: not a byte of them changes."""

from __future__ import annotations

import io
import logging
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from ..errors import MediaError
from ..types import VideoClip
from .clock import copied_packets
from .video_file import MAX_MISSING_S, open_media, video_stream

VIDEO_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Films that can be written, by the end of the file's name."""

FILM_SOUND = "aac"
"""How the sound of films is coded."""

_log = logging.getLogger(__name__)

_SOUND = "further sound track"

_STILLS = ("gif", "apng", "webp")
"""Animated stills: a film may hold some of them, but no player looks for them there."""

_REHEARSED = 4
"""Packets after which a container has looked at all it wants to know of a stream."""


def add_copied(out: OutputContainer, clip: VideoClip, source: InputContainer) -> Iterator[Packet]:
    """A stream in `out` like the clip's, and all its packets. `ValueError` where it cannot hold them."""
    pictures = video_stream(clip.path, source)
    stream = out.add_stream_from_template(pictures, opaque=True)
    tag = pictures.codec_context.codec_tag
    if out.format.name in ("mp4", "mov"):
        if "mp4" in source.format.name:
            stream.codec_context.codec_tag = tag
        elif clip.codec == "hevc":
            stream.codec_context.codec_tag = "hvc1"  # Apple's players take no other
    elif clip.codec == "prores":
        stream.codec_context.codec_tag = tag  # tells 4444 from 422, so 12 bits from 10
    for name, value in pictures.metadata.items():
        if name.lower() == "alpha_mode":
            stream.metadata[name] = value  # else players take the transparent parts for black
    return _all(clip, copied_packets(source, pictures, stream, clip.first_s or 0.0, clip.restarts))


def _all(clip: VideoClip, packets: Iterator[Packet]) -> Iterator[Packet]:
    """The packets; `MediaError` where they end before the clip does: nobody has decoded them by now."""
    end_s = 0.0
    for packet in packets:
        if packet.pts is not None and packet.time_base:
            end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        yield packet
    if end_s < clip.duration_s - MAX_MISSING_S:
        raise MediaError(
            f"{clip.path.name} breaks off at {end_s:.1f} s of {clip.duration_s:.1f} s; it is damaged, so "
            "copy or export it again."
        )


def why_not_copied(clip: VideoClip, suffix: str) -> str | None:
    """What keeps the clip's pictures from being copied into such a file, None if nothing; found by trying.

    The first packets are written to memory: containers refuse codecs at three different points.
    """
    if not clip.is_whole:
        return "a part of a clip rarely starts at a key frame"
    if clip.first_s is None:
        return f"the pictures of {clip.path.name} have no times"
    facts = clip.path.stat()
    return _rehearsed(clip, suffix.lower(), facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=64)
def _rehearsed(clip: VideoClip, suffix: str, *_stamp: int) -> str | None:
    written = io.BytesIO()
    found = wanted = None
    try:
        with open_media(clip.path) as source:
            wanted = _facts(video_stream(clip.path, source))
            with av.open(written, "w", format=VIDEO_FORMATS[suffix]) as out:
                packets = add_copied(out, clip, source)
                out.add_stream(FILM_SOUND, rate=48_000, layout="mono")
                for packet in islice(packets, _REHEARSED):
                    out.mux(packet)
        with av.open(io.BytesIO(written.getvalue())) as back:
            found = _facts(back.streams.video[0])
    except (FFmpegError, ValueError, IndexError) as error:
        _log.debug("%s into %s: %s", clip.path.name, suffix, error)
    if found is None or found != wanted or clip.codec in _STILLS:
        return f"the picture of {clip.path.name} is coded as {clip.codec}, which {suffix} files do not hold"
    return None


def _facts(stream: VideoStream) -> tuple[object, ...]:
    """What a decoder must find again: raw pictures lose their layout in some containers."""
    context = stream.codec_context
    return context.name, context.width, context.height, context.pix_fmt


def copying_suffixes(clip: VideoClip) -> list[str]:
    """Endings of the films that the clip's pictures can be copied into."""
    return [suffix for suffix in VIDEO_FORMATS if why_not_copied(clip, suffix) is None]


def picture_size(clip: VideoClip) -> int:
    """Bytes that the clip's pictures take at least, as far as the file tells. Raises `MediaError`."""
    with open_media(clip.path) as source:
        bit_rate = video_stream(clip.path, source).codec_context.bit_rate
    if bit_rate:
        return round(bit_rate / 8 * clip.file_s)
    return clip.path.stat().st_size // 2  # the rest may be sound


def left_out(path: Path) -> str | None:
    """What a file holds beside its picture and one sound, in words; None if nothing. Raises `MediaError`."""
    with open_media(path) as container:
        picture = video_stream(path, container)
        others = [_kind(stream) for stream in container.streams if stream.index != picture.index]
    found = Counter(others)
    found.subtract([_SOUND])
    parts = [f"{count} {kind}{'s' * (count > 1)}" for kind, count in found.items() if count > 0]
    return " and ".join([*([", ".join(parts[:-1])] if parts[1:] else []), *parts[-1:]]) or None


def _kind(stream: Stream) -> str:
    if stream.type == "video":
        cover = "attached_pic" in str(stream.disposition)
        return "cover picture" if cover else "further picture track"
    kinds = {"audio": _SOUND, "subtitle": "subtitle track", "attachment": "attached file"}
    return kinds.get(stream.type, "data track")
