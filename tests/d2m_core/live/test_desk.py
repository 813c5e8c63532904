"""The live desk: a room in blocks is the room, and nothing is louder than the ceiling."""

from __future__ import annotations

import numpy as np
import scipy

from d2m_core.live.desk import Hall, Limiter, Sounding

RNG = np.random.default_rng(5)


def test_a_hall_in_blocks_is_the_convolution() -> None:
    response = RNG.standard_normal((2, 1000)).astype(np.float32)
    sound = RNG.standard_normal(64 * 40).astype(np.float32)
    sound[64 * 12 : 64 * 36] = 0  # it falls silent, and wakes up again
    hall = Hall(response, 64)
    out = np.concatenate([hall(block) for block in sound.reshape(-1, 64)], 1)
    whole = np.stack([scipy.signal.fftconvolve(sound, side)[: len(sound)] for side in response])
    np.testing.assert_allclose(out, whole, atol=2e-3)


def test_a_limiter_holds_the_ceiling_and_leaves_the_rest_alone() -> None:
    sound = (0.3 * RNG.standard_normal((2, 48_000))).astype(np.float32)
    sound[:, 20_000:20_050] = 3.0
    limiter = Limiter(48_000)
    out = np.concatenate([limiter(block) for block in np.split(sound, 375, 1)], 1)
    assert np.abs(out).max() <= 0.89 + 1e-5
    late = limiter.delay
    quiet = np.abs(sound).max(0) < 0.2
    quiet[19_000:21_500] = False
    near_loud = scipy.ndimage.binary_dilation(np.abs(sound).max(0) > 0.89, iterations=3 * late)
    same = np.flatnonzero(quiet & ~near_loud)[:-late]
    np.testing.assert_array_equal(out[:, same[:-late] + late], sound[:, same[:-late]])


def test_sounds_go_over_blocks_and_are_choked_by_name() -> None:
    strip = Sounding(1)
    strip.add(10, np.ones((2, 100), np.float32), "open")
    strip.add(30, np.full((1, 20), 2.0, np.float32), "crash")
    first = strip.render(0, 40)
    strip.choke(50, "open", 10)
    both = np.concatenate([first, strip.render(40, 150)], 1)[0]
    assert both[:10].max() == 0
    assert both[20] == 1
    assert both[35] == both[49] == 3
    assert 0 < both[55] < 1
    assert both[60:].max() == 0
