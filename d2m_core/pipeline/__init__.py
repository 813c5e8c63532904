"""The chain in one call: `dance_to_music`, or `band_to_dance` where the band plays.

`models` loads what has weights, `reading` finds the dancers and their rhythm, `chain` makes the music,
`result` writes it.
"""

from .chain import Listen, band_to_dance, dance_to_music
from .models import Models, best_device, load_models
from .reading import DanceMusic, StageProgress, read_dance
from .result import write_result

__all__ = [
    "DanceMusic",
    "Listen",
    "Models",
    "StageProgress",
    "band_to_dance",
    "best_device",
    "dance_to_music",
    "load_models",
    "read_dance",
    "write_result",
]
