"""Edits of a rhythm beyond tempo and shift: locked, swung, in other bars, longer."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.errors import SettingError
from d2m_core.grid import steady_beats
from d2m_core.rhythm import lengthened, steady, swing, with_metre
from d2m_core.types import Rhythm


def rhythm(
    bpm: float = 120.0, metre: int = 4, duration_s: float = 12.0, first_bar: int = 1, jitter_s: float = 0.0
) -> Rhythm:
    beats = steady_beats(bpm, duration_s, 0.2)
    beats = beats + np.random.default_rng(1).uniform(-jitter_s, jitter_s, len(beats))
    bars = np.arange(len(beats)) % metre == first_bar
    times = np.arange(round(duration_s * 25)) / 25
    curves = np.stack([np.cos(2 * np.pi * (times - 0.2) * bpm / 60) ** 2, times / duration_s], 1)
    return Rhythm(beats, bars, curves.astype(np.float32), bpm, 0.5)


def test_a_locked_tempo_is_steady_and_near_the_beats() -> None:
    loose = rhythm(113.0, jitter_s=0.03)
    tight = steady(loose)
    assert np.ptp(np.diff(tight.beats_s)) < 1e-9
    assert np.abs(tight.beats_s - loose.beats_s).max() < 0.04
    assert tight.tempo_bpm == pytest.approx(113.0, abs=0.5)
    np.testing.assert_array_equal(tight.downbeats, loose.downbeats)


@pytest.mark.parametrize("metre", [2, 3, 4])
def test_swing_moves_every_second_beat_of_a_bar(metre: int) -> None:
    straight = rhythm(metre=metre)
    swung = swing(straight, 70.0)
    moved = swung.beats_s - straight.beats_s
    place = (np.arange(len(moved)) - 1) % metre
    inside = np.arange(1, len(moved) - 1)
    late = place[inside] % 2 == 1
    np.testing.assert_allclose(moved[inside][late], 0.2 * 2 * 0.5, atol=1e-9)
    np.testing.assert_allclose(moved[inside][~late], 0.0)
    assert (np.diff(swung.beats_s) > 0).all()
    assert swing(straight, 50.0) is straight
    for wrong in (49.0, 76.0):
        with pytest.raises(SettingError, match="Swing"):
            swing(straight, wrong)


def test_other_bars_start_at_the_first_bar_line() -> None:
    changed = with_metre(rhythm(), 3)
    assert changed.metre == 3
    assert np.flatnonzero(changed.downbeats)[0] == 1
    with pytest.raises(SettingError, match="13"):
        with_metre(rhythm(), 13)


@pytest.mark.parametrize("duration_s", [12.04, 20.0, 33.0])
def test_a_longer_rhythm_goes_on_as_it_was(duration_s: float) -> None:
    short = rhythm(duration_s=12.0)
    longer = lengthened(short, duration_s)
    assert longer.duration_s == pytest.approx(duration_s)
    np.testing.assert_allclose(longer.beats_s, steady_beats(120.0, duration_s, 0.2), atol=1e-9)
    np.testing.assert_array_equal(np.flatnonzero(longer.downbeats) % 4, 1)
    np.testing.assert_array_equal(longer.curves[:300], short.curves)
    times = np.arange(len(longer.curves)) / 25
    np.testing.assert_allclose(longer.curves[:, 0], np.cos(2 * np.pi * (times - 0.2) * 2) ** 2, atol=1e-4)


def test_a_shorter_one_is_cut() -> None:
    cut = lengthened(rhythm(duration_s=12.0), 5.0)
    assert cut.duration_s == 5.0
    assert cut.beats_s[-1] < 5.0
    np.testing.assert_array_equal(cut.downbeats, rhythm().downbeats[: len(cut.beats_s)])


def test_without_beats_only_curves_change() -> None:
    still = Rhythm(np.zeros(0), np.zeros(0, bool), np.full((50, 2), 0.5, np.float32), 120.0, 0.0)
    longer = lengthened(still, 4.0)
    assert len(longer.curves) == 100
    assert len(longer.beats_s) == 0
    assert steady(still) is still
