"""A band by program: composes on any beat grid, and plays it with sampled and synthetic instruments.

`play_band` plays a dance: `follow` reads it, `dance_plan` plans, `answers` puts its accents into what
`arrange` writes, `parts` and `desk` sound it in stereo at any rate, `mastering` makes it loud.
The studio's `plan` draws a piece on a grid, and `song` plays it: `drum_book` and `music_book` say what
each style plays, `players` and `drummer` make `notes` of it, `voices` and `kit` sound them, `mix` puts
them together.
"""

from .dance_plan import plan_for_dance
from .desk import STEMS
from .instruments import find_instruments
from .mastering import master
from .materials import Materials, find_materials, installed_materials, licences_of
from .plan import Plan, make_plan, plan_on
from .song import Song, play, record
from .take import PLAYERS, BandTake, Mark, PlayedNote, play_band

__all__ = [
    "PLAYERS",
    "STEMS",
    "BandTake",
    "Mark",
    "Materials",
    "Plan",
    "PlayedNote",
    "Song",
    "find_instruments",
    "find_materials",
    "installed_materials",
    "licences_of",
    "make_plan",
    "master",
    "plan_for_dance",
    "plan_on",
    "play",
    "play_band",
    "record",
]
