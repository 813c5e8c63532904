"""What the band played, as MIDI."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..band import BandTake
from ..types import Rhythm
from .writing import make_midi

if TYPE_CHECKING:
    from mido import MidiFile


def band_midi(
    take: BandTake,
    rhythm: Rhythm,
    duration_s: float | None = None,
    accents: Iterable[tuple[float, float]] = (),
) -> MidiFile:
    """Notes, sections and chords of a take on the bars that the band counted.

    Those are the rhythm's, gone on with over the whole clip. `duration_s` is the clip's length,
    `accents` are (seconds, strength 0..1). Raises `SettingError` as `make_midi` does.
    """
    counted = replace(rhythm, beats_s=take.plan.beats_s, downbeats=take.plan.downbeats)
    return make_midi(
        counted, duration_s, notes=take.notes, sections=take.sections, chords=take.chords, accents=accents
    )
