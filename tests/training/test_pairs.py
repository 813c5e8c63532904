"""Pairs of dance and music: one short one, and a run that is not repeated."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from d2m_core.codec import load_codec
from d2m_core.motion import MOTION_NAMES
from d2m_core.types import RHYTHM_CURVES
from tests import tiny_models
from training.data import read_item
from training.seeds import PAIRS_SEED
from training.studio.pairs import PairPlan, main, make_pair

SECONDS = 3.0


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("codec") / "tiny"
    tiny_models.write_codec(folder)
    return folder


def test_a_pair_is_one_dance_with_its_music(codec: Path) -> None:
    item = make_pair(PairPlan(PAIRS_SEED, SECONDS, str(codec), None))
    spec = load_codec(codec).spec
    assert item.codec == spec
    assert item.codes.shape == (spec.codebooks, 150)
    assert len(np.unique(item.codes)) > 1
    assert item.curves.shape == (75, len(RHYTHM_CURVES))
    assert item.motion is not None
    assert item.motion.shape == (75, len(MOTION_NAMES))
    assert item.motion_names == MOTION_NAMES
    assert item.duration_s == SECONDS
    assert ((item.beats_s >= 0) & (item.beats_s < SECONDS)).all()
    periods = np.diff(item.beats_s) * item.tempo_bpm / 60
    np.testing.assert_allclose(periods, 1.0, atol=0.03)


def test_equal_seeds_give_equal_pairs_and_others_do_not(codec: Path) -> None:
    plan = PairPlan(PAIRS_SEED + 1, SECONDS, str(codec), None)
    one, two = make_pair(plan), make_pair(plan)
    for field in fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(two, field.name))
    other = make_pair(PairPlan(PAIRS_SEED + 2, SECONDS, str(codec), None))
    assert other.tempo_bpm != one.tempo_bpm


def test_half_of_the_curves_are_read_from_the_dance(codec: Path, tmp_path: Path) -> None:
    rhythm = tmp_path / "rhythm.safetensors"
    tiny_models.write_rhythm(rhythm)
    changed = 0
    for seed in range(PAIRS_SEED, PAIRS_SEED + 6):
        own = make_pair(PairPlan(seed, 1.5, str(codec), None))
        read = make_pair(PairPlan(seed, 1.5, str(codec), str(rhythm)))
        np.testing.assert_array_equal(own.codes, read.codes)
        changed += not np.array_equal(own.curves, read.curves)
    assert 0 < changed < 6


def test_a_run_goes_on_without_making_items_again(
    codec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "pairs"
    command = ["--out", str(out), "--seconds", "2", "--codec", str(codec), "--workers", "1"]
    assert main([*command, "--hours", str(2 / 3600)]) == 0
    (first,) = out.iterdir()
    assert first.name == f"{PAIRS_SEED:07d}.safetensors"
    stamp = first.stat().st_mtime_ns
    assert main([*command, "--hours", str(4 / 3600)]) == 0
    assert first.stat().st_mtime_ns == stamp
    assert len(list(out.iterdir())) == 2
    assert read_item(first).duration_s == 2.0
    assert capsys.readouterr().out.endswith(f"2 items in {out}\n")
