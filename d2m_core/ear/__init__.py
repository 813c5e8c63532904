"""What is heard in music: beats, bar lines and onsets of every frame, by a small network of our own.

`spectrum` is what it reads, `network` the ear itself, `listening` the way in for a sound of any
length. Beats are made of what it says in `rhythm.hearing`.
"""

from .listening import EarCurves, listen
from .network import HEADS, EarConfig, EarNet
from .spectrum import EAR_FPS, EAR_RATE
from .weights import default_ear, load_ear, save_ear

__all__ = [
    "EAR_FPS",
    "EAR_RATE",
    "HEADS",
    "EarConfig",
    "EarCurves",
    "EarNet",
    "default_ear",
    "listen",
    "load_ear",
    "save_ear",
]
