"""From joints to what a network reads: motion features (`features`), and the accents one sees (`accents`).

`body` is one dancer as both see it; `together` makes one of several dancers.
"""

from .accents import Accents, find_accents
from .features import MOTION_NAMES, extract_motion, mirror_motion
from .together import dance_accents, dance_motion

__all__ = [
    "MOTION_NAMES",
    "Accents",
    "dance_accents",
    "dance_motion",
    "extract_motion",
    "find_accents",
    "mirror_motion",
]
