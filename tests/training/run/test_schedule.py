"""Budgets: by steps, or by the wall clock of training alone."""

from __future__ import annotations

import time

import pytest

from training.run.schedule import FINAL_RATE, Run, rate_factor


def test_a_run_goes_by_steps_where_there_are_any() -> None:
    run = Run(minutes=1.0, steps=4)
    run.step, run.spent_s = 1, 1000.0
    assert run.progress == 0.25
    run.step = 9
    assert run.progress == 1.0


def test_minutes_are_those_of_the_wall_clock_on_training_alone() -> None:
    run = Run(minutes=0.01)
    run.spent_s = 0.3  # of an earlier part
    processor_s = time.process_time()
    began_s = time.monotonic()
    with run.on_the_clock():
        time.sleep(0.05)  # waiting for data is training, too
    took_s = time.monotonic() - began_s
    assert time.process_time() - processor_s < 0.05
    spent_s = run.spent_s
    assert 0.35 <= spent_s <= 0.3 + took_s
    time.sleep(0.02)  # measuring and saving are not
    assert run.spent_s == spent_s
    assert run.progress == pytest.approx(spent_s / 0.6)


def test_the_rate_rises_and_falls() -> None:
    assert rate_factor(0, 10, 0.0) == pytest.approx(0.1)
    assert rate_factor(99, 10, 0.0) == 1.0
    assert rate_factor(99, 10, 1.0) == pytest.approx(FINAL_RATE)
