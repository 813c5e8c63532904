"""The codec's benchmark: its measures on sounds whose answer is known, and one small run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import codec as benchmark
from benchmarks.codec_rivals import Contestant, aligned, contestants, delay, on_this_machine, opus
from benchmarks.codec_scores import log_spectral_distance, mel_distance, onset_correlation, score, speed
from benchmarks.codec_shapes import SHAPES, settings_of
from benchmarks.codec_stereo import side_level_db, stereo_rows, through
from d2m_core.codec import load_codec
from d2m_core.errors import SettingError
from d2m_core.media import save_audio
from d2m_core.types import Waveform
from tests import tiny_models
from training.codec.network import bandwidths

RATE = 24_000


def clicks(tempo_bpm: float = 120, seconds: float = 6.0, seed: int = 0) -> torch.Tensor:
    """Noise bursts on the beat over a low tone, [1, 1, N]."""
    rng, times = np.random.default_rng(seed), np.arange(round(RATE * seconds)) / RATE
    since = times % (60 / tempo_bpm)
    sound = 0.3 * rng.normal(size=len(times)) * np.exp(-40 * since)
    sound += 0.2 * np.sin(2 * np.pi * 110 * times)
    return torch.from_numpy(sound.astype(np.float32))[None, None]


def test_distances_by_hand() -> None:
    torch.manual_seed(0)
    sound = 0.3 * torch.randn(24_000)
    assert mel_distance(sound, sound) == 0.0
    assert mel_distance(sound, 0.1 * sound) == pytest.approx(1.0, rel=0.02)
    assert log_spectral_distance(sound[None], sound[None]) == 0.0
    assert log_spectral_distance(sound[None], 0.1 * sound[None]) == pytest.approx(20, rel=0.02)


def test_onsets_correlate_with_themselves_alone() -> None:
    one, other = (clicks(tempo)[0, 0].numpy() for tempo in (120, 97))
    assert onset_correlation(one, 0.5 * one) > 0.99
    assert onset_correlation(one, other) < 0.5
    assert onset_correlation(one, np.zeros_like(one)) == 0.0


@pytest.mark.parametrize("late", [-312, 0, 777])
def test_a_delay_is_found_and_taken_out(late: int) -> None:
    real = clicks(seconds=1.0)[0, 0]
    fake = torch.roll(real, late)
    assert delay(real, fake) == late
    inner = slice(800, -800)
    torch.testing.assert_close(aligned(real, fake)[inner], real[inner])
    assert aligned(real, fake[:5000]).shape == real.shape


def test_opus_costs_and_gives_more_with_more_bits() -> None:
    sound = clicks(seconds=3.0)
    poor, rich = opus(sound, 6), opus(sound, 48)
    assert poor.sound.shape == sound.shape
    assert 3 < poor.kbits < 9 < rich.kbits < 70
    assert mel_distance(rich.sound[0, 0], sound[0, 0]) < mel_distance(poor.sound[0, 0], sound[0, 0])
    assert delay(sound[0, 0], rich.sound[0, 0]) == 0


def test_what_keeps_everything_scores_full() -> None:
    from benchmarks.codec_rivals import Coded

    sound = clicks()
    perfect = Contestant("perfect", lambda audio: Coded(audio.clone(), 384.0))
    result, _ = score(perfect, "clicks", sound, madmom=False)
    assert (result.mel, result.lsd_db, result.onset_r, result.beats.f) == (0.0, 0.0, 1.0, 1.0)
    assert result.worst_octave_db == 0.0
    assert result.hum_db == -90.0
    assert result.perplexity == []


def test_one_small_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_models.write_codec(tmp_path / "tiny")
    (tmp_path / "songs").mkdir()
    save_audio(Waveform(clicks(100), RATE), tmp_path / "songs" / "a.flac")
    monkeypatch.setattr(benchmark, "held_out", lambda seconds, per_style: clicks(seconds=seconds))
    monkeypatch.setattr("benchmarks.codec_scores.SPEED_S", 2.0)
    flags = ["--codec", str(tmp_path / "tiny"), "--also", str(tmp_path / "songs")]
    out = tmp_path / "out"
    assert benchmark.main([*flags, "--seconds", "3", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    found = json.loads((out / "scores.json").read_text())
    names = ["tiny", "Opus 6", "Opus 8", "Opus 12"]
    assert [s["codec"] for s in found["scores"]][: 2 * 4] == [n for n in names for _ in range(2)]
    assert {s["music"] for s in found["scores"]} == {"studio", "songs"}
    assert len(found["scores"][0]["perplexity"]) == 2
    assert "| tiny | 0.60 |" in printed
    assert "real time" in printed
    assert (out / "styles.png").exists()
    assert len(list(out.glob("*_*.png"))) == len(found["scores"])


def test_shapes_all_take_the_same_bit_rate_and_differ_in_one_thing(tmp_path: Path) -> None:
    settings = [settings_of(name, tmp_path, "shards", 1.0) for name in SHAPES]
    assert {max(bandwidths(one)) for one in settings} == {4.0}
    assert len({one.folder for one in settings}) == len(SHAPES)
    assert {(one.minutes, one.batch, one.rate, one.seed) for one in settings} == {(1.0, 4, 7e-4, 0)}


def test_the_side_alone_makes_it_wide() -> None:
    left, right = clicks(120)[0], clicks(97)[0]
    audio = torch.stack((left[0], right[0]))[None]  # [1, 2, N]
    rows = stereo_rows(lambda x, books: x if books else torch.zeros_like(x), audio, 4)
    assert [books for books, _, _ in rows] == [0, 1, 2, 4]
    assert rows[0][1] > 0.1
    assert rows[0][2] < -100
    for _, mel, level_db in rows[1:]:
        assert mel == pytest.approx(0.0, abs=1e-4)
        assert level_db == pytest.approx(side_level_db(audio))


def test_fewer_books_of_the_side_are_the_first_ones(tmp_path: Path) -> None:
    tiny_models.write_codec(tmp_path / "tiny")
    model, sound = load_codec(tmp_path / "tiny").model, clicks(seconds=1.0)[0]
    assert not through(model, sound, 0).any()
    both = through(model, sound, 2)
    codes = model.encode(sound[None], bandwidth=0.6).audio_codes
    whole = model.decode(codes, [None]).audio_values[0]
    torch.testing.assert_close(both, whole[:, : both.shape[-1]], atol=1e-4, rtol=1e-3)
    assert not torch.allclose(through(model, sound, 1), both, atol=1e-3)


def test_speed_counts_both_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_models.write_codec(tmp_path / "tiny")
    monkeypatch.setattr("benchmarks.codec_scores.SPEED_S", 2.0)
    pace = speed(load_codec(tmp_path / "tiny"), clicks(), rounds=1)
    assert pace.encode_x > 0
    assert pace.decode_x > 0


def test_meta_is_asked_for_only_where_its_weights_are(tmp_path: Path) -> None:
    assert not on_this_machine("facebook/there_is_no_such_codec")
    tiny_models.write_codec(tmp_path / "tiny")
    names = [c.name for c in contestants(load_codec(tmp_path / "tiny"), "tiny")]
    assert names[:4] == ["tiny", "Opus 6", "Opus 8", "Opus 12"]


def test_a_folder_without_sound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no sound files"):
        benchmark.cuts(tmp_path, 1.0, 3)
