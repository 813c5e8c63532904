"""Straight grids: which one a tempo gets, and where onsets go on it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2m_core.straight import EVEN_STEPS, LAGS, StepGrid, beat_steps, lay_out, on_steps, straight_bpm


@pytest.mark.parametrize(
    ("tempo_bpm", "steps"), [(125.0, 24), (118.3, 26), (150.0, 20), (93.75, 32), (60.0, 50)]
)
def test_the_nearest_grid(tempo_bpm: float, steps: int) -> None:
    assert beat_steps(tempo_bpm) == steps


@given(st.floats(60.0, 180.0))
def test_a_grid_is_even_and_near(tempo_bpm: float) -> None:
    steps = beat_steps(tempo_bpm)
    assert steps % 2 == 0
    assert EVEN_STEPS[0] <= steps <= EVEN_STEPS[1]
    assert abs(float(straight_bpm(steps)) / tempo_bpm - 1) < 0.062


@given(st.integers(8, 25), st.integers(0, 400), st.floats(0, 0.999))
def test_a_place_moves_by_half_a_step_at_most_and_alike_in_every_beat(
    half: int, beat: int, inside: float
) -> None:
    steps = 2 * half
    moved = float(on_steps(beat + inside, steps))
    assert abs(moved - (beat + inside)) * steps <= 0.5 + 1e-5
    assert moved * steps == pytest.approx(round(moved * steps), abs=1e-6)
    between = on_steps(np.arange(8) + (half + 0.5) / steps, steps) - np.arange(8)
    np.testing.assert_allclose(between, (half + 1) / steps, atol=1e-9)


def drifting(count: int, bpm: float, drift: float, seed: int = 0) -> np.ndarray:
    """Beats whose tempo wanders, from 0.3 s on."""
    rng = np.random.default_rng(seed)
    wander = 1 + drift * np.sin(np.arange(count) / 7 + rng.uniform(0, 6))
    return 0.3 + np.concatenate([[0], np.cumsum(60 / bpm * wander)])


def bars(count: int, metre: int, first: int = 0) -> np.ndarray:
    return (np.arange(count) - first) % metre == 0


@given(st.floats(62.0, 178.0), st.floats(0.0, 0.02), st.integers(0, 5))
def test_a_dance_is_laid_on_steps_and_found_again(bpm: float, drift: float, seed: int) -> None:
    beats_s = drifting(24, bpm, drift, seed)
    grid, way = lay_out(beats_s, bars(25, 4), 50.0)
    steps = np.diff(grid.beats)
    assert (steps == steps[0]).all(), "a little drift does not change the grid"
    assert steps[0] % 2 == 0
    np.testing.assert_allclose(way.to_straight(beats_s) * 50, grid.beats, atol=1e-9)
    times = np.linspace(-1, 20, 97)
    np.testing.assert_allclose(way.to_dance(way.to_straight(times)), times, atol=1e-9)
    assert -1e-9 <= float(way.to_straight(0.0)) * 50 <= 1 + 1e-9, "the dance starts with the first step"


def test_another_tempo_gets_other_steps_and_a_missed_beat_does_not() -> None:
    slow, fast = np.arange(12) * 0.64, 12 * 0.64 + np.arange(12) * 0.48
    grid, _ = lay_out(np.concatenate([slow, fast]), bars(24, 4), 50.0)
    steps = np.diff(grid.beats)
    assert set(steps[:8]) == {32}
    assert set(steps[-8:]) == {24}
    beats_s = np.delete(np.arange(24) * 0.48, 9)
    grid, _ = lay_out(beats_s, bars(23, 4), 50.0)
    assert set(np.diff(grid.beats)) == {24}


def test_places_say_where_in_bar_and_beat_a_step_lies_before_and_after_too() -> None:
    grid = StepGrid(100 + 24 * np.arange(8), bars(8, 4, first=1))
    places = grid.places(np.array([0, 99, 100, 101, 124, 148, 292, 300, 1000]))
    assert places[:, 0].tolist() == [4] * 9
    assert places[:, 3].tolist() == [24] * 9
    assert places[:, 2].tolist() == [20, 23, 0, 1, 0, 0, 0, 8, 12]
    assert places[2:7, 1].tolist() == [3, 3, 0, 1, 3]
    assert places[1, 1] == 2
    assert grid.places(np.array([1000 + 96]))[0, 1] == places[-1, 1]
    free = StepGrid(grid.beats, np.zeros(8, bool))
    assert free.places(np.array([100]))[0].tolist() == [0, -1, 0, 24]
    waltz = StepGrid(20 * np.arange(9), bars(9, 3))
    assert waltz.metre == 3
    assert waltz.places(20 * np.arange(6))[:, 1].tolist() == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize(("metre", "lags"), [(4, [1, 4, 8, 16]), (3, [1, 3, 6, 12])])
def test_sources_lie_a_beat_and_bars_back(metre: int, lags: list[int]) -> None:
    grid = StepGrid(7 + 26 * np.arange(20), bars(20, metre))
    steps = np.arange(0, 500, 13)
    sources = grid.sources(steps)
    assert sources.shape == (len(LAGS), len(steps))
    np.testing.assert_array_equal(steps - sources, np.array(lags)[:, None] * 26 + 0 * steps)


def test_sources_keep_their_place_where_the_tempo_changes() -> None:
    grid = StepGrid(np.concatenate([[0, 32, 64, 96], 128 + 24 * np.arange(6)]), bars(10, 4))
    steps = np.arange(128, 152)
    beat_back = grid.sources(steps)[0]
    assert beat_back[0] == 96
    assert beat_back[12] == 96 + 16
    assert (np.diff(beat_back) >= 1).all()


def test_beats_between_steps_are_no_grid() -> None:
    assert StepGrid.of(np.array([0.02, 0.5, 0.98]), bars(3, 4), 50.0) is not None
    assert StepGrid.of(np.array([0.02, 0.507, 0.98]), bars(3, 4), 50.0) is None
    assert StepGrid.of(np.array([0.02]), bars(1, 4), 50.0) is None
