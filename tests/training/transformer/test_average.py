"""Averages of models: weights in their shares, and nothing else changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from d2m_core.codec import CODECS
from d2m_core.music import DanceToMusic, ModelConfig, load_model, save_model
from training.average_models import main

SPEC = replace(CODECS["d2m-3"], codebooks=2)
NAMES = ("speed", "accel")


def write(path: Path, seed: int, licence: str = "MIT", dim: int = 16) -> Path:
    torch.manual_seed(seed)
    config = ModelConfig(
        features=len(NAMES),
        codebooks=2,
        cardinality=SPEC.cardinality,
        dim=dim,
        heads=2,
        encoder_layers=1,
        decoder_layers=1,
        styles=("house",),
    )
    return save_model(path, DanceToMusic(config), SPEC, NAMES, None, {"licence": licence, "steps": seed})


def words(out: Path, *models: Path, shares: tuple[float, ...] = (0.25, 0.75)) -> list[str]:
    return ["--models", *map(str, models), "--shares", *map(str, shares), "--out", str(out)]


def test_weights_are_mixed_in_their_shares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = write(tmp_path / "a.safetensors", 1), write(tmp_path / "b.safetensors", 2)
    out = tmp_path / "c.safetensors"
    assert main(words(out, first, second)) == 0
    one, two, both = (load_model(path) for path in (first, second, out))
    for name, value in both.model.state_dict().items():
        wanted = 0.25 * one.model.state_dict()[name] + 0.75 * two.model.state_dict()[name]
        torch.testing.assert_close(value, wanted, atol=1e-3, rtol=1e-3)
    assert both.model.config == one.model.config
    assert (both.spec, both.motion_names, both.info["licence"]) == (SPEC, NAMES, "MIT")
    assert [(each["share"], each["steps"]) for each in both.info["average_of"]] == [(0.25, 1), (0.75, 2)]
    assert "average_of" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("said", "change", "shares"),
    [
        ("sum 1", {}, (0.5, 0.6)),
        ("give one for each", {}, (1.0,)),
        ("differ in their shape", {"dim": 32}, (0.5, 0.5)),
        ("differ in their licence", {"licence": "CC BY-NC 4.0"}, (0.5, 0.5)),
    ],
)
def test_what_does_not_go_together_is_a_sentence(
    said: str,
    change: dict[str, Any],
    shares: tuple[float, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second = write(tmp_path / "a.safetensors", 1), write(tmp_path / "b.safetensors", 2, **change)
    assert main(words(tmp_path / "c.safetensors", first, second, shares=shares)) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "c.safetensors").exists()
