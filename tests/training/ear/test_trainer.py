"""A few steps of the ear's training, and going on exactly where it was stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.ear import EAR_FPS, EAR_RATE, HEADS
from d2m_core.ear.spectrum import HOP
from d2m_core.errors import SettingError
from training.ear.clicks import click_piece
from training.ear.pool import Pool, packed
from training.ear.trainer import TrainEarConfig, Trainer, batch_of, bumps_of, no_music, spoilt


@pytest.fixture(scope="module")
def pool() -> Pool:
    return packed([click_piece(5.0, np.random.default_rng(seed)) for seed in range(6)])


def config(tmp_path: Path, **settings: object) -> TrainEarConfig:
    base = TrainEarConfig(folder=tmp_path, batch=2, window_s=4.0, channels=8, layers=3, minutes=60.0)
    return replace(base, **settings)


def test_bumps_lie_on_the_events_at_any_speed(pool: Pool) -> None:
    piece = pool.piece(0)
    for hop in (HOP, 380, 620):
        fps, start = EAR_RATE / hop, EAR_RATE
        wanted = bumps_of(piece, start, hop, 100)
        assert wanted.shape == (100, len(HEADS))
        places = (piece.beats_s - 1.0) * fps
        inside = places[(places >= 0) & (places < 99)]
        assert (wanted[np.round(inside).astype(int), 0] > 0.85).all()
        assert wanted[:, 0].sum() < 4 * (len(inside) + 2)
        assert (wanted[:, 1] <= wanted[:, 0] + 1e-6).all()


def test_a_batch_is_finite_and_drawn_from_its_seed(pool: Pool, tmp_path: Path) -> None:
    settings = config(tmp_path)
    mel, wanted = batch_of(pool, settings, np.random.default_rng(0))
    frames = round(settings.window_s * EAR_FPS)
    assert mel.shape[:2] == wanted.shape[:2] == (2, frames)
    assert torch.isfinite(mel).all()
    assert ((wanted >= 0) & (wanted <= 1)).all()
    torch.testing.assert_close(mel, batch_of(pool, settings, np.random.default_rng(0))[0])
    for seed in range(6):
        assert torch.isfinite(spoilt(torch.rand(40, 64), np.random.default_rng(seed))).all()
        assert (no_music(40, np.random.default_rng(seed)) >= 0).all()


def test_the_loss_falls(pool: Pool, tmp_path: Path) -> None:
    trainer = Trainer(config(tmp_path, rate=1e-2, leave_out=("spoilt",)), pool)
    losses = [trainer.train_step() for _ in range(60)]
    assert np.mean(losses[-8:]) < 0.6 * np.mean(losses[:4])


def test_a_stopped_run_goes_on_to_the_same_weights(pool: Pool, tmp_path: Path) -> None:
    """By steps: the clock would give other learning rates."""
    whole, first = (Trainer(config(tmp_path, steps=4), pool) for _ in range(2))
    for _ in range(4):
        whole.train_step()
    for _ in range(2):
        first.train_step()
    first.save(tmp_path / "state.pt")
    again = Trainer(config(tmp_path, steps=4), pool)
    assert again.restore(tmp_path / "state.pt")
    for _ in range(2):
        again.train_step()
    for name, value in whole.averaged_net().state_dict().items():
        torch.testing.assert_close(again.averaged_net().state_dict()[name], value)
    with pytest.raises(SettingError, match="of something else: batch"):
        Trainer(config(tmp_path, batch=3), pool).restore(tmp_path / "state.pt")
