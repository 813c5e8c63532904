"""Many channels to two, as FFmpeg mixes them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from d2m_core.errors import MediaError
from d2m_core.media import load_audio, save_audio, to_stereo
from d2m_core.types import Waveform

HALF = 0.5**0.5
SIDES = {
    3: ([1, 0, 0], [0, 1, 0]),
    4: ([1, 0, HALF, 0.5], [0, 1, HALF, 0.5]),
    5: ([1, 0, HALF, HALF, 0], [0, 1, HALF, 0, HALF]),
    6: ([1, 0, HALF, 0, HALF, 0], [0, 1, HALF, 0, 0, HALF]),
    7: ([1, 0, HALF, 0, 0.5, HALF, 0], [0, 1, HALF, 0, 0.5, 0, HALF]),
    8: ([1, 0, HALF, 0, HALF, 0, HALF, 0], [0, 1, HALF, 0, 0, HALF, 0, HALF]),
}
"""How much of each channel the left and the right side get (ITU-R BS.775, FFmpeg's order)."""


@pytest.mark.parametrize("channels", SIDES)
def test_every_channel_goes_where_ffmpeg_puts_it(channels: int) -> None:
    samples = torch.randn(2, channels, 200_001, generator=torch.Generator().manual_seed(0))
    mixed = to_stereo(Waveform(samples, 8000))
    wanted = torch.einsum("sc,bcn->bsn", torch.tensor(SIDES[channels], dtype=torch.float32), samples)
    torch.testing.assert_close(mixed.samples, wanted, atol=1e-5, rtol=1e-5)
    assert mixed.sample_rate == 8000


def test_mono_and_stereo_stay() -> None:
    for channels in (1, 2):
        wave = Waveform(torch.ones(1, channels, 10), 8000)
        assert to_stereo(wave) is wave


def test_more_than_eight_are_refused() -> None:
    with pytest.raises(MediaError, match="16 channels; give 8 or fewer"):
        to_stereo(Waveform(torch.ones(1, 16, 10), 8000))


def test_a_voice_in_the_middle_is_heard_in_the_file(tmp_path: Path) -> None:
    samples = torch.zeros(1, 6, 24_000)
    samples[0, 2] = 0.6 * torch.sin(torch.arange(24_000) * 0.1)
    path = save_audio(to_stereo(Waveform(samples, 24_000)), tmp_path / "film.wav")
    assert float(load_audio(path).samples.abs().max()) == pytest.approx(0.6 * HALF, abs=0.001)
