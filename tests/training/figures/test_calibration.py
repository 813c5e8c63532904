"""Bootstrap intervals and calibration errors on cases that can be worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.figures.bootstrap import interval_of, mean_interval
from training.figures.calibration import calibration, draw_reliability, reliability


def test_interval_of_a_mean_is_that_of_the_normal_law() -> None:
    values = np.random.default_rng(1).normal(3.0, 1.0, 400)
    found = mean_interval(values)
    error = float(values.std()) / 20
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(found.mean - 1.96 * error, abs=0.01)
    assert found.high == pytest.approx(found.mean + 1.96 * error, abs=0.01)
    assert mean_interval(values) == found


def test_clips_without_a_value_are_left_out() -> None:
    found = mean_interval(np.array([1.0, np.nan, 1.0]))
    assert (found.mean, found.low, found.high, found.clips) == (1, 1, 1, 2)
    none = mean_interval(np.array([np.nan]))
    assert none.clips == 0
    assert np.isnan(none.mean)


def test_interval_of_any_figure() -> None:
    values = np.arange(30.0)
    found = interval_of(lambda clips: float(values[clips].mean()), 30)
    assert found == mean_interval(values)


def test_calibration_error_by_hand() -> None:
    sure = np.array([0.9, 0.1, 0.8, 0.2])
    right = np.array([True, False, False, False])
    found = reliability(sure, right, bins=2)
    np.testing.assert_allclose(found.confidence, [0.15, 0.85])
    np.testing.assert_allclose(found.right, [0, 0.5])
    assert found.counts.tolist() == [2, 2]
    assert found.error == pytest.approx((0.15 + 0.35) / 2)


def test_the_order_of_equal_confidences_does_not_matter() -> None:
    sure, right = np.full(4, 0.5), np.array([True, True, False, False])
    for order in ([0, 1, 2, 3], [0, 2, 1, 3]):
        assert reliability(sure, right[order], bins=2).error == 0.0


def test_an_exact_confidence_scores_as_its_own_floor() -> None:
    rng = np.random.default_rng(2)
    sure = rng.random(200)
    exact = calibration(sure, rng.random(200) < sure)
    assert exact.error.mean == pytest.approx(exact.if_perfect, abs=0.04)
    assert exact.if_shuffled > exact.error.mean + 0.1
    assert len(exact.curve.counts) == 10
    bold = calibration(np.ones(50), rng.random(50) < 0.5)
    assert bold.error.mean == pytest.approx(0.5, abs=0.15)


def test_picture(tmp_path: Path) -> None:
    found = calibration(np.linspace(0, 1, 30), np.linspace(0, 1, 30) > 0.5)
    path = tmp_path / "new" / "reliability.png"
    draw_reliability({"mine": found, "other": found}, "a good score", path)
    assert path.read_bytes().startswith(b"\x89PNG")
