"""The pulse of a running dance: found, carried on, and followed where the tempo moves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from d2m_core.rhythm.curves import RATE, BeatCurves
from d2m_core.rhythm.tracking import Pulse, PulseTracker

WIDTH_S = 0.045


ROUGH = np.random.default_rng(0).random(40 * RATE)


def curves(beats_s: np.ndarray, start_s: float, end_s: float, noise: float = 0.0) -> BeatCurves:
    """What a network says of beats, at `RATE`, bumps and a little noise."""
    times = np.arange(start_s, end_s, 1 / RATE)
    bumps = np.exp(-0.5 * ((times[:, None] - beats_s) / WIDTH_S) ** 2).max(1)
    first = round(start_s * RATE)
    return BeatCurves(np.clip(0.02 + 0.8 * bumps + noise * ROUGH[first : first + len(times)], 0, 1))


def followed(beats_s: np.ndarray, until_s: float, noise: float = 0.0) -> list[tuple[float, Pulse]]:
    tracker, found = PulseTracker(), []
    for now_s in np.arange(2.0, until_s, 0.2):
        start_s = max(0.0, now_s - 12.0)
        look = curves(beats_s, start_s, now_s, noise)
        found.append((float(now_s), tracker.read(look, start_s, float(now_s))))
    return found


def off_s(pulse: Pulse, beats_s: np.ndarray, now_s: float) -> float:
    """How far the pulse is from the next true beat."""
    coming = beats_s[beats_s > now_s][0]
    return float(abs(pulse.off_s(np.array(coming))))


@pytest.mark.parametrize("bpm", [68.0, 97.3, 128.0, 171.0])
def test_a_steady_pulse_is_found_and_told_ahead(bpm: float) -> None:
    beats = 0.3 + 60 / bpm * np.arange(60)
    for now_s, pulse in followed(beats, 12.0, noise=0.2)[20:]:
        assert pulse.tempo_bpm == pytest.approx(bpm, rel=0.01)
        assert off_s(pulse, beats, now_s) < 0.03


def test_a_tempo_that_drifts_is_followed() -> None:
    beats = np.cumsum(0.5 * (1 - 0.002 * np.arange(50)))
    for now_s, pulse in followed(beats, 18.0)[20:]:
        assert off_s(pulse, beats, now_s) < 0.06


def test_a_leap_of_the_tempo_by_a_fifth_is_met_within_seconds() -> None:
    beats = np.concatenate([0.6 * np.arange(20), 12.0 + 0.5 * np.arange(40)])
    late = [(now_s, pulse) for now_s, pulse in followed(beats, 22.0) if now_s > 19.0]
    assert late
    for now_s, pulse in late:
        assert pulse.tempo_bpm == pytest.approx(120.0, rel=0.02)
        assert off_s(pulse, beats, now_s) < 0.05


def test_one_that_goes_on_does_not_leap_between_two_that_are_as_likely() -> None:
    beats = 0.25 * np.arange(80)  # either side may be the beat
    found = [pulse for _, pulse in followed(beats, 16.0, noise=0.03)[10:]]
    first = found[0]
    assert all(pulse.tempo_bpm == pytest.approx(first.tempo_bpm, rel=0.05) for pulse in found)
    moved = [abs(float(b.off_s(np.array(a.beat_s)))) for a, b in pairwise(found)]
    assert max(moved) < 0.06


def test_beats_foretold_count_as_beats_seen() -> None:
    beats = 0.1 + 0.5 * np.arange(40)
    pulse = PulseTracker().read(curves(beats, 0.0, 5.0), 0.0, 4.0)
    assert off_s(pulse, beats, 4.0) < 0.02


def test_the_beats_of_a_pulse_lie_within_what_is_asked() -> None:
    pulse = Pulse(3.0, 0.5)
    np.testing.assert_allclose(pulse.beats(1.9, 3.5), [2.0, 2.5, 3.0])
    assert pulse.tempo_bpm == 120.0
    np.testing.assert_allclose(pulse.off_s(np.array([3.1, 2.9, 3.6])), [0.1, -0.1, 0.1])
