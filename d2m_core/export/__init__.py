"""Beats, accents and sections for other programs: tables, labels, click tracks, markers for editors.

`frames` is the arithmetic of frame rates and timecodes, `marks` what is marked; `tables`, `click` and
`editors` write one kind of file each, `writing` chooses by the ending.
"""

from .click import click_track
from .frames import FRAME_RATES, FrameRate, frame_rate, rate_of_clip
from .marks import COLOURS, Mark, marks_of
from .writing import BEAT_FORMATS, BeatSheet, check_beats_file, export_beats

__all__ = [
    "BEAT_FORMATS",
    "COLOURS",
    "FRAME_RATES",
    "BeatSheet",
    "FrameRate",
    "Mark",
    "check_beats_file",
    "click_track",
    "export_beats",
    "frame_rate",
    "marks_of",
    "rate_of_clip",
]
