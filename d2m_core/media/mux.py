"""A clip's picture with other sound under it: the picture is copied where it can be."""

from __future__ import annotations

import errno
import heapq
import logging
from contextlib import ExitStack
from pathlib import Path

from av.error import FFmpegError

from ..errors import MediaError
from ..types import Progress, VideoClip, Waveform
from .blocks import Blocks, fitted
from .coded import add_coded
from .copied import FILM_SOUND, VIDEO_FORMATS, add_copied
from .plan import best_suffix, plan_pictures
from .sound import encodable, in_blocks, with_own_sound
from .sound_file import add_sound, open_output, packet_time, sound_packets
from .video_file import open_media

__all__ = ["VIDEO_FORMATS", "best_suffix", "mux"]

_log = logging.getLogger(__name__)


_OF_THE_DISK = frozenset(errno.errorcode) - {errno.EINVAL}


class _CannotCopy(Exception):
    """The container takes the pictures no further."""


def mux(
    clip: VideoClip,
    wave: Waveform | Blocks,
    out_path: str | Path,
    original_gain: float = 0.0,
    *,
    recode: str = "auto",
    metadata: dict[str, str] | None = None,
    on_progress: Progress | None = None,
) -> Path:
    """Writes the clip's picture with `wave` as its sound (AAC), fitted to the clip's length.

    The pictures of a whole file are copied as they are: not a byte changes, rotation and times
    stay. What cannot be copied, a window always, is coded again (see `RECODE`) with its colours and
    times. With `original_gain` above 0 the clip's own sound is mixed in at that gain. `on_progress`
    counts milliseconds of the clip; it may raise to cancel, and no half file stays. Raises `MediaError`.
    """
    out_path = Path(out_path)
    if out_path.suffix.lower() not in VIDEO_FORMATS:
        known = " ".join(sorted(VIDEO_FORMATS))
        raise MediaError(f"{out_path.name} does not end in a known video format; use one of {known}.")
    if out_path.resolve() == clip.path.resolve():
        raise MediaError(f"{out_path.name} is the clip itself; choose another name for the result.")
    coded, notices = plan_pictures(clip, out_path.suffix, recode)
    if recode == "auto":  # else it was asked for
        for notice in notices:
            _log.warning("%s", notice)
    music = fitted(in_blocks(wave), clip.duration_s)
    if original_gain > 0:
        music = with_own_sound(music, clip, original_gain)
    total = round(1000 * clip.duration_s)
    music = encodable(music, FILM_SOUND, tick=on_progress and (lambda: on_progress(0, total)))
    try:
        _write(clip, music, out_path, coded, metadata, on_progress)
    except _CannotCopy as error:
        if recode == "copy":
            raise MediaError(
                f"The pictures of {clip.path.name} cannot be copied into {out_path.name} ({error}); "
                "let them be coded again (recode: auto)."
            ) from error
        _log.warning(
            "The pictures of %s are coded again: copied, they do not fit (%s).", clip.path.name, error
        )
        _write(clip, music, out_path, True, metadata, on_progress)
    return out_path


def _write(
    clip: VideoClip,
    music: Blocks,
    out_path: Path,
    coded: bool,
    metadata: dict[str, str] | None,
    on_progress: Progress | None,
) -> None:
    kind = VIDEO_FORMATS[out_path.suffix.lower()]
    total = round(1000 * clip.duration_s)
    with ExitStack() as files:
        source = None if coded else files.enter_context(open_media(clip.path))
        out = files.enter_context(open_output(out_path, kind, metadata))
        pictures = add_coded(out, clip) if source is None else add_copied(out, clip, source)
        sound = sound_packets(add_sound(out, music, FILM_SOUND), music)
        for packet in heapq.merge(pictures, sound, key=packet_time):
            if on_progress is not None:
                done_s = min(max(packet_time(packet), 0.0), clip.duration_s)
                on_progress(round(1000 * done_s), total)
            try:
                out.mux(packet)
            except FFmpegError as error:
                if coded or error.errno in _OF_THE_DISK:
                    raise
                raise _CannotCopy(error.strerror) from error
