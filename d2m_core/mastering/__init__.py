"""The last hand at music that sounds already: its level follows the dance, it ends, and it is as loud as all.

`dynamics` makes loud and quiet of a rhythm's energy, `ending` ends a piece, `level` brings it to one loudness
with true peaks under one ceiling; `master` does all three.
"""

from .master import master_music

__all__ = ["master_music"]
