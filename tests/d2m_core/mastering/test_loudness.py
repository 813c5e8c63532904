"""How loud sound is: the standard's tone, pyloudnorm's answer, and memory that does not grow."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pyloudnorm
import pytest

from d2m_core.mastering import SILENT_LUFS, loudness_of, true_peak_db


@pytest.mark.parametrize("rate", [24_000, 44_100, 48_000, 96_000])
def test_loudness_is_that_of_the_standards_own_tone(rate: int) -> None:
    t = np.arange(5 * rate) / rate
    tone = np.sin(2 * np.pi * 997 * t)[None] * 10 ** (-20 / 20)
    assert loudness_of(np.concatenate([tone, tone]), rate) == pytest.approx(-20.0, abs=0.1)
    assert loudness_of(tone, rate) == pytest.approx(-23.0, abs=0.1)
    assert loudness_of(np.zeros((2, rate)), rate) == SILENT_LUFS


@pytest.mark.parametrize(("rate", "channels"), [(24_000, 1), (44_100, 2), (48_000, 2)])
def test_loudness_is_pyloudnorms(rate: int, channels: int) -> None:
    """Of something with lows, highs, swells and a silence that the gate leaves out."""
    rng = np.random.default_rng(rate)
    t = np.arange(20 * rate) / rate
    sound = rng.standard_normal((channels, len(t))) * 0.1 * (1.1 + np.sin(t)) + 0.2 * np.sin(
        2 * np.pi * 60 * t
    )
    sound[:, 8 * rate : 12 * rate] = 0.0
    theirs = pyloudnorm.Meter(rate).integrated_loudness(sound.T)
    assert loudness_of(sound.astype(np.float32), rate) == pytest.approx(theirs, abs=0.1)


def test_true_peaks_lie_between_the_samples() -> None:
    t = np.arange(4_800)
    tone = np.sin(2 * np.pi * t / 4 + np.pi / 4)[None]  # every sample at 0.707
    assert true_peak_db(tone) == pytest.approx(0.0, abs=0.2)
    assert true_peak_db(np.zeros((2, 100))) == -np.inf


def test_a_long_sound_is_not_there_twice() -> None:
    sound = np.zeros((2, 1 << 23), np.float32)
    sound[:, :: 1 << 20] = (0.5, -0.5, 0.25, 0.9, -0.95, 0.1, 0.2, 0.3)
    tracemalloc.start()
    loudness_of(sound[:, : 1 << 22], 48_000)
    assert true_peak_db(sound) > 20 * np.log10(0.95) - 1e-6
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 0.4 * sound.nbytes
