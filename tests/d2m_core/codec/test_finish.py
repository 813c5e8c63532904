"""The finisher: steady tones, stereo, chunks that join, and a file that says whose it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.codec import Codec, decode_tokens, load_codec
from d2m_core.codec import finish as module
from d2m_core.codec.encodec import FINISHER, spec_of
from d2m_core.codec.finish import FinishConfig, Finisher, finished, load_finisher, save_finisher
from d2m_core.errors import ModelError, SettingError
from d2m_core.media.resampling import resampled
from d2m_core.music import decode_music
from d2m_core.types import AudioTokens
from training.codec.network import export, make_codec
from training.codec.settings import CodecTraining

SMALL = FinishConfig(
    hop=48, latent=6, dim=12, layers=3, fine_dim=8, fine_layers=2, window=96, octaves=4.0, per_octave=12
)
STEPS = 60


def random_net(config: FinishConfig = SMALL, seed: int = 0) -> Finisher:
    torch.manual_seed(seed)
    net = Finisher(config).eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return net


def inputs(batch: int = 2, steps: int = STEPS) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    latent = torch.randn(batch, SMALL.latent, steps, generator=random)
    return latent, 0.1 * torch.randn(batch, steps * SMALL.hop, generator=random)


def test_a_fresh_finisher_lets_the_sound_through_on_both_sides() -> None:
    torch.manual_seed(0)
    latent, sound = inputs()
    with torch.no_grad():
        out = Finisher(SMALL)(latent, sound)
    assert out.shape == (2, 2, STEPS * SMALL.hop)
    torch.testing.assert_close(out, sound[:, None].expand(-1, 2, -1), atol=0.06, rtol=0)


@pytest.mark.parametrize("up", [1, 2])
def test_an_oscillator_rings_at_its_pitch_level_and_runs_on(up: int) -> None:
    net = Finisher(replace(SMALL, hop=480, window=960, up=up))
    frames = 400
    levels = torch.zeros(1, 2, frames, SMALL.oscillators)
    levels[0, 0, :, 24] = 0.3  # two octaves above the lowest
    tone = net.ring(levels, 0)
    assert not tone[:, 1].any()
    tone = tone[..., ::up]
    middle = tone[0, 0, 4800:38400].numpy()
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    peak = spectrum.argmax() * 24_000 / len(middle)
    assert peak == pytest.approx(4 * SMALL.lowest_hz, abs=1.0)
    assert np.abs(middle).max() == pytest.approx(0.3, rel=0.01)
    again = net.ring(levels[:, :, 100:], 100)[..., ::up]
    torch.testing.assert_close(again[..., 960:9600], tone[..., 12960:21600], atol=1e-4, rtol=0)


def test_twice_the_rate_has_the_same_sound_and_air_above_it() -> None:
    """Below, a fresh finisher lets the sound through; a tone in the upper half comes again above, on time."""
    wide = Finisher(replace(SMALL, hop=480, window=960, up=2))
    times = torch.arange(STEPS * 480) / 24_000
    latent, tone = torch.zeros(1, SMALL.latent, STEPS), 0.5 * torch.sin(2 * torch.pi * 9_000 * times)
    with torch.no_grad():
        out = wide(latent, tone[None])
        plain = Finisher(replace(SMALL, hop=480, window=960))(latent, tone[None])
    assert out.shape == (1, 2, 2 * len(times))
    inner = slice(2_000, -2_000)
    back = resampled(out, 48_000, 24_000)[..., inner]
    torch.testing.assert_close(back, tone[None, None, inner].expand_as(back), atol=0.06, rtol=0)
    torch.testing.assert_close(back, plain[..., inner], atol=0.06, rtol=0)
    spectrum = np.abs(np.fft.rfft(out[0, 0, 4_000:-4_000].numpy() * np.hanning(2 * len(times) - 8_000)))
    hz = np.fft.rfftfreq(2 * len(times) - 8_000, 1 / 48_000)
    above = hz > 12_500
    for copy in (15_000, 21_000):
        assert spectrum[np.abs(hz - copy) < 3].max() > 0.9 * spectrum[above].max()
    beside = above & (np.abs(hz - 15_000) > 30) & (np.abs(hz - 21_000) > 30)
    assert spectrum[beside].max() < 0.05 * spectrum[above].max(), "shifted frames run on as one tone"


@pytest.mark.parametrize("up", [1, 2])
def test_chunks_join_as_if_there_were_none(up: int, monkeypatch: pytest.MonkeyPatch) -> None:
    net, (latent, sound) = random_net(replace(SMALL, parts=3, window=64, up=up)), inputs(steps=130)
    with torch.no_grad():
        whole = net(latent, sound)
    monkeypatch.setattr(module, "CHUNK_STEPS", 37)
    joined = finished(net, latent, sound)
    torch.testing.assert_close(joined, whole, atol=2e-4 * float(whole.abs().max()), rtol=0)


def test_a_moment_depends_on_its_surroundings_alone() -> None:
    net, (latent, sound) = random_net(), inputs(1, 160)
    other = latent.clone()
    other[..., 100:] += 1
    with torch.no_grad():
        one, two = net(latent, sound), net(other, sound)
    edge = (100 - SMALL.context) * SMALL.hop
    torch.testing.assert_close(one[..., :edge], two[..., :edge], atol=1e-5, rtol=0)
    assert not torch.allclose(one[..., 100 * SMALL.hop :], two[..., 100 * SMALL.hop :])


def codec() -> Codec:
    torch.manual_seed(0)
    settings = CodecTraining(filters=4, hidden=16, cardinality=16, codebooks=2, lstm_layers=0)
    model = make_codec(settings)
    for layer in model.quantizer.layers:
        torch.nn.init.normal_(layer.codebook.embed)
    return Codec(model, spec_of(model.config, "tiny"))


def test_a_codec_with_a_finisher_in_its_folder_speaks_stereo(tmp_path: Path) -> None:
    plain = codec()
    export(plain.model, tmp_path, "tiny")
    assert load_codec(tmp_path).finisher is None
    net = random_net(replace(SMALL, hop=480, latent=16, window=960))
    save_finisher(tmp_path / FINISHER, net, plain.spec, {"note": "test"})
    both = load_codec(tmp_path)
    assert both.finisher is not None
    load_finisher(tmp_path / FINISHER, replace(plain.spec, codebooks=1))  # at any bandwidth
    tokens = AudioTokens(torch.randint(16, (1, 2, 75)), plain.spec)
    stereo = decode_tokens(both, tokens, 1.4)
    assert stereo.samples.shape == (1, 2, 33_600)
    assert not torch.allclose(stereo.samples[:, 0], stereo.samples[:, 1])
    mono = decode_tokens(both, tokens, 1.4, finish=False)
    assert mono.samples.shape == (1, 1, 33_600)
    long = decode_tokens(both, tokens, 2.0)
    assert long.samples.shape == (1, 2, 48_000)
    assert not long.samples[..., 36_000:].any()
    plain = decode_music(both, tokens, 1.4, finish=False)
    assert torch.equal(plain.samples, mono.samples)


def test_a_finisher_of_twice_the_rate_gives_that_rate(tmp_path: Path) -> None:
    one = codec()
    net = random_net(replace(SMALL, hop=480, latent=16, window=960, up=2))
    save_finisher(tmp_path / FINISHER, net, one.spec, {})
    both = Codec(one.model, one.spec, load_finisher(tmp_path / FINISHER, one.spec))
    tokens = AudioTokens(torch.randint(16, (1, 2, 75)), one.spec)
    for seconds, samples in ((1.4, 67_200), (2.0, 96_000), (None, 72_000)):
        stereo = decode_tokens(both, tokens, seconds)
        assert (stereo.samples.shape, stereo.sample_rate) == ((1, 2, samples), 48_000)
    assert decode_tokens(both, tokens, 1.4, finish=False).sample_rate == 24_000
    bent = replace(tokens, bend=np.array([[0.0, 0.0], [1.5, 1.45]]))
    assert decode_music(both, bent, 1.4).samples.shape == (1, 2, 67_200)
    with pytest.raises(SettingError, match="up is 0"):
        replace(SMALL, up=0)
    with pytest.raises(SettingError, match="multiple of 4"):
        replace(SMALL, hop=40, window=40, up=2)


def test_a_finisher_of_another_codec_is_refused(tmp_path: Path) -> None:
    path = save_finisher(tmp_path / "f.safetensors", random_net(), codec().spec, {})
    back = load_finisher(path, codec().spec)
    latent, sound = inputs()
    with torch.no_grad():
        torch.testing.assert_close(back(latent, sound), random_net()(latent, sound), atol=0.05, rtol=0.05)
    with pytest.raises(ModelError, match="not of other"):
        load_finisher(path, replace(codec().spec, name="other"))
    with pytest.raises(SettingError, match="do not fit a token step"):
        replace(SMALL, parts=5)
