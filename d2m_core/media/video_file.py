"""One video file, read by time: where it starts, where it really ends, frame after frame.

`video.py` builds clips on this. All times here are the container's own, in seconds.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import Container, InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..errors import MediaError

MAX_MISSING_S = 0.5
"""How much of a promised picture may be missing before a file counts as broken."""

SLACK_S = 1e-3
"""Containers round times, Matroska to whole milliseconds: so little late is still in time."""

_FALLBACK_FPS = Fraction(25)
"""Frame rate where neither the file nor the stream states one."""

_SEEK_BACK_S = (0.0, 2.0, 10.0)
"""Seeks land on the wrong side of the wish in some files; each try starts this much earlier."""

_TEXT_FORMATS = frozenset({"tty", "concat", "hls", "dash", "ffmetadata"})
"""Formats under which FFmpeg opens text files, some of which name other files."""

_HEADER_FORMATS = ("matroska", "flv", "asf")
"""Formats whose header states a length; a file cut off keeps it."""

_NEVER_S = float("-inf")

# PyAV before 19 refuses a file for one tag that is not UTF-8; 19 reads such bytes as surrogates.
_TAGS_THAT_ARE_NOT_UTF8: dict[str, Any] = (
    {"metadata_errors": "replace"} if hasattr(Container, "metadata_errors") else {}
)
_SURROGATES = re.compile("[\ud800-\udfff]")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ShownFrame:
    """A decoded frame, still in the file's own pixel format, with the time at which it appears."""

    time_s: float
    end_s: float
    frame: VideoFrame


@dataclass(frozen=True, eq=False)
class VideoSource:
    """An open file with its first frame decoded."""

    path: Path
    container: InputContainer
    stream: VideoStream
    first: ShownFrame
    rest: Iterator[ShownFrame]
    """The frames after the first."""


@contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """Opens a video or audio file; `MediaError` where FFmpeg cannot make sense of it."""
    _check_file(path)
    try:
        # An absolute path cannot be taken for a protocol ("a:b.mp4").
        container = av.open(str(path.resolve()), **_TAGS_THAT_ARE_NOT_UTF8)
    except FFmpegError as error:
        raise MediaError(
            f"{path.name} cannot be opened as video or sound ({error.strerror}); it may be "
            "damaged, cut off or something else, so copy it again or choose another file."
        ) from error
    with container:
        if container.format.name in _TEXT_FORMATS:
            raise MediaError(f"{path.name} is a text file; choose a video or sound file.")
        yield container


@contextmanager
def open_video(path: Path) -> Iterator[VideoSource]:
    """Opens a file that holds a video; `MediaError` says what keeps it from being one."""
    with open_media(path) as container:
        stream = video_stream(path, container)
        frames = _decode(path, container, stream)
        first = next(frames, None)
        if first is None:
            raise MediaError(f"{path.name} has a video stream but not one picture in it; export it again.")
        yield VideoSource(path, container, stream, first, frames)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise MediaError(f"There is no file {path}; check its name and folder.")
    if not path.is_file():
        raise MediaError(f"{path} is a folder; choose a file in it.")
    if path.stat().st_size == 0:
        raise MediaError(f"{path.name} is empty (0 bytes); copy it again.")


def clean_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags that any file, console or JSON takes: what was no UTF-8 becomes U+FFFD."""
    return {_SURROGATES.sub("\ufffd", k): _SURROGATES.sub("\ufffd", v) for k, v in tags.items()}


def picture_stream(container: InputContainer) -> VideoStream | None:
    """The first stream of moving pictures; a cover picture is none."""
    for stream in container.streams.video:
        if stream.codec_context is not None and "attached_pic" not in str(stream.disposition):
            return stream
    return None


def video_stream(path: Path, container: InputContainer) -> VideoStream:
    """The stream of moving pictures; `MediaError` where there is none."""
    if container.format.name.endswith("_pipe") or container.format.name == "image2":
        raise MediaError(f"{path.name} is a single picture; choose a video.")
    stream = picture_stream(container)
    if stream is None:
        raise MediaError(f"{path.name} has no video stream; choose a file with a moving picture.")
    stream.thread_type = "AUTO"
    return stream


def _decode(path: Path, container: InputContainer, stream: VideoStream) -> Iterator[ShownFrame]:
    """Frames in the order they are shown, from where the container stands.

    A frame without a time follows the one before. A broken packet is passed over, but what it
    leaves must not be longer than `MAX_MISSING_S`.
    """
    frame_s = frame_length(stream)
    last_s = end_s = _NEVER_S
    broken = False
    lengths: dict[int | None, int] = {}
    for frame in _decoded_or_none(container, stream, lengths):
        if frame is None:
            broken = True
            continue
        time_s = _time_of(frame)
        if time_s is None:
            time_s = max(end_s, 0.0)
        time_s = max(time_s, last_s)
        if broken and MAX_MISSING_S < time_s - end_s < float("inf"):
            raise MediaError(
                f"{path.name} cannot be decoded for {time_s - end_s:.1f} s in its middle; "
                "it is damaged, so copy or export it again."
            )
        last_s, end_s, broken = time_s, time_s + frame_s, False
        ticks = lengths.pop(frame.pts, 0)
        if ticks and frame.time_base:
            end_s = time_s + float(ticks * frame.time_base)
        yield ShownFrame(time_s, end_s, frame)


def _decoded_or_none(
    container: InputContainer, stream: VideoStream, lengths: dict[int | None, int]
) -> Iterator[VideoFrame | None]:
    """Decoded frames, and None in the place of what could not be decoded or read.

    `lengths` collects how many ticks each packet lasts, by its time; not every PyAV tells.
    """
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                return
        except FFmpegError as error:
            _log.warning("%s: reading stopped early: %s", container.name, error)
            packet = None
        if packet is not None and packet.pts is not None and packet.duration:
            lengths[packet.pts] = packet.duration
        try:
            yield from stream.decode(packet)  # None brings out what the decoder still holds
        except FFmpegError as error:
            _log.info("%s: passed over a broken packet: %s", container.name, error)
            yield None
        if packet is None:
            return


def frame_length(stream: VideoStream) -> float:
    """Seconds per frame on average."""
    return float(1 / (stream.average_rate or stream.guessed_rate or _FALLBACK_FPS))


def _time_of(frame: VideoFrame) -> float | None:
    """Presentation time, else decoding time (some AVI), else None (raw streams)."""
    ticks = frame.pts if frame.pts is not None else frame.dts
    return float(ticks * frame.time_base) if ticks is not None and frame.time_base else None


def frames_from(path: Path, start_s: float) -> Iterator[ShownFrame]:
    """Frames, first of them the one shown at `start_s`, or some before it.

    Here times count from the first picture of the file.
    """
    for back_s in (*_SEEK_BACK_S, float("inf")):
        with open_video(path) as source:
            zero_s = source.first.time_s
            first: ShownFrame | None = source.first
            rest = source.rest
            wish_s = start_s - back_s
            if wish_s > 1.0 and source.first.frame.pts is not None:
                rest = _seek(source, zero_s + wish_s)
                first = next(rest, None)
            if first is None or first.time_s > zero_s + start_s + SLACK_S:
                continue
            yield ShownFrame(first.time_s - zero_s, first.end_s - zero_s, first.frame)
            for shown in rest:
                yield ShownFrame(shown.time_s - zero_s, shown.end_s - zero_s, shown.frame)
            return


def _seek(source: VideoSource, time_s: float) -> Iterator[ShownFrame]:
    """Frames from the key frame before `time_s`; none where the file cannot seek."""
    try:
        source.container.seek(_ticks(source, time_s), stream=source.stream)
    except FFmpegError as error:
        _log.info("%s: cannot seek: %s", source.path.name, error)
        return iter(())
    return _decode(source.path, source.container, source.stream)


def _ticks(source: VideoSource, time_s: float) -> int:
    return int(time_s / source.stream.time_base) if source.stream.time_base else 0


@dataclass(frozen=True)
class _Ends:
    """Where packets end."""

    video_s: float = _NEVER_S
    any_s: float = _NEVER_S
    """End of the last packet of any stream."""
    pictures: int = 0


def end_of_pictures(source: VideoSource) -> float:
    """Time at which the last picture ends, found from the packets that are really there.

    Reads only the end of the file where that is enough; moves the source. Raises `MediaError` where
    the file promises more than it holds.
    """
    promised_s = _promised_end(source)
    header_s = (source.container.duration or 0) / av.time_base
    ends = _Ends()
    if source.first.frame.pts is not None:
        try:
            wish_s = header_s if promised_s is None else promised_s
            source.container.seek(_ticks(source, wish_s), stream=source.stream)
            ends = _packet_ends(source.container, source.stream)
        except FFmpegError as error:
            _log.info("%s: cannot seek to the end: %s", source.path.name, error)
    # A seek may land after the last picture, or behind what is left of a file that was cut off.
    if ends.pictures == 0 or _missing_s(ends, promised_s) > MAX_MISSING_S:
        with open_media(source.path) as container:
            ends = _packet_ends(container, source.stream)
    if promised_s is not None and _missing_s(ends, promised_s) > MAX_MISSING_S:
        zero_s = source.first.time_s
        raise MediaError(
            f"{source.path.name} breaks off at {max(ends.any_s - zero_s, 0):.1f} s of the "
            f"{promised_s - zero_s:.1f} s it promises; it was cut off, so copy or record it again."
        )
    if ends.video_s == _NEVER_S:  # no packet has a time: a raw stream
        return source.first.time_s + ends.pictures * frame_length(source.stream)
    return max(ends.video_s, source.first.end_s)


def _missing_s(ends: _Ends, promised_s: float | None) -> float:
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
        start = source.container.start_time or 0
        return (start + source.container.duration) / av.time_base
    return None


def _packet_ends(container: InputContainer, stream: VideoStream) -> _Ends:
    """Walks the packets from where the container stands to the end of the file."""
    frame_s = frame_length(stream)
    video_s = any_s = _NEVER_S
    pictures = 0
    packets = container.demux()
    while True:
        try:
            packet = next(packets, None)
        except FFmpegError as error:
            _log.info("%s: reading stopped: %s", container.name, error)
            packet = None
        if packet is None:
            return _Ends(video_s, any_s, pictures)
        if packet.size == 0 or packet.is_discard:
            continue
        is_video = packet.stream_index == stream.index
        pictures += is_video
        ticks = packet.pts if packet.pts is not None else packet.dts
        if ticks is None or not packet.time_base:
            continue
        length_s = packet.duration * packet.time_base if packet.duration else frame_s * is_video
        end_s = float(ticks * packet.time_base + length_s)
        any_s = max(any_s, end_s)
        video_s = max(video_s, end_s) if is_video else video_s
