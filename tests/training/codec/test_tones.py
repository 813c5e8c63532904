"""Held tones and repeated tokens, on sounds and codes made by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.codec.repeats import mean_rates, repeat_rate
from training.codec.tones import lost_tones, prominence, tone_contrast_db

RATE = 24_000


def noise(seed: int, level: float) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(level * rng.standard_normal((2, RATE)).astype(np.float32))


def tone(hertz: float) -> torch.Tensor:
    return 0.3 * torch.sin(2 * torch.pi * hertz * torch.arange(RATE) / RATE).repeat(2, 1)


def test_a_tone_stands_out_and_noise_does_not() -> None:
    loud, soft = noise(1, 0.1), noise(2, 0.01)
    assert tone_contrast_db(tone(1500) + soft, tone(1500) + soft, RATE) > 15
    assert float(prominence(loud, RATE).mean()) == pytest.approx(0.0, abs=0.1)
    with_tone = tone(1500) + soft
    assert tone_contrast_db(loud, with_tone, RATE) < 3


def test_lost_tones_are_those_that_the_other_has_not() -> None:
    real = tone(880) + tone(3520) + noise(3, 0.005)
    same, other = tone(880) + tone(3520) + noise(4, 0.005), tone(880) + noise(5, 0.05)
    assert float(lost_tones(real, real, RATE)) == 0.0
    assert float(lost_tones(same, real, RATE)) < 0.25 * float(lost_tones(other, real, RATE))
    assert float(lost_tones(noise(6, 0.1), torch.zeros(2, RATE), RATE)) == 0.0


def test_its_gradient_makes_a_tone_louder() -> None:
    real, gain = tone(1500) + noise(1, 0.01), torch.tensor(0.1, requires_grad=True)
    lost_tones(gain * tone(1500) + noise(2, 0.01), real, RATE).backward()
    assert gain.grad is not None
    assert float(gain.grad) < 0


def test_silence_has_finite_gradients() -> None:
    silent = torch.zeros(1, 8192, requires_grad=True)
    lost_tones(silent, tone(1500)[:1, :8192], RATE).backward()
    assert silent.grad is not None
    assert torch.isfinite(silent.grad).all()


def test_repeats_are_counted_per_book() -> None:
    first = torch.arange(12).repeat(3) % 12
    codes = torch.stack((first, torch.where(torch.arange(36) < 12, first, first + 1)))
    assert repeat_rate(codes, 12).tolist() == pytest.approx([1.0, 0.5])
    assert repeat_rate(codes, 5).tolist() == [0.0, 0.0]
    assert mean_rates([codes, codes], [12, 5]) == pytest.approx([0.5, 0.25])
    with pytest.raises(ValueError, match="lag is 36"):
        repeat_rate(codes, 36)
