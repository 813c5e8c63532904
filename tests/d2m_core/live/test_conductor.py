"""One pulse out of grids that are found again and again."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.live.clock import Clock, Pulse
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
    assert in_octave(Pulse(0.0, 150.0), 100.0).bpm == 150.0  # neither half nor double: another pulse


def test_before_the_band_plays_the_last_reading_is_right() -> None:
    """At first a dance may look slower by a third; nobody has to glide from there."""
    conductor = Conductor()
    conductor.read(grid(97.0, 2.0), 2.0, playing=False)
    conductor.read(grid(158.0, 2.25), 2.25, playing=False)
    assert conductor.pulse is not None
    assert conductor.pulse.bpm == pytest.approx(158.0)


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


@pytest.mark.parametrize("bpm", [132.0, 110 / 1.2])
def test_readings_that_change_by_a_fifth_are_followed_soon_and_without_a_jump(bpm: float) -> None:
    """From the first new reading on: a second to believe it, and two to glide there."""
    conductor, clock, played = Conductor(), Clock(2.0, 0.0, 110.0), []
    for now_s in np.arange(2.0, 14.0, 0.24):
        known = grid(110.0, now_s) if now_s < 6.0 else grid(bpm, now_s, first_s=0.25)
        conductor.read(known, float(now_s))
        clock.follow(conductor.pulse)
        span = clock.advance(float(now_s) + 0.24)
        played += [span.seconds(beat) for beat in np.arange(np.ceil(span.beats[0]), span.beats[-1])]
    away_s = np.abs((np.array(played) - 0.25 + 30 / bpm) % (60 / bpm) - 30 / bpm)
    assert away_s[np.array(played) > 9.7].max() < 0.05
    assert np.abs(np.diff(np.log(np.diff(played)))).max() < 0.18  # less than the dancer's own jump
