"""The beat decoder on hand-made curves whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from d2m_core.grid import position, steady_beats, tempo_of
from d2m_core.rhythm.confidence import contrast
from d2m_core.rhythm.curves import RATE, BeatCurves, at_rate
from d2m_core.rhythm.decoding import STEADY_BELOW, Asked, decode_beats, steady_fallback
from d2m_core.rhythm.gains import beat_lengths, bump_gain, onset_gain, seen_gain
from d2m_core.rhythm.refining import DEFAULT_BPM, on_peaks, smoothed
from d2m_core.rhythm.search import likeliest_bars, track
from d2m_core.scores import beat_f
from d2m_core.types import metre_of_bars

FPS = 25.0


def bumps(times_s: np.ndarray, duration_s: float, height: float | np.ndarray = 0.9) -> np.ndarray:
    """A curve [F] with a bump at each moment, 0.02 between."""
    away = np.arange(round(duration_s * FPS))[:, None] / FPS - times_s
    return 0.02 + (height * np.exp(-0.5 * (away / 0.045) ** 2)).max(1, initial=0.0)


@pytest.mark.parametrize("metre", [3, 4])
@pytest.mark.parametrize(("bpm", "first"), [(72.0, 0), (117.0, 2), (171.0, 1)])
def test_bars_are_found_with_the_beats(metre: int, bpm: float, first: int) -> None:
    truth = steady_beats(bpm, 14.0, 0.2)
    ones = truth[first::metre]
    grid = decode_beats(BeatCurves(bumps(truth, 14.0), bumps(ones, 14.0)), FPS)
    assert metre_of_bars(grid.downbeats) == metre
    assert beat_f(truth, grid.beats_s, 0.03) > 0.95
    assert beat_f(ones, grid.beats_s[grid.downbeats], 0.03) > 0.9


def test_faint_bar_lines_do_not_turn_fours_into_threes() -> None:
    truth = steady_beats(110, 12.0, 0.1)
    grid = decode_beats(BeatCurves(bumps(truth, 12.0), np.full(300, 0.1)), FPS)
    assert metre_of_bars(grid.downbeats) == 4


@pytest.mark.parametrize("downbeats", [True, False])
def test_a_tempo_that_drifts_by_three_per_cent_is_followed(downbeats: bool) -> None:
    steps = 60 / (120 * (1 + 0.03 * np.sin(2 * np.pi * np.arange(60) / 24)))
    truth = 0.3 + np.cumsum(steps)
    truth = truth[truth < 24]
    down = bumps(truth[::4], 24.0) if downbeats else None
    grid = decode_beats(BeatCurves(bumps(truth, 24.0), down), FPS)
    assert beat_f(truth, grid.beats_s, 0.05) > 0.95
    assert grid.tempo_bpm == pytest.approx(tempo_of(truth), rel=0.01)


def test_two_seconds_without_beats_are_bridged() -> None:
    truth = steady_beats(126, 12.0, 0.2)
    seen = truth[(truth < 5) | (truth > 7)]
    ones = truth[1::4]
    seen_ones = ones[(ones < 5) | (ones > 7)]
    grid = decode_beats(BeatCurves(bumps(seen, 12.0), bumps(seen_ones, 12.0)), FPS)
    assert beat_f(truth, grid.beats_s, 0.03) > 0.97
    assert beat_f(ones, grid.beats_s[grid.downbeats], 0.03) > 0.95


def test_strong_every_other_beat_is_not_half_the_tempo() -> None:
    truth = steady_beats(132, 12.0, 0.1)
    heights = np.where(np.arange(len(truth)) % 2 == 0, 0.95, 0.75)
    grid = decode_beats(BeatCurves(bumps(truth, 12.0, heights), bumps(truth[::4], 12.0)), FPS)
    assert grid.tempo_bpm == pytest.approx(132, rel=0.01)


def test_faint_offbeats_are_not_twice_the_tempo() -> None:
    truth = steady_beats(80, 12.0, 0.1)
    both = steady_beats(160, 12.0, 0.1)
    heights = np.where(np.arange(len(both)) % 2 == 0, 0.95, 0.25)
    grid = decode_beats(BeatCurves(bumps(both, 12.0, heights), bumps(truth[::4], 12.0)), FPS)
    assert grid.tempo_bpm == pytest.approx(80, rel=0.01)


@pytest.mark.parametrize("bpm", [60.0, 93.7, 128.0, 180.0])
def test_a_locked_tempo_is_kept_exactly_and_gets_its_phase(bpm: float) -> None:
    truth = steady_beats(bpm, 10.0, 0.17)
    down = bumps(truth[2::4], 10.0)
    grid = decode_beats(BeatCurves(bumps(truth, 10.0), down), FPS, Asked(bpm))
    assert grid.tempo_bpm == bpm
    np.testing.assert_allclose(np.diff(grid.beats_s), 60 / bpm)
    assert beat_f(truth, grid.beats_s, 0.02) == 1.0
    assert beat_f(truth[2::4], grid.beats_s[grid.downbeats], 0.02) > 0.9


def test_a_locked_tempo_survives_doubt() -> None:
    rng = np.random.default_rng(1)
    noise = rng.uniform(0, 0.2, (3, 250))
    grid = decode_beats(BeatCurves(*noise), FPS, Asked(101.5))
    assert grid.confidence < STEADY_BELOW
    assert grid.tempo_bpm == 101.5
    np.testing.assert_allclose(np.diff(grid.beats_s), 60 / 101.5)


def test_silence_gives_a_steady_default_without_confidence() -> None:
    silent = np.zeros(200)
    for tempo, wanted in ((None, DEFAULT_BPM), (97.0, 97.0)):
        grid = decode_beats(BeatCurves(silent, silent, silent), FPS, Asked(tempo))
        assert (grid.tempo_bpm, grid.confidence) == (wanted, 0.0)
        np.testing.assert_allclose(np.diff(grid.beats_s), 60 / wanted)


def test_where_no_accent_is_seen_nothing_is_sure() -> None:
    truth = steady_beats(120, 10.0, 0.1)
    grid = decode_beats(BeatCurves(bumps(truth, 10.0), bumps(truth[::4], 10.0), np.zeros(250)), FPS)
    assert grid.confidence == 0.0


def test_noise_is_doubted_and_a_clear_pulse_is_not() -> None:
    rng = np.random.default_rng(0)
    truth = steady_beats(105, 12.0, 0.3)
    clear = decode_beats(BeatCurves(bumps(truth, 12.0), bumps(truth[::4], 12.0)), FPS)
    assert clear.confidence > 0.85
    for height in (0.1, 0.3, 0.6):
        noise = rng.uniform(0, height, (2, 300))
        assert decode_beats(BeatCurves(*noise), FPS).confidence < 0.2


def test_a_steady_dance_that_the_network_hardly_knows_is_not_doubted() -> None:
    truth = steady_beats(98, 36.0, 0.2)
    faint = BeatCurves(bumps(truth, 36.0, 0.3), bumps(truth[::4], 36.0, 0.3), bumps(truth, 36.0, 0.4))
    assert decode_beats(faint, FPS).confidence > 0.6


def test_a_tempo_that_nothing_speaks_for_is_doubted_and_half_of_the_right_one_is_not() -> None:
    truth = steady_beats(120, 14.0, 0.2)
    curves = BeatCurves(bumps(truth, 14.0), bumps(truth[::4], 14.0))
    sure = {bpm: decode_beats(curves, FPS, Asked(bpm)).confidence for bpm in (60.0, 120.0, 97.0)}
    assert sure[97.0] < 0.4 < 0.8 < min(sure[60.0], sure[120.0])


def test_in_doubt_the_grid_is_the_steady_one_on_the_accents() -> None:
    rng = np.random.default_rng(5)
    noise = rng.uniform(0, 0.2, (2, 300))
    felt = bumps(np.sort(rng.uniform(0.0, 12.0, 14)), 12.0, 0.12)
    grid = decode_beats(BeatCurves(*noise, felt), FPS)
    assert grid.confidence < STEADY_BELOW
    np.testing.assert_array_equal(grid.beats_s, steady_fallback(at_rate(felt, FPS), 12.0, grid.tempo_bpm))
    np.testing.assert_allclose(np.diff(grid.beats_s), 60 / grid.tempo_bpm)
    assert len(grid.downbeats) == len(grid.beats_s)
    kept = decode_beats(BeatCurves(*noise, felt), FPS, Asked(fall_back=False))
    assert kept.confidence == grid.confidence
    assert not np.array_equal(kept.beats_s, grid.beats_s)


@pytest.mark.parametrize("bpm", [75.0, 120.0, 170.0])
def test_the_fallback_puts_strong_onsets_on_sixteenths(bpm: float) -> None:
    rng = np.random.default_rng(2)
    sixteenths = steady_beats(4 * bpm, 15.0, 0.031)
    strong = np.sort(rng.choice(sixteenths[8::3], 9, replace=False))
    curve = np.maximum(bumps(strong, 15.0), bumps(rng.uniform(0, 15, 8), 15.0, 0.2))
    beats = steady_fallback(at_rate(curve, FPS), 15.0, bpm)
    np.testing.assert_allclose(np.diff(beats), 60 / bpm)
    place = 4 * position(beats, strong)  # in sixteenths
    assert (np.abs(place - np.round(place)) * 60 / bpm / 4).max() < 0.015


def test_the_fallback_prefers_onsets_on_beats() -> None:
    strong = steady_beats(100, 12.0, 0.37)[::3]
    beats = steady_fallback(at_rate(bumps(strong, 12.0), FPS), 12.0, 100)
    assert beat_f(steady_beats(100, 12.0, 0.37), beats) > 0.9
    assert steady_fallback(np.zeros(4 * RATE), 4.0, 120)[0] == 0.0


def test_music_at_another_rate_is_read_too() -> None:
    fps = 22050 / 256
    truth = steady_beats(97, 12.0, 0.2)
    away = np.abs(np.arange(round(12 * fps))[:, None] / fps - truth).min(1)
    grid = decode_beats(BeatCurves(np.exp(-away * 40)), fps)
    assert beat_f(truth, grid.beats_s, 0.02) > 0.95
    assert grid.confidence == pytest.approx(contrast(at_rate(np.exp(-away * 40), fps), 60 / 97), abs=0.05)


def test_a_long_clip_keeps_its_grid() -> None:
    truth = steady_beats(124, 120.0, 0.2)
    grid = decode_beats(BeatCurves(bumps(truth, 120.0), bumps(truth[::4], 120.0)), FPS)
    assert beat_f(truth, grid.beats_s, 0.02) > 0.99
    assert metre_of_bars(grid.downbeats) == 4


# --- the tracker ---


def test_the_chain_is_the_likeliest_of_all() -> None:
    """Against every steady chain of one length: none gains more."""
    rng = np.random.default_rng(0)
    gain = rng.normal(-1, 2, 3 * RATE)
    found = track(gain[:, None], None, steady=1e4)
    steps = np.round(found.beats_s * RATE).astype(int)
    length = int(np.diff(steps).min())
    assert (np.diff(steps) == length).all()
    same = [gain[first::length].sum() for first in range(length)]
    assert gain[steps].sum() == pytest.approx(max(same))


@pytest.mark.parametrize("states", [1, 2, 30, 90])
def test_short_curves_have_a_chain(states: int) -> None:
    chain = track(np.zeros((states, 1)), np.zeros(states), steady=100.0)
    assert len(chain.beats_s) == len(chain.downbeats) >= 1
    assert (chain.beats_s >= 0).all()


def test_a_bump_gains_and_its_absence_costs() -> None:
    curve = at_rate(bumps(np.array([2.0]), 4.0), FPS)
    gain = bump_gain(curve, 0.7, 1.0)
    assert gain.argmax() == pytest.approx(2 * RATE, abs=1)
    assert gain[2 * RATE] > 1 > -1 > gain[RATE // 2]


def test_onsets_gain_around_their_peak() -> None:
    curve = at_rate(bumps(np.array([2.0]), 4.0), FPS)
    gain = onset_gain(curve, beat_lengths())
    assert gain.shape == (4 * RATE, len(beat_lengths()))
    assert np.abs(gain.argmax(0) - 2 * RATE).max() <= 3


def test_bars_on_given_beats_are_the_chains() -> None:
    beats = steady_beats(110, 12.0, 0.1)
    for metre, first in ((4, 2), (3, 1)):
        gain = bump_gain(at_rate(bumps(beats[first::metre], 12.0), FPS), 0.7, 6.0)
        found = np.flatnonzero(likeliest_bars(beats, gain))
        np.testing.assert_array_equal(found, np.arange(first, len(beats), metre))
    assert np.flatnonzero(likeliest_bars(beats, None))[:2].tolist() == [0, 4]
    assert np.flatnonzero(likeliest_bars(beats, None, 3))[:2].tolist() == [0, 3]


@pytest.mark.parametrize("tempo_bpm", [None, 110.0])
def test_a_known_metre_is_kept_whatever_the_curves_say(tempo_bpm: float | None) -> None:
    truth = steady_beats(110, 12.0, 0.1)
    curves = BeatCurves(bumps(truth, 12.0), bumps(truth[2::4], 12.0))
    four = decode_beats(curves, FPS, Asked(tempo_bpm))
    assert set(np.diff(np.flatnonzero(four.downbeats))) == {4}
    three = decode_beats(curves, FPS, Asked(tempo_bpm, metre=3))
    assert set(np.diff(np.flatnonzero(three.downbeats))) == {3}
    np.testing.assert_allclose(three.beats_s, four.beats_s, atol=0.02)
    flat = np.zeros(300)
    still = decode_beats(BeatCurves(flat, flat), FPS, Asked(tempo_bpm, metre=3))
    assert set(np.diff(np.flatnonzero(still.downbeats))) == {3}


# --- from states to times ---


def test_beats_that_fall_back_in_time_are_made_to_rise() -> None:
    """Weights that differ a thousandfold bend neighbouring lines so far that they cross."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        beats = np.sort(rng.uniform(0, 3, 12)) + rng.normal(0, 0.5, 12)
        found = smoothed(beats, 10 ** rng.uniform(-3, 0, 12))
        assert (np.diff(found) > 0).all()
        assert np.isfinite(found).all()


def test_beats_that_rise_already_hardly_move() -> None:
    truth = steady_beats(100, 20.0, 0.3)
    curve = at_rate(bumps(truth, 20.0), FPS)
    np.testing.assert_allclose(smoothed(*on_peaks(truth.round(2), curve)), truth, atol=0.003)


# --- curves ---


def test_curves_are_cut_and_resampled_alike() -> None:
    rng = np.random.default_rng(3)
    whole = BeatCurves(*rng.random((3, 100)), rng.random((100, 5)), rng.random(100))
    cut = whole.frames_at(slice(40))
    for name in ("beat", "downbeat", "felt", "tempo", "seen"):
        np.testing.assert_array_equal(getattr(cut, name), getattr(whole, name)[:40])
    fine = cut.fine(FPS)
    assert len(fine.beat) == len(fine.seen) == 40 * RATE / FPS
    np.testing.assert_array_equal(fine.downbeat, at_rate(whole.downbeat[:40], FPS))
    np.testing.assert_array_equal(BeatCurves(whole.beat).fine(FPS).felt, at_rate(whole.beat, FPS))


# --- visible accents ---


def test_accents_choose_between_two_phases_that_the_network_holds_alike() -> None:
    truth = steady_beats(80, 12.0, 0.2)
    between = truth[:-1] + 60 / 80 / 2
    curve = np.maximum(bumps(truth, 12.0, 0.4), bumps(between, 12.0, 0.4))
    bars = np.full(300, 0.1)
    for ours in (truth, between):
        grid = decode_beats(BeatCurves(curve, bars, seen=bumps(ours[::2], 12.0, 0.8)), FPS, Asked(80.0))
        assert beat_f(ours, grid.beats_s, 0.05) > 0.95


def test_accents_beside_sure_beats_change_nothing() -> None:
    truth = steady_beats(110, 12.0, 0.2)
    beside = truth[1::4] + 0.2
    curves = BeatCurves(bumps(truth, 12.0), bumps(truth[::4], 12.0))
    plain = decode_beats(curves, FPS)
    leaning = decode_beats(replace(curves, seen=bumps(beside, 12.0)), FPS)
    assert beat_f(plain.beats_s, leaning.beats_s, 0.02) == 1.0


def test_an_accent_counts_where_it_is_as_far_as_it_is_strong() -> None:
    strong, weak, faint = 1.0, 2.0, 3.0
    heights = np.array([0.9, 0.5, 0.2])
    curve = at_rate(bumps(np.array([strong, weak, faint]), 4.0, heights), FPS)
    gain = seen_gain(curve)
    assert gain.shape == curve.shape
    assert gain.mean() == pytest.approx(0, abs=1e-9)
    at = [gain[round(t * RATE)] for t in (strong, weak, faint, 3.5)]
    assert at[0] > at[1] > at[2] == pytest.approx(at[3])
    assert (seen_gain(np.zeros(50)) == 0).all()


def test_beats_are_moved_towards_what_one_sees_beside_them() -> None:
    truth = steady_beats(100, 12.0, 0.2)
    curves = BeatCurves(bumps(truth, 12.0, 0.5), bumps(truth[::4], 12.0, 0.5))
    late = decode_beats(replace(curves, seen=bumps(truth + 0.05, 12.0, 0.8)), FPS).beats_s
    moved = late - truth[np.abs(truth[:, None] - late).argmin(0)]
    assert 0.01 < np.median(moved) < 0.045
