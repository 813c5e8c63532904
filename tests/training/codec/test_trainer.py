"""Steps of a codec training: they lower the loss, can be repeated, and may be shared out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.errors import SettingError
from d2m_core.types import Waveform
from tests.training.transformer.two_processes import run_on_two
from training.codec.figures import coded
from training.codec.music import PoolMusic, StreamMusic, open_shards, segment, shard_pieces
from training.codec.network import export, tame
from training.codec.settings import CodecTraining
from training.codec.trainer import CodecTrainer
from training.pairs.pair import Facts, Pair
from training.pairs.shards import shard_path, write_index, write_shard

TINY = CodecTraining(
    filters=4,
    hidden=16,
    cardinality=16,
    batch=2,
    segment_s=0.16,
    continuous_steps=2,
    steps=40,
    device="cpu",
    precision="float32",
    judge_channels=2,
    judge_windows=(256,),
    judge_periods=(3,),
    warm_steps=2,
)

JUDGED = replace(
    TINY,
    judges="both",
    judges_from=4,
    balancer=True,
    quantizer_dropout=0.5,
    mel_weight=1.0,
    wave_weight=1.0,
    balance_weight=0.5,
    batch=4,
)
"""Everything at once."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pieces() -> list[np.ndarray]:
    """Two seconds of a mono and of a stereo piece, int16."""
    times = np.arange(48_000) / 24_000
    rng = np.random.default_rng(0)
    one = 0.5 * np.sin(2 * np.pi * (300 * times + 40 * times**2))
    two = np.stack((0.3 * np.sin(2 * np.pi * 200 * times), 0.1 * rng.normal(size=48_000)))
    return [np.round(x * 32767).astype(np.int16) for x in (one, np.clip(two, -1, 1))]


def run(trainer: CodecTrainer, steps: int) -> list[dict]:
    """So many steps on what `PoolMusic` plays; the report of each."""
    music, reports = PoolMusic(pieces(), 0), []
    for _ in range(steps):
        batch = music.batch(trainer.step, *trainer.share, trainer.settings.segment_samples)
        trainer.train_step(batch)
        reports.append(trainer.report())
    return reports


@pytest.mark.parametrize("books", ["ema", "factored"])
def test_steps_lower_the_loss(books: str) -> None:
    trainer = CodecTrainer(replace(TINY, books=books, wave_weight=1.0, scales_per_step=7))
    batch = PoolMusic(pieces()[:1], 0).batch(0, 0, 2, TINY.segment_samples)
    reports = []
    for _ in range(24):
        trainer.train_step(batch)
        reports.append(trainer.report())
    first, last = (np.mean([r["mel"] for r in part]) for part in (reports[:4], reports[-4:]))
    assert trainer.net.started_books
    assert last < 0.8 * first
    assert ("perplexity" in reports[-1]) == (books == "ema")


def test_judges_join_at_their_step() -> None:
    trainer = CodecTrainer(replace(JUDGED, judge_updates=1.0))
    reports = run(trainer, 6)
    assert ["judge" in r for r in reports] == [False] * 4 + [True] * 2
    assert ["fool" in r for r in reports] == [False] * 4 + [True] * 2
    assert all(np.isfinite(r["norm"]) for r in reports)


def test_a_codec_is_trained_on_from_its_file(tmp_path: Path) -> None:
    """It starts as it was, in weights of usual size, and learns tones, hum and lines as asked."""
    first = CodecTrainer(TINY)
    run(first, 6)
    model = first.averaged()
    tame(model)
    export(model, tmp_path / "codec", "small")
    settings = replace(
        TINY, init=str(tmp_path / "codec"), segment_s=0.6, skipped_steps=4, tone_weight=1.0,
        hum_weight=1.0, line_weight=1.0, quantizer_dropout=0.5, book_choices=(2,),
    )  # fmt: skip
    with pytest.raises(SettingError, match="target_bandwidths"):
        CodecTrainer(settings)
    settings = replace(settings, quantizer_dropout=0.0, book_choices=())
    trainer = CodecTrainer(settings)
    sound = torch.from_numpy(pieces()[0][:4800] / 32768.0).float()[None, None]
    for codec in (trainer.net.model, trainer.averaged()):
        torch.testing.assert_close(coded(codec, sound)[0], coded(model, sound)[0], atol=2e-3, rtol=1e-2)
    size = trainer.net.model.encoder.layers[-1].conv.parametrizations.weight.original0
    assert float(size.detach().mean()) == pytest.approx(1.0, rel=1e-3)
    report = run(trainer, 2)[1]
    assert {"tones", "hum", "lines"} <= report.keys()
    assert np.isfinite(report["norm"])
    with pytest.raises(SettingError, match="num_filters"):
        CodecTrainer(replace(settings, filters=8))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"skipped_steps": 8}, "leaves 0 token steps"),
        ({"line_weight": 1.0}, "10 steps with line_weight"),
        ({"tone_weight": 1.0}, "tones are heard in 4096"),
        ({"book_choices": (9,)}, "choose 1 to 4"),
    ],
)
def test_settings_that_leave_nothing_to_hear_are_refused(change: dict, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        replace(TINY, **change)


def test_segments_of_straight_music_begin_on_steps_and_are_mostly_as_they_are() -> None:
    ramp = np.arange(9600, dtype=np.int16)
    plain = 0
    for seed in range(60):
        cut = segment(ramp, 960, np.random.default_rng(seed), hop=480) * 32768
        if np.allclose(np.diff(cut), 1.0):
            plain += 1
            assert round(float(cut[0])) % 480 == 0
    assert 30 < plain < 58


@pytest.mark.parametrize("books", ["ema", "factored"])
def test_half_precision_is_close_to_full(books: str) -> None:
    """What a GPU computes in; books, losses and sums stay in float32."""
    settings = replace(JUDGED, books=books, judges_from=0, judge_updates=1.0)
    full, half = (
        run(CodecTrainer(replace(settings, precision=precision)), 4) for precision in ("float32", "bfloat16")
    )
    assert half[0]["mel"] == pytest.approx(full[0]["mel"], rel=0.02)
    assert half[-1]["mel"] == pytest.approx(full[-1]["mel"], rel=0.1)
    assert all(np.isfinite(value) for value in half[-1].values() if isinstance(value, float))


@pytest.mark.parametrize(("settings", "stop"), [(TINY, 1), (JUDGED, 6), (replace(TINY, books="factored"), 6)])
def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(
    settings: CodecTraining, stop: int, tmp_path: Path
) -> None:
    """Stopped before the codebooks have started, and after the judges have joined."""
    whole = CodecTrainer(settings)
    expected = run(whole, 9)
    first = CodecTrainer(settings)
    run(first, stop)
    first.run = tmp_path
    first.save()
    torch.rand(3)
    second = CodecTrainer(settings)
    second.run = tmp_path
    assert second.restore()
    for report, wanted in zip(run(second, 9 - stop), expected[stop:], strict=True):
        assert report.pop("perplexity", []) == pytest.approx(wanted.pop("perplexity", []))
        assert report == pytest.approx(wanted, abs=1e-5)
    kept = second.averaged().state_dict()
    for name, value in whole.averaged().state_dict().items():
        torch.testing.assert_close(kept[name], value, atol=1e-6, rtol=1e-5)


def test_averages_are_what_is_exported_with_the_present_codebooks() -> None:
    trainer = CodecTrainer(replace(TINY, average_decay=0.0))
    run(trainer, 5)
    for name, value in trainer.averaged().state_dict().items():
        torch.testing.assert_close(value, trainer.net.model.state_dict()[name])
    still = CodecTrainer(replace(TINY, average_decay=1.0))
    before = {k: v.clone() for k, v in still.net.model.named_parameters()}
    still.average.rise = 0.0  # it follows faster at the start
    run(still, 1)
    for name, value in still.averaged().named_parameters():
        torch.testing.assert_close(value, before[name], atol=1e-6, rtol=0)


SHARED = tuple(
    replace(
        JUDGED, balancer=balancer, judges_from=0, judge_updates=1.0, clip_norm=1e9, rate=3e-5, judge_rate=3e-5
    )
    for balancer in (False, True)
)


def after_three_steps(trainer: CodecTrainer) -> dict[str, torch.Tensor]:
    """Gradients of the third step, and the first codebook."""
    run(trainer, 3)
    found = {name: p.grad for name, p in trainer.net.named_parameters() if p.grad is not None}
    return {**found, "book": trainer.net.model.quantizer.layers[0].codebook.embed}


def test_two_processes_take_the_steps_of_one(tmp_path: Path) -> None:
    """Gradients of a whole batch, and of its halves on two processes (gloo)."""
    run_on_two("tests.training.codec.workers", str(tmp_path / "g"))
    both = torch.load(tmp_path / "g", weights_only=True)
    for settings, together in zip(SHARED, both, strict=True):
        alone = after_three_steps(CodecTrainer(settings))
        assert alone.keys() == together.keys()
        for name, value in alone.items():
            size = float(value.abs().max())
            torch.testing.assert_close(together[name], value, atol=1e-3 * size, rtol=1e-3)


def test_processes_that_cannot_share_a_batch_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from accelerate import Accelerator

    monkeypatch.setattr(Accelerator, "num_processes", 3)
    with pytest.raises(SettingError, match="3 processes cannot share evenly"):
        CodecTrainer(TINY)


def test_segments_are_random_but_repeatable() -> None:
    music = PoolMusic(pieces(), seed=3)
    batch = music.batch(5, 0, 4, 4800)
    assert batch.shape == (4, 1, 4800)
    assert batch.dtype == torch.float32
    assert 0 < float(batch.abs().max()) <= 1
    assert torch.equal(batch, PoolMusic(pieces(), seed=3).batch(5, 0, 4, 4800))
    assert torch.equal(batch[2:], music.batch(5, 2, 2, 4800))  # another process's share
    assert not torch.equal(batch, music.batch(6, 0, 4, 4800))


def test_a_segment_mixes_channels_and_ends_in_silence() -> None:
    stereo = np.stack((np.full(1000, 8000), np.full(1000, -4000))).astype(np.int16)
    levels = set()
    for seed in range(40):
        cut = segment(stereo, 1500, np.random.default_rng(seed))
        assert not cut[1000:].any()
        assert len(np.unique(cut[:1000])) == 1
        assert -8000 / 32768 <= cut[0] <= 8000 / 32768
        levels.add(round(float(cut[0]), 6))
    assert len(levels) > 30


def test_a_stream_plays_every_piece_and_can_begin_anywhere() -> None:
    loaded: list[int] = []

    def load(number: int) -> np.ndarray:
        loaded.append(number)
        return np.full((2, 100), 100 * (number + 1), np.int16)

    music = StreamMusic(70, load, seed=1, fresh=1.0)
    batches = [music.batch(step, 0, 3, 50) for step in range(30)]
    music.close()
    assert sorted(music.number(place) for place in range(70)) == list(range(70))
    assert [music.number(place) for place in range(70)] != list(range(70))
    assert len(loaded) <= 30 + 48 + 8  # each once, and only as they come
    late = StreamMusic(70, load, seed=1, fresh=1.0)
    assert torch.equal(late.batch(29, 0, 3, 50), batches[29])
    late.close()


def test_processes_stream_different_pieces() -> None:
    seen: list[set[int]] = []
    for rank in range(2):
        own: set[int] = set()

        def load(number: int, own: set[int] = own) -> np.ndarray:
            own.add(number)
            return np.zeros((1, 100), np.int16)

        music = StreamMusic(40, load, seed=1, rank=rank, ranks=2, fresh=0.0)
        music.batch(0, 0, 1, 50)
        music._reader.shutdown(wait=True)
        seen.append({n for n in own})
    first = [{music.number(2 * p + r) for p in range(20)} for r in range(2)]
    assert not first[0] & first[1]
    assert first[0] <= seen[0]
    assert first[1] <= seen[1]


def write_music(folder: Path) -> None:
    """A folder of two shards: three pairs with music, at other rates, and one without."""
    rates, pairs = (24_000, 48_000, 24_000), []
    for number, rate in enumerate(rates):
        times = torch.arange(rate) / rate
        tone = 0.4 * torch.sin(2 * torch.pi * 300 * (number + 1) * times)
        sound = torch.stack((tone, 0.5 * tone))[None] if number < 2 else tone[None, None]
        pairs.append(Pair(f"p{number}", Facts(1.0), Waveform(sound, rate)))
    write_shard(shard_path(folder, 0), pairs[:2])
    write_shard(shard_path(folder, 1), [pairs[2], Pair("silent", Facts(1.0))])
    write_index(folder)


def test_studio_shards_are_heard_at_the_codecs_rate(tmp_path: Path) -> None:
    tmp_path.joinpath("s").mkdir()
    write_music(tmp_path / "s")
    music = open_shards(tmp_path / "s", seed=0)
    assert music.pieces == 3
    batch = music.batch(0, 0, 8, 12_000)[:, 0]
    music.close()
    strongest = torch.fft.rfft(batch).abs().argmax(1) * 2  # Hz
    assert set(strongest.tolist()) == {300, 600, 900}
    assert torch.equal(batch, open_shards(tmp_path / "s", seed=0).batch(0, 0, 8, 12_000)[:, 0])


def test_pieces_of_shards_are_mixed_once_and_kept(tmp_path: Path) -> None:
    folder, kept = tmp_path / "s", tmp_path / "kept"
    folder.mkdir()
    write_music(folder)
    pieces = shard_pieces(folder, 60, kept)
    assert [name.partition("-")[0] for name in pieces] == ["s_p0", "s_p1", "s_p2"]
    for number, piece in enumerate(pieces.values()):
        assert piece.shape == (24_000,)
        assert np.abs(np.fft.rfft(piece)).argmax() == 300 * (number + 1)
    loudest = 0.4 * 32767
    first, _, third = pieces.values()
    assert abs(int(third.max()) - loudest) < 3
    assert abs(int(first.max()) - 0.75 * loudest) < 3, "the mean of both channels"
    times = {path: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert list(shard_pieces(folder, 1.5 / 60, kept)) == list(pieces)[:2], "as much as asked for"
    assert {path: path.stat().st_mtime_ns for path in kept.iterdir()} == times


def test_pieces_of_two_sets_with_the_same_names_are_two(tmp_path: Path) -> None:
    pieces: dict[str, np.ndarray] = {}
    for number, parent in enumerate("ab"):
        folder = tmp_path / parent / "train"
        folder.mkdir(parents=True)
        wave = Waveform(torch.full((1, 1, 24_000), 0.1 * (number + 1)), 24_000)
        write_shard(shard_path(folder, 0), [Pair("p0", Facts(1.0), wave)])
        write_index(folder)
        pieces |= shard_pieces(folder, 60, tmp_path / "kept")
    assert [int(piece[0]) for piece in pieces.values()] == [3277, 6554]


def test_shards_without_music_are_refused(tmp_path: Path) -> None:
    write_shard(shard_path(tmp_path, 0), [Pair("silent", Facts(1.0))])
    write_index(tmp_path)
    with pytest.raises(SettingError, match="hold no music"):
        open_shards(tmp_path, seed=0)
