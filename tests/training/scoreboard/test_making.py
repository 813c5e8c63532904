"""Music and what is heard in it are kept by what made them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.band import Materials, make_plan
from d2m_core.grid import steady_beats
from d2m_core.music import SamplingConfig
from d2m_core.pipeline import load_models
from tests.tiny_models import CODEC_FOLDER, write_all
from training.scoreboard.music import sets
from training.scoreboard.music.making import Maker, clicks, hear


def test_a_sound_under_a_known_name_is_heard_anew(tmp_path: Path, other_code: Callable[[], None]) -> None:
    at = tmp_path / "song_aist_one_8s"
    slow, fast = (hear(clicks(steady_beats(bpm, 8.0), 8.0), at) for bpm in (100, 150))
    assert (slow.tempo_bpm, fast.tempo_bpm) == pytest.approx((100, 150), rel=0.03)
    again = hear(clicks(steady_beats(100, 8.0), 8.0), at)
    np.testing.assert_array_equal(again.beats_s, slow.beats_s)
    there = len(list(tmp_path.iterdir()))
    other_code()
    hear(clicks(steady_beats(100, 8.0), 8.0), at)
    assert len(list(tmp_path.iterdir())) == there + 2


def test_another_codec_of_the_same_name_makes_other_music(
    tmp_path: Path, other_code: Callable[[], None]
) -> None:
    write_all(tmp_path)
    models = load_models(
        tmp_path / "model.safetensors", str(tmp_path / CODEC_FOLDER), tmp_path / "rhythm.safetensors", "cpu"
    )

    def take() -> Path:
        maker = Maker(models, tmp_path / "model.safetensors", tmp_path / "made")
        return maker.take("free", None, None, SamplingConfig(guidance=1.0), 1.0).kept

    first = take()
    assert take() == first
    with torch.no_grad():
        next(p for n, p in models.codec.named_parameters() if "decoder" in n).mul_(0.5)
    second = take()
    other_code()
    assert len({first, second, take()}) == 3
    assert len(list((tmp_path / "made").glob("*.wav"))) == 3


def test_another_plan_of_the_same_seed_is_played_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other_code: Callable[[], None]
) -> None:
    monkeypatch.setattr(sets, "installed_materials", Materials)
    plan = make_plan(3, 2.0, "house")
    first = sets._band(plan, tmp_path).samples
    assert torch.equal(sets._band(plan, tmp_path).samples, first)
    quiet = replace(plan, energy=0.2 * plan.energy)
    assert not torch.equal(sets._band(quiet, tmp_path).samples, first)
    other_code()
    sets._band(plan, tmp_path)
    assert len(list(tmp_path.glob("*.wav"))) == 3
