"""Changes that are asked for once, in the order of Edit Rhythm."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.errors import SettingError
from d2m_core.grid import steady_beats
from d2m_core.rhythm import as_asked, double, halve, scale_energy, shift, steady, swing
from d2m_core.settings import RhythmSettings
from d2m_core.types import Rhythm


def found(tempo_bpm: float) -> Rhythm:
    beats = steady_beats(tempo_bpm, 12.0, 0.2)
    curves = np.full((300, 2), 0.4, np.float32)
    return Rhythm(beats, np.arange(len(beats)) % 4 == 1, curves, tempo_bpm)


def test_nothing_asked_changes_nothing() -> None:
    rhythm = found(120)
    assert as_asked(rhythm, RhythmSettings()) is rhythm


def test_all_that_is_asked_is_done() -> None:
    rhythm = found(120)
    asked = RhythmSettings(grid="half", steady=True, shift_ms=40, swing=60, energy=1.5)
    right = scale_energy(swing(shift(halve(steady(rhythm)), 0.04), 60), 1.5)
    made = as_asked(rhythm, asked)
    np.testing.assert_array_equal(made.beats_s, right.beats_s)
    np.testing.assert_array_equal(made.curves, right.curves)
    assert made.tempo_bpm == 60
    np.testing.assert_array_equal(
        as_asked(found(80), RhythmSettings(grid="double")).beats_s, double(found(80)).beats_s
    )


@pytest.mark.parametrize(("grid", "tempo", "other"), [("double", 157.0, 314), ("half", 80.0, 40)])
def test_a_grid_that_cannot_be_played_is_told_with_both_tempi(grid: str, tempo: float, other: int) -> None:
    with pytest.raises(SettingError, match=rf"has {tempo:.0f} BPM, and {grid} of it is {other}, outside 60"):
        as_asked(found(tempo), RhythmSettings(grid=grid))
