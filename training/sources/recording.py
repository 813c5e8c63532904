"""What every source of dance videos gives: one `Recording` per stretch of dance, before any cut."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9_-]+")

SPLITS = ("train", "val", "test")

UNREADABLE = "unreadable line or file"
NO_VIDEO = "label without a video"
LABEL_LOST = "video whose label may be lost"
PASSED_OVER = "hidden, unfinished or out of reach"
"""Reasons for which a source leaves something out."""


@dataclass(frozen=True)
class Recording:
    """One stretch of dance with its music, where it lies and what is known of it.

    Either `video`, `url` or `poses` is given. Plain and picklable: workers on other machines get
    it.
    """

    name: str
    """Unique in its source; letters, digits, `_` and `-` only."""
    source: str
    """Key of the source in `sources.SOURCES`."""
    video: Path | None = None
    url: str = ""
    """What to download where there is no `video`."""
    start_s: float = 0.0
    """Where the stretch starts in the video, seconds."""
    end_s: float | None = None
    """Where it ends; None is the video's end."""
    song: str = ""
    """Recordings to one song share it; empty where unknown."""
    performance: str = ""
    """All cameras of one performance share it; empty where unknown."""
    camera: str = ""
    style: str = ""
    music: Path | None = None
    """Sound file of its own; None takes the video's sound."""
    music_start_s: float = 0.0
    """Where in `music` the stretch starts, seconds."""
    poses: Path | None = None
    """Poses that the source brings with it, read by `sources.given_poses`."""
    split: str = ""
    """The source's official split (of `SPLITS`); empty where it has none."""
    licence: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a recording's name must be letters, digits, _ or -: {self.name!r}")
        if self.video is None and not self.url and self.poses is None:
            raise ValueError(f"recording {self.name} has neither video nor link nor poses")
        if self.split and self.split not in SPLITS:
            raise ValueError(f"split of {self.name} must be one of {SPLITS}, got {self.split!r}")

    @property
    def group(self) -> str:
        """What must never be on both sides of a split, by itself: song, else performance."""
        return self.song or self.performance or self.name


@dataclass(frozen=True)
class Unreadable:
    """A line or file of a source that gives no recording, and why in one sentence."""

    where: str
    why: str
    reason: str = UNREADABLE
    """What the report counts it under."""
    line: str = ""
    """What stands there, where it is a line of a table."""
