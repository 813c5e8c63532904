"""How loud music that was written before is played: never a jump, louder at hits, over after the end."""

from __future__ import annotations

import numpy as np

from d2m_core.live.levels import Levels

BLOCK_BEATS = 0.04


def played(levels: Levels, first: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(beats, gains) of so many blocks."""
    beats = first + BLOCK_BEATS * np.arange(64 * count) / 64
    return beats, np.concatenate([levels.gains(part) for part in beats.reshape(count, 64)])


def test_it_follows_energy_smoothly_and_thins_out() -> None:
    levels = Levels()
    levels.planned(0, 0.5)
    levels.feel(0.5, False)
    assert np.allclose(played(levels, 0.0, 5)[1], 1.0)
    levels.feel(1.0, False)
    _, more = played(levels, 0.2, 20)
    levels.feel(1.0, True)
    _, thin = played(levels, 1.0, 60)
    assert more[-1] > 1.1
    assert thin[-1] < 0.7
    assert np.abs(np.diff(np.concatenate([more, thin]))).max() < 0.01


def test_nothing_before_the_start_and_nothing_after_the_end() -> None:
    levels = Levels()
    levels.start_at(2.0)
    levels.end_on(4.0)
    beats, gains = played(levels, 0.0, 150)
    assert gains[beats < 2].max() == 0
    assert gains[(beats > 2.1) & (beats < 4.2)].min() > 0.9
    assert gains[beats > 5.5].max() < 1e-6
    assert np.abs(np.diff(gains)).max() < 0.05


def test_a_hit_is_louder_from_its_beat_on() -> None:
    levels = Levels()
    levels.hit(1.0, 1.0)
    beats, gains = played(levels, 0.0, 100)
    assert np.allclose(gains[beats < 1], gains[0])
    assert gains[np.argmax(beats >= 1.0)] > 1.4 * gains[0]
    assert gains[-1] < 1.02 * gains[0]
