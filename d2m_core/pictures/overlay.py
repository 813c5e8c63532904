"""A film of the skeletons on the clip that they were found in."""

from __future__ import annotations

import heapq
from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MediaError
from ..files import not_written, replacing
from ..media import iter_frames
from ..media.blocks import Blocks, fitted
from ..media.colours import DRAWN, Redrawing, as_yuv, label
from ..media.copied import FILM_SOUND
from ..media.sound import encodable, in_blocks
from ..media.sound_file import add_sound, packet_time, sound_packets
from ..motion import Accents
from ..types import PoseSequence, Progress, Rhythm, VideoClip, Waveform
from .beat_bar import draw_beat_bar
from .skeleton import draw_accents, draw_poses

_OVERLAY_HEIGHT = 720
OVERLAY_FORMATS = (".mp4", ".mov", ".mkv")
"""What `overlay_video` writes, by the end of the file's name."""


def overlay_video(
    clip: VideoClip,
    poses: PoseSequence,
    out_path: Path | str,
    rhythm: Rhythm | None = None,
    on_progress: Progress | None = None,
    accents: Accents | None = None,
    sound: Waveform | Blocks | None = None,
) -> Path:
    """Writes the clip with its skeletons (and a beat bar, given `rhythm`) as an H.264 file.

    `accents` of the first person flash at the joints that made them; `sound` is heard with it. Streams,
    at the poses' rate and at most 720 lines. `on_progress(frame, frames)` may raise to cancel; no half
    file stays behind. Raises `MediaError`.
    """
    import av

    out_path = Path(out_path)
    if out_path.suffix.lower() not in OVERLAY_FORMATS:
        raise MediaError(
            f"The skeleton video is called {out_path.name}; use a name that ends in "
            f"{', '.join(OVERLAY_FORMATS)}."
        )
    try:
        with replacing(out_path) as partial:
            _encode(clip, poses, partial, rhythm, on_progress, accents, sound)
    except (OSError, av.FFmpegError) as error:
        raise not_written(out_path, error) from error
    return out_path


def _encode(
    clip: VideoClip,
    poses: PoseSequence,
    path: Path,
    rhythm: Rhythm | None,
    on_progress: Progress | None,
    accents: Accents | None,
    sound: Waveform | Blocks | None,
) -> None:
    import av

    options = {"movflags": "+faststart"}
    drawn = _drawn(clip, poses, rhythm, on_progress, accents)
    with closing(drawn), av.open(str(path), "w", options=options) as container:
        streams = [_pictures(container, drawn, poses.fps, clip)]
        if sound is not None:
            heard = encodable(fitted(in_blocks(sound), clip.duration_s), FILM_SOUND)
            streams.append(sound_packets(add_sound(container, heard, FILM_SOUND), heard))
        for packet in heapq.merge(*streams, key=packet_time):
            container.mux(packet)


def _drawn(
    clip: VideoClip,
    poses: PoseSequence,
    rhythm: Rhythm | None,
    on_progress: Progress | None,
    accents: Accents | None,
) -> Generator[np.ndarray, None, None]:
    """The pictures uint8 [H, W, 3] with what was found drawn in, at the poses' rate."""
    frames: Any = iter_frames(clip, poses.fps, _OVERLAY_HEIGHT)
    with closing(frames):
        for index, frame in enumerate(frames):
            if index >= poses.frames:
                return
            rgb = draw_poses(frame.rgb, poses, index)
            if accents is not None and poses.present[index, 0]:
                rgb = draw_accents(rgb, poses.image[index, 0], accents, frame.time_s)
            if rhythm is not None:
                rgb = draw_beat_bar(rgb, rhythm, frame.time_s)
            yield rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2]  # H.264 wants even sides
            if on_progress is not None:
                on_progress(index + 1, poses.frames)


def _pictures(container: Any, drawn: Iterator[np.ndarray], fps: float, clip: VideoClip) -> Iterator[Any]:
    """A new stream of these pictures in the container; gives its packets as they are coded."""
    import av

    colours = as_yuv(clip.colours)
    stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
    stream.pix_fmt, stream.options = "yuv420p", {"crf": "20", "preset": "veryfast"}
    first = next(drawn)
    stream.height, stream.width = first.shape[:2]
    redraw = Redrawing((stream.width, stream.height), "yuv420p", DRAWN, colours)
    label(stream.codec_context, colours)

    def packets() -> Iterator[Any]:
        for index, rgb in enumerate(chain([first], drawn)):
            picture = redraw(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24"))
            picture.pts, picture.time_base = index, 1 / stream.codec_context.rate
            yield from stream.encode(picture)
        yield from stream.encode(None)

    return packets()
