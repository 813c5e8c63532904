"""Fine-tuning from a checkpoint of our own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.errors import SettingError
from d2m_core.music import load_model, save_model
from d2m_core.types import CodecSpec
from tests.training.test_train import SHAPE, TINY
from training.transformer.made_items import make_items
from training.transformer.start_ours import checkpoint_shape
from training.transformer.trainer import Trainer
from training.transformer.windows import DataSet, split


@pytest.fixture
def data() -> DataSet:
    return split(make_items(4))


def _saved(folder: Path, data: DataSet, codec: CodecSpec | None = None) -> str:
    net = Trainer(TINY, SHAPE, data).net
    net.motion_mean.fill_(0.5)  # of other dances
    path = folder / "model.safetensors"
    save_model(path, net, codec or data.codec, data.motion_names, None, {}, half=False)
    return str(path)


def test_training_starts_with_the_weights_of_a_checkpoint(tmp_path: Path, data: DataSet) -> None:
    path = _saved(tmp_path, data)
    shape, same = checkpoint_shape(path, data)
    assert shape == SHAPE
    assert same.train == data.train
    trainer = Trainer(replace(TINY, init=path, seed=7), shape, data)
    before = load_model(path).model.state_dict()
    assert all(torch.equal(before[name], t) for name, t in trainer.net.state_dict().items())
    assert all(torch.equal(before[name], t) for name, t in trainer.average.values.items())
    trainer.train_step(trainer.batch(0))
    assert not torch.equal(before["tokens_in"], trainer.net.tokens_in)
    assert torch.equal(before["motion_mean"], trainer.net.motion_mean)


def test_items_may_have_more_motion_features_than_the_checkpoint(tmp_path: Path, data: DataSet) -> None:
    path = _saved(tmp_path, data)
    item = data.train[0]
    assert item.motion is not None
    names = ("later", *item.motion_names)
    wide = replace(item, motion=np.pad(item.motion, ((0, 0), (1, 0))), motion_names=names)
    _shape, fitting = checkpoint_shape(path, split((wide, wide)))
    assert fitting.motion_names == item.motion_names
    assert fitting.train[0].motion is not None
    assert (fitting.train[0].motion == item.motion).all()
    with pytest.raises(SettingError, match="other motion features"):
        checkpoint_shape(path, split((replace(item, motion_names=("a", "b", "c")),)))


def test_items_must_fit_the_checkpoint(tmp_path: Path, data: DataSet) -> None:
    path = _saved(tmp_path, data)
    items = tuple(replace(item, style="tango") for item in data.train)
    with pytest.raises(SettingError, match="does not know the style tango"):
        checkpoint_shape(path, split(items))
    other = _saved(tmp_path, data, replace(data.codec, name="other"))
    with pytest.raises(SettingError, match="codebooks of other"):
        checkpoint_shape(other, data)
