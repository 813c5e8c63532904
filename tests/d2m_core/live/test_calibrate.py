"""Claps that come late say by how much."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.errors import PoseError
from d2m_core.live.calibrate import CLICKS, EVERY_S, Calibration, latency_of
from d2m_core.live.session import BLOCK, RATE
from d2m_core.motion import Accents
from d2m_core.pose.landmarker import Body
from d2m_core.pose.landmarks import ANKLES, ELBOWS, HIPS, KNEES, SHOULDERS, WRISTS
from d2m_core.types import LANDMARKS


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


def clapping(time_s: float, late_s: float, rng: np.random.Generator) -> Body:
    """Somebody who claps so long after each second: the hands come together fast, and go apart slowly."""
    since = (time_s - late_s) % 1.0
    apart = 0.34 * np.clip(since / 0.6, 0, 1) if since < 0.8 else 0.34 * (1 - since) / 0.2
    image = np.zeros((LANDMARKS, 2), np.float32)
    image[:] = (0.65, 0.2)  # the head
    for pair, height, wide in (
        (SHOULDERS, 0.3, 0.07),
        (HIPS, 0.5, 0.05),
        (KNEES, 0.7, 0.05),
        (ANKLES, 0.9, 0.05),
    ):
        image[pair[0]], image[pair[1]] = (0.65 + wide, height), (0.65 - wide, height)
    for joints, share in ((ELBOWS, 0.6), (WRISTS, 1.0)):
        away = 0.06 * (1 - share) + share * apart / 2
        image[joints[0]], image[joints[1]] = (0.65 + away, 0.4), (0.65 - away, 0.4)
    image += rng.normal(0, 0.001, image.shape).astype(np.float32)
    world = np.concatenate([1.8 * (image - image.mean(0)), np.zeros((LANDMARKS, 1))], 1).astype(np.float32)
    return Body(world, image, np.ones(LANDMARKS, np.float32))


@pytest.mark.parametrize("late_s", [-0.06, 0.12, 0.26])
def test_somebody_who_claps_late_before_the_camera_is_measured(late_s: float) -> None:
    """A camera of 28 pictures a second, as they are; braking begins a little before hands meet."""
    calibration, rng = Calibration(), np.random.default_rng(2)
    for time_s in np.arange(0.0, EVERY_S * (CLICKS + 1), 1 / 28):
        calibration.see(float(time_s), clapping(float(time_s), late_s, rng))
    assert calibration.latency_ms() == pytest.approx(1000 * late_s, abs=30)


def test_it_clicks_once_a_second_whatever_the_blocks() -> None:
    calibration = Calibration()
    blocks = [calibration.render(0.013 + k * BLOCK / RATE) for k in range(round(14 * RATE / BLOCK))]
    loud = np.abs(np.concatenate(blocks, 1)[0]) > 0.2
    times = 0.013 + np.flatnonzero(loud) / RATE
    begins = times[np.flatnonzero(np.diff(times, prepend=-1) > 0.5)]
    np.testing.assert_allclose(begins, EVERY_S * np.arange(1, CLICKS + 1), atol=0.001)
    assert not calibration.playing
