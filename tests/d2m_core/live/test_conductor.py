"""One pulse out of grids that are found again and again."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.live.clock import Pulse
from d2m_core.live.conductor import Conductor, clock_at, in_octave, pulse_of
from d2m_core.rhythm.decoding import BeatGrid


def grid(bpm: float, until_s: float, first_s: float = 0.1, sure: float = 0.8, metre: int = 4) -> BeatGrid:
    beats = np.arange(first_s, until_s + 1.0, 60 / bpm)
    return BeatGrid(beats, np.arange(len(beats)) % metre == 0, bpm, sure)


def read(conductor: Conductor, bpm: float, low_s: float, high_s: float, **how: float) -> None:
    for now_s in np.arange(low_s, high_s, 0.25):
        conductor.read(grid(bpm, float(now_s), **how), float(now_s))


def test_a_pulse_is_fitted_to_the_last_beats() -> None:
    pulse = pulse_of(grid(100.0, 8.0), 8.0)
    assert pulse is not None
    assert pulse.bpm == pytest.approx(100.0)
    assert pulse.phase(0.1 + 6 * 0.6) == pytest.approx(0.0, abs=1e-6) or pulse.phase(3.7) > 0.999
    assert pulse_of(grid(100.0, 8.0, sure=0.0), 8.0) is None
    assert pulse_of(grid(60.0, 1.0), 1.0) is None


def test_half_and_double_are_the_same_pulse() -> None:
    assert in_octave(Pulse(0.0, 61.0), 120.0).bpm == 122.0
    assert in_octave(Pulse(0.0, 178.0), 90.0).bpm == 89.0
    assert in_octave(Pulse(0.0, 100.0), 120.0).bpm == 100.0


def test_it_begins_when_readings_agree_and_on_the_bar_of_the_dance() -> None:
    conductor = Conductor()
    read(conductor, 120.0, 2.0, 4.0)
    assert not conductor.ready(4.0)
    read(conductor, 120.0, 4.0, 5.5)
    assert conductor.ready(5.5)
    start = conductor.start(5.5)
    assert (start.bpm, start.metre) == (pytest.approx(120.0), 4)
    assert start.place == pytest.approx((5.5 - 0.1) / 0.5 % 4, abs=0.01)
    assert clock_at(start, 5.5).beat == start.place
    assert Conductor(metre=3).ready(9.0) is False


def test_one_wild_reading_changes_nothing_and_several_that_agree_do() -> None:
    conductor = Conductor()
    read(conductor, 120.0, 2.0, 5.0)
    conductor.read(grid(96.0, 5.0, first_s=0.37), 5.0)
    assert conductor.pulse is not None
    assert conductor.pulse.bpm == pytest.approx(120.0)
    read(conductor, 96.0, 5.25, 7.0, first_s=0.37)
    assert conductor.pulse.bpm == pytest.approx(96.0)
