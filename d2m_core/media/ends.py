"""Where a file's pictures end, by the packets that are really there, and what it holds beyond them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from ..errors import MediaError
from .clock import Clock, frame_length, may_restart
from .video_file import MAX_MISSING_S, NEVER_S, VideoSource, open_media, ticks_at, video_stream

_HEADER_FORMATS = ("matroska", "flv", "asf")
"""Formats whose header states a length; a file cut off keeps it."""

_WORTH_TELLING = 0.1
"""A smaller share of a file that cannot be read is a note by some program."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ends:
    """Where packets end, by the straight clock."""

    video_s: float = NEVER_S
    any_s: float = NEVER_S
    """End of the last packet of any stream."""
    pictures: int = 0
    last_byte: int = 0
    """Where the last packet ends in the file."""
    shifts_s: tuple[float, ...] = (0.0,)
    """For `Clock`."""


def ends_of(source: VideoSource) -> Ends:
    """Where the pictures end, found from the packets that are really there.

    Reads only the end of the file where that is enough; moves the source. Raises `MediaError` where
    the file promises more than it holds.
    """
    promised_s = _promised_end(source)
    ends = Ends() if may_restart(source.container, source.stream) else _sought_ends(source, promised_s)
    # A seek may land after the last picture, or behind what is left of a file that was cut off.
    if ends.pictures == 0 or _missing_s(ends, promised_s) > MAX_MISSING_S:
        with open_media(source.path) as container:
            ends = packet_ends(container, video_stream(source.path, container))
    if promised_s is not None and _missing_s(ends, promised_s) > MAX_MISSING_S:
        zero_s = source.first.time_s
        raise MediaError(
            f"{source.path.name} breaks off at {max(ends.any_s - zero_s, 0):.1f} s of the "
            f"{promised_s - zero_s:.1f} s it promises; it was cut off, so copy or record it again."
        )
    if ends.video_s == NEVER_S:  # no packet has a time: a raw stream
        counted_s = source.first.time_s + ends.pictures * frame_length(source.stream)
        return replace(ends, video_s=counted_s)
    return replace(ends, video_s=max(ends.video_s, source.first.end_s))


def _sought_ends(source: VideoSource, promised_s: float | None) -> Ends:
    """What the last packets say; nothing where the end cannot be sought."""
    if source.first.frame.pts is None:
        return Ends()
    header_s = (source.container.duration or 0) / av.time_base
    try:
        wish_s = header_s if promised_s is None else promised_s
        source.container.seek(ticks_at(source, wish_s), stream=source.stream)
        return packet_ends(source.container, source.stream)
    except FFmpegError as error:
        _log.info("%s: cannot seek to the end: %s", source.path.name, error)
        return Ends()


def _missing_s(ends: Ends, promised_s: float | None) -> float:
    return 0.0 if promised_s is None else promised_s - ends.any_s


def _promised_end(source: VideoSource) -> float | None:
    """Until when the file says that it goes on; None where it says nothing worth believing."""
    kind = source.container.format.name
    if "mp4" in kind:
        # The table of frames, not the header: editors leave wrong lengths there.
        for entry in reversed(getattr(source.stream, "index_entries", ())):
            if not entry.is_discard:  # an edit list may hide the end
                return float(entry.timestamp * (source.stream.time_base or 0))
        if not hasattr(source.stream, "index_entries") and source.stream.duration:  # older PyAV
            ticks = (source.stream.start_time or 0) + source.stream.duration
            return float(ticks * (source.stream.time_base or 0))
    if kind == "avi" and source.stream.frames:  # its length is corrected by the file's size
        return source.first.time_s + source.stream.frames * frame_length(source.stream)
    if any(name in kind for name in _HEADER_FORMATS) and source.container.duration:
        # Matroska's length counts from 0, not from the first picture, as FFmpeg writes it.
        start = 0 if "matroska" in kind else source.container.start_time or 0
        return (start + source.container.duration) / av.time_base
    return None


def packet_ends(container: InputContainer, stream: VideoStream) -> Ends:
    """Walks the packets from where the container stands to the end of the file."""
    clock = Clock(container, stream)
    video_s = any_s = NEVER_S
    pictures = last_byte = 0
    packets = container.demux()
    while True:
        try:
            packet = next(packets, None)
        except FFmpegError as error:
            _log.info("%s: reading stopped: %s", container.name, error)
            packet = None
        if packet is None:
            return Ends(video_s, any_s, pictures, last_byte, tuple(clock.shifts_s))
        clock.straighten(packet)
        if packet.size == 0 or packet.is_discard:
            continue
        is_video = packet.stream_index == stream.index
        pictures += is_video
        last_byte = max(last_byte, (packet.pos or 0) + packet.size)
        end_s = _end_of(packet, frame_length(stream) * is_video)
        any_s = max(any_s, end_s)
        video_s = max(video_s, end_s) if is_video else video_s


def _end_of(packet: Packet, default_s: float) -> float:
    ticks = packet.pts if packet.pts is not None else packet.dts
    if ticks is None or not packet.time_base:
        return NEVER_S
    length_s = packet.duration * packet.time_base if packet.duration else default_s
    return float(ticks * packet.time_base + length_s)


def tell_what_is_left(source: VideoSource, ends: Ends) -> None:
    """Warns where a good part of the file follows all that can be read, as of MP4 files that were joined."""
    kind, size = source.container.format.name, source.container.size
    if "mp4" in kind:
        left = _media_after(source, ends.last_byte)
    else:
        left = size - ends.last_byte if kind == "flv" else 0
    if left > _WORTH_TELLING * size:
        _log.warning(
            "%s: only its first %.1f s can be read, for another %.0f %% of the file follows in a part of its "
            "own; join recordings with a video editor.",
            source.path.name,
            ends.video_s - source.first.time_s,
            100 * left / size,
        )


def _media_after(source: VideoSource, last_byte: int) -> int:
    """Bytes in those boxes of an MP4 file with pictures and sound that begin after `last_byte`."""
    found = at = 0
    with source.path.open("rb") as file:
        while len(head := file.read(16)) >= 8:
            length = int.from_bytes(head[:4], "big")
            if length == 1 and len(head) == 16:
                length = int.from_bytes(head[8:], "big")
            if length < 8:  # 0: to the end of the file
                length = source.container.size - at
            if head[4:8] == b"mdat" and at >= last_byte:
                found += length
            at += max(length, 8)
            file.seek(at)
    return found
