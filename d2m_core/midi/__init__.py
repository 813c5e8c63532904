"""MIDI: music and its beats as a file that every sequencer opens, and such files as a rhythm.

`score` says what goes in, `tempo_map` puts beats on ticks, `writing` makes the file, `band` that
of a take; `reading` opens anybody's file, `beats` finds its beats and accents.
"""

from .band import band_midi
from .beats import rhythm_from_midi
from .reading import midi_notes, midi_sections, open_midi
from .score import Named, SoundingNote
from .tempo_map import TICKS_PER_BEAT, TempoMap, tempo_map_of
from .writing import make_midi, save_midi

__all__ = [
    "TICKS_PER_BEAT",
    "Named",
    "SoundingNote",
    "TempoMap",
    "band_midi",
    "make_midi",
    "midi_notes",
    "midi_sections",
    "open_midi",
    "rhythm_from_midi",
    "save_midi",
    "tempo_map_of",
]
