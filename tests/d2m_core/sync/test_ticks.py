"""The MIDI clock between beats: exact where the tempo is steady, smooth where it is not."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.sync import TICKS_PER_BEAT, TickClock


def ticks_of(
    beats_s: np.ndarray, ahead_s: float, until_s: float, bpm: np.ndarray | None = None
) -> np.ndarray:
    """All ticks to `until_s` where each beat is told `ahead_s` before it comes."""
    clock, found, told = TickClock(), [], 0
    if bpm is None:
        bpm = 60 / np.diff(beats_s, append=2 * beats_s[-1] - beats_s[-2])
    for now_s in np.arange(beats_s[0] - ahead_s - 0.01, until_s, 0.001):
        while told < len(beats_s) and beats_s[told] - ahead_s <= now_s:
            clock.beat(float(beats_s[told]), float(bpm[told]))
            told += 1
        while clock.next_s <= now_s:
            found.append(clock.take())
    return np.array(found)


@pytest.mark.parametrize("ahead_s", [0.1, 0.5, 3.0])
@pytest.mark.parametrize("bpm", [61.3, 120.0, 178.0])
def test_ticks_of_a_steady_tempo_are_exact(bpm: float, ahead_s: float) -> None:
    beats = 0.7 + 60 / bpm * np.arange(12)
    found = ticks_of(beats, ahead_s, float(beats[-1]) + 0.2)
    meant = 0.7 + 60 / bpm / TICKS_PER_BEAT * np.arange(len(found))
    assert len(found) > 11 * TICKS_PER_BEAT
    np.testing.assert_allclose(found, meant, atol=1e-3)


def test_a_tempo_that_is_told_is_met_at_its_beat() -> None:
    bpm = np.repeat([100.0, 120.0], 8)  # a fifth faster from the eighth beat on
    beats = np.concatenate([[0.0], np.cumsum(60 / bpm)])[:-1]
    found = ticks_of(beats, 0.3, float(beats[-1]), bpm)
    np.testing.assert_allclose(found[::TICKS_PER_BEAT], beats[: len(found[::TICKS_PER_BEAT])], atol=1e-3)
    assert np.diff(found[: 8 * TICKS_PER_BEAT + 1]) == pytest.approx(0.6 / TICKS_PER_BEAT, abs=1e-6)
    assert np.diff(found[8 * TICKS_PER_BEAT :]) == pytest.approx(0.5 / TICKS_PER_BEAT, abs=1e-6)


def test_beats_that_come_otherwise_are_met_without_a_leap() -> None:
    rng = np.random.default_rng(0)
    beats = np.cumsum(0.5 + rng.normal(0, 0.008, 40))
    found = ticks_of(beats, 0.1, float(beats[-1]), np.full(40, 120.0))
    steps = np.diff(found)
    usual = 0.5 / TICKS_PER_BEAT
    assert steps.min() > 0.89 * usual
    assert steps.max() < 1.11 * usual
    off = found[::TICKS_PER_BEAT] - beats[: len(found[::TICKS_PER_BEAT])]
    assert np.abs(off).max() < 0.03, "a beat that moves by 8 ms on average is never missed by more"


def test_a_late_tracker_is_caught_up_with_and_no_beat_is_dropped() -> None:
    beats = np.concatenate([0.5 * np.arange(8), 4.08 + 0.5 * np.arange(10)])  # once 80 ms late
    found = ticks_of(beats, 0.1, float(beats[-1]) + 0.01, np.full(18, 120.0))
    on_beats = found[::TICKS_PER_BEAT]
    assert len(on_beats) >= 17
    np.testing.assert_allclose(on_beats[11:17], beats[11:17], atol=0.01)
    assert (np.diff(found) > 0).all()


def test_before_the_first_beat_there_is_no_tick_and_after_the_last_they_go_on() -> None:
    clock = TickClock()
    assert clock.next_s == np.inf
    clock.beat(1.0, 60.0)
    found = [clock.take() for _ in range(49)]
    np.testing.assert_allclose(found, 1.0 + np.arange(49) / 24, atol=1e-9)
