"""Scores on cases that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from d2m_core.scores import beat_f, beat_f_chance, tempo_correct
from d2m_core.scores.metrics import (
    BinScore,
    bas,
    bcs_bhs,
    continuity,
    eighths,
    motion_beats,
    onsets,
    phase_rotated,
    share_near,
)
from d2m_core.types import Waveform

REFERENCE = np.array([0.0, 1.0, 2.0, 3.0])


def test_beat_f_counts_hits_within_70_ms() -> None:
    assert beat_f(REFERENCE, REFERENCE + 0.069) == 1.0
    assert beat_f(REFERENCE, REFERENCE + 0.071) == 0.0


def test_beat_f_by_hand() -> None:
    estimated = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 2.5])  # 3 of 6 right, 3 of 4 found
    assert beat_f(REFERENCE, estimated) == pytest.approx(2 * 0.5 * 0.75 / 1.25)


def test_beat_f_counts_the_first_seconds_and_each_beat_once() -> None:
    assert beat_f(np.array([1.0, 2.0]), np.array([1.0, 1.01])) == 0.5
    assert beat_f(REFERENCE, np.zeros(0)) == 0.0
    assert beat_f(np.zeros(0), REFERENCE) == 0.0


@pytest.mark.parametrize(
    ("found", "strict", "tolerant"),
    [
        (100, True, True),
        (104, True, True),
        (104.1, False, False),
        (200, False, True),
        (300, False, True),
        (50, False, True),
        (33.4, False, True),
        (150, False, False),
    ],
)
def test_tempo(found: float, strict: bool, tolerant: bool) -> None:
    assert tempo_correct(100, found) is strict
    assert tempo_correct(100, found, octaves=True) is tolerant


def test_rotation_goes_around() -> None:
    np.testing.assert_allclose(phase_rotated(REFERENCE, 4.0, 1.5), [0.5, 1.5, 2.5, 3.5])


def test_chance_of_a_steady_grid_is_its_window_over_its_period() -> None:
    beats = np.arange(0, 30, 0.5)
    assert beat_f_chance(beats, beats, 30.0, rotations=100) == pytest.approx(0.28, abs=0.01)


def test_continuity_by_hand() -> None:
    beats = np.arange(8.0)
    whole = continuity(beats, beats + 0.1)  # within 17.5 % of a period
    assert (whole.cmlt, whole.amlt) == (1.0, 1.0)
    assert continuity(beats, beats + 0.2).amlt == 0.0
    assert continuity(beats[:1], beats).amlt == 0.0


def test_continuity_at_other_levels() -> None:
    beats = np.arange(8.0)
    for other in (np.arange(0, 7.5, 0.5), beats[::2], beats[:-1] + 0.5):
        found = continuity(beats, other)
        assert (found.cmlt, found.amlt) == (0.0, 1.0)


def test_continuity_needs_the_neighbour_and_keeps_the_first_seconds() -> None:
    beats = np.arange(8.0)
    moved = beats.copy()
    moved[3] += 0.3  # beat 3 misses; the intervals before it and after it are wrong, so beat 4 too
    assert continuity(beats, moved).cmlt == pytest.approx(6 / 8)


def test_share_near_both_ways_round() -> None:
    accents = np.array([0.07, 0.5, 1.08, 2.95])
    assert share_near(accents, REFERENCE) == 0.5  # the first and the last
    assert share_near(REFERENCE, accents) == 0.5  # beats 0 and 3
    assert share_near(accents, eighths(REFERENCE)) == 0.75
    assert np.isnan(share_near(np.zeros(0), REFERENCE))
    assert share_near(accents, np.zeros(0)) == 0.0


def test_eighths_follow_a_tempo_that_changes() -> None:
    expected = [-0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0]
    np.testing.assert_allclose(eighths(np.array([0.0, 1.0, 3.0])), expected)
    assert eighths(np.array([1.0])).tolist() == [1.0]


def test_two_meanings_of_beat_coverage() -> None:
    reference, generated = np.array([0.5, 1.5, 3.5]), np.array([0.2, 2.2])  # one bin in common
    ours = bcs_bhs(reference, generated, 4.0, "d2m-gan")
    assert (ours.bcs, ours.bhs) == pytest.approx((2 / 3, 1 / 3))
    loris = bcs_bhs(reference, generated, 4.0, "loris")
    assert (loris.bcs, loris.bhs) == pytest.approx((1 / 2, 1 / 3))
    assert loris.f1 == pytest.approx(0.4)


def test_bins_of_a_fifth_of_a_second() -> None:
    score = bcs_bhs(np.array([0.1, 0.5]), np.array([0.15, 0.7]), 1.0, "loris", bin_s=0.2)
    assert (score.bcs, score.bhs) == (0.5, 0.5)


def test_a_metronome_fills_every_one_second_bin() -> None:
    dance = np.sort(np.random.default_rng(0).uniform(0, 20, 30))
    assert bcs_bhs(dance, np.arange(0, 20, 0.5), 20.0, "loris").bhs == 1.0


def test_no_onsets_score_zero_and_forms_are_checked() -> None:
    assert bcs_bhs(np.zeros(0), np.zeros(0), 3.0, "loris") == BinScore(0.0, 0.0)
    assert bcs_bhs(np.zeros(0), np.zeros(0), 3.0, "loris").f1 == 0.0
    with pytest.raises(ValueError, match="choose"):
        bcs_bhs(REFERENCE, REFERENCE, 4.0, "d2m")  # type: ignore[arg-type]


def test_onsets_of_clicks() -> None:
    samples = np.zeros(44100 * 3, np.float32)
    for at_s in (0.5, 1.25, 2.0):
        start = int(at_s * 44100)
        tone = np.sin(2 * np.pi * 2000 * np.arange(2205) / 44100) * np.linspace(1, 0, 2205)
        samples[start : start + 2205] = tone
    found = onsets(Waveform(torch.from_numpy(samples)[None, None], 44100))
    np.testing.assert_allclose(found, [0.5, 1.25, 2.0], atol=0.05)


def test_alignment_by_hand() -> None:
    motion, music = np.array([0.0, 1.0]), np.array([0.0, 1.05, 5.0])
    one_sigma = np.exp(-0.5)  # 0.05 s is 3 frames at 60 per second
    assert bas(motion, music, "aist++") == pytest.approx((1 + one_sigma) / 2)
    assert bas(motion, music, "bailando") == pytest.approx((1 + one_sigma) / 3, abs=1e-9)
    assert bas(motion, np.zeros(0), "aist++") == 0.0
    with pytest.raises(ValueError, match="choose"):
        bas(motion, music, "edge")  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["aist++", "bailando"])
def test_a_swinging_arm_rests_at_its_ends(form: str) -> None:
    times = np.arange(0, 6, 1 / 30)
    joints = np.zeros((len(times), 2, 3))
    joints[:, 1, 0] = np.cos(np.pi * (times - 0.003))  # rests at 0, 1, 2 ... seconds
    found = motion_beats(joints, 30.0, form)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, [1, 2, 3, 4, 5], atol=0.035)
