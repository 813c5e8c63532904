"""Scores of beat grids and their controls, on cases that can be worked out by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from d2m_core.motion import MOTION_NAMES
from d2m_core.rhythm.decoding import BeatGrid
from d2m_core.scores import beat_f
from d2m_core.types import MotionFeatures
from training.judges.clocks import fitted
from training.scoreboard.rhythm_report import set_calibration, set_json, set_rows, set_text
from training.scoreboard.rhythm_scores import (
    CONTROLS,
    Case,
    CaseScore,
    carried,
    measure,
    naive_grid,
    score_case,
)

SECONDS = 20.0
BEATS = np.arange(0.25, SECONDS, 0.5)
ACCENTS = BEATS[::2].copy()


def still(seconds: float = SECONDS) -> MotionFeatures:
    return MotionFeatures(np.zeros((int(25 * seconds), len(MOTION_NAMES)), np.float32), MOTION_NAMES)


def grid(beats: np.ndarray, metre: int = 4, confidence: float = 0.9) -> BeatGrid:
    tempo = 60 / float(np.median(np.diff(beats)))
    return BeatGrid(beats, np.arange(len(beats)) % metre == 0, tempo, confidence)


@pytest.fixture
def case() -> Case:
    return Case("one", still(), ACCENTS, BEATS, BEATS[::4])


def score(case: Case, found: BeatGrid) -> CaseScore:
    return score_case(case, found, [grid(BEATS + 0.2), grid(np.arange(0, 12, 0.4))])


def test_a_perfect_grid(case: Case) -> None:
    found = measure(grid(BEATS), case)
    assert (found.beat_f, found.cmlt, found.amlt, found.downbeat_f) == (1, 1, 1, 1)
    assert (found.tempo, found.on_beat, found.on_eighth, found.beats_hit) == (1, 1, 1, 0.5)


def test_off_beat_grid_keeps_eighths_and_the_metrical_level(case: Case) -> None:
    found = measure(grid(BEATS[:-1] + 0.25), case)
    assert (found.beat_f, found.cmlt, found.amlt) == (0, 0, 1)
    assert (found.on_beat, found.on_eighth, found.beats_hit) == (0, 1, 0)


def test_half_time_is_right_only_up_to_octaves(case: Case) -> None:
    found = measure(grid(BEATS[::2]), case)
    assert (found.tempo, found.tempo_octaves) == (0, 1)
    assert found.beat_f == pytest.approx(2 / 3)


def test_blind_grids_score_as_chance_says(case: Case) -> None:
    controls = score(case, grid(BEATS)).controls
    assert set(controls) == set(CONTROLS)
    for name in ("rotated", "metronome"):  # windows of 0.14 s in periods of 0.5 s
        assert controls[name].beat_f == pytest.approx(0.28, abs=0.06)
        assert controls[name].on_beat == pytest.approx(0.28, abs=0.06)
        assert controls[name].downbeat_f < 0.15
    assert controls["other clip"].tempo == 0.5
    assert controls["other clip"].beat_f < 0.25
    assert (controls["reference"].on_beat, controls["reference"].beats_hit) == (1, 0.5)


def test_without_a_reference_only_accents_count(case: Case) -> None:
    found = score(replace(case, beats_s=None, downbeats_s=None), grid(BEATS))
    assert math.isnan(found.tempo_bpm)
    assert math.isnan(found.found.beat_f)
    assert found.found.on_beat == 1
    assert found.controls["rotated"].on_beat == pytest.approx(0.28, abs=0.06)


def test_a_loose_clock_is_fitted_for_found_and_controls_alike(case: Case) -> None:
    off = 0.3 + BEATS[1:-1] * 1.008
    loose = replace(case, loose=True)
    assert measure(grid(off), case).beat_f < 0.5
    assert measure(grid(off), loose).beat_f > 0.95
    assert score(loose, grid(off)).controls["rotated"].beat_f > 0.9  # the fit alone does that
    assert math.isnan(score(loose, grid(off)).controls["reference"].on_beat)


def test_fit_takes_out_offset_and_drift_and_nothing_it_need_not() -> None:
    reference = np.cumsum(np.random.default_rng(0).uniform(0.4, 0.6, 60))
    middle = (reference[0] + reference[-1]) / 2
    moved = reference - 0.24 + 0.012 * (reference - middle)
    assert beat_f(reference, moved) < 0.5
    assert beat_f(reference, fitted(moved, reference)) == 1.0
    np.testing.assert_array_equal(fitted(reference + 0.05, reference), reference + 0.05)
    assert len(fitted(np.zeros(0), reference)) == 0


def test_a_grid_is_carried_to_another_length_with_its_bars() -> None:
    short = BeatGrid(np.arange(1.2, 5, 0.5), np.arange(8) % 3 == 1, 120.0, 1.0)
    long = carried(short, 10.0)
    np.testing.assert_allclose(long.beats_s, np.arange(0.2, 10, 0.5))
    np.testing.assert_allclose(long.beats_s[long.downbeats], np.arange(0.2, 10, 1.5))
    assert len(carried(short, 2.0).beats_s) == 4


def test_naive_beats_lie_where_everything_brakes() -> None:
    motion = still()
    times = np.arange(len(motion.values)) / motion.fps
    column = MOTION_NAMES.index("total_decel")
    for beat in BEATS:
        motion.values[:, column] += 3 * np.exp(-0.5 * ((times - beat) / 0.04) ** 2)
    assert beat_f(BEATS, naive_grid(motion).beats_s) > 0.95
    assert naive_grid(still()).confidence == 0


def test_rows_hold_means_intervals_and_paired_differences(case: Case) -> None:
    scores = [score(case, grid(BEATS)), score(case, grid(BEATS[:-1] + 0.25))]
    rows = {row["measure"]: row for row in set_rows(scores)}
    assert rows["beat F"]["found"] == 0.5
    assert rows["beat F"]["95 %"] == "0.00..1.00"
    other = rows["beat F"]["other clip"]
    assert rows["beat F"]["minus other clip"] == pytest.approx(0.5 - other)
    calibrated = set_calibration(scores)
    assert calibrated is not None
    assert calibrated.right == 1
    assert calibrated.error.mean == pytest.approx(0.4)  # one of two right at confidence 0.9
    assert "calibration error 0.400" in set_text("mine", "two cases", scores)
    assert "songs" not in set_text("mine", "two cases", scores)


def test_cuts_of_songs_are_told_beside_those_of_dances(case: Case) -> None:
    made = replace(score(case, grid(BEATS)), heard=(100.0, {"first half": 101.0, "second half": 110.0}))
    assert "the same cuts of the songs, by our ear: 0.500" in set_text("mine", "one case", [made])
    assert set_json("one case", [made])["the same of the songs"]["mean"] == 0.5


def test_json_has_no_nan(case: Case) -> None:
    blind = score(replace(case, beats_s=None, downbeats_s=None), grid(BEATS))
    assert set_calibration([blind]) is None
    assert "beat F" not in {row["measure"] for row in set_rows([blind])}
    kept = json.loads(json.dumps(set_json("one case", [blind]), allow_nan=False))
    assert kept["measures"]["beat_f"]["found"]["clips"] == 0
    assert kept["cases"][0]["found"]["beat_f"] is None
    assert kept["cases"][0]["found"]["on_beat"] == 1
