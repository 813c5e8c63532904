"""A rhythm that was found, with what a musician asks to be changed about it."""

from __future__ import annotations

from ..errors import require
from ..grid import TEMPO_RANGE_BPM
from ..settings import GRIDS, RhythmSettings
from ..types import Rhythm
from .edit import double, halve, scale_energy, shift, steady, swing


def as_asked(rhythm: Rhythm, asked: RhythmSettings) -> Rhythm:
    """A rhythm that was found, with what a musician asks to be changed about it.

    Raises `SettingError` where its tempo cannot be halved or doubled.
    """
    if asked.steady:
        rhythm = steady(rhythm)
    if asked.grid != GRIDS[0]:
        rhythm = _on_grid(rhythm, asked.grid)
    if asked.shift_ms:
        rhythm = shift(rhythm, asked.shift_ms / 1000)
    rhythm = swing(rhythm, asked.swing)
    return rhythm if asked.energy == 1.0 else scale_energy(rhythm, asked.energy)


def _on_grid(rhythm: Rhythm, grid: str) -> Rhythm:
    low, high = TEMPO_RANGE_BPM
    tempo = rhythm.tempo_bpm * (0.5 if grid == "half" else 2.0)
    require(
        low <= tempo <= high,
        f"The dance has {rhythm.tempo_bpm:.0f} BPM, and {grid} of it is {tempo:.0f}, outside {low:g} to "
        f"{high:g}; take the beats as they are found, or set a tempo.",
    )
    return halve(rhythm) if grid == "half" else double(rhythm)
