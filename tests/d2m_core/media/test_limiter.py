"""The limiter: never beyond full scale, and no louder or softer elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from d2m_core.media.limiter import limit, limited
from d2m_core.types import Waveform

RATE = 24_000


def test_sound_within_full_scale_is_returned_as_it_is() -> None:
    wave = Waveform(torch.linspace(-1, 1, 100)[None, None], RATE)
    assert limited(wave) is wave


def test_only_the_surroundings_of_a_peak_are_lowered() -> None:
    times = torch.arange(RATE) / RATE
    sound = 0.9 * torch.sin(2 * torch.pi * 200 * times).repeat(1, 2, 1)
    sound[0, 1, 12_000:12_010] *= 3
    sound[0, 1, 12_005] = 2.0
    out = limited(Waveform(sound, RATE)).samples
    assert out.abs().max() <= 1 + 1e-6
    near = slice(12_005 - 300, 12_015 + 300)
    far = torch.ones(RATE, dtype=torch.bool)
    far[near] = False
    torch.testing.assert_close(out[..., far], sound[..., far])
    gain = (out / sound)[0, :, near]
    torch.testing.assert_close(gain[0], gain[1], equal_nan=True)  # channels stay together


@given(st.integers(0, 10_000), st.floats(0.5, 20.0))
def test_nothing_ever_passes(seed: int, scale: float) -> None:
    sound = np.random.default_rng(seed).normal(scale=scale, size=(2, 2, 700)).astype(np.float32)
    out = limited(Waveform(torch.from_numpy(sound), RATE)).samples
    assert float(out.abs().max()) <= 1 + 1e-6
    assert (np.sign(out.numpy()) == np.sign(sound)).all()


def test_what_lies_between_the_samples_is_seen() -> None:
    """A tone at a quarter of the rate, sampled beside its peaks: 3 dB more than any of its samples."""
    tone = torch.cos(torch.arange(3 * RATE) * torch.pi / 2 + torch.pi / 4).repeat(1, 2, 1)
    over = tone.clone()
    limit(over, RATE, 0.8)
    assert torch.equal(over, tone)  # samples reach 0.71
    limit(over, RATE, 0.8, true_peak=True)
    assert float(over[..., 100:-100].abs().max()) == pytest.approx(0.8 / 2**0.5, rel=0.02)


def test_true_peaks_are_the_same_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = torch.from_numpy(np.random.default_rng(1).normal(size=(1, 1, 9_000)).astype(np.float32))
    blocks = whole.clone()
    limit(whole, RATE, 0.5, true_peak=True)
    monkeypatch.setattr("d2m_core.media.limiter._BLOCK", 1_000)
    limit(blocks, RATE, 0.5, true_peak=True)
    torch.testing.assert_close(blocks, whole, atol=2e-3, rtol=0)
