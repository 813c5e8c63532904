"""Streams that a rhythm network is fitted to: they end where the poses end, and the rest is foretold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.errors import SettingError
from d2m_core.motion import MOTION_NAMES
from d2m_core.rhythm import RhythmConfig, RhythmNet, rhythm_curves
from d2m_core.types import MOTION_FPS, MotionFeatures
from training.rhythm.losses import TEMPO_BINS
from training.rhythm.pool import TARGETS, Pool, targets_of
from training.rhythm.running import (
    AHEAD_S,
    DANCE_S,
    LENGTHS_S,
    RunningConfig,
    RunningTrainer,
    make_windows,
    weights_of,
    window_of,
)
from training.studio.any_scene import random_scene
from training.studio.stage.noise import mediapipe_like
from training.train_running import parse

SEED = 12_000_400
AHEAD = round(AHEAD_S * MOTION_FPS)


@pytest.fixture(scope="module")
def pools() -> list[Pool]:
    return make_windows([SEED])


def small() -> RhythmNet:
    torch.manual_seed(0)
    return RhythmNet(RhythmConfig(len(MOTION_NAMES), 8, 2, parts=True, tempo_bins=TEMPO_BINS), MOTION_NAMES)


def test_windows_have_every_length_and_nobody_at_their_end(pools: list[Pool]) -> None:
    for pool, length_s in zip(pools, LENGTHS_S, strict=True):
        frames = round(length_s * MOTION_FPS)
        assert pool.motion.shape == (1, frames + AHEAD, len(MOTION_NAMES))
        assert pool.targets.shape == (1, frames + AHEAD, len(TARGETS))
        assert not pool.motion[:, frames:].any()
        assert pool.motion[:, :frames, 0].any()
        assert pool.targets[:, frames:, 0].max() > 0.5, "beats to come are told"


def test_a_window_knows_nothing_of_what_comes_after_it() -> None:
    scene = random_scene(SEED, DANCE_S)
    poses = mediapipe_like(scene, np.random.default_rng(0))
    motion, targets, _ = window_of(scene, poses, 1.0, 4.0)
    other = np.array(poses.image)
    other[round(5.0 * poses.fps) :] = 0.1
    again = window_of(scene, replace(poses, image=other), 1.0, 4.0)[0]
    np.testing.assert_array_equal(motion, again)
    whole = targets_of(scene, round(DANCE_S * MOTION_FPS))
    np.testing.assert_allclose(targets, whole[25 : 25 + len(targets)], atol=2e-3)


def test_what_is_to_be_foretold_counts_and_what_is_long_ago_counts_less() -> None:
    present = torch.ones(1, 300, dtype=torch.bool)
    present[:, 100:110] = False
    present[:, -AHEAD:] = False
    weights = weights_of(present)[0]
    assert weights[-AHEAD:].eq(1).all()
    assert weights[100:110].eq(0).all()
    assert weights[50] < weights[-AHEAD - 1]


def test_a_run_goes_on_where_it_was_stopped_and_refuses_others(pools: list[Pool], tmp_path: Path) -> None:
    config, state = RunningConfig(batch=1, minutes=100.0), tmp_path / "state.pt"
    before = small().state_dict()
    first = RunningTrainer(config, small(), pools[2:])
    first.train_step()
    first.save(state)
    then = RunningTrainer(config, small(), pools[2:])
    assert then.restore(state)
    assert (then.step, then.loss) == (1, first.loss)
    learnt = {name: value for name, value in then.net.state_dict().items() if "weight" in name}
    for name, value in learnt.items():
        torch.testing.assert_close(value, first.net.state_dict()[name], rtol=0, atol=0)
    assert any(not torch.equal(value, before[name]) for name, value in learnt.items())
    with pytest.raises(SettingError):
        RunningTrainer(replace(config, seed=1), small(), pools[2:]).restore(state)


def test_the_network_says_that_it_foretells_and_is_asked_to(pools: list[Pool]) -> None:
    net = RunningTrainer(RunningConfig(), small(), pools).averaged_net()
    assert net.config.foretells == AHEAD
    motion = MotionFeatures(pools[2].motion[0, :100].astype(np.float32), MOTION_NAMES)
    usual, further = rhythm_curves(motion, net), rhythm_curves(motion, net, foretell=True)
    assert len(usual.beat) == 100
    assert len(further.beat) == len(further.energy) == 100 + AHEAD
    assert further.seen is not None
    assert not further.seen[100:].any()
    assert further.beat[100:].min() > 0, "something is said of frames in which nobody is seen"
    assert rhythm_curves(motion, small(), foretell=True).beat.shape == (100,)


def test_flags_are_the_fields_of_the_settings() -> None:
    assert parse(["--minutes", "3", "--dances", "7"]) == RunningConfig(minutes=3.0, dances=7)
