"""Shapes of codecs: every one loads in plain transformers and in our own reader."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from d2m_core.codec import decode_tokens, encode_audio, load_codec
from d2m_core.errors import SettingError
from d2m_core.types import Waveform
from training.codec.network import bandwidths, export, make_codec, parameters_of, settle, tame
from training.codec.quantizer import LearningQuantizer
from training.codec.settings import CodecTraining

TINY = CodecTraining(filters=4, hidden=16, cardinality=16)


def started(settings: CodecTraining) -> Any:
    """A settled codec with codebooks of some sound's latents."""
    torch.manual_seed(0)
    model = make_codec(settings)
    settle(model)
    with torch.no_grad():
        latent = model.encoder(torch.randn(4, 1, 24 * settings.hop))
    points = latent.transpose(1, 2).reshape(-1, settings.hidden)
    LearningQuantizer(model.quantizer, seed=0).start(points)
    return model


@pytest.mark.parametrize(
    ("changes", "rate", "kbits"),
    [
        ({}, 50.0, 0.8),
        ({"ratios": (8, 8, 5, 3), "codebooks": 8}, 25.0, 0.8),
        ({"ratios": (8, 5, 4, 2), "cardinality": 64, "codebooks": 2}, 75.0, 0.9),
        ({"causal": False}, 50.0, 0.8),
        ({"lstm_layers": 0, "residual_layers": 2}, 50.0, 0.8),
        ({"quantizer_dropout": 0.5, "filters": 6, "hidden": 24}, 50.0, 0.8),
    ],
)
def test_every_shape_loads_in_plain_transformers_and_here(
    changes: dict, rate: float, kbits: float, tmp_path: Path
) -> None:
    from transformers import EncodecModel

    settings = replace(TINY, **changes)
    model = started(settings)
    wave = Waveform(0.1 * torch.randn(1, 1, 12_000), 24_000)
    with torch.no_grad():
        ours = model.encoder(wave.samples)
    tame(model)
    export(model, tmp_path / "codec")
    plain, info = EncodecModel.from_pretrained(tmp_path / "codec", output_loading_info=True)
    assert not any(info[name] for name in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert {p.dtype for p in plain.parameters()} == {torch.float32}
    assert plain.config.target_bandwidths[-1] == pytest.approx(kbits)
    codec = load_codec(tmp_path / "codec")
    assert codec.spec.token_rate == rate == settings.token_rate
    assert codec.spec.codebooks == settings.codebooks
    assert codec.causal == settings.causal
    tokens = encode_audio(codec, wave)
    top = plain.config.target_bandwidths[-1]
    assert torch.equal(tokens.codes, plain.encode(wave.samples, bandwidth=top).audio_codes[0])
    with torch.no_grad():
        loaded = plain.encoder(wave.samples)
    correlation = torch.corrcoef(torch.stack((ours.flatten(), loaded.flatten())))[0, 1]
    assert float(correlation) > 0.999  # tame changes sizes alone, halves hardly anything
    assert float(decode_tokens(codec, tokens).samples.std()) > 0


def test_only_the_files_that_transformers_reads_are_written(tmp_path: Path) -> None:
    export(started(TINY), tmp_path / "codec")
    names = sorted(path.name for path in (tmp_path / "codec").iterdir())
    assert names == ["config.json", "model.safetensors"]
    assert not [path for path in tmp_path.iterdir() if path.name != "codec"]


def test_a_codec_without_lstm_has_none_to_learn_or_to_run(tmp_path: Path) -> None:
    settings = replace(TINY, lstm_layers=0)
    without, with_one = make_codec(settings), make_codec(TINY)
    assert not [m for m in without.modules() if isinstance(m, nn.LSTM)]
    dim = TINY.filters * 16
    assert parameters_of(with_one) - parameters_of(without) == 2 * 8 * (dim * dim + dim)
    export(started(settings), tmp_path / "codec")
    codec = load_codec(tmp_path / "codec")
    assert not [m for m in codec.modules() if isinstance(m, nn.LSTM)]


@pytest.mark.parametrize("ratios", [(8, 5, 4, 3), (8, 8, 5, 3), (8, 5, 4, 2)])
@pytest.mark.parametrize("cardinality", [64, 1024, 2048, 4096])
def test_bandwidths_stand_for_whole_numbers_of_books(ratios: tuple[int, ...], cardinality: int) -> None:
    settings = replace(TINY, ratios=ratios, cardinality=cardinality, codebooks=16, quantizer_dropout=0.5)
    model_bits = cardinality.bit_length() - 1
    rate = settings.token_rate
    offered = bandwidths(settings)
    assert [int(b * 1000 // (model_bits * rate)) for b in offered] == list(range(1, 17))
    assert bandwidths(replace(settings, quantizer_dropout=0.0)) == offered[-1:]


def test_sound_passes_through_a_settled_codec() -> None:
    torch.manual_seed(0)
    audio = 0.5 * torch.sin(torch.arange(12_000) * 0.06)[None, None]
    model = make_codec(TINY)
    settle(model)
    with torch.no_grad():
        assert 0.01 < float(model.decoder(model.encoder(audio)).std()) < 10


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ratios": (7, 5)}, "choose such as 8 5 4 3"),
        ({"cardinality": 1000}, "power of two"),
        ({"judges": "jury"}, "choose one of none, stft, periods, both"),
        ({"contest": "war"}, "hinge, squares"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        replace(TINY, **changes)
