"""What the band knows of a style apart from its drums: harmony, lines, instruments.

Instruments are General MIDI programs (numbers) or synthesisers of `patches.PATCHES` (names).
Bass patterns: `1` root, `8` octave, `3 5 6 7` chord notes, `n` the next chord's root, `a` a
step towards it, `-` hold. Arpeggio patterns: digits are places in the chord, low to high.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Voice = int | str


@dataclass(frozen=True)
class MusicBook:
    """How the pitched parts of a style go."""

    progressions: tuple[tuple[str, str], ...]
    """(mode, chords)."""
    bass: tuple[str, ...]
    bass_voices: tuple[Voice, ...]
    comp: tuple[str, ...]
    """Chord rhythms: `x o` struck, `-` held."""
    comp_voices: tuple[Voice, ...]
    pad_voices: tuple[Voice, ...]
    lead_voices: tuple[Voice, ...]
    arps: tuple[str, ...] = ()
    arp_voices: tuple[Voice, ...] = ()
    horns: tuple[str, ...] = ()
    """Rhythms of riffs by a section of horns or of stabs."""
    horn_voices: tuple[Voice, ...] = ()
    chances: dict[str, float] = field(default_factory=dict)
    """How likely a piece has a role, where not 0.75."""
    levels_db: dict[str, float] = field(default_factory=dict)
    """Changes to `mix.LEVELS_DB`."""
    kits: tuple[str, ...] = ("electronic",)
    size: int = 4
    """Notes in a chord."""
    centre: int = 62
    """Middle of the chords, MIDI."""
    lead_notes: float = 0.6
    """Notes per half beat of the lead."""
    duck: tuple[float, float] = (0.0, 0.25)
    """How far the rest gives way to the kick, as a share."""
    hall_s: tuple[float, float] = (0.9, 1.8)
    lufs: float = -14.0
    pairs: bool = False
    """Bass walks in quarters instead of a pattern."""
