"""Training a finisher: it gets nearer to the music, and goes on as if it had not stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.codec import Codec
from d2m_core.codec.encodec import spec_of
from d2m_core.codec.finish import FinishConfig
from d2m_core.errors import SettingError
from training.codec.finisher_tuner import FinisherTuner, FinishTraining, Piece
from training.codec.network import make_codec
from training.codec.settings import CodecTraining
from training.tune_finisher import open_pieces, said

SHAPE = FinishConfig(
    latent=16, dim=12, layers=2, fine_dim=8, fine_layers=1, octaves=3.0, per_octave=12, lowest_hz=220.0
)


def codec() -> Codec:
    torch.manual_seed(0)
    model = make_codec(CodecTraining(filters=4, hidden=16, cardinality=16, codebooks=2, lstm_layers=0))
    for layer in model.quantizer.layers:
        torch.nn.init.normal_(layer.codebook.embed)
    return Codec(model, spec_of(model.config, "tiny"))


def piece() -> Piece:
    """A held tone on the left, which the decoder puts as noise."""
    rng, times = np.random.default_rng(0), np.arange(48_000) / 24_000
    tone = 0.3 * np.sin(2 * np.pi * 440 * times)
    stereo = np.stack([tone, 0.1 * tone])
    sounds = (np.round(32767 * x).astype(np.int16) for x in (0.05 * rng.standard_normal(48_000), stereo))
    return Piece(torch.randint(16, (2, 100), generator=torch.Generator().manual_seed(0)), *sounds)


CONFIG = FinishTraining(books=2, batch=2, steps=20, minutes=60.0, rate=1e-2, device="cpu")


def run(tuner: FinisherTuner, steps: int) -> list[dict[str, float]]:
    return [tuner.train_step(*tuner.draw([piece()])) for _ in range(steps)]


def test_tones_that_the_decoder_lost_come_back() -> None:
    tuner = FinisherTuner(CONFIG, codec(), shape=SHAPE)
    told = run(tuner, 40)
    first, last = (np.mean([each["tones"] for each in part]) for part in (told[:5], told[-5:]))
    assert last < 0.85 * first
    assert np.isfinite([list(each.values()) for each in told]).all()


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    whole = FinisherTuner(CONFIG, codec(), "song", SHAPE)
    expected = run(whole, 6)
    first = FinisherTuner(CONFIG, codec(), "song", SHAPE)
    assert not first.restore(tmp_path / "s.pt")
    run(first, 2)
    first.save(tmp_path / "s.pt")
    second = FinisherTuner(replace(CONFIG, minutes=90.0), codec(), "song", SHAPE)
    assert second.restore(tmp_path / "s.pt")
    assert second.step == 2
    for found, wanted in zip(run(second, 4), expected[2:], strict=True):
        assert found == pytest.approx(wanted, rel=1e-3)
    with pytest.raises(SettingError, match="music was song and is another"):
        FinisherTuner(CONFIG, codec(), "another", SHAPE).restore(tmp_path / "s.pt")


def test_a_finisher_needs_music(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no music to learn from"):
        open_pieces(replace(CONFIG, run=tmp_path), codec())


def test_what_the_codec_says_is_as_long_as_the_music_in_whole_steps() -> None:
    codes, sound = said(codec(), torch.randn(2, 9_900) * 0.1, books=1)
    assert codes.shape == (1, 20)
    assert sound.shape == (9_600,)
