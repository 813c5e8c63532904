"""The codec's training from the command line: runs of a few steps on a codec of toy size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.codec import load_codec
from tests.training.codec.test_trainer import pieces, write_music
from training import train_codec
from training.codec.figures import OCTAVES_HZ, octave_levels_db, si_sdr
from training.codec.music import PoolMusic
from training.codec.pictures import spectrogram_pair
from training.run.command import STOPPED
from training.train_codec import main

SIZES = "--filters 4 --hidden 16 --cardinality 16 --batch 2 --segment-s 0.16"
TINY = f"{SIZES} --continuous-steps 2 --device cpu --precision float32 --report-every 2".split()
TINY += ["--save-s", "0"]


@pytest.fixture(autouse=True)
def small_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two made-up pieces as the pool, and one to measure on."""
    held_out = torch.from_numpy(pieces()[0][None, None, :24_000].astype(np.float32) / 32768)
    monkeypatch.setattr(train_codec, "open_pool", lambda folder, minutes: pieces())
    monkeypatch.setattr(train_codec, "held_out_pieces", lambda folder, seconds: held_out)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)  # the command line sets it for the whole process
    torch.set_float32_matmul_precision("highest")


class Killed(PoolMusic):
    """Stops in the middle of the run."""

    def batch(self, step: int, first: int, count: int, samples: int) -> torch.Tensor:
        if step == 4:
            raise KeyboardInterrupt
        return super().batch(step, first, count, samples)


def lines(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_a_killed_run_goes_on_to_the_same_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, parts, out = tmp_path / "whole", tmp_path / "parts", tmp_path / "out"
    assert main([*TINY, "--out", str(out / "a"), "--folder", str(whole), "--steps", "6"]) == 0
    more = [*TINY, "--out", str(out / "b"), "--folder", str(parts), "--steps", "6"]
    with monkeypatch.context() as patch:
        patch.setattr(train_codec, "PoolMusic", Killed)
        assert main(more) == STOPPED
    assert not out.joinpath("b").exists()
    main(more)
    main([*more, "--resume"])  # the flag of old; its steps are done: it only exports again
    losses = [[line["mel"] for line in lines(run) if "mel" in line] for run in (whole, parts)]
    assert losses[1][0] == losses[0][0]  # step 2; the kill took the sums of step 3
    assert losses[1][-1] == pytest.approx(losses[0][-1], abs=1e-5)
    ends = [lines(run)[-1] for run in (whole, parts)]
    assert [end["step"] for end in ends] == [6, 6]
    assert ends[0]["exported"] == ends[1]["exported"]
    assert ends[0]["exported"]["mel"] > 0
    assert len(ends[0]["exported"]["octaves_db"]) == len(OCTAVES_HZ) - 1
    assert load_codec(out / "a").spec == replace(load_codec(out / "b").spec, name="a")
    assert load_codec(out / "a").spec.codebooks == 4
    assert list((whole / "board").glob("events*"))
    assert any("perplexity" in line for line in lines(whole))


def test_a_run_by_minutes_on_shards_with_judges(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    write_music(tmp_path / "shards")
    flags = "--minutes 0.05 --judges stft --judge-windows 128 64 --judge-channels 2 --judges-from 1"
    flags += " --balancer --ratios 8 8 5 3 --lstm-layers 0 --no-causal"
    folders = [f"--{name}={tmp_path / name}" for name in ("out", "folder")]
    main([*TINY, *flags.split(), *folders, f"--data={tmp_path / 'shards'}"])
    found = lines(tmp_path / "folder")
    assert any("fool" in line for line in found)
    codec = load_codec(tmp_path / "out")
    assert (codec.spec.token_rate, codec.causal) == (25.0, False)


def test_a_call_may_end_before_the_run(tmp_path: Path) -> None:
    flags = [*TINY, "--folder", str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--steps"]
    main([*flags, "4", "--stop-after", "1e-9"])
    assert lines(tmp_path / "run")[-1]["step"] == 1
    assert (tmp_path / "out" / "config.json").exists()
    main([*flags, "4", "--stop-after", "60", "--resume"])
    assert lines(tmp_path / "run")[-1]["step"] == 4


def test_a_state_of_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*TINY, "--folder", str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--steps", "1"]
    assert main(words) == 0
    assert main([*words, "--filters", "6"]) == 1
    assert "filters was 4 and is 6" in capsys.readouterr().err
    monkeypatch.setattr(train_codec, "open_pool", lambda folder, minutes: pieces()[:1])
    assert main(words) == 1
    assert "music was " in capsys.readouterr().err
    assert main([*words, "--no-resume", "--filters", "6"]) == 0


def test_si_sdr_ignores_loudness() -> None:
    torch.manual_seed(0)
    real = torch.randn(2, 1, 1000)
    assert si_sdr(real, 0.3 * real) > 60
    assert si_sdr(real, real + torch.randn(2, 1, 1000)) == pytest.approx(0, abs=1)


def test_octaves_tell_which_band_is_missing() -> None:
    times = torch.arange(24_000) / 24_000
    low, high = (torch.sin(2 * torch.pi * hz * times)[None, None] for hz in (100, 3000))
    levels = octave_levels_db(low + high, low + 0.5 * high)
    assert levels[1] == pytest.approx(0, abs=0.01)
    assert levels[6] == pytest.approx(-6.02, abs=0.01)


def test_a_picture_shows_original_above_decoded() -> None:
    times = torch.arange(24_000) / 24_000
    tone = torch.sin(2 * torch.pi * 2000 * times)
    picture = spectrogram_pair(tone, torch.zeros_like(tone))
    height = (len(picture) - 6) // 2
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    assert picture[:height].max() > 200
    assert picture[height + 6 :].max() < 40
