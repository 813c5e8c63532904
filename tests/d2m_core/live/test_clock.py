"""The band's clock glides: no jump in beats, no jump in rate, whatever it is told."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.live.clock import MOST_LEAN, MOST_SLEW, MOST_TUG, STEP_S, Clock, Pulse

BLOCK_S = 1024 / 48_000


def ticks(clock: Clock, seconds: float, pulse: Pulse | None) -> tuple[np.ndarray, np.ndarray]:
    """(times, beats) of a clock that follows a pulse, block after block."""
    clock.follow(pulse)
    times, beats = [], []
    for end in clock.time_s + BLOCK_S * np.arange(1, round(seconds / BLOCK_S) + 1):
        span = clock.advance(float(end))
        times.append(span.times_s[1:])
        beats.append(span.beats[1:])
    return np.concatenate(times), np.concatenate(beats)


@pytest.mark.parametrize("change", [1.2, 1 / 1.2])
def test_a_tempo_that_changes_by_a_fifth_is_followed_within_seconds_and_without_a_jump(change: float) -> None:
    clock = Clock(0.0, 0.0, 110.0)
    ticks(clock, 4.0, Pulse(0.0, 110.0))
    new = Pulse(4.3, 110.0 * change)
    times, beats = ticks(clock, 8.0, new)
    rate = np.diff(beats) / np.diff(times)
    most = rate[:-1] * (MOST_SLEW + MOST_TUG) * np.diff(times)[1:] * 1.1
    assert (np.abs(np.diff(rate)) <= most + 1e-9).all()
    assert rate.min() > 0
    settled = times > 8.0
    away = (np.array([new.phase(t) for t in times[settled]]) - beats[settled] + 0.5) % 1 - 0.5
    assert np.abs(away).max() * 60 / new.bpm < 0.03
    assert clock.bpm == pytest.approx(new.bpm, rel=0.005)


@pytest.mark.parametrize("phase", [0.1, 0.3, 0.49, -0.2])
def test_a_shifted_pulse_is_come_up_with_by_leaning(phase: float) -> None:
    clock = Clock(0.0, 0.0, 120.0)
    times, beats = ticks(clock, 6.0, Pulse(-phase * 0.5, 120.0))
    rate = np.diff(beats) / np.diff(times)
    assert np.abs(rate / 2.0 - 1).max() <= MOST_LEAN + 1e-6
    assert abs(clock.error()) < 0.02
    assert np.diff(beats).max() < 1.2 * STEP_S * 2


def test_without_a_pulse_it_keeps_its_tempo() -> None:
    clock = Clock(1.0, 2.5, 90.0)
    _, beats = ticks(clock, 2.0, None)
    assert beats[-1] == pytest.approx(2.5 + clock.time_s * 1.5 - 1.5)


def test_beats_have_moments_within_a_span() -> None:
    span = Clock(0.0, 0.9, 60.0).advance(0.3)
    assert span.seconds(1.0) == pytest.approx(0.1)
