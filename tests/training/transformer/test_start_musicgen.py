"""Fine-tuning from a small random MusicGen: the same before the first step; adapters; export."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import (
    EncodecConfig,
    MusicgenConfig,
    MusicgenDecoderConfig,
    MusicgenForCausalLM,
    MusicgenForConditionalGeneration,
    T5Config,
)

from d2m_core.errors import ModelError, SettingError
from d2m_core.music import DanceToMusic, ModelConfig, load_model
from tests.training.test_train import TINY, TINY_SHAPE
from training.export_checkpoint import main as export
from training.train import main, train
from training.transformer.made_items import CODEC, MOTION_NAMES, make_items
from training.transformer.settings import TrainConfig
from training.transformer.start_musicgen import decoder_shape, read_weights, take_over
from training.transformer.trainer import Trainer
from training.transformer.windows import split

THEIRS = MusicgenDecoderConfig(
    vocab_size=CODEC.cardinality,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    ffn_dim=48,
    num_codebooks=CODEC.codebooks,
    max_position_embeddings=256,
    initializer_range=0.3,
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same random decoder alone, and as part of a whole MusicGen."""
    torch.manual_seed(4)
    alone = MusicgenForCausalLM(THEIRS).eval()
    folder = tmp_path_factory.mktemp("musicgen")
    alone.save_pretrained(folder / "alone")
    parts = MusicgenConfig(
        text_encoder=T5Config(d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, vocab_size=16),
        audio_encoder=EncodecConfig(
            num_filters=2, hidden_size=8, codebook_size=32, codebook_dim=8, num_lstm_layers=1
        ),
        decoder=THEIRS,
    )
    whole = MusicgenForConditionalGeneration(parts)
    whole.decoder.load_state_dict(alone.state_dict())
    whole.save_pretrained(folder / "whole")
    return {"alone": folder / "alone", "whole": folder / "whole"}


def config_of(folder: Path, run: Path, **more: object) -> TrainConfig:
    return replace(TINY, init=str(folder), folder=str(run), steps=3, **more)  # type: ignore[arg-type]


def shape_for(folder: Path) -> ModelConfig:
    given = {**TINY_SHAPE, **decoder_shape(str(folder), CODEC)}
    return ModelConfig(len(MOTION_NAMES), CODEC.codebooks, CODEC.cardinality, **given)


@pytest.mark.parametrize("kind", ["alone", "whole"])
def test_step_0_equals_musicgen_without_a_text(folders: dict[str, Path], kind: str) -> None:
    theirs = MusicgenForCausalLM.from_pretrained(folders["alone"]).eval()
    trainer = Trainer(
        config_of(folders[kind], Path("unused")), shape_for(folders[kind]), split(make_items(4))
    )
    batch, net = trainer.batch(0)[0], trainer.net.eval()
    assert batch.given.has_motion.any()
    tokens = torch.randint(0, CODEC.cardinality + 1, (4, 4, batch.given.step_phases.shape[1]))
    with torch.no_grad():
        ours = net(tokens, batch.given)
        expected = theirs(input_ids=tokens.flatten(0, 1), use_cache=False).logits
    assert expected.abs().max() > 0.5
    torch.testing.assert_close(ours.flatten(0, 1), expected, atol=1e-4, rtol=0)


def test_the_dance_comes_in_as_it_learns(folders: dict[str, Path], tmp_path: Path) -> None:
    config = config_of(folders["alone"], tmp_path)
    trainer = Trainer(config, shape_for(folders["alone"]), split(make_items(4)))
    for _ in range(3):
        trainer.train_step(trainer.batch(trainer.step))
    gates = [p for n, p in trainer.net.named_parameters() if n.endswith(".gate")]
    assert len(gates) == THEIRS.num_hidden_layers
    assert all(gate.abs().max() > 0 for gate in gates)
    batch, net = trainer.batch(9)[0], trainer.net.eval()
    tokens = torch.zeros(4, 4, batch.given.step_phases.shape[1], dtype=torch.int64)
    other = replace(batch.given, motion=batch.given.motion.flip(1), curves=batch.given.curves * 0)
    with torch.no_grad():
        assert (net(tokens, batch.given) - net(tokens, other)).abs().max() > 1e-5


def test_adapters_learn_while_the_decoder_rests(folders: dict[str, Path], tmp_path: Path) -> None:
    pytest.importorskip("peft")
    config = config_of(folders["alone"], tmp_path, lora=2)
    shape, data = shape_for(folders["alone"]), split(make_items(4))
    trainer = Trainer(config, shape, data)
    before = {name: p.detach().clone() for name, p in trainer.net.named_parameters()}
    for _ in range(3):
        trainer.train_step(trainer.batch(trainer.step))
    changed = {name for name, p in trainer.net.named_parameters() if not torch.equal(p, before[name])}
    resting = {name for name in before if "base_layer" in name or name.startswith("heads")}
    assert len(resting) == 7 * THEIRS.num_hidden_layers + 1
    assert not changed & resting
    assert {"decoder.0.gate", "decoder.1.ffn_in.lora_B.default.weight", "motion_in.weight"} < changed

    trainer.save()
    plain = load_model(tmp_path / "last.safetensors").model
    batch = trainer.batch(5)[0]
    tokens = torch.zeros(4, 4, batch.given.step_phases.shape[1], dtype=torch.int64)
    with torch.no_grad():
        adapted = trainer.averaged_net()(tokens, batch.given)
        assert (plain(tokens, batch.given) - adapted).abs().max() < 2e-2  # float16 file
    resumed = Trainer(config, shape, data)
    assert resumed.restore()
    assert torch.equal(resumed.net.decoder[0].gate, trainer.net.decoder[0].gate)
    assert export(["--run", str(tmp_path), "--out", str(tmp_path / "e.safetensors")]) == 0
    with torch.no_grad():
        again = load_model(tmp_path / "e.safetensors").model(tokens, batch.given)
        assert torch.equal(again, plain(tokens, batch.given))
    with pytest.raises(SettingError, match="lora was 2 and is 0"):
        Trainer(replace(config, lora=0), shape, data).restore()


def test_the_command_fine_tunes(folders: dict[str, Path], tmp_path: Path) -> None:
    config = config_of(folders["whole"], tmp_path, out=str(tmp_path / "m.safetensors"))
    train(config, TINY_SHAPE)
    made = load_model(config.out).model.config
    assert (made.dim, made.decoder_layers, made.gated) == (32, 2, True)


def test_what_does_not_fit_is_refused(
    folders: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SettingError, match=r"4 codebooks of 32.*8 of 32.*encodec_32khz"):
        decoder_shape(str(folders["alone"]), replace(CODEC, codebooks=8))
    with pytest.raises(ModelError, match="no folder and no name"):
        decoder_shape(str(tmp_path / "none"), CODEC)
    (tmp_path / "config.json").write_text(json.dumps({"hidden_size": 3}))
    with pytest.raises(ModelError, match="not MusicGen's config"):
        decoder_shape(str(tmp_path), CODEC)
    with pytest.raises(ModelError, match="no MusicGen weights"):
        read_weights(str(tmp_path))
    wider = DanceToMusic(replace(shape_for(folders["alone"]), ffn=64))
    with pytest.raises(ModelError, match="does not fit"):
        take_over(wider, str(folders["alone"]))
    assert main(["--lora", "4"]) == 1
    assert "give init" in capsys.readouterr().err
