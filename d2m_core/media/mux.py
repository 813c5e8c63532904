"""A clip's picture with other sound under it: the picture is copied, not coded again."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..errors import MediaError
from ..types import MOTION_FPS, Progress, VideoClip, Waveform
from .sound import encodable, fit_length, with_own_sound
from .sound_file import add_sound, open_output, sound_packets
from .video import RgbConverter, open_clip, shown_frames
from .video_file import VideoSource, frame_length, open_media, open_video

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
    wave = fit_length(wave, clip.duration_s)
    if original_gain > 0:
        wave = with_own_sound(wave, clip, original_gain)
    wave = encodable(wave, _MUX_CODEC)
    with open_video(clip.path) as source, open_output(out_path, kind, metadata) as out:
        if _is_whole(clip) and source.first.frame.pts is not None:
            start_s, stream = source.first.time_s, _copied_stream(out, source, out_path)
            pictures = _copied_packets(source, stream)
        else:
            start_s, coded = 0.0, _coded_stream(out, clip, source)
            pictures = _coded_packets(clip, coded)
        sound = sound_packets(add_sound(out, wave, _MUX_CODEC), wave, start_s)
        for packet in heapq.merge(pictures, sound, key=_packet_time):
            if on_progress is not None:
                done_s = min(max(_packet_time(packet) - start_s, 0.0), clip.duration_s)
                on_progress(round(1000 * done_s), round(1000 * clip.duration_s))
            out.mux(packet)
    return out_path


def best_suffix(clip: VideoClip) -> str:
    """`.mp4` wherever the clip's picture fits into it, else `.mkv`; for `mux`."""
    if not _is_whole(clip):
        return ".mp4"
    with open_video(clip.path) as source:
        return ".mp4" if source.stream.codec_context.name in _MP4_CODECS else ".mkv"


def _is_whole(clip: VideoClip) -> bool:
    if clip.start_s > 0:
        return False
    return open_clip(clip.path).duration_s - clip.duration_s < 1 / MOTION_FPS


def _copied_stream(out: OutputContainer, source: VideoSource, out_path: Path) -> Stream:
    codec = source.stream.codec_context.name
    try:
        stream = out.add_stream_from_template(source.stream, opaque=True)
    except ValueError as error:
        raise MediaError(
            f"The picture of {source.path.name} is coded as {codec}, which does not fit into "
            f"{out_path.suffix} files; choose a name that ends in .mkv."
        ) from error
    if out.format.name in ("mp4", "mov"):
        if "mp4" in source.container.format.name:
            stream.codec_context.codec_tag = source.stream.codec_context.codec_tag
        elif codec == "hevc":
            stream.codec_context.codec_tag = "hvc1"  # Apple's players take no other
    return stream


def _copied_packets(source: VideoSource, target: Stream) -> Iterator[Packet]:
    with open_media(source.path) as container:
        for packet in container.demux(container.streams[source.stream.index]):
            if packet.size:
                # Without a length the edit list of an MP4 hides the last picture.
                if not packet.duration and packet.time_base:
                    packet.duration = round(frame_length(source.stream) / packet.time_base)
                packet.stream = target
                yield packet


def _coded_stream(out: OutputContainer, clip: VideoClip, source: VideoSource) -> VideoStream:
    rate = source.stream.average_rate or Fraction(MOTION_FPS)
    options = {"crf": "18", "preset": "veryfast", "bf": "0"}
    stream = out.add_stream("libx264", rate=rate, options=options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = (clip.width // 2 * 2, clip.height // 2 * 2)  # 4:2:0 needs even sizes
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = Fraction(1, _TICKS)
    return stream


def _coded_packets(clip: VideoClip, stream: VideoStream) -> Iterator[Packet]:
    to_rgb = RgbConverter(clip.width, clip.height)
    lengths: dict[int, int] = {}
    for shown in shown_frames(clip):
        rgb = to_rgb(shown.frame)[: stream.height, : stream.width]
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        frame.pts, frame.time_base = round(shown.time_s * _TICKS), Fraction(1, _TICKS)
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
