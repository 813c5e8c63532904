"""Dances that are drawn and looked at with MediaPipe, as training data of the rhythm network."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from d2m_core.errors import PoseModelError, SettingError
from d2m_core.grid import TEMPO_RANGE_BPM
from d2m_core.motion import MOTION_NAMES
from d2m_core.pose import load_poses
from d2m_core.types import MOTION_FPS
from training.rhythm.drawn import SPEEDS, _look, _place, drawn_pool, joined
from training.rhythm.pool import TARGETS, Pool
from training.rhythm.trainer import TrainRhythmConfig, batch_of
from training.run.kept import RECORD
from training.seeds import DRAWN_SEED
from training.studio.any_scene import random_scene
from training.train_rhythm import train

SECONDS = 3.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drawn")


@pytest.fixture(scope="module")
def pool(folder: Path) -> Pool:
    return drawn_pool(folder, range(DRAWN_SEED, DRAWN_SEED + 1), SECONDS)


def test_a_dance_is_looked_at_once_and_used_at_each_speed_it_can_have(pool: Pool, folder: Path) -> None:
    kept, record = sorted(folder.iterdir())  # the film is gone
    assert record.name == kept.name + RECORD
    stamp = kept.stat().st_mtime_ns
    again = drawn_pool(folder, range(DRAWN_SEED, DRAWN_SEED + 1), SECONDS)
    assert kept.stat().st_mtime_ns == stamp
    np.testing.assert_array_equal(again.motion, pool.motion)
    tempo = random_scene(DRAWN_SEED, SECONDS).plan.tempo_bpm
    low, high = TEMPO_RANGE_BPM
    wanted = [s for s in SPEEDS if s == 1 or low <= s * tempo <= high]
    assert len(pool) == len(wanted) > 1
    np.testing.assert_allclose(pool.tempo[:, 0] / pool.tempo[0, 0], wanted, rtol=0.01)
    assert pool.motion.shape[1:] == (round(SECONDS * MOTION_FPS), len(MOTION_NAMES))
    assert pool.targets.shape[1:] == (round(SECONDS * MOTION_FPS), len(TARGETS))


def test_without_mediapipe_no_empty_dance_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)  # its import fails
    with pytest.raises(PoseModelError, match="MediaPipe cannot be loaded"):
        _look(DRAWN_SEED, 1.0, _place(tmp_path, DRAWN_SEED, 1.0))
    assert not list(tmp_path.iterdir())


def test_dances_of_another_studio_are_not_taken_for_todays(
    tmp_path: Path, other_code: Callable[[], None]
) -> None:
    one = _place(tmp_path, DRAWN_SEED, 1.0)
    assert _place(tmp_path, DRAWN_SEED, 1.0) == one
    other_code()
    assert _place(tmp_path, DRAWN_SEED, 1.0).path != one.path


def test_beats_and_motion_are_where_the_speed_puts_them(pool: Pool, folder: Path) -> None:
    scene = random_scene(DRAWN_SEED, SECONDS)
    (kept,) = folder.glob("*.npz")
    assert load_poses(kept).present.mean() > 0.8
    first, frames = scene.dances[0].beats_s[0], np.arange(pool.motion.shape[1])
    height = pool.motion[..., MOTION_NAMES.index("wrist_y_l")].astype(np.float64)
    for row, seen, tempo in zip(pool.targets[..., 0], height, pool.tempo[:, 0], strict=True):
        speed = float(tempo / pool.tempo[0, 0])
        at = round(first / speed * MOTION_FPS)
        assert row[max(at - 1, 0) : at + 2].max() > 0.6
        then = frames * speed
        inside = then <= frames[-1]
        wanted = np.interp(then[inside], frames, height[0])
        assert np.corrcoef(seen[inside], wanted)[0, 1] > 0.95


def test_a_share_of_the_windows_is_drawn(pool: Pool) -> None:
    other = Pool(0 * pool.motion[:1], pool.targets[:1], pool.tempo[:1], pool.seeds[:1])
    both, odds = joined([pool, other], [0.25, 0.75])
    assert len(both) == len(odds) == len(pool) + 1
    assert odds.sum() == pytest.approx(1)
    assert odds[-1] == pytest.approx(0.75)
    motion, _, _ = batch_of(both, 64, np.random.default_rng(0), odds)
    assert 0.6 < float((motion[len(motion) // 2 :, 0, 0] == 0).float().mean()) < 0.9


def test_drawn_dances_cannot_leave_out_moves(tmp_path: Path) -> None:
    config = TrainRhythmConfig(
        out=tmp_path / "a.safetensors", folder=tmp_path, dances=1, drawn=1, leave_out=("swing",)
    )
    with pytest.raises(SettingError, match="drawn 0"):
        train(config, "test")
