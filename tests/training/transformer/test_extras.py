"""Around the training: presets, compiling, arithmetic counted, samples, the file users load."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import EncodecConfig, EncodecModel

from d2m_core.errors import SettingError
from d2m_core.music import DanceToMusic, ModelConfig, load_model
from tests.training.test_train import SHAPE, TINY
from training.export_checkpoint import main as export
from training.train import parse
from training.transformer.flops import forward_flops, peak_flops, step_flops
from training.transformer.listening import Listener
from training.transformer.log import Watch
from training.transformer.made_items import CODEC, make_items
from training.transformer.settings import PRESETS, TrainConfig
from training.transformer.trainer import Trainer
from training.transformer.windows import split


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_are_settings(name: str) -> None:
    config, shape = parse(["--preset", name])
    assert isinstance(config, TrainConfig)
    ModelConfig(82, 4, 1024, **shape)


@pytest.mark.parametrize(("name", "least", "most"), [("base", 30e6, 100e6), ("large", 4e8, 6e8)])
def test_presets_have_the_size_that_is_said(name: str, least: float, most: float) -> None:
    _, shape = parse(["--preset", name])
    with torch.device("meta"):
        net = DanceToMusic(ModelConfig(82, 4, 1024, **shape))
    assert least < sum(p.numel() for p in net.parameters()) < most


def test_arithmetic_is_counted_as_torch_counts_it() -> None:
    shape = replace(SHAPE, encoder_layers=2, decoder_layers=3)
    net = DanceToMusic(shape).eval()
    batch = Trainer(TINY, SHAPE, split(make_items(4))).batch(0)[0]
    tokens = torch.zeros(*batch.codes.shape[:2], batch.given.step_phases.shape[1], dtype=torch.long)
    plain = sdpa_kernel(SDPBackend.MATH)  # the fused kernel of a CPU is not counted
    with plain, FlopCounterMode(display=False) as counter, torch.no_grad():
        net(tokens, batch.given)
    ours = forward_flops(shape, batch.codes.shape, CODEC.token_rate)
    assert ours == pytest.approx(counter.get_total_flops(), rel=0.03)
    assert step_flops(shape, batch.codes.shape, CODEC.token_rate) == 3 * ours
    assert peak_flops(torch.device("cpu")) is None


def test_a_compiled_step_is_the_same_step() -> None:
    data = split(make_items(4))
    plain, compiled = (Trainer(replace(TINY, compile=how), SHAPE, data) for how in ("none", "eager"))
    for trainer in (plain, compiled):
        trainer.train_step(trainer.batch(0))
    for name, parameter in plain.net.named_parameters():
        torch.testing.assert_close(compiled.net.get_parameter(name), parameter, msg=name)
    with pytest.raises(SettingError, match="choose none, inductor, eager"):
        replace(TINY, compile="fast")


def test_arithmetic_follows_the_codecs_rate() -> None:
    """As many tokens at 75 a second last less long, so that fewer frames of motion go in."""
    items = [replace(item, codec=replace(CODEC, token_rate=75.0)) for item in make_items(4, 12.0)]
    trainer = Trainer(TINY, SHAPE, split(items))
    batch = trainer.batch(0)[0]
    tokens = torch.zeros(*batch.codes.shape[:2], batch.given.step_phases.shape[1], dtype=torch.long)
    plain = sdpa_kernel(SDPBackend.MATH)
    with plain, FlopCounterMode(display=False) as counter, torch.no_grad():
        trainer.net.eval()(tokens, batch.given)
    counted = counter.get_total_flops()
    assert forward_flops(SHAPE, batch.codes.shape, 75.0) == pytest.approx(counted, rel=0.03)
    assert forward_flops(SHAPE, batch.codes.shape, 50.0) > 1.04 * counted


def test_the_watch_counts_at_the_codecs_rate(tmp_path: Path) -> None:
    found = []
    for rate in (50.0, 75.0):
        items = [replace(item, codec=replace(CODEC, token_rate=rate)) for item in make_items(4, 12.0)]
        trainer = Trainer(replace(TINY, folder=str(tmp_path), log_every=99), SHAPE, split(items))
        watch, parts = Watch(trainer), trainer.batch(0)
        trainer.step = 1
        watch.after_step(torch.zeros(4), parts)
        watch.lines.close()
        assert watch.flops == step_flops(SHAPE, parts[0].codes.shape, rate)
        found.append(watch.flops / parts[0].codes.shape[-1])
    assert found[0] != found[1]


def test_a_state_becomes_the_file_that_users_load(tmp_path: Path) -> None:
    config, data = replace(TINY, folder=str(tmp_path)), split(make_items(4))
    first = Trainer(config, SHAPE, data)
    first.train_step(first.batch(0))
    first.save()
    out = tmp_path / "users.safetensors"
    assert export(["--run", str(tmp_path), "--out", str(out)]) == 0
    exported, own = load_model(out), load_model(tmp_path / "last.safetensors")
    assert exported.spec == own.spec == CODEC
    assert exported.motion_names == own.motion_names
    assert exported.info["steps"] == 1
    for name, value in own.model.state_dict().items():
        assert torch.equal(exported.model.state_dict()[name], value), name
    assert export(["--run", str(tmp_path), "--out", str(out), "--weights", "last"]) == 0
    weight = load_model(out).model.motion_in.weight
    assert torch.equal(weight, first.net.motion_in.weight.half().float())
    assert not torch.equal(weight, own.model.motion_in.weight)


def test_no_state_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(["--run", str(tmp_path), "--out", str(tmp_path / "x.safetensors")]) == 1
    assert "last.pt" in capsys.readouterr().err
    (tmp_path / "last.pt").write_bytes(b"none")
    assert export(["--run", str(tmp_path), "--out", str(tmp_path / "x.safetensors")]) == 1
    assert "is no state of a training" in capsys.readouterr().err
    torch.save({"net": {}, "step": 3}, tmp_path / "last.pt")
    assert export(["--run", str(tmp_path), "--out", str(tmp_path / "x.safetensors")]) == 1
    assert "does not say what it was made of" in capsys.readouterr().err
    assert not (tmp_path / "x.safetensors").exists()


class Board:
    """Remembers what TensorBoard would get."""

    def __init__(self) -> None:
        self.scalars: dict[str, float] = {}
        self.sounds: dict[str, tuple[int, ...]] = {}
        self.pictures: dict[str, tuple[int, ...]] = {}

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.scalars[name] = value

    def add_audio(self, name: str, sound: torch.Tensor, step: int, rate: int) -> None:
        self.sounds[name] = tuple(sound.shape)

    def add_image(self, name: str, picture: object, step: int, dataformats: str) -> None:
        self.pictures[name] = picture.shape  # type: ignore[attr-defined]


def test_samples_become_sound_pictures_and_scores(tmp_path: Path) -> None:
    config = EncodecConfig(
        sampling_rate=24_000,
        upsampling_ratios=[8, 5, 4, 3],
        codebook_size=32,
        codebook_dim=8,
        hidden_size=8,
        num_filters=2,
        num_lstm_layers=1,
        target_bandwidths=[1.0],
    )
    config.codec_name = CODEC.name
    EncodecModel(config).save_pretrained(tmp_path)
    trainer = Trainer(replace(TINY, codec=str(tmp_path)), SHAPE, split(make_items(4, 3.0)))
    board = Board()
    scores = Listener(trainer).listen(board)
    assert set(scores) == {"longest loop s", "rhythm F", "rhythm AMLt", "silent share"}
    assert board.scalars.keys() == {f"scoreboard/{name}" for name in scores}
    assert list(board.sounds.values()) == [(1, 72_000)] * 2
    assert list(board.pictures.values()) == [(500, 1000, 3)] * 2
    silent = Trainer(TINY, SHAPE, split(make_items(4, 3.0)))
    assert set(Listener(silent).listen(board)) == {"longest loop s"}
