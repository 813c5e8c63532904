"""The tempo of a whole dance, on hand-made curves whose tempo is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from d2m_core.grid import TEMPO_RANGE_BPM, steady_beats, tempo_of
from d2m_core.rhythm.curves import BeatCurves, at_rate
from d2m_core.rhythm.decoding import Asked, decode_beats
from d2m_core.rhythm.gains import beat_lengths
from d2m_core.rhythm.tempo import (
    TEMPI_BPM,
    Span,
    band,
    busy,
    chance_of,
    chance_of_spans,
    chances,
    evidence_of,
    guesses,
    prior,
    spans,
)
from d2m_core.scores import beat_f

FPS = 25.0


def bumps(times_s: np.ndarray, duration_s: float, height: float | np.ndarray = 0.9) -> np.ndarray:
    """A curve [F] with a bump at each moment, 0.02 between."""
    away = np.arange(round(duration_s * FPS))[:, None] / FPS - times_s
    return 0.02 + (height * np.exp(-0.5 * (away / 0.045) ** 2)).max(1, initial=0.0)


def curves_of(beats_s: np.ndarray, duration_s: float, height: float | np.ndarray = 0.9) -> BeatCurves:
    return BeatCurves(bumps(beats_s, duration_s, height), bumps(beats_s[::4], duration_s))


def changing(first_bpm: float, then_bpm: float, at_s: float, duration_s: float) -> np.ndarray:
    """Beats of one tempo, and from a moment on of another."""
    before = steady_beats(first_bpm, at_s, 0.2)
    return np.concatenate([before, np.arange(before[-1] + 60 / then_bpm, duration_s, 60 / then_bpm)])


@pytest.mark.parametrize("bpm", [62.0, 87.0, 120.0, 150.0, 178.0])
def test_a_clear_tempo_is_the_first_guess_and_likely(bpm: float) -> None:
    grid = decode_beats(curves_of(steady_beats(bpm, 14.0, 0.2), 14.0), FPS)
    first = grid.tempi[0]
    assert first.bpm == grid.tempo_bpm == pytest.approx(bpm, rel=0.01)
    assert first.probability > 0.6
    shares = [guess.probability for guess in grid.tempi]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1 + 1e-9


def test_beats_that_alternate_leave_two_tempi_open() -> None:
    both = steady_beats(172, 14.0, 0.1)
    heights = np.where(np.arange(len(both)) % 2 == 0, 0.9, 0.5)
    found = [guess.bpm for guess in decode_beats(curves_of(both, 14.0, heights), FPS).tempi]
    for bpm in (86, 172):
        assert min(abs(guess / bpm - 1) for guess in found) < 0.03


def test_noise_leaves_every_tempo_unlikely() -> None:
    noise = np.random.default_rng(3).uniform(0, 0.2, (2, 400))
    likely = chances(evidence_of(BeatCurves(*noise).fine(FPS)))
    assert likely.sum() == pytest.approx(1)
    assert guesses(likely)[0].probability < 0.5


def test_a_longer_clip_is_surer_of_the_same_tempo() -> None:
    rng = np.random.default_rng(4)
    faint = curves_of(steady_beats(104, 36.0, 0.2) + rng.normal(0, 0.04, 63), 36.0, 0.15)
    sure = []
    for seconds in (12.0, 36.0):
        evidence = evidence_of(faint.frames_at(slice(round(seconds * FPS))).fine(FPS))
        assert evidence.worth == pytest.approx(seconds / 12)
        sure.append(chance_of(chances(evidence), 104.0))
    assert 0.1 < sure[0] < sure[1]


def test_spans_of_two_tempi_are_as_likely_as_theirs() -> None:
    beats = changing(90.0, 130.0, 15.0, 30.0)
    evidence = evidence_of(curves_of(beats, 30.0).fine(FPS))
    right = [Span(0.0, 15.0, 90.0), Span(15.0, 30.0, 130.0)]
    assert chance_of_spans(evidence, right) > 0.8
    assert chance_of_spans(evidence, [Span(0.0, 30.0, 107.0)]) < 0.2


def test_a_calm_dance_is_slow_and_a_busy_one_fast() -> None:
    calm, lively = (
        busy(at_rate(bumps(steady_beats(bpm, 20.0, 0.3), 20.0) - 0.02, FPS)) for bpm in (20.0, 160.0)
    )
    assert calm < 0 < lively
    slow, fast = (int(np.abs(TEMPI_BPM - bpm).argmin()) for bpm in (86, 172))
    assert prior(calm)[slow] - prior(calm)[fast] > 3
    assert prior(lively)[slow] - prior(lively)[fast] < 1


def test_what_alternates_is_half_as_fast_where_little_happens() -> None:
    both = steady_beats(172, 16.0, 0.1)
    heights = np.where(np.arange(len(both)) % 2 == 0, 0.9, 0.55)
    curves = curves_of(both, 16.0, heights)
    tempi = []
    for bpm, height in ((21.5, 0.5), (172.0, 0.9)):
        seen = bumps(steady_beats(bpm, 16.0, 0.1), 16.0, height) - 0.02
        tempi.append(chances(evidence_of(replace(curves, seen=seen).fine(FPS))))
    slow, fast = (np.abs(np.log(TEMPI_BPM / bpm)) < 0.04 for bpm in (86, 172))
    calm, lively = (likely[slow].sum() / likely[fast].sum() for likely in tempi)
    assert calm > lively


@pytest.mark.parametrize(("first", "then"), [(100.0, 130.0), (140.0, 96.0)])
def test_a_tempo_that_truly_changes_is_followed(first: float, then: float) -> None:
    truth = changing(first, then, 16.0, 32.0)
    curves = curves_of(truth, 32.0)
    fine = curves.fine(FPS)
    found = spans(fine, evidence_of(fine))
    assert [span.bpm for span in found] == pytest.approx([first, then], rel=0.02)
    grid = decode_beats(curves, FPS)
    assert beat_f(truth, grid.beats_s) > 0.85  # some beats around the change are on the way
    assert grid.tempi == ()
    early, late = grid.beats_s[grid.beats_s < 12], grid.beats_s[grid.beats_s > 20]
    assert (tempo_of(early), tempo_of(late)) == pytest.approx((first, then), rel=0.02)


def test_two_seconds_of_another_tempo_change_nothing() -> None:
    truth = steady_beats(112, 24.0, 0.2)
    odd = np.arange(11.0, 13.0, 0.4)
    beats = np.sort(np.concatenate([truth[(truth < 10.8) | (truth > 13.2)], odd]))
    fine = curves_of(beats, 24.0).fine(FPS)
    assert len(spans(fine, evidence_of(fine))) == 1
    assert decode_beats(curves_of(beats, 24.0), FPS).tempo_bpm == pytest.approx(112, rel=0.02)


def test_cuts_keep_the_tempo_of_a_faint_pulse() -> None:
    rng = np.random.default_rng(8)
    truth = steady_beats(94, 24.0, 0.3)
    curve = np.maximum(bumps(truth, 24.0, 0.35), rng.uniform(0, 0.25, 600))
    curves = BeatCurves(curve, rng.uniform(0, 0.1, 600))
    for cut in (slice(None), slice(13, None), slice(25, None), slice(50, None), slice(300), slice(300, None)):
        grid = decode_beats(curves.frames_at(cut), FPS, Asked(fall_back=False))
        assert grid.tempo_bpm == pytest.approx(94, rel=0.04)


def test_a_tempo_that_is_set_is_the_only_guess() -> None:
    curves = curves_of(steady_beats(120, 10.0), 10.0)
    assert [(g.bpm, g.probability) for g in decode_beats(curves, FPS, Asked(100.0)).tempi] == [(100.0, 1.0)]
    silent = np.zeros(250)
    assert decode_beats(BeatCurves(silent, silent, silent), FPS).tempi == ()


def test_beats_are_held_near_their_tempo_and_free_where_it_changes() -> None:
    gain = band([Span(0.0, 10.0, 100.0), Span(10.0, 20.0, 130.0)], 2000)
    fits = {bpm: int(np.abs(beat_lengths() - 6000 / bpm).argmin()) for bpm in (100, 115, 130)}
    assert gain.shape == (2000, len(beat_lengths()))
    assert gain[300, fits[100]] > -0.1 > gain[300, fits[115]]
    assert gain[1000, fits[115]] == 0
    assert gain[1700, fits[130]] > -0.1 > gain[1700, fits[115]]


def test_short_and_silent_curves_have_chances_too() -> None:
    for frames in (1, 10, 60):
        likely = chances(evidence_of(BeatCurves(np.zeros(frames), np.zeros(frames)).fine(FPS)))
        assert likely.sum() == pytest.approx(1)
        low, high = TEMPO_RANGE_BPM
        assert low <= guesses(likely)[0].bpm <= high
