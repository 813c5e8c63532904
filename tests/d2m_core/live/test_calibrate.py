"""Claps that come late say by how much."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.errors import PoseError
from d2m_core.live.calibrate import CLICKS, EVERY_S, Calibration, latency_of
from d2m_core.live.session import BLOCK, RATE
from d2m_core.motion import Accents


def claps(late_s: float, count: int, kind: str = "clap") -> Accents:
    rng = np.random.default_rng(1)
    times = EVERY_S * np.arange(1, count + 1) + late_s + rng.normal(0, 0.02, count)
    return Accents(times, np.full(count, 0.6, np.float32), (kind,) * count)


@pytest.mark.parametrize("kind", ["clap", "brake"])
def test_the_median_clap_is_the_latency(kind: str) -> None:
    assert latency_of(claps(0.17, CLICKS, kind)) == pytest.approx(170, abs=20)
    assert latency_of(claps(-0.05, 8, kind)) == pytest.approx(-50, abs=20)


def test_too_few_claps_are_a_sentence() -> None:
    with pytest.raises(PoseError, match="2 claps"):
        latency_of(claps(0.1, 2))
    with pytest.raises(PoseError, match="Nobody"):
        Calibration().latency_ms()


def test_it_clicks_once_a_second_whatever_the_blocks() -> None:
    calibration = Calibration()
    blocks = [calibration.render(0.013 + k * BLOCK / RATE) for k in range(round(14 * RATE / BLOCK))]
    loud = np.abs(np.concatenate(blocks, 1)[0]) > 0.2
    times = 0.013 + np.flatnonzero(loud) / RATE
    begins = times[np.flatnonzero(np.diff(times, prepend=-1) > 0.5)]
    np.testing.assert_allclose(begins, EVERY_S * np.arange(1, CLICKS + 1), atol=0.001)
    assert not calibration.playing
