"""Harmony, lines and instruments of every style."""

from __future__ import annotations

from .machine_music import MACHINE_MUSIC
from .music_style import MusicBook
from .played_music import PLAYED_MUSIC

MUSIC_BOOK: dict[str, MusicBook] = {**MACHINE_MUSIC, **PLAYED_MUSIC}
