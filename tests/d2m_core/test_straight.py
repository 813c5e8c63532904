"""Straight grids: which one a tempo gets, and where onsets go on it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2m_core.straight import EVEN_STEPS, beat_steps, on_steps, straight_bpm


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
