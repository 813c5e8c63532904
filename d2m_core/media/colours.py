"""What a picture's numbers mean (matrix, range, transfer, primaries), kept while it is coded again.

The numbers are those of ITU-T H.273, as all containers and codecs write them. Labels alone do not
choose how RGB becomes YUV: the conversion is told, and frame and encoder are labelled too.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..types import Colours

RGB, BT709, UNKNOWN, BT2020 = 0, 1, 2, 9
TV, PC = 1, 2

DRAWN = Colours(rgb=True)
"""Pictures that were drawn: red, green and blue."""

_SCALER_MATRICES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}
"""Names of the matrices that FFmpeg's scaler can make YUV with; it takes BT.601 for all others."""

_FLAGS = "area+accurate_rnd+full_chroma_int"


def as_yuv(colours: Colours) -> Colours:
    """How pictures are meant once coded as YUV: RGB becomes BT.709, with wide primaries BT.2020."""
    if not colours.rgb:
        return colours
    transfer = BT709 if colours.transfer == UNKNOWN else colours.transfer
    primaries = BT709 if colours.primaries == UNKNOWN else colours.primaries
    matrix = BT2020 if primaries == BT2020 else BT709
    return Colours(matrix, TV, transfer, primaries, colours.bits)


def label(target: Any, colours: Colours) -> None:
    """Writes what the numbers mean on a frame or an encoder, as far as this PyAV can."""
    target.colorspace, target.color_range = colours.matrix, colours.range
    for name, value in (("color_trc", colours.transfer), ("color_primaries", colours.primaries)):
        if hasattr(target, name):  # frames have them in newer PyAV only
            setattr(target, name, value)


def colours_of(stream: VideoStream, frame: VideoFrame) -> Colours:
    """What the first decoded frame and its stream say together; the frame goes first."""
    context = stream.codec_context
    kind = frame.format
    full = kind.name.startswith("yuvj")
    return Colours(
        matrix=_told(int(frame.colorspace), int(context.colorspace), UNKNOWN),
        range=PC if full else _told(int(frame.color_range), int(context.color_range), 0),
        transfer=int(context.color_trc),
        primaries=int(context.color_primaries),
        bits=max(component.bits for component in kind.components),
        rgb=kind.is_rgb or kind.has_palette,
    )


def _told(first: int, second: int, unknown: int) -> int:
    return second if first == unknown else first


class Redrawing:
    """Brings frames to one size and pixel format with FFmpeg's own filters; their colours stay.

    `then` names filters that come after scaling. Frames that change on the way are taken as they come.
    """

    def __init__(
        self, size: tuple[int, int], pixels: str, source: Colours, target: Colours, then: str = ""
    ) -> None:
        self._size = size
        self._pixels = pixels
        self._source = source
        self._target = target
        self._then = then
        self._graph: Graph | None = None
        self._made_for: tuple[Any, ...] = ()

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        """The frame, redrawn and labelled; without a time."""
        facts = (frame.format.name, frame.width, frame.height)
        if self._graph is None or facts != self._made_for:
            self._graph, self._made_for = self._filters(frame), facts
        rgb = self._source.rgb
        frame.colorspace, frame.color_range = (RGB, PC) if rgb else (UNKNOWN, self._range(self._source))
        frame.pts, frame.time_base = 0, Fraction(1, 1000)
        self._graph.push(frame)
        drawn = self._graph.pull()
        assert isinstance(drawn, VideoFrame)
        label(drawn, self._target)
        return drawn

    @staticmethod
    def _range(colours: Colours) -> int:
        return colours.range or TV

    def _filters(self, frame: VideoFrame) -> Graph:
        name, rgb = frame.format.name, self._source.rgb
        width, height = self._size
        ranges = {TV: "tv", PC: "pc"}
        matrix = "gbr" if rgb else "unknown"
        full = "pc" if rgb else ranges[self._range(self._source)]
        graph = Graph()
        scale = f"{width}:{height}:flags={_FLAGS}:out_range={ranges[self._range(self._target)]}"
        if rgb:
            scale += f":out_color_matrix={_SCALER_MATRICES.get(self._target.matrix, 'bt601')}"
        chain = [
            graph.add(
                "buffer",
                f"video_size={frame.width}x{frame.height}:pix_fmt={name}:time_base=1/1000:"
                f"colorspace={matrix}:range={full}",
            ),
            graph.add("scale", scale),
            graph.add("format", f"pix_fmts={self._pixels}"),
            *(graph.add(*part.partition("=")[::2]) for part in self._then.split(",") if part),
            graph.add("buffersink"),
        ]
        graph.link_nodes(*chain).configure()
        return graph
