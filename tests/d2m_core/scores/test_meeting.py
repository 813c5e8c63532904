"""Beat F with its neighbour, and the words for grids that fit another way."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.grid import steady_beats
from d2m_core.scores import meeting_of
from d2m_core.scores.meeting import AT_HALF, HALF_OFF, TWICE

BEATS = steady_beats(118, 12.0, 0.3)
HALF_S = 30 / 118


@pytest.mark.parametrize(
    ("found", "way"),
    [
        (BEATS, ""),
        (BEATS + HALF_S, HALF_OFF),
        (np.sort(np.concatenate([BEATS, BEATS + HALF_S])), TWICE),
        (BEATS[1::2], AT_HALF),
        (BEATS[::2] + HALF_S, AT_HALF),
        (steady_beats(97, 12.0, 0.1), ""),
        (np.zeros(0), ""),
    ],
)
def test_each_way_is_told_and_no_other(found: np.ndarray, way: str) -> None:
    met = meeting_of(BEATS, found)
    assert met.way == way
    assert str(met).endswith(f": {way}" if way else f"AMLt {met.amlt:.2f}")
    if way:
        assert met.f < 0.75


def test_amlt_stands_beside_it() -> None:
    """mir_eval counts half, double and off-beat; half the tempo between the beats it does not."""
    double = np.sort(np.concatenate([BEATS, BEATS + HALF_S]))
    for found in (BEATS, BEATS + HALF_S, double, BEATS[1::2]):
        assert meeting_of(BEATS, found).amlt > 0.9
    assert meeting_of(BEATS, BEATS[::2] + HALF_S).amlt == 0.0


def test_a_true_grid_with_faults_is_not_called_another() -> None:
    rng = np.random.default_rng(1)
    found = np.sort(BEATS[rng.random(len(BEATS)) > 0.15] + rng.normal(0, 0.02, 1))
    assert meeting_of(BEATS, found).way == ""
    assert meeting_of(BEATS, found).f > 0.85


def test_too_few_beats_tell_nothing() -> None:
    assert meeting_of(BEATS[:2], BEATS).way == ""
    assert meeting_of(BEATS, BEATS[:1]).way == ""
