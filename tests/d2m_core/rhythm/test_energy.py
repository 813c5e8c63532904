"""The energy of a dance rises where its body moves faster."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.rhythm.energy import seen_energy
from d2m_core.types import MotionFeatures

FLAT = np.full(400, 0.5, np.float32)


def moving(speed: np.ndarray, present: np.ndarray | None = None) -> MotionFeatures:
    here = np.ones(len(speed)) if present is None else present
    return MotionFeatures(np.stack([here, speed * here], 1).astype(np.float32), ("present", "total_speed"))


def test_a_dancer_who_moves_twice_as_fast_has_more_energy() -> None:
    energy = seen_energy(FLAT, moving(np.where(np.arange(400) < 200, 0.3, 0.6)))
    assert energy[350:].mean() - energy[:50].mean() == pytest.approx(0.2, abs=0.03)
    assert energy.mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("speed", [0.0, 0.001, 0.4])
def test_one_speed_leaves_the_energy_as_it_is(speed: float) -> None:
    np.testing.assert_allclose(seen_energy(FLAT, moving(np.full(400, speed))), FLAT, atol=1e-6)


def test_where_nobody_is_seen_there_is_none_and_it_says_nothing_of_the_rest() -> None:
    here = np.arange(400) < 300
    energy = seen_energy(FLAT * here, moving(np.full(400, 0.4), here.astype(float)))
    np.testing.assert_allclose(energy, FLAT * here, atol=0.02)


def test_motion_that_does_not_know_speed_says_nothing() -> None:
    motion = MotionFeatures(np.ones((400, 1), np.float32), ("present",))
    assert seen_energy(FLAT, motion) is FLAT
