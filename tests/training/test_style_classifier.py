"""The judge of styles, on two that anyone can tell apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from d2m_core.types import Waveform
from training.style_classifier import EMBEDDING_DIM, features, train
from training.style_data import BANDS, FRAMES, RATE, StyleData, bent, log_mel

SECONDS = 6


def piece(style: int, rng: np.random.Generator) -> torch.Tensor:
    """Clicks of noise: four a second and dull, or seven and bright."""
    sound = rng.normal(scale=0.001, size=SECONDS * RATE)
    for at in np.arange(rng.uniform(0, 0.1), SECONDS - 0.1, (1 / 4, 1 / 7)[style]):
        first, noise = int(at * RATE), rng.normal(scale=0.3, size=1200)
        sound[first : first + 1200] += np.diff(noise, prepend=0) if style else noise.cumsum() / 20
    return torch.from_numpy(sound).float()


@pytest.fixture(scope="module")
def data() -> StyleData:
    rng = np.random.default_rng(0)
    labels = np.arange(36) % 2
    return StyleData([log_mel(piece(s, rng)).half() for s in labels], labels, ("dull", "bright"))


def test_every_ninth_piece_is_kept_back(data: StyleData) -> None:
    assert data.held_out == [8, 17, 26, 35]
    assert not set(data.held_out) & set(data.train)
    assert len(data.train) == 32


def test_it_learns_to_tell_styles_it_did_not_hear(data: StyleData) -> None:
    judge = train(data, epochs=20, batch=16, copies=3)
    assert judge.info["accuracy"] == 1.0
    rng = np.random.default_rng(9)
    for style in (0, 1):
        wave = Waveform(piece(style, rng)[None, None], RATE)
        assert judge.style_of(wave) == judge.styles[style]
        assert judge.style_of(Waveform(0.1 * wave.samples, RATE)) == judge.styles[style]
        assert judge.embed(wave).shape == (1, EMBEDDING_DIM)
    short = Waveform(piece(1, rng)[None, None, :RATE], RATE)
    assert judge.embed(short).shape == (1, EMBEDDING_DIM)  # repeated until it is long enough
    assert judge.covariance.shape == (EMBEDDING_DIM, EMBEDDING_DIM)


def test_the_groove_is_where_its_period_is() -> None:
    mel = torch.zeros(1, FRAMES, BANDS)
    mel[0, ::25] = 1.0  # twice a second: 25 frames
    groove = features(mel)[0, 3 * BANDS :].unflatten(0, (-1, 8))[:, 0]
    assert int(groove.argmax()) == 8  # the bin of 25, 26 and 27 frames


def test_bending_changes_the_sound_and_keeps_the_time(data: StyleData) -> None:
    mel = data.excerpt(0, np.random.default_rng(1))
    other = bent(mel.clone(), np.random.default_rng(2))
    assert not torch.equal(mel, other)
    one, two = mel.mean(1), other.mean(1)
    assert torch.corrcoef(torch.stack([one, two]))[0, 1] > 0.9
