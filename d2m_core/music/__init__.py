"""The transformer: writes codec tokens on a rhythm.

`model` is read from top to bottom; `windows` says what each stretch is told; `sampling` writes it,
in steps (`stepping`) of machine code (`kernel`, `machine`), with tokens that `drawing` draws. `editing`
changes music that is there, by `filling` what is to be new; `starting` begins from a sound.
"""

from ..settings import START_USES, SamplingConfig
from .editing import Edited, extend_left, extend_right, repaint
from .model import DanceToMusic, ModelConfig
from .playing import pcm_16, play
from .sampling import OnTokens, generate_tokens
from .sound import decode_music
from .starting import music_from_sound
from .stepping import prepare
from .straightening import beginning
from .streaming import sounds_of, stream_music
from .weights import LoadedModel, load_model, save_model, styles_in

__all__ = [
    "START_USES",
    "DanceToMusic",
    "Edited",
    "LoadedModel",
    "ModelConfig",
    "OnTokens",
    "SamplingConfig",
    "beginning",
    "decode_music",
    "extend_left",
    "extend_right",
    "generate_tokens",
    "load_model",
    "music_from_sound",
    "pcm_16",
    "play",
    "prepare",
    "repaint",
    "save_model",
    "sounds_of",
    "stream_music",
    "styles_in",
]
