from __future__ import annotations

import numpy as np
import pytest

from d2m_core.config import STYLES
from d2m_core.errors import SettingError
from d2m_core.grid import steady_beats
from training.studio.band.song import SAMPLE_RATE, play


def _loudness_around(samples: np.ndarray, times_s: np.ndarray, width_s: float = 0.04) -> float:
    width = int(width_s * SAMPLE_RATE)
    starts = (times_s * SAMPLE_RATE).astype(int)
    pieces = [samples[s : s + width] for s in starts if s + width <= len(samples)]
    return float(np.sqrt(np.mean([np.mean(p**2) for p in pieces])))


@pytest.mark.parametrize("style", STYLES)
def test_every_style_plays_on_the_beats(style: str) -> None:
    song = play(style, 112, 8.0, seed=3)
    assert song.samples.shape == (8 * SAMPLE_RATE,)
    assert song.samples.dtype == np.float32
    assert 0.3 < np.abs(song.samples).max() < 1.0
    assert song.onset.shape == song.energy.shape == (200,)
    assert song.onset.min() >= 0
    assert song.onset.max() <= 1
    on = _loudness_around(song.samples, song.beats_s)
    off = _loudness_around(song.samples, song.beats_s + 0.37 * 60 / 112)
    assert on > 1.1 * off


def test_the_same_seed_repeats_and_another_does_not() -> None:
    first, again = play("funk", 100, 4, seed=1), play("funk", 100, 4, seed=1)
    other = play("funk", 100, 4, seed=2)
    np.testing.assert_array_equal(first.samples, again.samples)
    assert np.corrcoef(first.samples, other.samples)[0, 1] < 0.9


def test_it_follows_a_grid_that_breathes() -> None:
    beats_s = np.cumsum(np.r_[0.31, 0.5 + 0.03 * np.sin(np.arange(16))])
    song = play("techno", 120, 8.0, 5, beats_s, np.arange(17) % 4 == 2, np.ones(200, np.float32))
    inside = beats_s[beats_s < 7.9]
    peaks = np.array([song.onset[round(t * 25) - 1 : round(t * 25) + 2].sum() for t in inside])
    assert (peaks > 0.8).all()


def test_little_energy_means_fewer_players() -> None:
    beats_s = steady_beats(120, 8)
    bars = np.arange(len(beats_s)) % 4 == 0
    calm = play("house", 120, 8, 4, beats_s, bars, np.full(200, 0.15, np.float32))
    wild = play("house", 120, 8, 4, beats_s, bars, np.full(200, 0.95, np.float32))
    assert (calm.onset > 0.1).sum() < 0.6 * (wild.onset > 0.1).sum()


def test_an_unknown_style_is_named() -> None:
    with pytest.raises(SettingError, match="polka"):
        play("polka", 120, 4, 0)
