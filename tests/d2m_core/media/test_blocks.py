"""Sound in blocks has the samples of the same steps on the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from d2m_core.media import fit_length, limiter, resample
from d2m_core.media.blocks import BLOCK, Blocks, Reader, at_rate, fitted, mixed, of_wave
from d2m_core.media.limiter import limited
from d2m_core.media.resampling import resampled, with_scipy
from d2m_core.media.sound import encodable
from d2m_core.types import Waveform

RATES = [
    (24_000, 48_000),
    (44_100, 48_000),
    (48_000, 32_000),
    (32_000, 44_100),
    (22_050, 48_000),
    (44_101, 48_000),
]
LENGTHS = [1, 1000, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 12_345]


def noise(samples: int, channels: int = 2, peak: float = 0.9) -> Waveform:
    sound = torch.rand(1, channels, samples, generator=torch.Generator().manual_seed(samples)) * 2 - 1
    return Waveform(sound * peak, 24_000)


def uneven(wave: Waveform) -> Blocks:
    """Blocks of all sizes, as decoders give them."""

    def make() -> Iterator[torch.Tensor]:
        begin, size = 0, 1
        while begin < wave.samples.shape[-1]:
            yield wave.samples[0, :, begin : begin + size]
            begin, size = begin + size, size * 3 % 50_021 + 1

    return Blocks(wave.sample_rate, wave.samples.shape[1], make)


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
@pytest.mark.parametrize("length", LENGTHS)
def test_another_rate(from_rate: int, to_rate: int, length: int) -> None:
    wave = Waveform(noise(length).samples, from_rate)
    right = resampled(wave.samples, from_rate, to_rate)
    found = at_rate(uneven(wave), to_rate).whole()
    assert found.sample_rate == to_rate
    assert found.samples.shape == right.shape
    assert (found.samples - right).abs().max() < 1e-6


def test_another_rate_without_torchaudio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("d2m_core.media.blocks.resampled", with_scipy)
    wave = Waveform(noise(2 * BLOCK + 777).samples, 44_100)
    right = with_scipy(wave.samples, 44_100, 48_000)
    assert (at_rate(of_wave(wave), 48_000).whole().samples - right).abs().max() < 1e-6


@pytest.mark.parametrize("seconds", [0.01, 1.0, 5.4, 5.5, 5.61334, 9.0, 40.0])
def test_another_length(seconds: float) -> None:
    wave = noise(round(5.61334 * 24_000))
    right = fit_length(wave, seconds)
    found = fitted(uneven(wave), seconds).whole()
    assert torch.equal(found.samples, right.samples)


def test_mixing() -> None:
    music, own = noise(2 * BLOCK, 1), noise(2 * BLOCK - 500, 2)
    right = music.samples + 0.3 * torch.nn.functional.pad(own.samples, (0, 500))
    assert torch.equal(mixed(of_wave(music), uneven(own), 0.3).whole().samples, right)


def test_reading_in_any_pieces() -> None:
    wave = noise(10_000)
    reader, parts = Reader(uneven(wave)), []
    for size in (1, 2, 4096, 3, 9000):
        parts.append(reader.take(size))
    assert torch.equal(torch.cat(parts, -1), wave.samples[0])
    assert reader.take(5).shape == (2, 0)


def test_peaks_lower_the_whole_sound(caplog: pytest.LogCaptureFixture) -> None:
    """A long sound is measured and made again; a short one is kept. Both give the same."""
    loud = noise(3 * BLOCK, peak=2.5)
    made = encodable(loud, "aac").whole()
    right = resample(loud, 48_000).samples
    peak = float(right.abs().max())
    assert (made.samples - right / peak).abs().max() < 1e-6
    assert "lowered by" in caplog.text


def test_a_long_sound_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = encodable(noise(3 * BLOCK), "aac").whole().samples
    monkeypatch.setattr("d2m_core.media.sound._KEPT", 1000)
    assert torch.equal(encodable(noise(3 * BLOCK), "aac").whole().samples, kept)


@pytest.mark.parametrize("block", [1000, 1003, 24_000, 1 << 20])
def test_the_limiter_in_blocks(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """Peaks at, before and after the seams: the gain looks over them."""
    sound = noise(50_000, peak=0.8).samples
    for at in (0, 995, 999, 1000, 1001, 2999, 23_990, 24_000, 24_240, 49_999):
        sound[0, at % 2, at] = 3.0
    monkeypatch.setattr(limiter, "_BLOCK", 1 << 30)
    right = limited(Waveform(sound, 24_000)).samples
    monkeypatch.setattr(limiter, "_BLOCK", block)
    found = limited(Waveform(sound, 24_000)).samples
    assert (found - right).abs().max() < 1e-6
    assert float(found.abs().max()) <= 1 + 1e-6


def test_own_sound_in_blocks(make_clip: Callable[..., Path]) -> None:
    """The mix that is written has the samples of the mix made at once."""
    from d2m_core.media import load_audio, open_clip
    from d2m_core.media.sound import with_own_sound

    clip = open_clip(make_clip("long.mp4", duration_s=8.0, fps=10, audio=True), 1.3, 6.0)
    music = noise(6 * 24_000, 2)
    own = load_audio(clip.path, None, 1.3, 6.0)
    right = fit_length(resample(music, 48_000), 6.0).samples + 0.5 * fit_length(own, 6.0).samples
    made = with_own_sound(music, clip, 0.5)
    for found in (made.whole(), made.whole()):
        assert (found.samples - right).abs().max() < 0.005  # AAC's decoder draws noise of its own
