"""The transformer on straight items: windows look back where music said the same, and that is learnt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from d2m_core.errors import SettingError
from d2m_core.music import DanceToMusic, ModelConfig
from d2m_core.music.copies import NONE
from d2m_core.straight import LAGS, StepGrid
from training.train import parse
from training.transformer.items import TrainItem
from training.transformer.made_items import CODEC, MOTION_NAMES, make_items
from training.transformer.trainer import Trainer
from training.transformer.windows import check_grids, draw_batch, split

TINY, TINY_SHAPE = parse(["--preset", "tiny", "--straight", "--copies", "--place", "8"])
SHAPE = ModelConfig(len(MOTION_NAMES), CODEC.codebooks, CODEC.cardinality, **TINY_SHAPE)
PLAIN = replace(TINY, drop_all=0.0, drop_rhythm=0.0, drop_motion=0.0, short_windows=0.0)
BAR = 96


def straight_items(count: int) -> list[TrainItem]:
    """Items at 125 BPM whose every bar is the same tokens of chance, in all books."""
    made = []
    for number, item in enumerate(make_items(count)):
        rng = np.random.default_rng(number)
        steps = item.codes.shape[1]
        bar = rng.integers(0, CODEC.cardinality, (CODEC.codebooks, BAR))
        beats = np.arange(number % 24, steps, 24)
        made.append(
            replace(
                item,
                codes=np.tile(bar, -(-steps // BAR))[:, :steps].astype(np.int16),
                beats_s=beats / CODEC.token_rate,
                downbeats=np.arange(len(beats)) % 4 == 0,
                tempo_bpm=125.0,
            )
        )
    return made


def test_windows_carry_places_and_what_was_said_before() -> None:
    net = DanceToMusic(SHAPE)
    batch = draw_batch(straight_items(4), net, PLAIN, np.random.default_rng(0))
    assert batch.copied is not None
    columns = batch.codes.shape[-1] + CODEC.codebooks - 1
    assert batch.copied.shape == (TINY.batch, len(LAGS), CODEC.codebooks, columns)
    for entry, codes in enumerate(batch.codes):
        for book in range(CODEC.codebooks):
            seen = batch.copied[entry, 1, book, book : book + codes.shape[-1]]
            there = seen != NONE
            assert torch.equal(seen[there], codes[book][there]), "a bar before stood the same"
    assert (batch.copied[:, 1] != NONE).any()
    assert set(batch.given.place[..., 3].unique().tolist()) == {24}
    loose = draw_batch(make_items(4), net, PLAIN, np.random.default_rng(0))
    assert loose.copied is not None
    assert (loose.copied == NONE).all()
    assert not loose.given.place.any(), "beats between steps make no grid"


def test_half_of_the_windows_are_taken_for_the_beginning_of_a_piece() -> None:
    net, items = DanceToMusic(SHAPE), straight_items(4)
    batch = draw_batch(items, net, replace(PLAIN, batch=64), np.random.default_rng(0))
    assert batch.copied is not None
    blank = (batch.copied[:, 0, 0, :20] == NONE).all(1)
    assert 18 < int(blank.sum()) < 50


def test_music_without_any_dance_has_no_grid_half_of_the_time() -> None:
    net, rng = DanceToMusic(SHAPE), np.random.default_rng(0)
    free = replace(PLAIN, drop_all=1.0, batch=64)
    batch = draw_batch(straight_items(4), net, free, rng)
    assert batch.copied is not None
    known = batch.given.place[..., 3].bool().any(1)
    assert 16 < int(known.sum()) < 48
    assert (batch.copied[~known] == NONE).all()
    assert (batch.copied[known] != NONE).any()


def test_what_repeats_is_learnt_from_copies_alone() -> None:
    """Chance cannot be learnt, but that it comes again."""
    losses = {}
    items = straight_items(12)
    for copies in (True, False):
        trainer = Trainer(PLAIN, replace(SHAPE, copies=copies, window_s=5.0), split(items, 4))
        for step in range(50):
            found = trainer.train_step(trainer.batch(step))
        losses[copies] = float(found.mean())
    assert losses[False] > 3.0, "bars of chance cannot be learnt by heart so soon"
    assert losses[True] < losses[False] - 0.8


def test_items_off_the_grid_and_networks_of_straight_time_do_not_go_together(
    caplog: pytest.LogCaptureFixture,
) -> None:
    check_grids(True, split(straight_items(3)))
    check_grids(False, split(make_items(3)))
    assert not caplog.records
    with pytest.raises(SettingError, match="encode the music with --straight"):
        check_grids(True, split(make_items(3)))
    check_grids(False, split(straight_items(3)))
    assert "--preset straight" in caplog.text


def test_grids_are_those_of_the_items() -> None:
    item = straight_items(3)[2]
    grid = StepGrid.of(item.beats_s, item.downbeats, CODEC.token_rate)
    assert grid is not None
    assert grid.beats[0] == 2
    assert grid.metre == 4
