"""Music that is read along a clock goes on with it, and never changes its pitch suddenly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from d2m_core.live.clock import Clock, Pulse, Span
from d2m_core.live.glide import Glide

BLOCK_S = 1024 / 48_000


def followed(pulse: Callable[[float], Pulse], seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Beats [n] of a clock that follows a pulse, and of what glides after it."""
    clock, glide = Clock(0.0, 0.0, 120.0), Glide()
    there, here = [], []
    while clock.time_s < seconds:
        clock.follow(pulse(clock.time_s))
        span = clock.advance(clock.time_s + BLOCK_S)
        there.append(float(span.beats[-1]))
        here.append(glide.follow(span)[1])
    return np.array(there), np.array(here)


def test_a_steady_clock_is_followed_exactly() -> None:
    there, here = followed(lambda _: Pulse(0.0, 120.0), 4.0)
    np.testing.assert_allclose(here, there, atol=1e-9)


def test_a_clock_that_catches_up_is_followed_with_less_wobble() -> None:
    there, here = followed(lambda now_s: Pulse(0.0 if now_s < 1 else -0.05, 120.0), 8.0)
    assert abs(here[-1] - there[-1]) < 0.01
    assert np.abs(np.diff(here)).max() / np.diff(here)[0] < 1.06
    wobble = [np.abs(np.log(beats[10:] / beats[:-10])).max() for beats in (np.diff(there), np.diff(here))]
    assert wobble[1] < 0.5 * wobble[0]


def test_another_tempo_is_reached() -> None:
    there, here = followed(lambda now_s: Pulse(0.0, 120.0 if now_s < 2 else 140.0), 10.0)
    assert np.abs(here[-50:] - there[-50:]).max() < 0.03
    assert np.abs(here - there).max() < 0.4


def test_a_clock_that_begins_elsewhere_is_met_at_once() -> None:
    glide = Glide()
    glide.follow(Span(np.array([0.0, BLOCK_S]), np.array([0.0, 0.04])))
    assert glide.follow(Span(np.array([9.0, 9.0 + BLOCK_S]), np.array([2.0, 2.04])))[0] == 2.0
