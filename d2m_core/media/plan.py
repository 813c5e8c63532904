"""Outputs are planned before any work: names, places, and how a film's pictures get into it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import MediaError, require
from ..files import check_place
from ..settings import RECODE
from ..types import VideoClip
from .coded import encoder_for
from .copied import VIDEO_FORMATS, copying_suffixes, left_out, picture_size, why_not_copied
from .sound_window import window_blocks

_MP4_CODECS = ("h264", "hevc", "av1", "libdav1d", "libaom-av1", "mpeg4")
"""Pictures that players expect in an MP4 file, by the names of their decoders."""

_LEAST_SOUND_RATE = 8_000
"""Bytes a second that the sound of a film takes at least."""

_TRIED_S = 1.0
"""So much of the clip's own sound is read beforehand, in seconds."""


@dataclass(frozen=True)
class Output:
    """One file that is to be written."""

    path: Path
    recode: str = "auto"
    """For a film, one of `RECODE`: `always` where its pictures cannot be copied."""
    notices: tuple[str, ...] = ()
    """What the user should know before the work starts, a sentence each."""


def plan_output(
    path: Path | str, endings: Iterable[str], *, source: Path | None = None, taken: Sequence[Path] = ()
) -> Output:
    """Finds out whether a file can be written, without leaving a trace.

    The name must end in one of `endings`, be neither the source's nor one of those `taken`, and fit
    into a folder that takes files, on a disk with room. Raises `MediaError` with the cause.
    """
    path, endings = Path(path), list(endings)
    if path.suffix.lower() not in endings:
        raise MediaError(f"Cannot write {path.name}; end its name with {', '.join(sorted(endings))}.")
    if source is not None:
        _refuse_same(path, source, "the clip itself")
    for other in taken:
        _refuse_same(path, other, "the name of another result")
    check_place(path)
    return Output(path)


def plan_film(clip: VideoClip, path: Path | str, recode: str = "auto") -> Output:
    """`plan_output` of a film of the clip: also whether its pictures fit, and what is left out."""
    path = plan_output(path, VIDEO_FORMATS, source=clip.path).path
    coded, notices = plan_pictures(clip, path.suffix, recode)
    check_place(path, _least_size(clip, coded))
    rest = left_out(clip.path)
    if rest:
        notices.append(f"{clip.path.name} also holds {rest}, which {path.name} leaves out.")
    return Output(path, "always" if coded else recode, tuple(notices))


def plan_pictures(clip: VideoClip, suffix: str, recode: str = "auto") -> tuple[bool, list[str]]:
    """Whether the clip's pictures are coded again for a film with this ending, and sentences about that.

    Raises `MediaError` where they may not be coded again and cannot be copied.
    """
    require(recode in RECODE, f"Recode is {recode!r}; choose {', '.join(RECODE)}.")
    why = None if recode == "always" else why_not_copied(clip, suffix)
    if recode != "always" and why is None:
        return False, []
    if recode == "copy":
        fits = copying_suffixes(clip)
        advice = f"end the name with {' or '.join(fits)}, or let them" if fits else "let them"
        raise MediaError(
            f"The pictures cannot be copied, since {why}; {advice} be coded again (recode: auto)."
        )
    bits = clip.colours.bits
    encoder = encoder_for(bits)
    notices = []
    if why is not None and clip.is_whole:
        kind = "H.264" if encoder.name == "libx264" else "HEVC"
        notices.append(f"The pictures are coded again as {kind}, since {why}.")
    if bits > encoder.bits:
        notices.append(f"{clip.path.name} has {bits} bits per colour, and {encoder.bits} of them are kept.")
    return True, notices


def best_suffix(clip: VideoClip, recode: str = "auto") -> str:
    """The ending of the film that suits the clip's pictures best, for `mux`.

    MP4 where players expect them there or they are coded again; else MOV for what comes from one,
    else whatever they can be copied into.
    """
    if recode == "always" or clip.codec in _MP4_CODECS or not clip.is_whole:
        return ".mp4"
    first = (".mov", ".mkv") if clip.path.suffix.lower() in (".mov", ".qt", ".mxf") else (".mkv",)
    return next((suffix for suffix in first if why_not_copied(clip, suffix) is None), ".mp4")


def check_own_sound(clip: VideoClip) -> None:
    """Raises `MediaError` where the clip has no sound of its own that can be kept under the music."""
    if not clip.has_audio:
        raise MediaError(f"{clip.path.name} has no sound to keep; leave its own sound out.")
    window_blocks(clip.path, clip.start_s, min(_TRIED_S, clip.duration_s), clip)


def _refuse_same(path: Path, other: Path, what: str) -> None:
    try:
        same = path.resolve() == other.resolve() or path.samefile(other)
    except OSError:  # one of them is not there
        same = False
    if same:
        raise MediaError(f"{path.name} is {what}; choose another name for the result.")


def _least_size(clip: VideoClip, coded: bool) -> int:
    """Bytes that a film takes at least, as far as that can be told."""
    sound = round(_LEAST_SOUND_RATE * clip.duration_s)
    return sound if coded else sound + picture_size(clip)
