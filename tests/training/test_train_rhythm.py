"""The trainer of the rhythm network: its dances, one short run, and going on from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.checkpoint import load_rhythm
from d2m_core.config import TEMPO_RANGE_BPM
from d2m_core.grid import tempo_of
from d2m_core.motion import MOTION_NAMES
from training.evaluate_rhythm import drawn_dance
from training.rhythm_pool import TARGETS, Pool, cached_pool, example, random_grid, targets_of
from training.seeds import PAIRS_SEED, RHYTHM_HELD_OUT_SEED, RHYTHM_SEED
from training.train_rhythm import (
    Trainer,
    TrainRhythmConfig,
    batch_of,
    parse,
    train,
)

SECONDS = 4.0


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    return cached_pool(tmp_path_factory.mktemp("pool"), range(6), SECONDS)


def test_grids_stay_within_the_clip_and_the_tempo_range() -> None:
    low, high = TEMPO_RANGE_BPM
    for seed in range(40):
        beats, downbeats = random_grid(10.0, np.random.default_rng(seed))
        assert (beats >= 0).all()
        assert (beats < 10).all()
        assert len(beats) == len(downbeats)
        assert downbeats.any()
        assert 0.95 * low < tempo_of(beats) < 1.05 * high


def test_the_pool_is_danced_once(tmp_path: Path) -> None:
    first = cached_pool(tmp_path, range(50, 52), 2.0)
    (kept,) = tmp_path.iterdir()
    stamp = kept.stat().st_mtime_ns
    second = cached_pool(tmp_path, range(50, 52), 2.0)
    assert kept.stat().st_mtime_ns == stamp
    np.testing.assert_array_equal(first.motion, second.motion)
    assert first.motion.shape == (2, 50, len(MOTION_NAMES))


def test_targets_peak_on_the_beats() -> None:
    truth, motion = example(3, 6.0)
    targets = targets_of(truth, len(motion.values))
    nearest = np.round(truth.beats_s * 25).astype(int)
    inside = nearest[nearest < len(targets)]
    assert (targets[inside, TARGETS.index("beat")] > 0.85).all()
    between = ((truth.beats_s[1:] + truth.beats_s[:-1]) * 12.5).astype(int)
    assert (targets[between, TARGETS.index("beat")] < 0.2).all()
    assert targets.min() >= 0
    assert targets.max() <= 1


def test_batches_keep_motion_and_targets_together(pool: Pool) -> None:
    motion, targets = batch_of(pool, 4, np.random.default_rng(0))
    assert motion.shape[:2] == targets.shape[:2]
    assert motion.shape[2:] == (len(MOTION_NAMES),)
    plain = motion[len(motion) // 2 :]  # the other half is mirrored
    rows = {row.tobytes() for row in pool.motion.reshape(-1, len(MOTION_NAMES)).astype(np.float32)}
    assert all(frame.numpy().tobytes() in rows for frame in plain[:, 0])


def test_the_loss_falls_and_a_run_goes_on_where_it_stopped(pool: Pool, tmp_path: Path) -> None:
    config = TrainRhythmConfig(batch=4, device="cpu")
    one = Trainer(config, pool)
    losses = [one.train_step(pool) for _ in range(12)]
    assert np.mean(losses[-3:]) < 0.95 * np.mean(losses[:3])
    one.save_state(tmp_path / "state.pt")
    two = Trainer(config, pool)
    two.load_state(tmp_path / "state.pt")
    assert (two.step, two.spent_s, two.loss) == (one.step, one.spent_s, one.loss)
    for name, value in one.net.state_dict().items():
        torch.testing.assert_close(two.net.state_dict()[name], value)
    assert [f.name for f in tmp_path.iterdir()] == ["state.pt"]


def test_a_run_writes_weights_that_load(tmp_path: Path) -> None:
    out = tmp_path / "rhythm.safetensors"
    config = TrainRhythmConfig(
        out=out,
        folder=tmp_path / "runs",
        minutes=1e-4,
        dances=3,
        validation=1,
        batch=2,
        device="cpu",
    )
    found = train(config, "python -m training.train_rhythm")
    assert 0 <= found.beat_f <= 1
    net = load_rhythm(out)
    assert net.config.features == len(MOTION_NAMES)
    assert net.std.min() > 0


def test_every_field_is_an_option() -> None:
    config = parse(["--minutes", "3", "--out", "x.safetensors", "--weight-decay", "0.1"])
    assert config == TrainRhythmConfig(out=Path("x.safetensors"), minutes=3.0, weight_decay=0.1)
    assert RHYTHM_SEED + config.dances <= PAIRS_SEED < RHYTHM_HELD_OUT_SEED


def test_evaluation_dances_cover_the_tempi() -> None:
    tempi = [tempo_of(drawn_dance(n, 5, 8.0).plan.beats_s) for n in range(5)]
    assert tempi == sorted(tempi)
    assert 70 <= tempi[0] < 90
    assert 150 < tempi[-1] <= 170
