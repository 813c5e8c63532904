"""Training items as files and in shards, and windows of items of unequal length."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from d2m_core.errors import SettingError
from d2m_core.music import DanceToMusic
from tests.training.studio.pairs import made_up
from tests.training.test_train import PLAIN, SHAPE
from training.pairs.shards import shard_path, write_index, write_shard
from training.run.provenance import ROOT
from training.transformer.items import item_bytes, item_from, items_in, write_item
from training.transformer.made_items import make_items
from training.transformer.windows import draw_batch, read_folder


def test_equal_items_make_equal_files_in_every_process() -> None:
    script = (
        "import hashlib; from training.transformer.items import item_bytes;"
        "from training.transformer.made_items import make_items;"
        "print(len({item_bytes(make_items(1)[0]) for _ in range(20)}),"
        " hashlib.sha256(item_bytes(make_items(1)[0])).hexdigest())"
    )
    run = [sys.executable, "-c", script]
    said = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert said == ["1", hashlib.sha256(item_bytes(make_items(1)[0])).hexdigest()]


def test_items_are_read_from_files_and_from_shards(tmp_path: Path) -> None:
    one, two, three = make_items(3)
    write_item(tmp_path / "one.safetensors", one)
    pairs = [
        replace(made_up("a"), item=item_bytes(two)),
        made_up("b"),  # not every pair has one
        replace(made_up("c"), item=item_bytes(three)),
    ]
    write_shard(shard_path(tmp_path / "more", 0), pairs)
    write_index(tmp_path / "more")
    read = list(items_in(tmp_path))
    assert [item.tempo_bpm for item in read] == [i.tempo_bpm for i in (one, two, three)]
    np.testing.assert_array_equal(read[1].codes, two.codes)
    np.testing.assert_array_equal(read[2].motion, three.motion)
    assert len(read_folder(tmp_path).train) == 3


def test_a_broken_item_in_a_shard_is_named() -> None:
    with pytest.raises(SettingError, match=r"shard-00000\.tar: a"):
        item_from(item_bytes(make_items(1)[0])[:50], "shard-00000.tar: a")


def test_short_items_do_not_shorten_all_windows() -> None:
    long, short = make_items(1, 6.0)[0], make_items(1, 1.0, seed=1)[0]
    net, rng = DanceToMusic(SHAPE), np.random.default_rng(0)
    config = replace(PLAIN, short_windows=0.0)
    steps = [draw_batch([long, short], net, config, rng).codes.shape[-1] for _ in range(60)]
    assert set(steps) == {50, 100}  # 1 s where the short one leads, else the window's 2 s
    assert 1 <= steps.count(50) <= 20  # it is a seventh of the music
