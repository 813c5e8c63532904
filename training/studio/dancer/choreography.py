"""Which moves are danced when: energy in phrases, and a move for every bar."""

from __future__ import annotations

import numpy as np

from d2m_core.grid import position, seconds_at
from d2m_core.types import MOTION_FPS

from .arms import ARMS
from .moves import LEGS, Bar, Move, Score


def bar_lines(beats_s: np.ndarray, downbeats: np.ndarray, duration_s: float) -> np.ndarray:
    """Bar lines in beats, from before the clip's start to after its end."""
    if len(beats_s) < 2:
        raise ValueError(f"a dance needs at least two beats, got {len(beats_s)}")
    if len(downbeats) != len(beats_s):
        raise ValueError(f"{len(beats_s)} beats but {len(downbeats)} downbeat marks")
    lines = np.flatnonzero(downbeats).astype(np.float64)
    if len(lines) == 0:
        lines = np.array([0.0])
    length = float(np.median(np.diff(lines))) if len(lines) > 1 else 4.0
    first, last = position(beats_s, np.array([0.0, duration_s]))
    before = np.arange(lines[0] - length, first - 1.5 * length, -length)[::-1]
    after = np.arange(lines[-1] + length, max(last, lines[-1]) + 1.5 * length, length)
    return np.concatenate([before, lines, after])


def energy_curve(
    energy: np.ndarray | None,
    bars: np.ndarray,
    beats_s: np.ndarray,
    times: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """The given curve at the frames' times, or levels that change with the phrases."""
    if energy is not None:
        given = np.asarray(energy, np.float64)
        return np.clip(np.interp(times, np.arange(len(given)) / MOTION_FPS, given), 0.0, 1.0)
    levels = np.empty(len(bars))
    at = 0
    while at < len(bars):
        span = int(rng.choice([2, 4, 8], p=[0.25, 0.5, 0.25]))
        start, end = rng.beta(2.2, 1.8, size=2)
        steady = rng.random() < 0.6
        levels[at : at + span] = np.linspace(start, start if steady else end, span)[
            : len(bars) - at
        ]
        at += span
    return np.clip(np.interp(times, seconds_at(beats_s, bars), 0.12 + 0.88 * levels), 0.0, 1.0)


def choreograph(
    bars: np.ndarray, beats_s: np.ndarray, levels: np.ndarray, rng: np.random.Generator
) -> tuple[Score, list[tuple[str, str]]]:
    """Fills every bar with a leg move and an arm pattern, in phrases of 1 to 8 bars."""
    score = Score()
    counts = len(bars) - 1
    names: list[list[str]] = []
    for table, spans in ((LEGS, (2, 4, 8)), (ARMS, (1, 2, 4))):
        row: list[str] = []
        while len(row) < counts:
            first = len(row)
            name = _choose(table, float(levels[first]), row[-1] if row else "", rng)
            span = int(rng.choice(spans, p=(0.35, 0.5, 0.15)))
            _write_phrase(table[name][0], score, bars, beats_s, levels, first, span, rng)
            row += [name] * min(span, counts - first)
        names.append(row)
    return score, list(zip(*names, strict=True))


def _choose(
    table: dict[str, tuple[Move, float, float, float]],
    level: float,
    last: str,
    rng: np.random.Generator,
) -> str:
    names = list(table)
    fits = np.array([
        often * (1.0 if low - 0.05 <= level <= high + 0.05 else 0.05) * (0.3 if name == last else 1)
        for name, (_, low, high, often) in table.items()
    ])  # fmt: skip
    return names[int(rng.choice(len(names), p=fits / fits.sum()))]


def _write_phrase(
    move: Move,
    score: Score,
    bars: np.ndarray,
    beats_s: np.ndarray,
    levels: np.ndarray,
    first: int,
    span: int,
    rng: np.random.Generator,
) -> None:
    phrase_seed = int(rng.integers(2**31))
    beat_s = float(
        np.diff(seconds_at(beats_s, bars[first : first + 2]))[0]
        / np.diff(bars[first : first + 2])[0]
    )
    rate = _rate(beat_s, rng)
    for number in range(min(span, len(bars) - 1 - first)):
        start, end = bars[first + number], bars[first + number + 1]
        size = float((0.25 + 0.85 * levels[first + number]) * rng.uniform(0.9, 1.1))
        again = np.random.default_rng(phrase_seed)
        beats = max(1, round(end - start))
        move(Bar(float(start), beats, number, size, rate, beat_s, again), score)


def _rate(beat_s: float, rng: np.random.Generator) -> float:
    """Beats per count: mostly one; half time for fast music, double time for slow music."""
    draw = rng.random()
    if beat_s < 0.43:
        return 2.0 if draw < 0.3 else 1.0
    if beat_s > 0.7:
        return 0.5 if draw < 0.25 else 1.0
    return 2.0 if draw < 0.08 else 1.0
