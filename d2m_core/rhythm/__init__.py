"""When the beats fall: read from motion, heard in music, edited by hand.

`reading` is the way in from a dance, `hearing` that from music: curves (`network`) go to `decoding`,
where `gains` weighs them, `search` finds the likeliest chain, and `refining` puts it between frames.
`edit` changes a rhythm, `text` writes and reads its beats, `live` reads a dance that is still going on.
"""

from .asked import as_asked
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
from .hearing import rhythm_from_audio
from .network import RhythmConfig, RhythmNet
from .reading import RhythmCurves, rhythm_curves, rhythm_from_motion
from .text import format_beats, parse_beats
from .weights import load_rhythm, save_rhythm

__all__ = [
    "RhythmConfig",
    "RhythmCurves",
    "RhythmNet",
    "as_asked",
    "double",
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
