"""Beats as text: there and back, and what a person may type."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d2m_core.errors import SettingError
from d2m_core.rhythm import format_beats, parse_beats
from d2m_core.types import Rhythm


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.floats(0.01, 3.0), min_size=1, max_size=60), data=st.data())
def test_there_and_back(steps: list[float], data: st.DataObject) -> None:
    beats = np.cumsum(steps)
    bars = np.array(data.draw(st.lists(st.booleans(), min_size=len(beats), max_size=len(beats))))
    rhythm = Rhythm(beats, bars, np.zeros((10, 2), np.float32), 120.0)
    times, marks = parse_beats(format_beats(rhythm))
    np.testing.assert_allclose(times, beats, atol=5e-4)
    assert (marks is None) == (not bars.any())
    if marks is not None:
        np.testing.assert_array_equal(marks, bars)


@pytest.mark.parametrize(
    ("text", "times", "bars"),
    [
        ("0.5, 1, 1.5", [0.5, 1.0, 1.5], None),
        ("0.5d 1 1.5 D 2", [0.5, 1.0, 1.5, 2.0], [True, False, True, False]),
        ("# my beats\n.25 d\n\n0.75 # second\n1:02.5", [0.25, 0.75, 62.5], [True, False, False]),
        ("1; 2;3", [1.0, 2.0, 3.0], None),
    ],
)
def test_what_may_be_typed(text: str, times: list[float], bars: list[bool] | None) -> None:
    found, marks = parse_beats(text)
    assert found.tolist() == times
    assert (None if marks is None else marks.tolist()) == bars


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("# nothing", "empty"),
        ("1, 1", "rise"),
        ("0,5 1,0", "rise"),
        ("1 two", "'two' is no time"),
        ("1.5x", "no time"),
        ("-1", "no time"),
        ("1 d d", "no time"),
    ],
)
def test_what_may_not_is_said(text: str, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        parse_beats(text)
