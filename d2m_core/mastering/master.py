"""Music as it is handed over: with dynamics and an ending, at one loudness."""

from __future__ import annotations

from ..settings import SoundSettings
from ..types import Rhythm, Waveform
from .dynamics import with_dynamics
from .ending import ended
from .level import at_level


def master_music(
    wave: Waveform, rhythm: Rhythm | None = None, sound: SoundSettings | None = None
) -> Waveform:
    """The music [B, C, N] as it is asked for in `sound`, exactly as long, every piece of a batch by itself.

    Its level follows the energy of `rhythm` and it ends in its time; without a rhythm neither is done. Its
    loudness is `level.LOUDNESS_LUFS` and no true peak lies above `level.CEILING_DB`, always.
    """
    sound = sound or SoundSettings()
    if rhythm is not None:
        wave = with_dynamics(wave, rhythm, sound.dynamics)
        wave = ended(wave, rhythm, sound.ending)
    return at_level(wave)
