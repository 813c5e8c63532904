"""Tuning the decoder: three steps on a codec of toy size."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import EncodecModel

from d2m_core.codec import decode_tokens, encode_audio, load_codec
from d2m_core.errors import SettingError
from d2m_core.types import Waveform
from tests import tiny_models
from training.codec.band_music import FULL_SCALE
from training.codec.coded import draw, encode_pool
from training.codec.decoder_tuner import WARM_STEPS, DecoderTuner, TuningConfig
from training.codec.hum import hum
from training.codec.network import export
from training.codec.settings import SAMPLE_RATE
from training.run.flags import add_flags
from training.tune_decoder import main, open_music

STEPS, HOP = 12, 480


@pytest.fixture(autouse=True)
def plain_floats() -> Iterator[None]:
    yield
    torch.set_flush_denormal(False)  # the command line sets it for the whole process


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> TuningConfig:
    """Settings for a tiny codec as `train_codec` exports it: halves in the file."""
    folder = tmp_path_factory.mktemp("tune")
    tiny_models.write_codec(folder / "plain")
    export(EncodecModel.from_pretrained(folder / "plain"), folder / "codec")
    return TuningConfig(codec=folder / "codec", out=folder / "out", run=folder / "run", batch=2, steps=STEPS)


@pytest.fixture(scope="module")
def pool() -> dict[str, np.ndarray]:
    """Two seconds of a falling tone, as the pool keeps music."""
    times = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    tone = 0.5 * np.sin(2 * np.pi * (500 * times - 60 * times**2))
    return {"tone": np.round(tone * FULL_SCALE).astype(np.int16)}


def drawn(
    pool: dict[str, np.ndarray], codes: list[torch.Tensor], seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch of two segments."""
    return draw(list(pool.values()), codes, 2, STEPS + WARM_STEPS, HOP, np.random.default_rng(seed))


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def test_segments_of_codes_and_sound_belong_together(
    config: TuningConfig, pool: dict[str, np.ndarray], tmp_path: Path
) -> None:
    model = EncodecModel.from_pretrained(config.codec)
    codes = encode_pool(model, pool, tmp_path)
    again = encode_pool(model, pool, tmp_path)
    assert torch.equal(codes[0], again[0])
    (kept,) = tmp_path.glob("*.npy")
    with torch.no_grad():
        model.decoder.layers[0].conv.bias.add_(1.0)
    encode_pool(model, pool, tmp_path)
    assert list(tmp_path.glob("*.npy")) == [kept], "a decoder in training has no part in its codes"
    with torch.no_grad():
        model.quantizer.layers[0].codebook.embed.neg_()
    assert not torch.equal(encode_pool(model, pool, tmp_path)[0], codes[0]), "another codec"
    assert len(list(tmp_path.glob("*.npy"))) == 2
    numbers = [torch.arange(codes[0].shape[1])[None]]  # codes that tell where they are from
    tokens, sound = draw(list(pool.values()), numbers, 3, 8, HOP, np.random.default_rng(0))
    assert tokens.shape == (3, 1, 8)
    for row, heard in zip(tokens, sound, strict=True):
        start = int(row[0, 0]) * HOP
        wanted = pool["tone"][start : start + 8 * HOP].astype(np.float32) / FULL_SCALE
        np.testing.assert_array_equal(heard.numpy(), wanted)


def test_only_the_decoder_changes_and_the_export_loads(
    config: TuningConfig, pool: dict[str, np.ndarray], tmp_path: Path
) -> None:
    tuner = DecoderTuner(config)
    codes = encode_pool(tuner.model, pool, tmp_path / "run")
    for _ in range(3):
        batch = draw(list(pool.values()), codes, config.batch, STEPS + WARM_STEPS, HOP, tuner.rng)
        assert np.isfinite(tuner.train_step(*batch))
    assert tuner.step == 3
    export(tuner.averaged(), tmp_path / "out")
    before, after = tensors(config.codec), tensors(tmp_path / "out")
    assert before.keys() == after.keys()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"decoder"}
    old, new = load_codec(config.codec), load_codec(tmp_path / "out")
    wave = Waveform(torch.from_numpy(pool["tone"] / np.float32(FULL_SCALE))[None, None], SAMPLE_RATE)
    tokens = encode_audio(old, wave)
    assert torch.equal(tokens.codes, encode_audio(new, wave).codes)
    assert torch.isfinite(decode_tokens(new, tokens).samples).all()


def test_a_restored_run_equals_an_uninterrupted_one(
    config: TuningConfig, pool: dict[str, np.ndarray], tmp_path: Path
) -> None:
    codes = encode_pool(EncodecModel.from_pretrained(config.codec), pool, tmp_path / "run")
    batch = draw(list(pool.values()), codes, config.batch, STEPS + WARM_STEPS, HOP, np.random.default_rng(0))
    one, two = DecoderTuner(config), DecoderTuner(config)
    one.train_step(*batch)
    one.save(tmp_path / "state.pt")
    two.restore(tmp_path / "state.pt")
    for tuner in (one, two):
        tuner.train_step(*batch)
    for name, value in one.average.values.items():
        assert torch.equal(value, two.average.values[name]), name


def test_judges_have_their_say(config: TuningConfig, pool: dict[str, np.ndarray], tmp_path: Path) -> None:
    judged = replace(
        config, judge_weight=1.0, judge_windows=(256,), judge_channels=4, books=(1, 2), batch=2, judges_from=0
    )
    codes = encode_pool(EncodecModel.from_pretrained(config.codec), pool, tmp_path / "run")
    one, two, plain = (DecoderTuner(c) for c in (judged, judged, replace(judged, judge_weight=0.0)))
    plain.discriminators.load_state_dict(one.discriminators.state_dict())
    before = {name: value.clone() for name, value in one.discriminators.state_dict().items()}
    batches = [
        draw(list(pool.values()), codes, 2, STEPS + WARM_STEPS, HOP, np.random.default_rng(n)) for n in (0, 1)
    ]
    one.train_step(*batches[0])
    plain.train_step(*batches[0])
    taught, idle = one.discriminators.state_dict(), plain.discriminators.state_dict()
    assert any(not torch.equal(value, taught[name]) for name, value in before.items())
    assert all(torch.equal(value, idle[name]) for name, value in before.items())
    one.save(tmp_path / "state.pt")
    two.restore(tmp_path / "state.pt")
    assert one.train_step(*batches[1]) == two.train_step(*batches[1])
    for name, value in one.average.values.items():  # the same judges, the same number of codebooks
        assert torch.equal(value, two.average.values[name]), name


def test_a_hum_is_unlearnt(config: TuningConfig, pool: dict[str, np.ndarray], tmp_path: Path) -> None:
    """An offset is the simplest pattern that comes with every token, and spectra do not see it."""
    plain = DecoderTuner(replace(config, rate=0.01))
    quiet = DecoderTuner(replace(config, rate=0.01, hum_weight=20.0, line_weight=0.1))
    codes = encode_pool(plain.model, pool, tmp_path / "run")
    left = []
    for tuner in (plain, quiet):
        with torch.no_grad():
            tuner.decoder.layers[-1].conv.bias.fill_(0.5)
        for seed in range(40):
            tuner.train_step(*drawn(pool, codes, seed))
        tokens, real = drawn(pool, codes, 100)
        with torch.no_grad():
            fake = tuner.decoder(tuner.model.quantizer.decode(tokens.transpose(0, 1)))[:, 0]
        left.append(float(hum(fake, real, HOP)))
    assert left[1] < 0.5 * left[0]


def test_an_idle_memory_wakes_and_learns(
    config: TuningConfig, pool: dict[str, np.ndarray], tmp_path: Path
) -> None:
    """An LSTM of zeros would stay one; woken, it changes little at first and is in the export."""
    idle = EncodecModel.from_pretrained(config.codec)
    (memory,) = (layer.lstm for layer in idle.decoder.layers if hasattr(layer, "lstm"))
    for parameter in memory.parameters():
        parameter.data.zero_()
    export(idle, tmp_path / "idle")
    sleeping = replace(config, codec=tmp_path / "idle")
    tuner, plain = DecoderTuner(replace(sleeping, memory=True)), DecoderTuner(sleeping)
    codes = encode_pool(tuner.model, pool, tmp_path / "run")
    latent = tuner.model.quantizer.decode(codes[0][None].transpose(0, 1))
    with torch.no_grad():
        before, woken = plain.decoder(latent), tuner.decoder(latent)
    assert 0 < float((woken - before).abs().max()) < 0.1 * float(before.abs().max())
    (memory,) = (layer.lstm for layer in tuner.decoder.layers if hasattr(layer, "lstm"))
    start = {name: p.detach().clone() for name, p in memory.named_parameters()}
    tuner.train_step(*drawn(pool, codes, 0))
    assert all(not torch.equal(p, start[name]) for name, p in memory.named_parameters())
    export(tuner.averaged(), tmp_path / "awake")
    asleep, awake = load_codec(tmp_path / "idle"), load_codec(tmp_path / "awake")
    lstms = [sum(isinstance(m, torch.nn.LSTM) for m in c.modules()) for c in (asleep, awake)]
    assert lstms[1] == lstms[0] + 1


def test_segments_too_short_for_lines_are_said(config: TuningConfig) -> None:
    with pytest.raises(SettingError, match=r"steps is 9; lines show in 10 steps or more"):
        DecoderTuner(replace(config, steps=9, line_weight=1.0))


def test_no_music_is_said(config: TuningConfig, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no music to learn from"):
        open_music(replace(config, pool=tmp_path, pool_minutes=0))


def test_flags_know_what_an_empty_tuple_holds() -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser, TuningConfig)
    given = parser.parse_args(["--books", "4", "8", "--data", "a", "b"])
    assert given.books == [4, 8]
    assert given.data == [Path("a"), Path("b")]


def test_all_codebooks_are_taken_whatever_the_codec_offers(
    config: TuningConfig, pool: dict[str, np.ndarray], tmp_path: Path
) -> None:
    model = EncodecModel.from_pretrained(config.codec)
    model.config.target_bandwidths = [0.3, 0.6]
    assert len(encode_pool(model, pool, tmp_path)[0]) == 2


def test_the_command_line_makes_a_codec_and_goes_on(
    config: TuningConfig,
    pool: dict[str, np.ndarray],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard = torch.from_numpy(pool["tone"][None, None, :12_000].astype(np.float32) / FULL_SCALE)
    monkeypatch.setattr("training.tune_decoder.held_out", lambda seconds: heard)
    monkeypatch.setattr("training.tune_decoder.open_pool", lambda folder, minutes: list(pool.values()))
    small = replace(config, out=tmp_path / "out", run=tmp_path / "run", pool=tmp_path / "pool")
    words = [f"--{name}={getattr(small, name)}" for name in ("codec", "out", "run", "pool")]
    words += ["--pool-minutes=0.1", "--minutes=0.005", "--batch=1", "--held-out-s=0.5"]
    caplog.set_level(logging.INFO)
    assert main(words) == 0
    steps = torch.load(tmp_path / "run" / "state.pt", weights_only=True)["step"]
    assert steps >= 1
    assert main(words) == 0  # its time is spent: it only exports again
    assert torch.load(tmp_path / "run" / "state.pt", weights_only=True)["step"] == steps
    assert load_codec(tmp_path / "out").spec == load_codec(config.codec).spec
    assert sum("held out after" in line for line in caplog.messages) == 2
    tiny_models.write_codec(tmp_path / "other")
    assert main([*words, f"--codec={tmp_path / 'other'}"]) == 1  # the state is of another codec
    assert "codec was" in capsys.readouterr().err
    assert main([*words, "--rate=0.5"]) == 1
    assert "rate was 0.0006 and is 0.5" in capsys.readouterr().err


def test_it_runs_where_it_is_told(config: TuningConfig) -> None:
    with pytest.raises(SettingError, match="choose auto, cpu, cuda"):
        DecoderTuner(replace(config, device="tpu9"))
    assert DecoderTuner(replace(config, device="cpu")).device.type == "cpu"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_it_runs_on_a_gpu(config: TuningConfig, pool: dict[str, np.ndarray], tmp_path: Path) -> None:
    judged = replace(config, judge_weight=1.0, judge_windows=(256,), judge_channels=4, judges_from=0)
    tuner = DecoderTuner(judged)
    codes = encode_pool(tuner.model, pool, tmp_path / "run")
    assert tuner.device.type == "cuda"
    assert np.isfinite(tuner.train_step(*drawn(pool, codes, 0)))
    tuner.save(tmp_path / "state.pt")
    other = DecoderTuner(replace(judged, device="cpu"))
    assert other.restore(tmp_path / "state.pt")
    assert np.isfinite(other.train_step(*drawn(pool, codes, 1)))
    export(tuner.averaged(), tmp_path / "out")
    load_codec(tmp_path / "out")
