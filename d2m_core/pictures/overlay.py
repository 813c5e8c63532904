"""A film of the skeletons on the clip that they were found in."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MediaError
from ..files import not_written, replacing
from ..media import iter_frames
from ..media.colours import DRAWN, Redrawing, as_yuv, label
from ..motion import Accents
from ..types import PoseSequence, Progress, Rhythm, VideoClip
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
) -> Path:
    """Writes the clip with its skeletons (and a beat bar, given `rhythm`) as an H.264 file.

    `accents` of the first person flash at the joints that made them. Streams, at the poses' rate
    and at most 720 lines. `on_progress(frame, frames)` may raise to cancel; no half file stays
    behind. Raises `MediaError`.
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
            _encode(clip, poses, partial, rhythm, on_progress, accents)
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
) -> None:
    import av

    colours = as_yuv(clip.colours)
    redraw: Redrawing | None = None
    frames: Any = iter_frames(clip, poses.fps, _OVERLAY_HEIGHT)
    options = {"movflags": "+faststart"}
    with closing(frames), av.open(str(path), "w", options=options) as container:
        stream: Any = container.add_stream("libx264", rate=Fraction(poses.fps).limit_denominator(1001))
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "20", "preset": "veryfast"}
        for index, frame in enumerate(frames):
            if index >= poses.frames:
                break
            rgb = draw_poses(frame.rgb, poses, index)
            if accents is not None and poses.present[index, 0]:
                rgb = draw_accents(rgb, poses.image[index, 0], accents, frame.time_s)
            if rhythm is not None:
                rgb = draw_beat_bar(rgb, rhythm, frame.time_s)
            rgb = rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2]  # H.264 wants even sides
            if redraw is None:
                stream.height, stream.width = rgb.shape[:2]
                redraw = Redrawing((stream.width, stream.height), "yuv420p", DRAWN, colours)
                label(stream.codec_context, colours)
            picture = redraw(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24"))
            picture.pts, picture.time_base = index, 1 / stream.codec_context.rate
            container.mux(stream.encode(picture))
            if on_progress is not None:
                on_progress(index + 1, poses.frames)
        container.mux(stream.encode(None))
