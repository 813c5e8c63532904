"""The last hand at music that sounds already: its level follows the dance, it ends, and it is as loud as all.

`dynamics` makes loud and quiet of a rhythm's energy, `ending` ends a piece, `level` brings it to one loudness
with true peaks under one ceiling; `master` does all three. `loudness` is how both are measured, the band's
music too.
"""

from .level import BAND_LUFS, CEILING_DB, LOUDNESS_LUFS
from .loudness import SILENT_LUFS, loudness_of, true_peak_db
from .master import master_music

__all__ = [
    "BAND_LUFS",
    "CEILING_DB",
    "LOUDNESS_LUFS",
    "SILENT_LUFS",
    "loudness_of",
    "master_music",
    "true_peak_db",
]
