"""Video in: `open_clip` finds the facts of a window, `iter_frames` streams its pictures."""

from __future__ import annotations

import queue
import struct
import threading
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from ..errors import MediaError
from ..types import MOTION_FPS, VideoClip
from .colours import DRAWN, Redrawing, colours_of, frame_colours
from .ends import ends_of, tell_what_is_left
from .sound_tracks import sound_stream, sound_tracks
from .video_file import MAX_MISSING_S, SLACK_S, ShownFrame, frames_from, open_video

_READ_AHEAD = 4

_LONGEST_PICTURE_S = 10.0
"""Pictures of a dance do not stay for longer on average; one flipped bit makes hours of one."""

_REFORMAT_KNOWS_COLOURS = int(av.__version__.partition(".")[0]) >= 17
"""PyAV 14 to 16 take every frame for BT.601 in limited range, whatever it says."""

Item = TypeVar("Item")


def read_ahead(items: Iterable[Item], size: int = _READ_AHEAD) -> Generator[Item, None, None]:
    """Yields `items`, read by a thread at most `size` ahead that ends when this is closed."""
    waiting: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=size)
    stop = threading.Event()

    def offer(kind: str, value: Any) -> bool:
        while not stop.is_set():
            try:
                waiting.put((kind, value), timeout=0.05)
                return True
            except queue.Full:
                continue
        return False

    def read() -> None:
        try:
            for item in items:
                if not offer("item", item):
                    break
            else:
                offer("end", None)
        except BaseException as error:  # handed to the reader, who raises it
            offer("error", error)
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()

    thread = threading.Thread(target=read, name="d2m-decoder", daemon=True)
    thread.start()
    try:
        while True:
            kind, value = waiting.get()
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        stop.set()
        thread.join()


MIN_DURATION_S = 1.0
"""Shortest clip or window that can be worked with."""


@dataclass(frozen=True, eq=False)
class Frame:
    """The picture that a clip shows at one instant."""

    time_s: float
    """Seconds after the window's start."""
    rgb: np.ndarray
    """uint8 [H, W, 3], the right way up."""


def open_clip(
    path: str | Path, start_s: float = 0.0, duration_s: float | None = None, sound_track: int = 0
) -> VideoClip:
    """Looks at a video file and returns the window of it that starts at `start_s`.

    Times count from the first picture that is shown. The length is that of the pictures that are
    really there, whatever the header says; without `duration_s` the window goes on to the end.
    `sound_track` says which track is the clip's own sound, counted from 1; 0 takes the default one.
    Raises `MediaError` for everything that keeps the window from being read.
    """
    path = Path(path)
    with open_video(path) as source:
        width, height = _seen_size(source.first.frame, source.stream)
        has_audio = bool(sound_tracks(source.container))
        if sound_track:
            sound_stream(path, source.container, sound_track)
        codec = source.stream.codec_context.name
        rate = source.stream.average_rate or Fraction(MOTION_FPS)
        first_s = None if source.first.frame.pts is None else source.first.time_s
        ends = ends_of(source)
        end_s = ends.video_s - source.first.time_s
        colours = colours_of(source.stream, source.first.frame)
        tell_what_is_left(source, ends)
        pictures = source.stream.frames
    _check_length(path, end_s, pictures)
    duration_s = _window_length(path, end_s, start_s, duration_s)
    return VideoClip(
        path,
        duration_s,
        width,
        height,
        file_s=end_s,
        codec=codec,
        rate=rate,
        first_s=first_s,
        start_s=start_s,
        has_audio=has_audio,
        shifts_s=ends.shifts_s,
        sound_track=sound_track,
        colours=colours,
    )


def iter_frames(clip: VideoClip, fps: float = MOTION_FPS, max_height: int | None = None) -> Iterator[Frame]:
    """Yields the pictures shown at times k / `fps`: round(length * `fps`) of them, at least one.

    A picture that stays for longer is repeated, one that passes between two instants is left out.
    With `max_height`, higher pictures are shrunk to it before their colours are converted, which
    saves time and memory. Raises `MediaError` where more than `MAX_MISSING_S` cannot be decoded.
    """
    height = clip.height if max_height is None else min(max_height, clip.height)
    to_rgb = RgbConverter(max(1, round(clip.width * height / clip.height)), height)
    before: VideoFrame | None = None
    rgb: np.ndarray | None = None
    for shown in frames_at(clip, fps):
        rgb = to_rgb(shown.frame) if rgb is None or shown.frame is not before else rgb.copy()
        before = shown.frame
        yield Frame(shown.time_s, rgb)


def frames_at(clip: VideoClip, fps: float = MOTION_FPS) -> Iterator[ShownFrame]:
    """Yields what `iter_frames` does, at the same times, but in the file's own pixel format."""
    shown = shown_frames(clip)
    current = next(shown)
    following = next(shown, None)
    for index in range(max(1, round(clip.duration_s * fps))):
        while following is not None and following.time_s <= index / fps + SLACK_S:
            current, following = following, next(shown, None)
        yield ShownFrame(index / fps, (index + 1) / fps, current.frame)


def shown_frames(clip: VideoClip) -> Iterator[ShownFrame]:
    """Yields every frame of the window once, at its own time; the first is the one shown at 0.

    Times count from the window's start. Raises `MediaError` where the window breaks off early.
    """
    held: ShownFrame | None = None
    covered_s = 0.0
    for shown in frames_from(clip.path, clip.start_s, clip.restarts):
        time_s, covered_s = shown.time_s - clip.start_s, shown.end_s - clip.start_s
        if time_s <= SLACK_S:
            held = ShownFrame(0.0, covered_s, shown.frame)
            continue
        if held is not None:
            yield held
            held = None
        if time_s >= clip.duration_s - SLACK_S:
            break
        yield ShownFrame(time_s, covered_s, shown.frame)
    if held is not None:
        yield held
    if covered_s < clip.duration_s - MAX_MISSING_S:
        raise MediaError(
            f"{clip.path.name} breaks off at {clip.start_s + covered_s:.1f} s of "
            f"{clip.start_s + clip.duration_s:.1f} s; it is damaged, so copy or export it again."
        )


class RgbConverter:
    """Turns one video's decoded frames into upright RGB pictures of one size, shrinking first.

    The first frame tells which side is up: asking ties a frame to itself, so that it waits for
    the garbage collector, and hundreds of frames in 4K do not fit in memory.
    """

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._reformatter = VideoReformatter()  # keeps the scaler's tables from frame to frame
        self._redraw: Redrawing | None = None
        self._matrix: tuple[int, ...] | None = None

    def __call__(self, frame: VideoFrame) -> np.ndarray:
        """Returns uint8 [H, W, 3]."""
        matrix = self._matrix = self._matrix or _display_matrix(frame)
        width, height = self._size[::-1] if _swaps_sides(matrix) else self._size
        if _REFORMAT_KNOWS_COLOURS:
            scaled = self._reformatter.reformat(frame, width, height, format="rgb24", interpolation="AREA")
        else:
            self._redraw = self._redraw or Redrawing((width, height), "rgb24", frame_colours(frame), DRAWN)
            scaled = self._redraw(frame)
        return _upright(scaled.to_ndarray(), matrix)


def _check_length(path: Path, end_s: float, pictures: int) -> None:
    """Refuses a clip that is too short, or whose `pictures` (0 where none are told) stay too long."""
    if pictures and end_s > _LONGEST_PICTURE_S * pictures:
        raise MediaError(
            f"{path.name} shows {pictures} pictures in {end_s:.0f} s, so its times are damaged; "
            "copy or export it again."
        )
    if end_s < MIN_DURATION_S - SLACK_S:
        raise MediaError(f"{path.name} lasts {end_s:.2f} s; a clip needs at least {MIN_DURATION_S:g} s.")


def _window_length(path: Path, end_s: float, start_s: float, duration_s: float | None) -> float:
    """Length of the window, refused where it leaves a clip of `end_s` seconds."""
    if not 0 <= start_s < end_s:
        raise MediaError(
            f"The window starts at {start_s:g} s, but {path.name} goes from 0 to {end_s:.2f} s; "
            "choose a start in it."
        )
    left_s = end_s - start_s
    if duration_s is None:
        duration_s = left_s
    if not duration_s <= left_s + 1 / MOTION_FPS:
        raise MediaError(
            f"The window goes to {start_s + duration_s:.2f} s, but {path.name} ends at "
            f"{end_s:.2f} s; choose a length of at most {left_s:.2f} s."
        )
    if duration_s < MIN_DURATION_S - SLACK_S:
        raise MediaError(f"The window lasts {duration_s:.2f} s; a clip needs at least {MIN_DURATION_S:g} s.")
    return min(duration_s, left_s)


def _display_matrix(frame: VideoFrame) -> tuple[int, ...]:
    """(a, b, c, d): a stored point (x, y) is shown at (a x + c y, b x + d y).

    More than `frame.rotation`, which shows a mirrored picture (front cameras) upside down.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return 1, 0, 0, 1
    a, b, _, c, d = struct.unpack("=5i", memoryview(data)[:20])  # type: ignore[arg-type]
    return a, b, c, d


def _swaps_sides(matrix: tuple[int, ...]) -> bool:
    return abs(matrix[1]) > abs(matrix[0])


def _upright(rgb: np.ndarray, matrix: tuple[int, ...]) -> np.ndarray:
    """Turns and mirrors a picture [H, W, 3] as its matrix says, to the nearest right angle."""
    a, b, c, d = matrix
    if _swaps_sides(matrix):
        rgb, a, d = rgb.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(rgb[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def turning_filters(frame: VideoFrame) -> tuple[bool, str]:
    """Whether width and height swap in the upright picture, and FFmpeg's filters that turn it upright."""
    a, b, c, d = matrix = _display_matrix(frame)
    swapped = _swaps_sides(matrix)
    if swapped:
        a, d = c, b
    names = ["transpose=cclock_flip"] * swapped + ["hflip"] * (a < 0) + ["vflip"] * (d < 0)
    return swapped, ",".join(names)


def _seen_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """(width, height) as seen: pixels made square, picture turned upright."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width, height = max(1, round(frame.width * aspect)), frame.height
    return (height, width) if _swaps_sides(_display_matrix(frame)) else (width, height)
