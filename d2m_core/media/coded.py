"""Pictures of a clip, coded again: same size, times and colours, the right way up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from ..types import Colours, VideoClip
from .clock import Rising
from .colours import Redrawing, as_yuv, label
from .video import shown_frames, turning_filters

_TICKS = 90_000
"""Time base of pictures that are coded again, per second."""

_OPTIONS = {
    "libx264": {"crf": "18", "preset": "veryfast", "bf": "0"},
    "libx265": {"crf": "20", "preset": "veryfast", "x265-params": "log-level=none:bframes=0"},
}


@dataclass(frozen=True)
class Encoder:
    """What codes pictures again."""

    name: str
    pixels: str

    @property
    def bits(self) -> int:
        return 10 if "10" in self.pixels else 8


def encoder_for(bits: int) -> Encoder:
    """H.264 for 8 bits. For more, HEVC with 10: no player shows those of H.264, every HDR screen these."""
    if bits > 8:
        for name in ("libx265", "libx264"):
            if _can(name, "yuv420p10le"):
                return Encoder(name, "yuv420p10le")
    return Encoder("libx264", "yuv420p")


def _can(name: str, pixels: str) -> bool:
    try:
        return any(kind.name == pixels for kind in Codec(name, "w").video_formats or ())
    except UnknownCodecError:
        return False


def add_coded(out: OutputContainer, clip: VideoClip) -> Iterator[Packet]:
    """A new stream in `out`, and the clip's pictures for it; their first time is 0."""
    target = as_yuv(clip.colours)
    encoder = encoder_for(target.bits)
    stream = out.add_stream(encoder.name, rate=clip.rate, options=_OPTIONS[encoder.name])
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = even_size(clip.width, clip.height)
    stream.pix_fmt = encoder.pixels
    stream.codec_context.time_base = Fraction(1, _TICKS)
    label(stream.codec_context, target)
    if encoder.name == "libx265" and out.format.name in ("mp4", "mov"):
        stream.codec_context.codec_tag = "hvc1"  # Apple's players take no other
    return _packets(clip, stream, target)


def even_size(width: int, height: int) -> tuple[int, int]:
    """The size of a picture without a last odd row and column: 4:2:0 needs even sizes."""
    return max(2, width // 2 * 2), max(2, height // 2 * 2)


def _packets(clip: VideoClip, stream: VideoStream, target: Colours) -> Iterator[Packet]:
    redraw: Redrawing | None = None
    lengths: dict[int, int] = {}
    rising = Rising()
    for shown in shown_frames(clip):
        if redraw is None:
            swapped, turning = turning_filters(shown.frame)
            size = (clip.height, clip.width) if swapped else (clip.width, clip.height)
            then = f"{turning},crop={stream.width}:{stream.height}:0:0"
            redraw = Redrawing(size, str(stream.pix_fmt), clip.colours, target, then)
        frame = redraw(shown.frame)
        frame.pts, frame.time_base = rising(round(shown.time_s * _TICKS)), Fraction(1, _TICKS)
        end_s = min(shown.end_s, clip.duration_s)
        lengths[frame.pts] = max(1, round(end_s * _TICKS) - frame.pts)
        yield from _with_lengths(stream.encode(frame), lengths)
    if lengths:  # the last picture stays to the end, however short it was meant to be
        last = max(lengths)
        lengths[last] = max(1, round(clip.duration_s * _TICKS) - last)
    yield from _with_lengths(stream.encode(None), lengths)


def _with_lengths(packets: list[Packet], lengths: dict[int, int]) -> Iterator[Packet]:
    """The encoder forgets how long a picture stays; the last one must not outlast the clip."""
    for packet in packets:
        packet.duration = lengths.pop(packet.pts or 0, 0)
        yield packet
