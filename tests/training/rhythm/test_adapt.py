"""Fitting the rhythm network to own dances: clocks are found, nothing else moves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.errors import SettingError
from d2m_core.motion import MOTION_NAMES
from d2m_core.rhythm import RhythmConfig, RhythmNet
from d2m_core.rhythm.network import RhythmOutput
from training.rhythm.adapt import AdaptSettings, Clock, RealDance, _own_loss, adapt, clock_of, read_dances
from training.rhythm.cross_validation import song_of
from training.rhythm.pool import bumps, cached_pool, example

FRAMES = 500


def test_a_clock_moves_beats_by_offset_and_drift() -> None:
    moved = Clock(0.2, 0.01).moved(np.array([0.0, 10.0, 20.0]), 20.0)
    np.testing.assert_allclose(moved, [0.1, 10.2, 20.3])


@pytest.mark.parametrize(("offset_s", "drift"), [(0.0, 0.0), (0.2, 0.0), (-0.16, 0.01)])
def test_clocks_are_found_in_a_clear_curve(offset_s: float, drift: float) -> None:
    rng = np.random.default_rng(3)
    beats = np.cumsum(rng.uniform(0.5, 0.6, 32))  # not quite even: else phases look alike
    there = Clock(offset_s, drift).moved(beats, FRAMES / 25)
    curve = 0.9 * bumps(np.arange(FRAMES) / 25, there)
    found = clock_of(curve, beats)
    assert abs(found.offset_s - offset_s) <= 0.04
    assert abs(found.drift - drift) <= 0.004


def test_a_flat_curve_leaves_clocks_alone() -> None:
    assert clock_of(np.full(FRAMES, 0.2), np.arange(1, 19, 0.5)) == Clock(0.0, 0.0)


def test_fitting_learns_beats_that_lie_elsewhere(tmp_path: Path) -> None:
    torch.manual_seed(0)
    truth, motion = example(5, 8.0)
    own = RealDance("a", motion, truth.beats_s, song="one")
    pool = cached_pool(tmp_path, range(2), 8.0, workers=1)
    net = RhythmNet(RhythmConfig(len(MOTION_NAMES), 16, 3, parts=True, tempo_bins=8)).eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    clocks = adapt(net, [own], pool, AdaptSettings(minutes=0.01, batch=2, clocks_every=2))
    assert len(clocks) == 1
    assert not net.training
    assert not torch.equal(net.state_dict()["head.weight"], before["head.weight"])
    assert torch.equal(net.state_dict()["mean"], before["mean"])
    assert song_of(own) == "one"


def test_a_network_that_reads_fewer_features_is_fitted_in_them(tmp_path: Path) -> None:
    truth, motion = example(5, 8.0)
    own = RealDance("a", motion, truth.beats_s)
    pool = cached_pool(tmp_path, range(2), 8.0, workers=1)
    names = MOTION_NAMES[:40]
    net = RhythmNet(RhythmConfig(40, 16, 3, parts=True, tempo_bins=8), names).eval()
    before = net.head.weight.detach().clone()
    adapt(net, [own], pool, AdaptSettings(minutes=0.01, batch=2))
    assert not torch.equal(net.head.weight, before)


def test_a_short_dance_cuts_no_other_dance() -> None:
    """Windows stay 8 s long; behind the end of a shorter dance nobody is seen, and nothing learnt."""
    _, motion = example(5, 10.0)
    short = replace(motion, values=motion.values[:50])
    long, brief = (
        RealDance("a", motion, np.arange(0.5, 10, 0.5)),
        RealDance("b", short, np.arange(0.5, 2, 0.5)),
    )
    seen = []

    class Net(RhythmNet):
        def forward(self, motion: torch.Tensor, present: torch.Tensor) -> RhythmOutput:
            seen.append((motion, present))
            return super().forward(motion, present)

    net = Net(RhythmConfig(len(MOTION_NAMES), 16, 3, parts=True, tempo_bins=8))
    loss = _own_loss(net, [long, brief], [Clock(), Clock()], 16, np.random.default_rng(0))
    ((windows, present),) = seen
    assert windows.shape[:2] == (16, 200)
    lengths = present.sum(1)
    assert ((lengths <= 50) | (lengths > 150)).all()
    assert (lengths <= 50).any()
    assert (lengths > 150).any()
    assert torch.isfinite(loss)
    brief_alone = _own_loss(net, [brief], [Clock()], 4, np.random.default_rng(0))
    assert torch.isfinite(brief_alone)
    assert seen[-1][0].shape[1] == 50


def test_a_folder_without_dances_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="holds no dances"):
        read_dances(tmp_path, tmp_path)
