"""One video file, read by time: where it starts, where it really ends, frame after frame.

`video.py` builds clips on this. All times here are the container's own, in seconds.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.container import Container, InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..errors import MediaError
from .clock import Clock, frame_length

MAX_MISSING_S = 0.5
"""How much of a promised picture may be missing before a file counts as broken."""

SLACK_S = 1e-3
"""Containers round times, Matroska to whole milliseconds: so little late is still in time."""

_SEEK_BACK_S = (0.0, 2.0, 10.0)
"""Seeks land on the wrong side of the wish in some files; each try starts this much earlier."""

_TEXT_FORMATS = frozenset({"tty", "concat", "hls", "dash", "ffmetadata"})
"""Formats under which FFmpeg opens text files, some of which name other files."""

_COVER = 0x0400
"""FFmpeg's AV_DISPOSITION_ATTACHED_PIC."""

NEVER_S = float("-inf")
"""Before everything."""

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
        if stream.codec_context is not None and not int(stream.disposition) & _COVER:
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
    last_s = end_s = NEVER_S
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
    packets, clock = container.demux(stream), Clock(container, stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            clock.straighten(packet)
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


def _time_of(frame: VideoFrame) -> float | None:
    """Presentation time, else decoding time (some AVI), else None (raw streams)."""
    ticks = frame.pts if frame.pts is not None else frame.dts
    return float(ticks * frame.time_base) if ticks is not None and frame.time_base else None


def frames_from(path: Path, start_s: float, restarts: bool = False) -> Iterator[ShownFrame]:
    """Frames, first of them the one shown at `start_s`, or some before it.

    Here times count from the first picture of the file. Where its clock `restarts`, no time can be sought.
    """
    for back_s in (*(() if restarts else _SEEK_BACK_S), float("inf")):
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
        source.container.seek(ticks_at(source, time_s), stream=source.stream)
    except FFmpegError as error:
        _log.info("%s: cannot seek: %s", source.path.name, error)
        return iter(())
    return _decode(source.path, source.container, source.stream)


def ticks_at(source: VideoSource, time_s: float) -> int:
    """A time in units of the pictures' stream."""
    return int(time_s / source.stream.time_base) if source.stream.time_base else 0
