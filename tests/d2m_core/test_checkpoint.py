"""Weight files: they come back as they went, explain themselves, and refuse what they are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from d2m_core.checkpoint import read_info
from d2m_core.errors import ModelError
from d2m_core.motion import MOTION_NAMES
from d2m_core.music import DanceToMusic, ModelConfig, load_model, save_model, styles_in
from d2m_core.rhythm import RhythmConfig, RhythmNet, load_rhythm, rhythm_curves, save_rhythm
from d2m_core.types import CodecSpec, MotionFeatures

SPEC = CodecSpec("tiny", 24_000, 50.0, 2, 16)
NAMES = ("hip", "hand", "foot")
STATS = (torch.tensor([1.0, -2e5, 3.0]), torch.tensor([0.1, 7e5, 1e-6]))
INFO = {"command": "python -m training.train", "licence": "MIT", "losses": [1.5, 2.5]}
Meta = dict[str, str]


@pytest.fixture
def model() -> DanceToMusic:
    torch.manual_seed(0)
    return DanceToMusic(
        ModelConfig(
            features=3,
            codebooks=2,
            cardinality=16,
            styles=("waltz", "polka"),
            dim=16,
            heads=2,
            encoder_layers=1,
            decoder_layers=1,
            ffn=16,
        )
    )


def test_model_comes_back_bit_for_bit(model: DanceToMusic, tmp_path: Path) -> None:
    path = save_model(tmp_path / "deep" / "m.safetensors", model, SPEC, NAMES, None, INFO, half=False)
    back = load_model(path)
    assert (back.spec, back.motion_names, back.info) == (SPEC, NAMES, INFO)
    assert back.model.config == model.config
    assert styles_in(path) == ("waltz", "polka")
    assert styles_in(path.parent) == styles_in(tmp_path / "none") == ()
    assert not back.model.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, back.model.state_dict()[name]), name


def test_half_is_smaller_close_and_keeps_statistics_exact(model: DanceToMusic, tmp_path: Path) -> None:
    full = save_model(tmp_path / "full.safetensors", model, SPEC, NAMES, STATS, INFO, half=False)
    half = save_model(tmp_path / "half.safetensors", model, SPEC, NAMES, STATS, INFO)
    assert half.stat().st_size < 0.8 * full.stat().st_size
    back = load_model(half)
    assert torch.equal(back.mean, STATS[0])
    assert torch.equal(back.std, STATS[1])
    assert {p.dtype for p in back.model.parameters()} == {torch.float32}
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(back.model.get_parameter(name), parameter, atol=1e-3, rtol=1e-3)


def test_rhythm_comes_back(tmp_path: Path) -> None:
    net = RhythmNet(RhythmConfig(features=len(MOTION_NAMES), channels=8, layers=2)).eval()
    path = save_rhythm(tmp_path / "r.safetensors", net, MOTION_NAMES, INFO, half=False)
    back = load_rhythm(path)
    motion = torch.randn(1, 30, len(MOTION_NAMES))
    with torch.no_grad():
        assert torch.equal(back(motion).beat, net(motion).beat)
    assert read_info(path, "rhythm") == INFO
    assert styles_in(path) == ()


def test_rhythm_reads_the_features_it_was_trained_with(tmp_path: Path) -> None:
    names = ("present", "bounce_v", "clap")
    net = RhythmNet(RhythmConfig(features=3, channels=8, layers=1), names)
    back = load_rhythm(save_rhythm(tmp_path / "r.safetensors", net, names, INFO))
    assert back.names == names
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, len(MOTION_NAMES))).astype(np.float32)
    values[:, 0] = 1
    whole = MotionFeatures(values, MOTION_NAMES)
    curves, alone = rhythm_curves(whole, back), rhythm_curves(whole.only(names), back)
    np.testing.assert_allclose(curves.beat, alone.beat, rtol=1e-5)
    with pytest.raises(ValueError, match="lack clap"):
        rhythm_curves(whole.only(names[:2]), back)


def test_kinds_are_not_mistaken(model: DanceToMusic, tmp_path: Path) -> None:
    path = save_model(tmp_path / "m.safetensors", model, SPEC, NAMES, None, INFO)
    with pytest.raises(ModelError, match="model network where a rhythm network"):
        load_rhythm(path)


def test_rhythm_of_other_features_is_refused(tmp_path: Path) -> None:
    net = RhythmNet(RhythmConfig(features=3, channels=8, layers=1))
    path = save_rhythm(tmp_path / "r.safetensors", net, NAMES, INFO)
    with pytest.raises(ModelError, match="other motion features"):
        load_rhythm(path)


def test_wrong_codec_is_refused(model: DanceToMusic, tmp_path: Path) -> None:
    path = save_model(tmp_path / "m.safetensors", model, SPEC, NAMES, None, INFO)
    assert load_model(path, codec=SPEC).spec == SPEC
    with pytest.raises(ModelError, match=r"tiny \(2 x 16 at 50 Hz\).*32k \(4 x 2048 at 50 Hz\)"):
        load_model(path, codec=CodecSpec("32k", 32_000, 50.0, 4, 2048))


@pytest.mark.parametrize("content", [b"", b"not a safetensors file" * 9, b"\x10\0\0\0\0\0\0\0{}"])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a safetensors file"):
        load_model(path)


def test_missing_truncated_and_foreign_files_are_refused(model: DanceToMusic, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no weight file"):
        load_model(tmp_path / "none.safetensors")
    with pytest.raises(ModelError, match="no weight file"):
        load_model(tmp_path)
    path = save_model(tmp_path / "m.safetensors", model, SPEC, NAMES, None, INFO)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ModelError, match="damaged"):
        load_model(path)
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(ModelError, match="not made by this project"):
        load_model(path)


def _set(key: str, value: Any) -> Callable[[Meta], None]:
    return lambda meta: meta.update({key: json.dumps(value)})


def _in(key: str, name: str, value: Any) -> Callable[[Meta], None]:
    return lambda meta: meta.update({key: json.dumps(json.loads(meta[key]) | {name: value})})


CHANGES = {
    "format version 99": _set("format_version", 99),
    "unknown or missing metadata: extra": _set("extra", 1),
    "unknown or missing metadata: info": lambda meta: meta.pop("info"),
    "unknown or missing in ModelConfig: rotary": _in("model", "rotary", True),
    "unknown or missing in CodecSpec": _set("codec", None),
    "impossible ModelConfig": _in("model", "heads", 3),
    "another rate": _in("motion", "fps", 30.0),
    "weights missing, unknown": _in("model", "ffn", 24),
    "not JSON": lambda meta: meta.update(model="{"),
}


@pytest.mark.parametrize("sentence", CHANGES)
def test_changed_descriptions_are_refused(sentence: str, model: DanceToMusic, tmp_path: Path) -> None:
    path = save_model(tmp_path / "m.safetensors", model, SPEC, NAMES, None, INFO)
    with safe_open(path, "pt") as file:
        metadata = dict(file.metadata())
    CHANGES[sentence](metadata)
    save_file(load_file(path), path, metadata)
    with pytest.raises(ModelError, match=sentence):
        load_model(path)


def test_unknown_and_missing_tensors_are_named(model: DanceToMusic, tmp_path: Path) -> None:
    path = save_model(tmp_path / "m.safetensors", model, SPEC, NAMES, None, INFO)
    with safe_open(path, "pt") as file:
        metadata = dict(file.metadata())
    tensors = load_file(path)
    tensors["stranger"] = tensors.pop("null")
    save_file(tensors, path, metadata)
    with pytest.raises(ModelError, match="null, stranger"):
        load_model(path)


def test_an_older_file_without_style_at_every_step_does_as_it_did(
    model: DanceToMusic, tmp_path: Path
) -> None:
    path = save_model(tmp_path / "m.safetensors", model, SPEC, NAMES, None, INFO, half=False)
    with safe_open(path, "pt") as file:
        metadata = dict(file.metadata())
    tensors = load_file(path)
    del tensors["style_add.weight"]
    save_file(tensors, path, metadata)
    assert not load_model(path).model.style_add.weight.any()


def test_broken_weights_are_not_written(model: DanceToMusic, tmp_path: Path) -> None:
    with torch.no_grad():
        model.heads.weight[0, 0] = float("inf")
    with pytest.raises(ModelError, match=r"heads\.weight"):
        save_model(tmp_path / "m.safetensors", model, SPEC, NAMES, None, INFO)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_alone(model: DanceToMusic, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.mkdir()  # a file cannot take its place
    with pytest.raises(ModelError, match="Cannot write"):
        save_model(path, model, SPEC, NAMES, None, INFO)
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]


def test_config_with_other_codec_size_is_refused(model: DanceToMusic, tmp_path: Path) -> None:
    other = replace(SPEC, cardinality=32)
    path = save_model(tmp_path / "m.safetensors", model, other, NAMES, None, INFO)
    with pytest.raises(ModelError, match=r"2 x 16.*2 x 32"):
        load_model(path)
