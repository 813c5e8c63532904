"""What the ear reads, how it listens to long sounds, and its weight file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.ear import EAR_FPS, EAR_RATE, EarConfig, EarNet, listen, listening, load_ear, save_ear
from d2m_core.ear.spectrum import HOP, band_levels, level_of, mel_filters
from d2m_core.errors import Cancelled, ModelError, SettingError
from d2m_core.types import Waveform

TINY = EarConfig(bands=16, front=(2, 3, 4), channels=8, layers=3, dropout=0.0)


def tiny() -> EarNet:
    torch.manual_seed(0)
    return EarNet(TINY).eval()


def noise(seconds: float, rate: int = EAR_RATE, channels: int = 1) -> Waveform:
    made = torch.Generator().manual_seed(1)
    return Waveform(0.1 * torch.randn(1, channels, round(seconds * rate), generator=made), rate)


# --- what it reads ---


@pytest.mark.parametrize("at_s", [0.0, 0.5, 1.26])
def test_a_click_lies_in_the_frame_of_its_moment(at_s: float) -> None:
    samples = torch.zeros(1, 2 * EAR_RATE)
    samples[0, round(at_s * EAR_RATE)] = 1.0
    levels = band_levels(samples, 64)
    assert levels.shape == (1, 2 * EAR_FPS, 64)
    assert int(levels[0].sum(-1).argmax()) == round(at_s * EAR_FPS)


def test_a_higher_tone_lies_in_a_higher_band_and_no_band_is_deaf() -> None:
    time = torch.arange(EAR_RATE) / EAR_RATE
    tones = torch.stack([torch.sin(2 * np.pi * hz * time) for hz in (60.0, 200.0, 1000.0, 5000.0)])
    bands = band_levels(tones, 64)[:, 25].argmax(-1)
    assert (bands.diff() > 0).all()
    assert (mel_filters(64).sum(0) > 0.5).all()
    assert (mel_filters(64) <= 1.0).all()


def test_loudness_makes_no_difference_but_silence_stays_silent() -> None:
    wave = noise(1.0).samples[0]
    torch.testing.assert_close(wave * level_of(wave), 0.01 * wave * level_of(0.01 * wave))
    assert (torch.zeros(1, 100) * level_of(torch.zeros(1, 100)) == 0).all()


# --- how it listens ---


def test_a_long_sound_is_heard_in_parts_as_in_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    wave, net = noise(6.1), tiny()
    whole = listen(wave, net)
    monkeypatch.setattr(listening, "_PART_FRAMES", 70)
    parts = listen(wave, net)
    for name in ("beat", "downbeat", "onset"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), atol=1e-5)
    assert len(whole.beat) == -(-wave.samples.shape[-1] // HOP)


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (16_000, 1), (48_000, 6)])
def test_any_rate_and_any_channels(rate: int, channels: int) -> None:
    said = listen(noise(1.5, rate, channels), tiny())
    assert len(said.beat) == pytest.approx(1.5 * EAR_FPS, abs=1)
    assert ((said.beat > 0) & (said.beat < 1)).all()


def test_a_broken_or_tiny_sound_gives_numbers() -> None:
    broken = noise(1.0)
    broken.samples[..., 1000:2000] = float("nan")
    for wave in (broken, Waveform(torch.zeros(1, 1, 1), EAR_RATE), Waveform(torch.zeros(1, 1, 0), EAR_RATE)):
        assert np.isfinite(listen(wave, tiny()).beat).all()


def test_silence_is_nothing() -> None:
    said = listen(Waveform(1e-6 * torch.ones(1, 2, EAR_RATE), EAR_RATE), tiny())
    assert (said.beat == 0).all()
    assert len(said.beat) == EAR_FPS


def test_it_can_be_stopped() -> None:
    def stop(_done: int, _total: int) -> None:
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        listen(noise(1.0), tiny(), stop)


# --- its file ---


def test_a_file_gives_back_the_same_ear(tmp_path: Path) -> None:
    net = tiny()
    read = load_ear(save_ear(tmp_path / "ear.safetensors", net, {"steps": 3}, half=False))
    assert read.config == TINY
    mel = torch.rand(1, 50, TINY.bands)
    torch.testing.assert_close(read(mel), net(mel))


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(b"no weights")
    with pytest.raises(ModelError, match="not a safetensors file"):
        load_ear(path)
    with pytest.raises(SettingError, match="multiple of 8"):
        EarConfig(bands=60)
