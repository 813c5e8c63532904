"""What the band played, read back: each of its notes, on bars that it counted."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.band import find_materials, play_band
from d2m_core.midi import band_midi, midi_notes, midi_sections, rhythm_from_midi
from d2m_core.types import Rhythm

DURATION_S = 8.0


@pytest.mark.parametrize(
    ("first_s", "metre", "style"), [(0.2, 4, "funk"), (2.1, 4, "house"), (0.4, 3, "waltz")]
)
def test_all_that_was_played_is_in_the_file(first_s: float, metre: int, style: str) -> None:
    beats = first_s + np.cumsum(0.5 + 0.02 * np.sin(np.arange(20)))
    beats = beats[beats < DURATION_S - 1]
    curves = np.full((round(DURATION_S * 25), 2), 0.5, np.float32)
    rhythm = Rhythm(beats, np.arange(len(beats)) % metre == 1, curves, 120.0)
    take = play_band(rhythm, style=style, seed=4, sample_rate=24_000, instruments=find_materials())
    midi = band_midi(take, rhythm, DURATION_S, accents=[(1.5, 0.5)])
    found = midi_notes(midi)
    key = sorted((round(n.start_s, 2), n.pitch, n.velocity) for n in found)
    meant = sorted((round(n.start_s, 2), n.pitch, n.velocity) for n in take.notes)
    assert abs(len(key) - len(meant)) <= 0.02 * len(meant)  # one key struck twice at once is one note
    assert len(set(meant) - set(key)) <= 0.05 * len(meant)  # a rounding of 10 ms may fall between
    assert {n.player for n in found if n.drum} <= {"drums", "percussion"}
    again = rhythm_from_midi(midi)
    for time_s in beats:
        assert np.abs(again.beats_s - time_s).min() < 1e-3
    bars = again.beats_s[again.downbeats]
    assert all(np.abs(bars - time_s).min() < 1e-3 for time_s in beats[rhythm.downbeats])
    assert again.metre == metre
    assert again.beats_s[0] < 0.7, "the band counts before the first beat that was found"
    assert [section.name for section in midi_sections(midi)] == [section.name for section in take.sections]
