"""When the beats fall: read from motion, heard in music, edited by hand.

`reading` is the way in from a dance, `hearing` that from music, by one of `ears`: curves (`network`) go to
`decoding`, where `gains` weighs them, `tempo` settles the tempo, `search` finds the likeliest chain, and
`refining` puts it between frames. `finding` lets the dance and the clip's own sound have their say;
`doubts` tells what is unsure.
`edit` changes a rhythm, `drawn` its curves, `text` writes and reads its beats, `telling` puts it in words
for other models, `live` reads a dance that is still going on.
"""

from ..settings import BEATS_FROM
from .asked import as_asked
from .doubts import likely_tempi, rhythm_notices, tempo_words
from .drawn import curve_points, with_curve
from .ears import EARS, OURS, ear_of
from .edit import (
    beat_length,
    double,
    halve,
    led_in,
    lengthened,
    rows_led_in,
    scale_energy,
    shift,
    steady,
    swing,
    with_beats,
    with_metre,
    with_tempo,
)
from .finding import FoundRhythm, find_rhythm
from .heard import beats_of_ear
from .hearing import rhythm_from_audio
from .network import RhythmConfig, RhythmNet
from .reading import RhythmCurves, rhythm_curves, rhythm_from_motion
from .telling import abc_header, caption
from .text import format_beats, parse_beats
from .weights import load_rhythm, save_rhythm

__all__ = [
    "BEATS_FROM",
    "EARS",
    "OURS",
    "FoundRhythm",
    "RhythmConfig",
    "RhythmCurves",
    "RhythmNet",
    "abc_header",
    "as_asked",
    "beat_length",
    "beats_of_ear",
    "caption",
    "curve_points",
    "double",
    "ear_of",
    "find_rhythm",
    "format_beats",
    "halve",
    "led_in",
    "lengthened",
    "likely_tempi",
    "load_rhythm",
    "parse_beats",
    "rhythm_curves",
    "rhythm_from_audio",
    "rhythm_from_motion",
    "rhythm_notices",
    "rows_led_in",
    "save_rhythm",
    "scale_energy",
    "shift",
    "steady",
    "swing",
    "tempo_words",
    "with_beats",
    "with_curve",
    "with_metre",
    "with_tempo",
]
