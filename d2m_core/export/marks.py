"""What is marked in an editor: sections, downbeats, accents, beats, one mark a frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ..midi import Named
from ..types import Rhythm
from .frames import FrameRate

KINDS = ("section", "downbeat", "accent", "beat")
"""The first one of a frame gives its mark the colour."""

COLOURS = {"section": "GREEN", "downbeat": "RED", "accent": "YELLOW", "beat": "BLUE"}
"""Colours that OpenTimelineIO, Resolve and Avid all know."""


class Mark(NamedTuple):
    """A moment with a name."""

    time_s: float
    kind: str
    """One of `KINDS`."""
    name: str


class FrameMark(NamedTuple):
    """All that is marked at a frame."""

    frame: int
    kind: str
    name: str


def bar_numbers(rhythm: Rhythm) -> list[tuple[int, int]]:
    """(bar, beat of the bar) of each beat, from 1; beats before the first bar line are in bar 0.

    Beats there count up to the bar line as those of a whole bar would.
    """
    starts = np.flatnonzero(rhythm.downbeats)
    first = int(starts[0]) if len(starts) else len(rhythm.beats_s)
    found, bar, place = [], 0, (-first) % rhythm.metre
    for starts_bar in rhythm.downbeats:
        bar, place = (bar + 1, 1) if starts_bar else (bar, place + 1)
        found.append((bar, place))
    return found


def marks_of(
    rhythm: Rhythm,
    accents: Iterable[tuple[float, float]] = (),
    sections: Iterable[Named] = (),
    every_beat: bool = False,
) -> tuple[Mark, ...]:
    """Marks in the order of time; those of one moment in the order of `KINDS`.

    `accents` are (seconds, strength 0..1); `every_beat` marks beats between the downbeats as well.
    """
    found = [Mark(section.start_s, "section", section.name) for section in sections]
    for time_s, (bar, place), starts in zip(
        rhythm.beats_s, bar_numbers(rhythm), rhythm.downbeats, strict=True
    ):
        if starts:
            found.append(Mark(float(time_s), "downbeat", f"Bar {bar}"))
        elif every_beat:
            found.append(Mark(float(time_s), "beat", f"{bar}.{place}"))
    found += [Mark(float(at), "accent", f"Accent {100 * strength:.0f} %") for at, strength in accents]
    return tuple(sorted(found, key=lambda mark: (mark.time_s, KINDS.index(mark.kind))))


def on_frames(marks: Iterable[Mark], rate: FrameRate) -> list[FrameMark]:
    """One mark for each frame that has any: editors show but one."""
    frames: dict[int, list[Mark]] = {}
    for mark in marks:
        frames.setdefault(rate.frame_at(mark.time_s), []).append(mark)
    found = []
    for frame in sorted(frames):
        own = sorted(frames[frame], key=lambda mark: KINDS.index(mark.kind))
        found.append(FrameMark(frame, own[0].kind, ", ".join(mark.name for mark in own)))
    return found
