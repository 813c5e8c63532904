"""The judge of styles, on two that differ in nothing but where in the beat they sound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.errors import SettingError
from d2m_core.types import Waveform
from training.judges.style import EMBEDDING_DIM, features
from training.judges.style_spectra import (
    BANDS,
    FRAMES,
    HOP,
    RATE,
    Excerpt,
    Pulse,
    StyleData,
    at_speed,
    bent,
    cut,
    joined,
    log_mel,
    read_styles,
)
from training.pairs.pair import Facts, Pair
from training.pairs.shards import shard_path, write_index, write_shard
from training.train_style_judge import accuracy, train

SECONDS = 10


def piece(style: int, rng: np.random.Generator) -> tuple[torch.Tensor, Pulse]:
    """Clicks of noise on the beats or between them, at any tempo."""
    beats = np.arange(rng.uniform(0, 0.3), SECONDS, 60 / rng.uniform(90, 150))
    sound = rng.normal(scale=0.001, size=(SECONDS + 1) * RATE)
    for at in beats + (0.0, (beats[1] - beats[0]) / 2)[style]:
        first = int(at * RATE)
        sound[first : first + 1200] += rng.normal(scale=0.3, size=1200)
    return torch.from_numpy(sound[: SECONDS * RATE]).float(), Pulse(beats, np.arange(len(beats)) % 4 == 1)


@pytest.fixture(scope="module")
def data() -> StyleData:
    rng, labels = np.random.default_rng(0), np.arange(36) % 2
    made = [piece(style, rng) for style in labels]
    mels = [log_mel(sound).half() for sound, _ in made]
    return StyleData(mels, [pulse for _, pulse in made], labels, ("on", "off"))


def test_every_ninth_piece_is_kept_back(data: StyleData) -> None:
    assert data.held_out == [8, 17, 26, 35]
    assert not set(data.held_out) & set(data.train)
    assert len(data.train) == 32


def test_spectra_of_two_sets_with_the_same_names_are_two(tmp_path: Path) -> None:
    rng, found = np.random.default_rng(0), []
    for folder in ("a/train", "b/train"):
        (tmp_path / folder).mkdir(parents=True)
        sound = torch.from_numpy(rng.normal(scale=0.1, size=(1, 1, 6 * RATE))).float()
        beats = (0.5, 1.0, 1.5)
        facts = Facts(6.0, style="house", beats_s=beats, downbeats=(True, False, False))
        write_shard(shard_path(tmp_path / folder, 0), [Pair("p0", facts, Waveform(sound, RATE))])
        write_index(tmp_path / folder)
        found.append(read_styles(tmp_path / folder, tmp_path / "kept").mels[0])
    assert not torch.equal(*found)
    again = read_styles(tmp_path / "a/train", tmp_path / "kept").mels[0]
    assert torch.equal(again, found[0])
    assert len(list((tmp_path / "kept").glob("*.safetensors"))) == 2


def test_it_hears_a_piece_on_its_beats(data: StyleData) -> None:
    judge = train(data, epochs=20, batch=16, copies=3)
    assert judge.info["accuracy"] == judge.info["accuracy_other_tempi"] == 1.0
    rng = np.random.default_rng(9)
    for style in (0, 1):
        sound, pulse = piece(style, rng)
        wave = Waveform(sound[None, None], RATE)
        assert judge.style_of(wave, pulse) == judge.styles[style]
        assert judge.style_of(Waveform(0.1 * wave.samples, RATE), pulse) == judge.styles[style]
        half = (pulse.beats_s[1] - pulse.beats_s[0]) / 2
        other = Pulse(pulse.beats_s + half, pulse.downbeats)
        assert judge.style_of(wave, other) == judge.styles[1 - style]
        assert judge.embed(wave, pulse).shape == (3, EMBEDDING_DIM)
    short = Waveform(sound[None, None, :RATE], RATE)
    assert judge.embed(short, pulse).shape == (1, EMBEDDING_DIM)  # repeated: it is too short
    assert judge.covariance.shape == (EMBEDDING_DIM, EMBEDDING_DIM)


def test_the_groove_is_folded_over_the_beat_and_bars() -> None:
    mel = torch.zeros(FRAMES, BANDS)
    mel[13::25] = 1.0  # once a beat of 25 frames, just after its middle
    groove = features(Excerpt(mel, np.arange(FRAMES) / 25))[3 * BANDS :]
    beat, four, three = groove.split([12 * 8, 16 * 8, 12 * 8])
    assert beat.view(12, 8)[:, 0].argmax() == 6
    assert sorted(four.view(16, 8)[:, 0].topk(4).indices.tolist()) == [2, 6, 10, 14]
    assert sorted(three.view(12, 8)[:, 0].topk(3).indices.tolist()) == [2, 6, 10]


def test_beats_are_counted_from_a_bar() -> None:
    pulse = Pulse(np.arange(8) * 0.5, np.arange(8) % 4 == 2)
    np.testing.assert_allclose(pulse.beat_at(np.array([1.0, 2.25, 0.0])), [0, 2.5, -2])
    np.testing.assert_allclose(Pulse(np.zeros(0)).beat_at(np.array([1.5])), [3.0])


def test_windows_and_tempi_keep_to_the_beats(data: StyleData) -> None:
    _, pulse = piece(0, np.random.default_rng(3))
    times_s = np.arange(2 * FRAMES) * HOP / RATE
    one, two, three = cut(torch.zeros(2 * FRAMES, BANDS), pulse.beat_at(times_s))
    assert len(one.mel) == len(three.mel) == FRAMES
    np.testing.assert_allclose(two.beat, pulse.beat_at(2.5 + times_s[:FRAMES]))
    assert at_speed(torch.zeros(100, BANDS), 2.0).shape == (50, BANDS)
    fast, plain = data.windows(0, 2.0)[0], data.windows(0)[0]
    assert np.ptp(fast.beat) == pytest.approx(2 * np.ptp(plain.beat))


def test_bending_changes_the_sound_and_keeps_the_time(data: StyleData) -> None:
    heard = data.excerpt(0, np.random.default_rng(1))
    other = bent(heard, np.random.default_rng(2))
    assert not torch.equal(heard.mel, other.mel)
    np.testing.assert_array_equal(heard.beat, other.beat)
    both = torch.stack([heard.mel.mean(1), other.mel.mean(1)])
    assert torch.corrcoef(both)[0, 1] > 0.9


def test_music_is_heard_through_codecs_as_well(data: StyleData) -> None:
    muffled = [torch.zeros_like(mel) for mel in data.mels]
    both = replace(data, coded=(muffled,))
    rng = np.random.default_rng(4)
    heard = [bool(both.excerpt(0, rng).mel.any()) for _ in range(40)]
    assert 10 <= sum(heard) <= 30  # half of them are as they were
    assert all(window.mel.any() for window in both.windows(0))
    assert not any(window.mel.any() for window in both.windows(0, codec=0))
    judge = train(both, epochs=20, batch=16, copies=4)
    assert accuracy(judge.net, both) > 0.9
    assert accuracy(judge.net, both, codec=0) == 0.5  # of silence it can know nothing


def test_folders_are_joined_and_each_keeps_its_own_back(data: StyleData) -> None:
    part = replace(data, coded=(data.mels,), sizes=(36,))
    both = joined([part, part])
    assert len(both.mels) == len(both.pulses) == len(both.labels) == len(both.coded[0]) == 72
    assert both.held_out == [8, 17, 26, 35, 44, 53, 62, 71]
    assert len(both.train) == 64
    with pytest.raises(SettingError, match="different styles: on, off; on"):
        joined([part, replace(part, styles=("on",))])
