"""The codec: tiny random EnCodecs in local folders, no network."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from d2m_core.codec import CODECS, Codec, decode_tokens, encode_audio, load_codec
from d2m_core.codec.encodec import spec_of
from d2m_core.errors import ModelError
from d2m_core.media.limiter import limited
from d2m_core.music import SamplingConfig, generate_tokens, load_model
from d2m_core.pipeline import load_models
from d2m_core.types import AudioTokens, CodecSpec, Waveform
from d2m_core.weights import EMBEDDED_FOLDERS
from tests import tiny_models


def save_small(folder: Path, seed: int = 0, **changes: object) -> Path:
    """An EnCodec small enough for a test: 50 steps/s, up to 4 books of 16."""
    from transformers import EncodecConfig, EncodecModel

    settings: dict = {
        "upsampling_ratios": [8, 5, 4, 3],
        "target_bandwidths": [0.4, 0.8],
        "num_filters": 4,
        "hidden_size": 16,
        "codebook_size": 16,
        "num_lstm_layers": 1,
        "pad_mode": "constant",
    }
    torch.manual_seed(seed)
    model = EncodecModel(EncodecConfig(**{**settings, **changes}))
    for name, value in model.named_parameters():
        if "weight.original0" in name:
            value.data.mul_(1.8)  # fresh ones let no sound through
    for layer in model.quantizer.layers:
        layer.codebook.embed.normal_()
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small(tmp_path_factory.mktemp("codec") / "small")


@pytest.fixture(scope="module")
def codec(folder: Path) -> Codec:
    return load_codec(folder)


def noise(seconds: float, rate: int = 24_000, batch: int = 1, channels: int = 1) -> Waveform:
    generator = torch.Generator().manual_seed(1)
    return Waveform(0.3 * torch.randn((batch, channels, round(seconds * rate)), generator=generator), rate)


def random_tokens(codec: Codec, steps: int, batch: int = 1) -> AudioTokens:
    generator = torch.Generator().manual_seed(2)
    shape = (batch, codec.spec.codebooks, steps)
    return AudioTokens(torch.randint(codec.spec.cardinality, shape, generator=generator), codec.spec)


def test_spec_comes_from_the_config(codec: Codec) -> None:
    assert codec.spec == CodecSpec("small", 24_000, 50.0, codebooks=4, cardinality=16)


def test_bandwidth_picks_the_codebooks(folder: Path) -> None:
    assert load_codec(folder, bandwidth=0.4).spec.codebooks == 2
    with pytest.raises(ModelError, match=r"no bandwidth 3 kbit/s; choose 0.4, 0.8"):
        load_codec(folder, bandwidth=3.0)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("facebook/encodec_24khz", {}),
        (
            "facebook/encodec_32khz",
            {
                "sampling_rate": 32_000,
                "upsampling_ratios": [8, 5, 4, 4],
                "codebook_size": 2048,
                "target_bandwidths": [2.2],
                "use_causal_conv": False,
            },
        ),
    ],
)
def test_named_specs_agree_with_their_published_configs(name: str, settings: dict) -> None:
    from transformers import EncodecConfig

    assert spec_of(EncodecConfig(**settings), name) == CODECS[name]


def test_a_folder_may_name_its_codec(tmp_path: Path) -> None:
    assert load_codec(save_small(tmp_path / "a", codec_name="mine")).spec.name == "mine"


def test_tokens_equal_those_of_transformers(codec: Codec) -> None:
    wave = noise(1.0)
    expected = codec.model.encode(wave.samples, bandwidth=0.8).audio_codes[0]
    tokens = encode_audio(codec, wave)
    assert len(tokens.codes.unique()) > 8
    torch.testing.assert_close(tokens.codes, expected)
    sound = decode_tokens(codec, tokens)
    theirs = codec.model.decode(expected[None], [None]).audio_values.detach()
    torch.testing.assert_close(sound.samples, limited(Waveform(theirs, 24_000)).samples)


def test_encode_mixes_to_mono_and_resamples(codec: Codec) -> None:
    stereo = noise(1.0, rate=48_000, batch=2, channels=2)
    tokens = encode_audio(codec, stereo)
    assert tokens.codes.shape == (2, 4, 50)
    mono = Waveform(stereo.samples.mean(1, keepdim=True), 48_000)
    torch.testing.assert_close(tokens.codes, encode_audio(codec, mono).codes)


def test_the_last_step_is_filled_with_silence(codec: Codec) -> None:
    wave = noise(0.5)
    part = Waveform(wave.samples[..., :-100], 24_000)
    filled = Waveform(torch.nn.functional.pad(part.samples, (0, 100)), 24_000)
    assert encode_audio(codec, part).codes.shape[-1] == 25
    torch.testing.assert_close(encode_audio(codec, part).codes, encode_audio(codec, filled).codes)


@pytest.mark.parametrize("causal", [True, False])
def test_chunks_join_without_a_seam(tmp_path: Path, causal: bool) -> None:
    mode = "constant" if causal else "reflect"
    codec = load_codec(save_small(tmp_path / "c", use_causal_conv=causal, pad_mode=mode))
    tokens = random_tokens(codec, 430, batch=2)
    whole = decode_tokens(codec, tokens, chunk_s=60.0).samples
    parts = decode_tokens(codec, tokens, chunk_s=3.1).samples
    assert parts.shape == whole.shape
    assert float((parts - whole).abs().max()) < 1e-3 * float(whole.abs().max())
    assert float(whole.std()) > 1e-4


CAUSAL_SHAPES = [
    {},
    {"pad_mode": "reflect"},
    {"num_residual_layers": 2, "num_lstm_layers": 2, "use_conv_shortcut": True},
    {"upsampling_ratios": [8, 8, 5, 3], "target_bandwidths": [0.4]},
]


@pytest.mark.parametrize("changes", CAUSAL_SHAPES)
@pytest.mark.parametrize("steps", [1, 3, 7, 50])
def test_a_stream_gives_the_samples_of_one_pass(changes: dict, steps: int, tmp_path: Path) -> None:
    codec = load_codec(save_small(tmp_path / "c", **changes))
    assert codec.streams
    codes = random_tokens(codec, 61, batch=2).codes
    with torch.no_grad():
        whole = codec.model.decoder(codec.model.quantizer.decode(codes.transpose(0, 1)))
    stream = codec.stream_decoder()
    parts = [stream.push(part) for part in codes.split(steps, -1)]
    parts.append(stream.finish())
    assert float(whole.std()) > 1e-4
    torch.testing.assert_close(torch.cat(parts, -1), whole, atol=1e-4 * float(whole.std()), rtol=0)


@pytest.mark.parametrize("changes", CAUSAL_SHAPES)
@pytest.mark.parametrize("samples", [1, 333, 4801])
def test_a_stream_gives_the_tokens_of_one_pass(changes: dict, samples: int, tmp_path: Path) -> None:
    codec = load_codec(save_small(tmp_path / "c", **changes))
    sound = noise(0.25 if samples == 1 else 1.3, batch=2).samples
    hop = codec.hop
    filled = torch.nn.functional.pad(sound, (0, -sound.shape[-1] % hop))
    with torch.no_grad():
        whole = codec.model.quantizer.encode(codec.model.encoder(filled)).transpose(0, 1)
    stream = codec.stream_encoder()
    parts = [stream.push(part) for part in sound.split(samples, -1)]
    parts.append(stream.finish())
    got = torch.cat([part for part in parts if part.shape[-1]], -1)
    assert got.shape == whole.shape
    assert len(whole.unique()) > 8
    assert float((got == whole).float().mean()) > 0.995


@pytest.mark.parametrize("chunk_s", [0.02, 0.31, 1.0, 7.7])
def test_chunks_of_a_causal_codec_are_exact(codec: Codec, chunk_s: float) -> None:
    tokens = random_tokens(codec, 111)
    whole = decode_tokens(codec, tokens, chunk_s=60.0).samples
    parts = decode_tokens(codec, tokens, chunk_s=chunk_s).samples
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=1e-4)


def test_what_a_stream_of_one_step_has_to_wait_for(codec: Codec, tmp_path: Path) -> None:
    """Nothing, unless the codec's start is padded by reflection."""
    codes = random_tokens(codec, 1).codes
    assert codec.stream_decoder().push(codes).shape == (1, 1, codec.hop)
    reflecting = load_codec(save_small(tmp_path / "c", pad_mode="reflect"))
    stream = reflecting.stream_decoder()
    assert stream.push(codes).shape == (1, 1, 0)
    assert stream.finish().shape == (1, 1, codec.hop)


def test_a_codec_that_looks_ahead_does_not_stream(tmp_path: Path) -> None:
    assert not load_codec(save_small(tmp_path / "c", use_causal_conv=False)).streams


def test_an_lstm_of_zeros_is_taken_out(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = save_small(tmp_path / "c") / "model.safetensors"
    weights = load_file(path)
    save_file({k: v * 0 if "lstm" in k else v for k, v in weights.items()}, path, {"format": "pt"})
    from transformers import EncodecModel

    plain = EncodecModel.from_pretrained(tmp_path / "c")
    codec = load_codec(tmp_path / "c")
    assert not [m for m in codec.modules() if isinstance(m, torch.nn.LSTM)]
    wave = noise(0.5)
    codes = encode_audio(codec, wave).codes
    assert torch.equal(codes, plain.encode(wave.samples, bandwidth=0.8).audio_codes[0])


@pytest.mark.parametrize("causal", [True, False])
def test_chunked_encoding_gives_the_same_tokens(tmp_path: Path, causal: bool) -> None:
    codec = load_codec(save_small(tmp_path / "c", use_causal_conv=causal))
    wave = noise(8.3)
    whole = encode_audio(codec, wave, chunk_s=60.0).codes
    parts = encode_audio(codec, wave, chunk_s=2.7).codes
    assert parts.shape == whole.shape
    assert float((parts == whole).float().mean()) > 0.995


@pytest.mark.parametrize("duration_s", [0.013, 0.5, 1.0, 1.234567, 2.5])
def test_duration_is_exact(codec: Codec, duration_s: float) -> None:
    tokens = random_tokens(codec, 50)
    sound = decode_tokens(codec, tokens, duration_s, chunk_s=0.4)
    assert sound.samples.shape == (1, 1, round(duration_s * 24_000))
    assert sound.samples.dtype == torch.float32
    whole = decode_tokens(codec, tokens).samples
    kept = min(whole.shape[-1], sound.samples.shape[-1])
    assert sound.samples.abs().max() <= 1.0 + 1e-6
    alike = max(0, kept - 480)  # the limiter hears what comes next: 20 ms before a cut may be louder
    torch.testing.assert_close(sound.samples[..., :alike], whole[..., :alike], atol=1e-4, rtol=1e-3)
    assert not sound.samples[..., kept:].any()


def test_progress_counts_steps_and_may_stop(codec: Codec) -> None:
    seen: list[tuple[int, int]] = []
    decode_tokens(codec, random_tokens(codec, 100), on_progress=lambda *x: seen.append(x), chunk_s=0.9)
    assert seen == [(45, 100), (90, 100), (100, 100)]

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_audio(codec, noise(1.0), on_progress=stop)


def test_a_host_may_set_the_device_attribute(codec: Codec) -> None:
    codec.device = torch.device("cpu")  # as ComfyUI's model patcher does
    assert codec.to("cpu").spec == codec.spec


def test_the_first_codebooks_alone_are_decoded(codec: Codec) -> None:
    tokens = encode_audio(codec, noise(0.5))
    fewer = replace(codec.spec, codebooks=1)
    sound = decode_tokens(codec, AudioTokens(tokens.codes[:, :1], fewer)).samples
    with torch.inference_mode():
        latent = codec.model.quantizer.decode(tokens.codes[:, :1].transpose(0, 1))
        whole = codec.model.decoder(latent)
    whole = limited(Waveform(whole[..., : sound.shape[-1]], 24_000)).samples
    torch.testing.assert_close(sound, whole, atol=1e-4, rtol=0)
    assert not codec.spec.reads(replace(codec.spec, codebooks=codec.spec.codebooks + 1))


def test_tokens_of_another_codec_are_refused(codec: Codec) -> None:
    other = CodecSpec("other", 32_000, 50.0, 4, 2048)
    with pytest.raises(ModelError, match=r"belong to codec 'other' .* load the codec"):
        decode_tokens(codec, AudioTokens(torch.zeros((1, 4, 5), dtype=torch.int64), other))


@pytest.mark.parametrize("bad", [-1, 16])
def test_tokens_out_of_range_are_refused(codec: Codec, bad: int) -> None:
    tokens = AudioTokens(torch.full((1, 4, 5), bad), codec.spec)
    with pytest.raises(ModelError, match=f"{bad}, but codec 'small' knows 0 to 15"):
        decode_tokens(codec, tokens)


def test_nothing_to_code_is_refused(codec: Codec) -> None:
    with pytest.raises(ModelError, match="no tokens"):
        decode_tokens(codec, AudioTokens(torch.zeros((1, 4, 0), dtype=torch.int64), codec.spec))
    with pytest.raises(ModelError, match="empty"):
        encode_audio(codec, Waveform(torch.zeros((1, 1, 0)), 24_000))


def test_unknown_codec_lists_the_known_ones() -> None:
    with pytest.raises(
        ModelError, match=r"'mp3' .* d2m-2, d2m-3, facebook/encodec_24khz, facebook/encodec_32khz"
    ):
        load_codec("mp3")


def test_a_folder_without_weights_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    with pytest.raises(ModelError, match=r"lacks model\.safetensors"):
        load_codec(tmp_path)


def test_broken_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    (tmp_path / "model.safetensors").write_bytes(b"not weights at all")
    with pytest.raises(ModelError, match="cannot be read"):
        load_codec(tmp_path)


@pytest.mark.parametrize("change", [{"num_filters": 8}, {"num_lstm_layers": 2}])
def test_weights_of_another_shape_are_refused(folder: Path, tmp_path: Path, change: dict) -> None:
    config = json.loads((folder / "config.json").read_text()) | change
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    with pytest.raises(ModelError):
        load_codec(tmp_path)


def test_other_models_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    with pytest.raises(ModelError, match="'bert'"):
        load_codec(tmp_path)


def test_stereo_codecs_are_refused(tmp_path: Path) -> None:
    save_small(tmp_path / "s", audio_channels=2)
    with pytest.raises(ModelError, match="2 channels"):
        load_codec(tmp_path / "s")


def test_a_codec_that_cannot_be_fetched_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="cannot be fetched"):
        load_codec("facebook/encodec_32khz")


@pytest.mark.parametrize("name", EMBEDDED_FOLDERS)
def test_the_embedded_codecs_carry_a_beat(name: str) -> None:
    """A kick drum every half second comes back at the same places."""
    codec = load_codec(name)
    assert codec.spec == CODECS[name]
    time_s = torch.arange(4 * 24_000) / 24_000
    since_s = time_s % 0.5
    kick = torch.sin(2 * torch.pi * 55 * since_s) * torch.exp(-since_s / 0.06) * 0.8
    wave = Waveform(kick[None, None], 24_000)
    sound = decode_tokens(codec, encode_audio(codec, wave), wave.duration_s)
    power = sound.samples.view(-1, 1200).pow(2).mean(1)  # per 50 ms
    channels = 1 if codec.finisher is None else 2
    assert sound.samples.shape == (1, channels, wave.samples.shape[-1])
    assert power[::10].median() > 3 * power[8::10].median()


# --- codecs of earlier versions ---


def test_a_codec_that_left_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match=r"version 0\.1\.x reads it and its models\. Choose d2m-3"):
        load_codec("d2m")
    monkeypatch.chdir(tmp_path)
    save_small(tmp_path / "d2m")  # whoever kept its folder may go on with it
    assert load_codec("d2m").spec.name == "d2m"


def test_tokens_and_models_of_a_codec_that_left_say_who_reads_them(tmp_path: Path) -> None:
    old = CodecSpec("d2m", 24_000, 50.0, codebooks=4, cardinality=1024)
    codec = load_codec()
    with pytest.raises(ModelError, match=r"version 0\.1\.x reads it"):
        decode_tokens(codec, AudioTokens(torch.zeros(1, 4, 5, dtype=torch.int64), old))
    path = tmp_path / "old.safetensors"
    tiny_models.write_model(path, old)
    with pytest.raises(ModelError, match=r"belong together\. Codec d2m .* 0\.1\.x reads it"):
        load_model(path, codec=codec.spec)
    with pytest.raises(ModelError, match=r"belong together\. Codec d2m .* 0\.1\.x reads it"):
        generate_tokens(load_model(path), None, None, codec.spec, SamplingConfig(), duration_s=1.0)
    with pytest.raises(ModelError, match=r"version 0\.1\.x reads it"):
        load_models(path, device="cpu")
    assert load_model(path).spec == old
