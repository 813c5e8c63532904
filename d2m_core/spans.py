"""Spans of time as an artist types them: `4-8`, `1:20-1:25`, `bars 3-4`, several with semicolons."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from .errors import SettingError
from .types import METRE, Rhythm

_TIME = r"(?:\d+:)?(?:\d+(?:\.\d*)?|\.\d+)"
_SECONDS = re.compile(rf"({_TIME})\s*(?:s\s*)?[-\u2013]\s*({_TIME})\s*s?")
_COLON = re.compile(r"(\d+(?:\.\d*)?|\.\d+):(\d+(?:\.\d*)?|\.\d+)")
_BARS = re.compile(r"bars?\s*(\d+)(?:\s*[-\u2013:]\s*(\d+))?", re.I)
_SHORTEST_S = 1e-3

SNAPS = ("bars", "beats", "off")
"""What the ends of spans in seconds are moved to."""


@dataclass(frozen=True)
class Span:
    """A stretch of time, in seconds from the start."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class BarSpan:
    """Whole bars, counted from 1, both of them included; bar 0 is what comes before the first bar line."""

    first: int
    last: int


def parse_spans(text: str) -> tuple[Span | BarSpan, ...]:
    """Spans in the order they are typed. Raises `SettingError`.

    `4-8` or `4:8` are seconds, `1:20-1:25` minutes and seconds, `bars 3-4` and `bar 5` whole bars; several
    are separated by semicolons, commas or line ends.
    """
    parts = [part.strip() for part in re.split(r"[;,\n]", text) if part.strip()]
    if not parts:
        raise SettingError("No span is given; write one, such as 4-8 (seconds) or bars 3-4.")
    return tuple(_span(part) for part in parts)


def _span(part: str) -> Span | BarSpan:
    if found := _BARS.fullmatch(part):
        first = int(found[1])
        last = int(found[2] or first)
        if last < first:
            raise SettingError(f"Span {part!r} ends before it begins; write it as bars {last}-{first}.")
        return BarSpan(first, last)
    found = _SECONDS.fullmatch(part) or _COLON.fullmatch(part)
    if found is None:
        raise SettingError(
            f"Span {part!r} is not understood; write seconds as 4-8 or 1:20-1:25, or bars as bars 3-4."
        )
    start_s, end_s = _time(found[1]), _time(found[2])
    if end_s - start_s < _SHORTEST_S:
        raise SettingError(f"Span {part!r} does not end after it begins; write the earlier time first.")
    return Span(start_s, end_s)


def _time(text: str) -> float:
    minutes, _, seconds = text.rpartition(":")
    return 60.0 * int(minutes or 0) + float(seconds)


def in_seconds(
    asked: Span | BarSpan, duration_s: float, rhythm: Rhythm | None = None, snap: str = "off"
) -> Span:
    """A span of something `duration_s` long, in seconds; bars, and `snap` (of `SNAPS`), need its rhythm.

    What reaches over the end is cut there. Raises `SettingError` where nothing of the span is within.
    """
    if isinstance(asked, BarSpan):
        return _of_bars(asked, duration_s, rhythm)
    if asked.start_s >= duration_s - _SHORTEST_S:
        raise SettingError(
            f"Span {asked.start_s:g}-{asked.end_s:g} begins after the end, at {duration_s:.2f} s; choose an "
            "earlier one."
        )
    span = Span(asked.start_s, min(asked.end_s, duration_s))
    if snap == "off" or rhythm is None:
        return span
    lines = bar_lines(rhythm, duration_s) if snap == "bars" else _with_ends(rhythm.beats_s, duration_s)
    return _snapped(span, lines)


def bar_lines(rhythm: Rhythm, duration_s: float) -> np.ndarray:
    """Where bars begin, float64 rising, from 0 to `duration_s`, both of which count as lines.

    Without bar lines every fourth beat from the first one is taken for one.
    """
    return _with_ends(_begins(rhythm), duration_s)


def _begins(rhythm: Rhythm) -> np.ndarray:
    marked = rhythm.downbeats
    return rhythm.beats_s[marked if marked.any() else slice(None, None, METRE)]


def _with_ends(times_s: np.ndarray, duration_s: float) -> np.ndarray:
    inside = times_s[(times_s > _SHORTEST_S) & (times_s < duration_s - _SHORTEST_S)]
    return np.concatenate([[0.0], inside, [duration_s]])


def _snapped(span: Span, lines: np.ndarray) -> Span:
    first = min(int(np.abs(lines - span.start_s).argmin()), len(lines) - 2)
    last = max(int(np.abs(lines - span.end_s).argmin()), first + 1)
    return Span(float(lines[first]), float(lines[last]))


def _of_bars(asked: BarSpan, duration_s: float, rhythm: Rhythm | None) -> Span:
    if rhythm is None:
        raise SettingError("Bars are asked for and there is no rhythm to count them by; use seconds.")
    lines = bar_lines(rhythm, duration_s)
    begins = _begins(rhythm)
    pickup = len(begins) > 0 and begins[0] > _SHORTEST_S
    low, high = (0 if pickup else 1), len(lines) - (2 if pickup else 1)
    if asked.first < low or asked.last > high:
        words = f"bar {asked.first}" if asked.first == asked.last else f"bars {asked.first}-{asked.last}"
        raise SettingError(f"The span is {words}, and the bars are {low} to {high}; choose of these.")
    return Span(float(lines[asked.first - low]), float(lines[asked.last - low + 1]))


def in_words(span: Span) -> str:
    """`4.02-8.05 s`."""
    return f"{span.start_s:.2f}-{span.end_s:.2f} s"
