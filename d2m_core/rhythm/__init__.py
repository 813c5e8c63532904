"""When the beats fall: read from motion, heard in music, edited by hand.

`reading` is the way in from a dance, `hearing` that from music, by one of `ears`. Curves go to `decoding`,
where `gains` weighs them, `search` finds the likeliest chain, and `refining` puts it between frames.
`edit` changes a rhythm, `text` writes and reads its beats, `live` reads a dance that is still going on.
"""

from .ears import EARS, OURS, ear_of
from .edit import (
    double,
    halve,
    lengthened,
    scale_energy,
    shift,
    steady,
    swing,
    with_beats,
    with_metre,
    with_tempo,
)
from .heard import beats_of_ear
from .hearing import rhythm_from_audio
from .network import RhythmConfig, RhythmNet
from .reading import RhythmCurves, rhythm_curves, rhythm_from_motion
from .text import format_beats, parse_beats
from .weights import load_rhythm, save_rhythm

__all__ = [
    "EARS",
    "OURS",
    "RhythmConfig",
    "RhythmCurves",
    "RhythmNet",
    "beats_of_ear",
    "double",
    "ear_of",
    "format_beats",
    "halve",
    "lengthened",
    "load_rhythm",
    "parse_beats",
    "rhythm_curves",
    "rhythm_from_audio",
    "rhythm_from_motion",
    "save_rhythm",
    "scale_energy",
    "shift",
    "steady",
    "swing",
    "with_beats",
    "with_metre",
    "with_tempo",
]
