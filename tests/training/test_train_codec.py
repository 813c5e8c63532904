"""The codec's training: parts by property, and a run of a few seconds on a codec of toy size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.codec import decode_tokens, encode_audio, load_codec
from d2m_core.types import Waveform
from training.codec_losses import FLOOR, Judges, ask_judges, judge_loss, mel_filters, mel_scales
from training.codec_model import CodecTraining, make_codec, settle
from training.codec_music import draw_batch, make_song, open_pool
from training.codec_quantizer import LearningQuantizer, kmeans, nearest, perplexity
from training.codec_trainer import CodecTrainer
from training.seeds import CODEC_HELD_OUT_SEED
from training.train_codec import export, main, si_sdr

TINY = CodecTraining(
    filters=4,
    hidden=16,
    cardinality=16,
    batch=2,
    segment_frames=8,
    continuous_steps=2,
    device="cpu",
)


@pytest.fixture(autouse=True)
def one_seed() -> Iterator[None]:
    torch.manual_seed(0)
    yield
    torch.set_flush_denormal(False)  # the command line sets it for the whole process


def tone(hz: float, gain: float = 0.5, seconds: float = 0.5) -> torch.Tensor:
    return (
        gain * torch.sin(2 * torch.pi * hz * torch.arange(round(24_000 * seconds)) / 24_000)[None]
    )


@pytest.mark.parametrize(("size", "bands"), [(64, 10), (2048, 120)])
def test_every_mel_filter_sums_to_one(size: int, bands: int) -> None:
    filters = mel_filters(24_000, size, bands)
    assert filters.shape == (bands, size // 2 + 1)
    torch.testing.assert_close(filters.sum(1), torch.ones(bands))
    assert (filters >= 0).all()


def test_distances_are_zero_only_for_equal_sound() -> None:
    for scale in mel_scales(24_000):
        same, softer = scale(tone(440), tone(440)), scale(tone(440), tone(440, gain=0.25))
        assert float(same.mel) == float(same.linear) == float(same.balance) == 0.0
        assert float(softer.mel) > 0.01
        assert float(softer.linear) == pytest.approx(1.0, rel=0.01)


def test_a_full_scale_sine_has_magnitude_one() -> None:
    scale = mel_scales(24_000)[-1]
    assert float(scale.magnitude(tone(1500, gain=1.0))[0, :, 8].max()) == pytest.approx(
        1.0, rel=0.02
    )
    assert float(scale.magnitude(torch.zeros(1, 12_000)).max()) < FLOOR


def test_judges_learn_to_tell_and_say_so() -> None:
    judges = Judges(sizes=(256,), channels=4)
    real, fake = tone(440), 0.1 * torch.randn(1, 12_000)
    optimizer = torch.optim.Adam(judges.parameters(), 1e-2)
    first = judge_loss(judges, real, fake).item()
    for _ in range(40):
        optimizer.zero_grad()
        judge_loss(judges, real, fake).backward()
        optimizer.step()
    assert judge_loss(judges, real, fake).item() < 0.5 * first
    caught, passed = ask_judges(judges, real, fake), ask_judges(judges, real, real)
    assert caught.fool.item() > passed.fool.item()
    assert passed.match.item() == 0.0


def test_nearest_agrees_with_all_distances() -> None:
    book, points = torch.randn(7, 5), torch.randn(20, 5)
    assert torch.equal(nearest(book, points), torch.cdist(points, book).argmin(1))


def test_kmeans_finds_separate_clusters() -> None:
    centres = torch.eye(4) * 10
    points = centres.repeat(50, 1) + 0.01 * torch.randn(200, 4)
    found = kmeans(points, 4, 10, torch.Generator().manual_seed(3))
    assert float(torch.cdist(found, centres).min(1).values.max()) < 8.0
    assert float(torch.cdist(points, found).min(1).values.mean()) < 5.0


def test_quantizer_learns_and_passes_gradients_straight() -> None:
    model = make_codec(TINY)
    quantizer = LearningQuantizer(model.quantizer, seed=0)
    latent = torch.randn(4, 16, 32, requires_grad=True)
    quantizer.start(latent.detach().transpose(1, 2).reshape(-1, 16))
    before = quantizer(latent, learn=False)
    for _ in range(30):
        quantizer(latent)
    after = quantizer(latent, learn=False)
    assert float(after.commitment) <= float(before.commitment)
    assert after.codes.shape == (4, 4 * 32)
    (after.values * 3).sum().backward()
    torch.testing.assert_close(latent.grad, torch.full_like(latent, 3.0))


def test_training_codes_equal_those_of_the_model() -> None:
    model = make_codec(TINY)
    quantizer = LearningQuantizer(model.quantizer, seed=0)
    latent = torch.randn(2, 16, 10)
    quantizer.start(torch.randn(200, 16))
    result = quantizer(latent, learn=False)
    codes = model.quantizer.encode(latent)  # [K, B, T]
    assert torch.equal(result.codes, codes.flatten(1))
    torch.testing.assert_close(result.values, model.quantizer.decode(codes))


def test_unused_entries_come_back() -> None:
    model = make_codec(TINY)
    quantizer = LearningQuantizer(model.quantizer, seed=0, decay=0.5)
    quantizer.start(torch.randn(200, 16))
    book = model.quantizer.layers[0].codebook
    book.embed[0] = 1e3
    book.embed_avg[0] = 1e3
    for _ in range(8):
        quantizer(torch.randn(2, 16, 20))
    assert float(book.embed[0].abs().max()) < 10


def test_perplexity_counts_entries_in_use() -> None:
    codes = torch.stack((torch.arange(64) % 8, torch.zeros(64, dtype=torch.int64)))
    assert perplexity(codes, 16) == pytest.approx([8.0, 1.0], rel=1e-4)


def test_sound_passes_through_a_settled_codec() -> None:
    audio = tone(220)[:, None]
    fresh, settled = make_codec(TINY), make_codec(TINY)
    settle(settled)
    with torch.no_grad():
        assert float(settled.encoder(audio).std()) > 10 * float(
            fresh.encoder(audio).std(-1).mean() * 0.1
        )
        assert 0.01 < float(settled.decoder(settled.encoder(audio)).std()) < 10


def test_si_sdr_ignores_loudness() -> None:
    real = torch.randn(2, 1, 1000)
    assert si_sdr(real, 0.3 * real) > 60
    assert si_sdr(real, real + torch.randn(2, 1, 1000)) == pytest.approx(0, abs=1)


def test_the_pool_is_made_once_and_drawn_at_random(tmp_path: Path) -> None:
    pool = open_pool(tmp_path, minutes=0.05, piece_s=3.0)
    stamp = (tmp_path / "song_0000.npy").stat().st_mtime_ns
    assert open_pool(tmp_path, minutes=0.05, piece_s=3.0)[0].shape == (72_000,)
    assert (tmp_path / "song_0000.npy").stat().st_mtime_ns == stamp
    batch = draw_batch(pool, 3, 4800, np.random.default_rng(0))
    assert batch.shape == (3, 1, 4800)
    assert batch.dtype == torch.float32
    assert 0 < float(batch.abs().max()) <= 1
    assert np.array_equal(make_song(CODEC_HELD_OUT_SEED, 2.0), make_song(CODEC_HELD_OUT_SEED, 2.0))
    assert not np.array_equal(make_song(CODEC_HELD_OUT_SEED, 2.0), make_song(0, 2.0))


def test_steps_lower_the_loss_and_restore_goes_on(tmp_path: Path) -> None:
    settings = replace(TINY, folder=str(tmp_path), judges_from=0.5, minutes=1.0, wave_weight=1.0)
    trainer = CodecTrainer(settings)
    trainer.begin()
    audio = tone(330, seconds=0.16).repeat(2, 1)[:, None]
    losses = []
    for step in range(8):
        trainer.elapsed_s = step * 6.0  # the judges join on the way
        trainer.train_step(audio)
        losses.append(trainer.report()["linear"])
    assert trainer.started_books
    assert losses[-1] < losses[0]
    torch.save(trainer.state(), tmp_path / "c.pt")
    again = CodecTrainer(settings)
    again.restore(torch.load(tmp_path / "c.pt", weights_only=True))
    for name, value in trainer.averaged().state_dict().items():
        torch.testing.assert_close(again.averaged().state_dict()[name], value)
    assert (again.step, again.elapsed_s, again.started_books) == (8, 42.0, True)


def test_export_loads_in_plain_transformers_and_here(tmp_path: Path) -> None:
    from transformers import EncodecModel

    model = make_codec(TINY)
    settle(model)
    LearningQuantizer(model.quantizer, seed=0).start(torch.randn(100, 16))
    wave = Waveform(tone(220)[:, None], 24_000)
    export(model, tmp_path / "codec")
    plain = EncodecModel.from_pretrained(tmp_path / "codec")
    assert {p.dtype for p in plain.parameters()} == {torch.float32}
    assert sorted(p.name for p in (tmp_path / "codec").iterdir()) == [
        "config.json",
        "model.safetensors",
    ]
    assert not [p for p in tmp_path.iterdir() if p.name != "codec"]
    codec = load_codec(tmp_path / "codec")
    tokens = encode_audio(codec, wave)
    assert torch.equal(tokens.codes, plain.encode(wave.samples).audio_codes[0])
    assert float(decode_tokens(codec, tokens).samples.std()) > 0


def test_a_short_run_from_the_command_line(tmp_path: Path) -> None:
    out, run = tmp_path / "out", tmp_path / "run"
    sizes = [
        "--filters",
        "4",
        "--hidden",
        "16",
        "--cardinality",
        "16",
        "--batch",
        "2",
        "--device",
        "cpu",
    ]
    sizes += [
        "--segment-frames",
        "8",
        "--continuous-steps",
        "2",
        "--pool-minutes",
        "0.1",
        "--held-out-s",
        "0.5",
    ]
    main([*sizes, "--out", str(out), "--folder", str(run), "--minutes", "0.03"])
    first = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
    main([*sizes, "--out", str(out), "--folder", str(run), "--minutes", "0.06", "--resume"])
    second = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
    assert second["step"] > first["step"] > 0
    assert second["exported"]["mel"] > 0
    assert load_codec(out).spec.codebooks == 4
