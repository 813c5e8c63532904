"""Spans as they are typed, and what they mean in seconds."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.errors import SettingError
from d2m_core.spans import BarSpan, Span, bar_lines, in_seconds, parse_spans
from d2m_core.types import Rhythm


def rhythm(first_s: float = 0.5, bar_at: int = 1) -> Rhythm:
    """Twelve seconds at 120 BPM; the first bar line is at 1 s."""
    beats = np.arange(first_s, 12.0, 0.5)
    return Rhythm(beats, np.arange(len(beats)) % 4 == bar_at, np.zeros((300, 2), np.float32), 120.0)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("4-8", [Span(4, 8)]),
        ("4:8", [Span(4, 8)]),
        ("2.5 - 3 s", [Span(2.5, 3)]),
        ("1:20-1:25.5", [Span(80, 85.5)]),
        ("bars 3-4; bar 7\n0\u20131", [BarSpan(3, 4), BarSpan(7, 7), Span(0, 1)]),
        (".5-1,", [Span(0.5, 1)]),
    ],
)
def test_what_is_typed_is_understood(text: str, spans: list[Span | BarSpan]) -> None:
    assert list(parse_spans(text)) == spans


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "No span"),
        (" ; ", "No span"),
        ("8-4", "'8-4' does not end after it begins"),
        ("4", "'4' is not understood"),
        ("four-five", "not understood"),
        ("bars 4-3", "bars 3-4"),
        ("-1-2", "not understood"),
    ],
)
def test_what_is_not_understood_is_said(text: str, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        parse_spans(text)


def test_bars_are_counted_from_one_and_what_comes_before_is_bar_0() -> None:
    assert list(bar_lines(rhythm(), 12.0)) == [0, 1, 3, 5, 7, 9, 11, 12]
    assert in_seconds(BarSpan(1, 1), 12.0, rhythm()) == Span(1, 3)
    assert in_seconds(BarSpan(0, 0), 12.0, rhythm()) == Span(0, 1)
    assert in_seconds(BarSpan(5, 6), 12.0, rhythm()) == Span(9, 12)
    assert in_seconds(BarSpan(1, 6), 12.0, rhythm(0.0, 0)) == Span(0, 12)
    for bars in (BarSpan(6, 7), BarSpan(9, 9)):
        with pytest.raises(SettingError, match="the bars are 0 to 6"):
            in_seconds(bars, 12.0, rhythm())
    with pytest.raises(SettingError, match="the bars are 1 to 6"):
        in_seconds(BarSpan(0, 1), 12.0, rhythm(0.0, 0))
    with pytest.raises(SettingError, match="no rhythm"):
        in_seconds(BarSpan(1, 1), 12.0)


def test_ends_move_to_the_nearest_line_and_stay_apart() -> None:
    assert in_seconds(Span(2.8, 6.1), 12.0, rhythm(), "bars") == Span(3, 7)
    assert in_seconds(Span(2.8, 3.1), 12.0, rhythm(), "bars") == Span(3, 5)
    assert in_seconds(Span(11.8, 11.9), 12.0, rhythm(), "bars") == Span(11, 12)
    assert in_seconds(Span(2.8, 6.1), 12.0, rhythm(), "beats") == Span(3, 6)
    assert in_seconds(Span(2.8, 6.1), 12.0, rhythm()) == Span(2.8, 6.1)
    assert in_seconds(Span(2.8, 60), 12.0, rhythm()) == Span(2.8, 12)
    with pytest.raises(SettingError, match=r"begins after the end, at 12\.00 s"):
        in_seconds(Span(12, 13), 12.0, rhythm(), "bars")
