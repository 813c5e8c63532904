"""Scores of the sound on cases that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from d2m_core.types import Waveform
from training.judges.sound import (
    between_hits_db,
    clear_tones_db,
    clipped_share,
    cosine_distance,
    frechet_distance,
    longest_loop_s,
    loudness_lufs,
    silent_pieces,
    silent_share,
    token_agreement,
)

RATE = 24_000


def wave(samples: np.ndarray, rate: int = RATE) -> Waveform:
    return Waveform(torch.from_numpy(samples.astype(np.float32))[None, None], rate)


def test_loudness_of_the_standards_sine() -> None:
    """ITU-R BS.1770: a full-scale sine of 997 Hz in one channel reads -3.01 LUFS."""
    pytest.importorskip("pyloudnorm")
    sine = np.sin(2 * np.pi * 997 * np.arange(48_000 * 3) / 48_000)
    assert loudness_lufs(wave(sine, 48_000)) == pytest.approx(-3.01, abs=0.1)
    assert loudness_lufs(wave(0.1 * sine, 48_000)) == pytest.approx(-23.01, abs=0.1)
    assert np.isnan(loudness_lufs(wave(np.zeros(RATE))))
    assert np.isnan(loudness_lufs(wave(np.ones(RATE // 10))))


def test_clipping_is_a_run_and_not_a_peak() -> None:
    samples = np.zeros(10)
    samples[[1, 2, 4]] = 1.0
    assert clipped_share(wave(samples)) == 0.0
    samples[3] = -1.0  # now 1 to 4, four in a row
    assert clipped_share(wave(samples)) == pytest.approx(0.4)


def test_silence_in_tenths_of_a_second() -> None:
    samples = np.full(RATE, 0.1)
    samples[: RATE // 4] = 0.0009  # -60.9 dB
    assert silent_pieces(wave(samples)).tolist() == [True] * 2 + [False] * 8
    assert silent_share(wave(samples)) == pytest.approx(0.2)
    assert silent_share(wave(np.zeros(RATE))) == 1.0
    assert silent_share(wave(np.zeros(0))) == 1.0


def test_a_stuck_token_is_a_loop_and_music_is_not() -> None:
    codes = torch.arange(100).repeat(2, 1)
    assert longest_loop_s(codes, 50.0) == 0.0
    stuck = codes.clone()
    stuck[:, 40:61] = 7  # 20 steps that repeat the one before
    assert longest_loop_s(stuck, 50.0) == pytest.approx(0.4)
    stuck[1] = codes[1]  # one codebook goes on: not stuck
    assert longest_loop_s(stuck, 50.0) == 0.0


def test_loops_of_several_steps_silence_and_long_periods() -> None:
    four = torch.arange(4).repeat(25)[None]  # period 4 from step 4 on: 96 steps
    assert longest_loop_s(four, 50.0) == pytest.approx(96 / 50)
    sounding = np.zeros(100, bool)
    sounding[:20] = True
    assert longest_loop_s(four, 50.0, sounding) == pytest.approx(16 / 50)
    bar = torch.arange(26).repeat(4)[None]  # 26 steps are over half a second
    assert longest_loop_s(bar, 50.0) == 0.0
    partly = torch.tensor([[0, 1, 2, 3, 4, 0, 1, 2, 9, 8, 7, 6, 5, 11, 12]])
    assert longest_loop_s(partly, 50.0) == 0.0  # three of a period of five did not come round


def test_token_agreement_by_hand() -> None:
    one = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])
    other = torch.tensor([[1, 9, 3], [5, 6, 9]])
    assert token_agreement(one, other) == pytest.approx(4 / 6)


def test_cosine_distance_by_hand() -> None:
    assert cosine_distance(np.array([1.0, 0]), np.array([3.0, 0])) == 0.0
    assert cosine_distance(np.array([1.0, 0]), np.array([0, 2.0])) == 1.0
    assert cosine_distance(np.array([1.0, 0]), np.array([-2.0, 0])) == 2.0
    assert np.isnan(cosine_distance(np.zeros(2), np.ones(2)))


def test_frechet_distance_by_hand() -> None:
    eye = np.eye(2)
    assert frechet_distance(np.zeros(2), eye, np.zeros(2), eye) == pytest.approx(0.0, abs=1e-9)
    # |(3, 4)|^2 and, for each dimension, (2 - 1)^2 and (1 - 1)^2 of the standard deviations
    found = frechet_distance(np.zeros(2), np.diag([4.0, 1.0]), np.array([3.0, 4.0]), eye)
    assert found == pytest.approx(25 + 1)


def test_frechet_distance_does_not_mind_the_axes() -> None:
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    one, other = np.diag([4.0, 1.0]), np.diag([1.0, 9.0])  # (2 - 1)^2 + (1 - 3)^2
    turned = frechet_distance(np.zeros(2), turn @ one @ turn.T, np.zeros(2), turn @ other @ turn.T)
    assert turned == pytest.approx(5.0)


def test_a_chord_stands_out_and_noise_does_not() -> None:
    rng, times = np.random.default_rng(0), np.arange(5 * RATE) / RATE
    noise = rng.standard_normal(5 * RATE)
    chord = sum(np.sin(2 * np.pi * hertz * times) for hertz in (1100, 1500, 2200, 3300))
    plain, held = clear_tones_db(wave(0.1 * noise)), clear_tones_db(wave(0.1 * chord + 0.001 * noise))
    assert 4 < plain < 9
    assert held > plain + 12
    assert plain < clear_tones_db(wave(0.1 * chord + 0.1 * noise)) < held
    assert np.isnan(clear_tones_db(wave(np.zeros(RATE))))
    assert np.isnan(clear_tones_db(wave(noise[:100])))


def test_a_floor_of_noise_fills_the_time_between_hits() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(4 * RATE)
    hits = np.exp(-(np.arange(4 * RATE) % (RATE // 2)) / 600) * noise
    assert between_hits_db(wave(0.3 * hits)) > 40
    assert 8 < between_hits_db(wave(0.3 * hits + 0.01 * noise)) < 35
    assert between_hits_db(wave(0.3 * noise)) < 6
    assert np.isnan(between_hits_db(wave(np.zeros(RATE))))
