"""Curves as few points, and curves that were drawn."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.errors import SettingError
from d2m_core.rhythm import curve_points, with_curve
from d2m_core.types import Rhythm


@pytest.mark.parametrize("frames", [2, 3, 250, 2000])
def test_few_points_follow_a_curve(frames: int) -> None:
    at = np.linspace(0, 1, frames)
    values = (0.5 + 0.4 * np.sin(9 * at) * (at > 0.3)).astype(np.float32)
    points = curve_points(values)
    assert points[0] == (0.0, pytest.approx(0.5))
    assert points[-1][0] == 1.0
    assert len(points) <= min(frames, 40)
    np.testing.assert_allclose(np.interp(at, *zip(*points, strict=True)), values, atol=0.021)


def test_a_drawn_curve_takes_the_place_of_one_alone() -> None:
    curves = np.full((100, 2), 0.4, np.float32)
    rhythm = Rhythm(np.arange(8) * 0.5, np.arange(8) % 4 == 0, curves, 120.0)
    drawn = np.linspace(-0.5, 1.5, 100)
    new = with_curve(rhythm, "energy", drawn)
    np.testing.assert_allclose(new.energy, np.clip(drawn, 0, 1), atol=1e-6)
    np.testing.assert_array_equal(new.accent, rhythm.accent)
    np.testing.assert_allclose(with_curve(rhythm, "accent", drawn, 0.25).accent[-1], 0.55, atol=1e-6)
    assert (rhythm.curves == curves).all()
    for bad, amount in ((drawn * np.nan, 1.0), (drawn, 1.5)):
        with pytest.raises(SettingError):
            with_curve(rhythm, "energy", bad, amount)
