"""A clip's picture with other sound under it: the picture is copied, not coded again."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..errors import MediaError
from ..types import Progress, VideoClip, Waveform
from .blocks import fitted
from .clock import Rising, copied_packets
from .sound import encodable, in_blocks, with_own_sound
from .sound_file import add_sound, open_output, sound_packets
from .video import RgbConverter, shown_frames
from .video_file import open_media, video_stream

VIDEO_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""What `mux` writes, by the end of the file's name."""

_MP4_CODECS = ("h264", "hevc", "av1", "libdav1d", "libaom-av1", "mpeg4")
"""Pictures that players expect in an MP4 file, by the names of their decoders."""
_MUX_CODEC = "aac"
_TICKS = 90_000
"""Time base of pictures that are coded again, per second."""


def mux(
    clip: VideoClip,
    wave: Waveform,
    out_path: str | Path,
    original_gain: float = 0.0,
    *,
    metadata: dict[str, str] | None = None,
    on_progress: Progress | None = None,
) -> Path:
    """Writes the clip's picture with `wave` as its sound (AAC), fitted to the clip's length.

    The pictures of a whole file are copied as they are: not a byte changes, rotation and times
    stay. A window rarely starts at a key frame, so it is coded again with H.264. With
    `original_gain` above 0 the clip's own sound is mixed in at that gain. `on_progress` counts
    milliseconds of the clip; it may raise to cancel, and no half file stays. Raises `MediaError`.
    """
    out_path = Path(out_path)
    kind = VIDEO_FORMATS.get(out_path.suffix.lower())
    if kind is None:
        known = " ".join(sorted(VIDEO_FORMATS))
        raise MediaError(f"{out_path.name} does not end in a known video format; use one of {known}.")
    if out_path.resolve() == clip.path.resolve():
        raise MediaError(f"{out_path.name} is the clip itself; choose another name for the result.")
    music = fitted(in_blocks(wave), clip.duration_s)
    if original_gain > 0:
        music = with_own_sound(music, clip, original_gain)
    total = round(1000 * clip.duration_s)
    music = encodable(music, _MUX_CODEC, tick=on_progress and (lambda: on_progress(0, total)))
    with ExitStack() as files:
        copied = clip.is_whole and clip.first_s is not None
        source = files.enter_context(open_media(clip.path)) if copied else None
        out = files.enter_context(open_output(out_path, kind, metadata))
        pictures = _coded(out, clip) if source is None else _copied(out, clip, source, out_path)
        sound = sound_packets(add_sound(out, music, _MUX_CODEC), music)
        for packet in heapq.merge(pictures, sound, key=_packet_time):
            if on_progress is not None:
                done_s = min(max(_packet_time(packet), 0.0), clip.duration_s)
                on_progress(round(1000 * done_s), total)
            out.mux(packet)
    return out_path


def best_suffix(clip: VideoClip) -> str:
    """`.mp4` wherever the clip's picture fits into it, else `.mkv`; for `mux`."""
    return ".mp4" if clip.codec in _MP4_CODECS or not clip.is_whole else ".mkv"


def _copied(
    out: OutputContainer, clip: VideoClip, source: InputContainer, out_path: Path
) -> Iterator[Packet]:
    """A stream in `out` like the clip's, and all its packets."""
    pictures = video_stream(clip.path, source)
    try:
        stream = out.add_stream_from_template(pictures, opaque=True)
    except ValueError as error:
        raise MediaError(
            f"The picture of {clip.path.name} is coded as {clip.codec}, which does not fit into "
            f"{out_path.suffix} files; choose a name that ends in .mkv."
        ) from error
    if out.format.name in ("mp4", "mov"):
        if "mp4" in source.format.name:
            stream.codec_context.codec_tag = pictures.codec_context.codec_tag
        elif clip.codec == "hevc":
            stream.codec_context.codec_tag = "hvc1"  # Apple's players take no other
    return copied_packets(source, pictures, stream, clip.first_s or 0.0, clip.restarts)


def _coded(out: OutputContainer, clip: VideoClip) -> Iterator[Packet]:
    """A stream of H.264 in `out`, and the clip's pictures for it."""
    options = {"crf": "18", "preset": "veryfast", "bf": "0"}
    stream = out.add_stream("libx264", rate=clip.rate, options=options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = (clip.width // 2 * 2, clip.height // 2 * 2)  # 4:2:0 needs even sizes
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = Fraction(1, _TICKS)
    return _coded_packets(clip, stream)


def _coded_packets(clip: VideoClip, stream: VideoStream) -> Iterator[Packet]:
    to_rgb = RgbConverter(clip.width, clip.height)
    lengths: dict[int, int] = {}
    rising = Rising()
    for shown in shown_frames(clip):
        rgb = to_rgb(shown.frame)[: stream.height, : stream.width]
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        frame.pts, frame.time_base = rising(round(shown.time_s * _TICKS)), Fraction(1, _TICKS)
        end_s = min(shown.end_s, clip.duration_s)
        lengths[frame.pts] = max(1, round(end_s * _TICKS) - frame.pts)
        yield from _with_lengths(stream.encode(frame), lengths)
    yield from _with_lengths(stream.encode(None), lengths)


def _with_lengths(packets: list[Packet], lengths: dict[int, int]) -> Iterator[Packet]:
    """The encoder forgets how long a picture stays; the last one must not outlast the clip."""
    for packet in packets:
        packet.duration = lengths.pop(packet.pts or 0, 0)
        yield packet


def _packet_time(packet: Packet) -> float:
    ticks = packet.dts if packet.dts is not None else packet.pts
    return float("-inf") if ticks is None else float(ticks * packet.time_base)
