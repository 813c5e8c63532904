"""Markers for video editors: OpenTimelineIO, Final Cut Pro XML, and EDL as DaVinci Resolve reads it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

from ..errors import SettingError
from ..types import VideoClip
from .frames import FrameRate
from .marks import COLOURS, FrameMark

TITLE = "Dance to Music"


@dataclass(frozen=True)
class Timeline:
    """A timeline with its markers, all in frames of its rate."""

    rate: FrameRate
    frames: int
    """How long it is."""
    marks: tuple[FrameMark, ...]
    start: int = 0
    """The number of its first frame: where its timecode starts."""
    clip: VideoClip | None = None
    """What lies on it; None leaves it empty."""

    @property
    def clip_start(self) -> int:
        """Where the clip's window starts, in frames of its file."""
        return 0 if self.clip is None else self.rate.frame_at(self.clip.start_s)

    @property
    def file_frames(self) -> int:
        """How long the clip's file is."""
        if self.clip is None:
            return self.frames
        return max(self.rate.frame_at(self.clip.file_s), self.clip_start + self.frames)


# --- EDL ---


def edl(timeline: Timeline) -> str:
    """An event of one frame for each marker, with its colour and name in a remark.

    In DaVinci Resolve: Timelines > Import > Timeline Markers from EDL; its timeline must start at
    the same timecode.
    """
    mode = "DROP FRAME" if timeline.rate.drop else "NON-DROP FRAME"
    lines = [f"TITLE: {TITLE}", f"FCM: {mode}", ""]
    for number, mark in enumerate(timeline.marks, 1):
        first, last = (timeline.rate.timecode(timeline.start + mark.frame + k) for k in (0, 1))
        lines.append(f"{number:03}  001      V     C        {first} {last} {first} {last}")
        colour = COLOURS[mark.kind].title()
        lines += [f" |C:ResolveColor{colour} |M:{_plain(mark.name)} |D:1", ""]
    return "\n".join(lines) + "\n"


def _plain(name: str) -> str:
    """Without what has a meaning in an EDL."""
    return " ".join(name.replace("|", "/").split())


# --- Final Cut Pro ---

_DONE = {"section": {"completed": "1"}, "downbeat": {"completed": "0"}}
"""What Final Cut Pro has for colours: a thing done is green, one to do is red."""


def fcpxml(timeline: Timeline) -> str:
    """Markers on the clip, or on a gap where there is none: sections green (done), downbeats red (to do).

    Accents and beats are plain ones, told apart by their names.
    """
    root = ElementTree.Element("fcpxml", {"version": "1.9"})
    resources = ElementTree.SubElement(root, "resources")
    size = (1920, 1080) if timeline.clip is None else (timeline.clip.width, timeline.clip.height)
    facts = {"frameDuration": _frames(timeline, 1), "width": str(size[0]), "height": str(size[1])}
    ElementTree.SubElement(resources, "format", {"id": "r1"} | facts)
    spine = ElementTree.SubElement(_sequence(root, timeline), "spine")
    where = {"offset": _frames(timeline, timeline.start), "duration": _frames(timeline, timeline.frames)}
    if timeline.clip is None:
        first = timeline.start
        holder = ElementTree.SubElement(spine, "gap", {"name": "Gap", "start": where["offset"]} | where)
    else:
        first = timeline.clip_start
        _add_asset(resources, timeline, timeline.clip)
        own = {
            "ref": "r2",
            "name": timeline.clip.path.stem,
            "start": _frames(timeline, first),
            "format": "r1",
        }
        holder = ElementTree.SubElement(spine, "asset-clip", own | where)
    for mark in timeline.marks:
        at, one = _frames(timeline, first + mark.frame), _frames(timeline, 1)
        said = {"start": at, "duration": one, "value": mark.name} | _DONE.get(mark.kind, {})
        ElementTree.SubElement(holder, "marker", said)
    ElementTree.indent(root, " ")
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n'
    return head + ElementTree.tostring(root, "unicode") + "\n"


def _sequence(root: ElementTree.Element, timeline: Timeline) -> ElementTree.Element:
    library = ElementTree.SubElement(root, "library")
    event = ElementTree.SubElement(library, "event", {"name": TITLE})
    project = ElementTree.SubElement(event, "project", {"name": TITLE})
    facts = {
        "format": "r1",
        "duration": _frames(timeline, timeline.frames),
        "tcStart": _frames(timeline, timeline.start),
        "tcFormat": "DF" if timeline.rate.drop else "NDF",
    }
    return ElementTree.SubElement(project, "sequence", facts)


def _add_asset(resources: ElementTree.Element, timeline: Timeline, clip: VideoClip) -> None:
    length = _frames(timeline, timeline.file_frames)
    facts = {"id": "r2", "name": clip.path.stem, "start": "0s", "duration": length, "hasVideo": "1"}
    sound = {"hasAudio": "1", "audioSources": "1"} if clip.has_audio else {}
    asset = ElementTree.SubElement(resources, "asset", facts | sound | {"format": "r1"})
    source = {"kind": "original-media", "src": clip.path.resolve().as_uri()}
    ElementTree.SubElement(asset, "media-rep", source)


def _frames(timeline: Timeline, frame: int) -> str:
    return _seconds(timeline.rate.seconds(frame))


def _seconds(time: Fraction) -> str:
    """As FCPXML writes times: exact fractions of a second."""
    return f"{time.numerator}s" if time.denominator == 1 else f"{time.numerator}/{time.denominator}s"


# --- OpenTimelineIO ---


def write_otio(timeline: Timeline, path: Path) -> None:
    """Markers on the timeline itself, in colours; the clip below them. Raises `SettingError`."""
    try:
        import opentimelineio as otio
    except ImportError as error:
        raise SettingError(
            "OTIO files need the package opentimelineio, which is not here; install it with pip, or "
            "choose fcpxml or edl."
        ) from error

    def at(frame: int) -> otio.opentime.RationalTime:
        return otio.opentime.RationalTime(frame, float(timeline.rate.rate))

    def span(first: int, frames: int) -> otio.opentime.TimeRange:
        return otio.opentime.TimeRange(at(first), at(frames))

    made = otio.schema.Timeline(TITLE, global_start_time=at(timeline.start))
    track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    made.tracks.append(track)
    shown = span(timeline.clip_start, timeline.frames)
    if timeline.clip is None:
        track.append(otio.schema.Gap(source_range=shown))
    else:
        source = timeline.clip.path.resolve().as_uri()
        media = otio.schema.ExternalReference(source, span(0, timeline.file_frames))
        track.append(otio.schema.Clip(timeline.clip.path.stem, media, shown))
    for mark in timeline.marks:
        colour = getattr(otio.schema.MarkerColor, COLOURS[mark.kind])
        marker = otio.schema.Marker(mark.name, span(mark.frame, 1), colour)
        marker.metadata["dance_to_music"] = {"kind": mark.kind}
        made.tracks.markers.append(marker)
    otio.adapters.write_to_file(made, str(path), adapter_name="otio_json")
