from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2m_core.grid import PHASE_NAMES, phase_features, position, seconds_at, steady_beats, tempo_of


@given(st.floats(60, 180), st.floats(1, 60), st.floats(-5, 5))
def test_steady_beats_fill_the_clip_and_pass_through_the_first(
    tempo_bpm: float, duration_s: float, first_s: float
) -> None:
    beats_s = steady_beats(tempo_bpm, duration_s, first_s)
    period_s = 60 / tempo_bpm
    assert ((beats_s >= 0) & (beats_s < duration_s)).all()
    assert len(beats_s) in (int(duration_s / period_s), int(duration_s / period_s) + 1)
    offsets = (beats_s - first_s) / period_s
    np.testing.assert_allclose(offsets, np.round(offsets), atol=1e-6)


def test_tempo_of_a_steady_grid_is_its_tempo() -> None:
    assert tempo_of(steady_beats(133.0, 10)) == pytest.approx(133.0)
    with pytest.raises(ValueError, match="two beats"):
        tempo_of(np.array([1.0]))


def test_position_and_seconds_are_inverse_inside_and_outside_an_uneven_grid() -> None:
    beats_s = np.array([0.5, 1.0, 1.6, 2.1])
    times_s = np.linspace(-2, 5, 71)
    places = position(beats_s, times_s)
    np.testing.assert_allclose(position(beats_s, beats_s), [0, 1, 2, 3])
    np.testing.assert_allclose(seconds_at(beats_s, places), times_s, atol=1e-9)
    assert (np.diff(places) > 0).all()


def test_phase_features_peak_on_beats_and_bars() -> None:
    beats_s = steady_beats(120, 8, 0.25)
    downbeats = np.arange(len(beats_s)) % 4 == 1
    features = phase_features(beats_s, downbeats, beats_s)
    column = {name: features[:, k] for k, name in enumerate(PHASE_NAMES)}
    np.testing.assert_allclose(column["beat_cos"], 1, atol=1e-5)
    np.testing.assert_allclose(column["bar_cos"][downbeats], 1, atol=1e-5)
    np.testing.assert_allclose(column["log_tempo"], 0, atol=1e-5)
    assert (column["bar_cos"][~downbeats] < 0.1).all()
    between = phase_features(beats_s, downbeats, beats_s[:-1] + 0.25)
    np.testing.assert_allclose(between[:, 0:2], [[0, -1]] * len(between), atol=1e-5)


def test_phase_features_of_no_grid_are_zero() -> None:
    assert not phase_features(np.zeros(1), np.zeros(1, bool), np.arange(5.0)).any()
