"""Beats to a file of any kind: the ending of its name says which."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import MediaError, SettingError
from ..files import check_place, not_written, replacing
from ..media import save_audio
from ..midi import Named, make_midi, save_midi
from ..types import Rhythm, VideoClip
from .click import SAMPLE_RATE, click_track
from .editors import Timeline, edl, fcpxml, write_otio
from .frames import FRAME_RATES, FrameRate, rate_of_clip
from .marks import marks_of, on_frames
from .tables import audacity_labels, beats_csv

BEAT_FORMATS = (".csv", ".txt", ".mid", ".wav", ".flac", ".otio", ".fcpxml", ".edl")
"""A table, labels for Audacity, a tempo map with clicks, a click track, markers for editors."""
DEFAULT_RATE = "25"
"""Frames per second where there is no clip to ask."""
START = "01:00:00:00"
"""Where the timelines of editors usually start."""


@dataclass(frozen=True, eq=False)
class BeatSheet:
    """All that can be written of a dance's time."""

    rhythm: Rhythm
    duration_s: float
    accents: tuple[tuple[float, float], ...] = ()
    """(seconds, strength 0..1)."""
    sections: tuple[Named, ...] = ()
    clip: VideoClip | None = None
    """Gives the rate, and lies on the timeline of editors."""
    rate: FrameRate | None = None
    """Of the timeline; None takes the clip's own."""
    start: str = START
    """Timecode of the timeline's first frame."""
    every_beat: bool = False
    """Whether editors get beats that start no bar as well."""
    sample_rate: int = SAMPLE_RATE

    @property
    def frame_rate(self) -> FrameRate:
        """The rate of the timeline."""
        if self.rate is not None:
            return self.rate
        return FRAME_RATES[DEFAULT_RATE] if self.clip is None else rate_of_clip(self.clip)

    def timeline(self) -> Timeline:
        """Markers on frames. Raises `SettingError` for a start that is no timecode at this rate."""
        rate = self.frame_rate
        frames = max(1, rate.frame_at(self.duration_s))
        marks = marks_of(self.rhythm, self.accents, self.sections, self.every_beat)
        inside = tuple(mark for mark in on_frames(marks, rate) if 0 <= mark.frame < frames)
        return Timeline(rate, frames, inside, rate.frame_of(self.start), self.clip)


def check_beats_file(path: Path | str) -> Path:
    """Raises `MediaError` where `export_beats` could not write the file; leaves nothing there."""
    path = Path(path)
    if path.suffix.lower() not in BEAT_FORMATS:
        raise MediaError(
            f"{path.name} ends in {path.suffix or 'nothing'}, which is no form of beats; use "
            f"{', '.join(BEAT_FORMATS)}."
        )
    check_place(path)
    return path


def export_beats(sheet: BeatSheet, path: Path | str) -> Path:
    """Writes beats, bars, accents and sections in the form that the ending names, whole or not at all.

    Raises `MediaError` where it cannot be written, `SettingError` where a setting does not fit.
    """
    path = check_beats_file(path)
    suffix = path.suffix.lower()
    if suffix == ".mid":
        midi = make_midi(
            sheet.rhythm, sheet.duration_s, sections=sheet.sections, accents=sheet.accents, click=True
        )
        return save_midi(midi, path)
    if suffix in (".wav", ".flac"):
        return save_audio(click_track(sheet.rhythm, sheet.duration_s, sheet.sample_rate), path)
    if suffix == ".otio":
        timeline = sheet.timeline()
        try:
            with replacing(path) as partial:
                write_otio(timeline, partial)
        except OSError as error:
            raise not_written(path, error) from error
        return path
    return _write_text(path, _text(sheet, suffix))


def _text(sheet: BeatSheet, suffix: str) -> str:
    if suffix == ".csv":
        return beats_csv(sheet.rhythm)
    if suffix == ".txt":
        return audacity_labels(marks_of(sheet.rhythm, sheet.accents, sheet.sections, every_beat=True))
    if suffix == ".edl":
        return edl(sheet.timeline())
    if suffix == ".fcpxml":
        return fcpxml(sheet.timeline())
    raise SettingError(f"No beats are written as {suffix}.")


def _write_text(path: Path, text: str) -> Path:
    try:
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise not_written(path, error) from error
    return path
