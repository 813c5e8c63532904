"""Shards become training items, once each, with tokens, motion and the right curves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.codec import encode_audio, load_codec
from d2m_core.errors import SettingError
from d2m_core.media import to_mono
from d2m_core.motion import MOTION_NAMES, extract_motion
from d2m_core.rhythm import load_rhythm, rhythm_from_motion
from d2m_core.straight import StepGrid
from d2m_core.types import Waveform
from tests import tiny_models
from tests.training.studio.pairs import RATE, SECONDS, made_up
from training.encode_audio import NOTE, item_path, main
from training.pairs.pair import Pair
from training.pairs.shards import PairFolder, shard_path, write_index, write_shard
from training.transformer.encoding import encode_pair
from training.transformer.items import write_item
from training.transformer.windows import read_folder


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("codec") / "tiny"
    tiny_models.write_codec(folder)
    return folder


def test_an_item_holds_what_the_pair_says(codec: Path) -> None:
    pair, loaded = made_up("0000007", 7, "waltz", people=2), load_codec(codec)
    item = encode_pair(pair, loaded)
    assert pair.music is not None
    assert pair.seen is not None
    codes = encode_audio(loaded, to_mono(pair.music)).codes[0].numpy()
    np.testing.assert_array_equal(item.codes, codes)
    assert len(np.unique(item.codes)) > 1
    assert item.duration_s == SECONDS
    assert item.style == "waltz"
    assert item.motion_names == MOTION_NAMES
    wanted = extract_motion(pair.seen, person=0).values
    np.testing.assert_allclose(item.motion, wanted, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(item.beats_s, pair.facts.beats_s)
    np.testing.assert_array_equal(item.downbeats, pair.facts.downbeats)
    assert pair.curves is not None
    np.testing.assert_array_equal(item.curves, pair.curves.astype(np.float16))


def test_half_of_the_curves_are_read_from_the_dance(codec: Path, tmp_path: Path) -> None:
    path = tmp_path / "rhythm.safetensors"
    tiny_models.write_rhythm(path)
    loaded, net, read = load_codec(codec), load_rhythm(path), 0
    for number in range(8):
        pair = made_up(f"{number:07d}", number)
        assert pair.seen is not None
        assert pair.curves is not None
        curves = encode_pair(pair, loaded, net).curves
        danced = rhythm_from_motion(extract_motion(pair.seen), net).curves.astype(np.float16)
        own = pair.curves.astype(np.float16)
        assert np.array_equal(curves, own) or np.array_equal(curves, danced)
        read += np.array_equal(curves, danced)
    assert 0 < read < 8


def wandering(seconds: float = 6.0) -> tuple[Pair, np.ndarray]:
    """A pair with a click on each of its beats, whose tempo wanders, and rising energy; its beats."""
    at, beats_s = 0.137, []
    while at < seconds - 0.1:
        beats_s.append(at)
        at += 60 / (113 + 3 * np.sin(at))
    rng, samples = np.random.default_rng(0), np.zeros(round(seconds * RATE), np.float32)
    for beat_s in beats_s:
        first = round(beat_s * RATE)
        samples[first : first + 240] = rng.normal(0, 0.3, 240) * np.exp(-np.arange(240) / 60)
    frames = round(seconds * 25)
    curves = np.zeros((frames, 2), np.float32)
    curves[:, 1] = np.linspace(0, 1, frames)
    pair, facts = made_up("0", people=1), made_up("0").facts
    downs = tuple(number % 4 == 0 for number in range(len(beats_s)))
    return replace(
        pair,
        facts=replace(
            facts,
            duration_s=seconds,
            tempo_bpm=113.0,
            beats_s=tuple(beats_s),
            downbeats=downs,
            hits=(),
            stops=(),
        ),
        music=Waveform(torch.from_numpy(samples)[None, None], RATE),
        seen=None,
        curves=curves,
    ), np.array(beats_s)


def test_music_off_the_grid_is_laid_on_it_with_its_dance(codec: Path) -> None:
    pair, beats_s = wandering()
    loaded = load_codec(codec)
    plain, laid = encode_pair(pair, loaded, straight=False), encode_pair(pair, loaded, straight=True)
    rate = loaded.spec.token_rate
    assert StepGrid.of(plain.beats_s, plain.downbeats, rate) is None
    grid = StepGrid.of(laid.beats_s, laid.downbeats, rate)
    assert grid is not None
    assert set(np.diff(grid.beats)) == {26}, "steps of a beat at 113 BPM, as near as can be"
    assert laid.tempo_bpm == pytest.approx(60 * rate / 26)
    assert laid.sound is not None
    level = laid.sound[:, 12].astype(np.float64)
    clicks = [int(beat) + int(np.argmax(level[beat - 3 : beat + 4])) - 3 for beat in grid.beats[1:-1]]
    assert np.abs(np.array(clicks) - grid.beats[1:-1]).max() <= 1, "a window of level is two steps long"
    assert laid.codes.shape[1] == pytest.approx(6.0 * rate * 26 / np.diff(beats_s * rate).mean(), abs=3)
    np.testing.assert_allclose(laid.curves[:, 1], np.linspace(0, 1, len(laid.curves)), atol=0.02)


def test_a_codec_of_straight_music_asks_for_it_and_music_that_is_straight_stays(codec: Path) -> None:
    loaded, pair = load_codec(codec), wandering()[0]  # of the name that the embedded codec has
    np.testing.assert_array_equal(
        encode_pair(pair, loaded).codes, encode_pair(pair, loaded, None, True).codes
    )
    on_steps = made_up("0", 3)
    np.testing.assert_array_equal(
        encode_pair(on_steps, loaded, straight=True).codes,
        encode_pair(on_steps, loaded, straight=False).codes,
    )
    one_beat = replace(pair, facts=replace(pair.facts, beats_s=(1.0,), downbeats=(True,)))
    assert encode_pair(one_beat, loaded).beats_s.tolist() == [1.0]


def test_music_without_a_dance_is_an_item_and_a_dance_without_music_is_none(codec: Path) -> None:
    loaded, pair = load_codec(codec), made_up("1")
    assert encode_pair(replace(pair, seen=None), loaded).motion is None
    with pytest.raises(SettingError, match="no music with beats"):
        encode_pair(replace(pair, music=None), loaded)


def test_shards_are_encoded_once_and_items_of_two_codecs_are_not_mixed(
    codec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data", tmp_path / "items"
    write_shard(shard_path(data, 0), [made_up(f"{n}", n, style="dnb") for n in range(2)])
    write_index(data)
    command = ["--data", str(data), "--out", str(out), "--workers", "1"]
    first = write_item(item_path(out, "0"), encode_pair(PairFolder(data)["0"], load_codec(codec)))
    stamp = first.stat().st_mtime_ns
    (out / ".2.x.safetensors").write_bytes(b"half")
    assert main([*command, "--codec", str(codec)]) == 0
    assert capsys.readouterr().out == f"2 items in {out}\n"
    assert first.stat().st_mtime_ns == stamp
    assert sorted(path.name for path in out.iterdir()) == ["0.safetensors", "1.safetensors", NOTE]
    items = read_folder(out)
    assert items.styles == ("dnb",)
    want = encode_pair(PairFolder(data)["1"], load_codec(codec))
    np.testing.assert_array_equal(items.train[1].codes, want.codes)
    other = tmp_path / "other"
    tiny_models.write_codec(other, kbits=1.2)
    assert main([*command, "--codec", str(other)]) == 1
    assert "codebooks was " in capsys.readouterr().err
    assert main(["--data", str(tmp_path / "none"), "--codec", str(codec)]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_items_of_another_making_are_not_added_to(
    codec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out, net = tmp_path / "data", tmp_path / "items", tmp_path / "rhythm.safetensors"
    write_shard(shard_path(data, 0), [made_up("0"), made_up("1")])
    write_index(data)
    tiny_models.write_rhythm(net)
    command = ["--out", str(out), "--workers", "1", "--codec", str(codec)]
    assert main([*command, "--data", str(data)]) == 0
    assert main([*command, "--data", str(data), "--rhythm", str(net)]) == 1
    assert "rhythm was None and is " in capsys.readouterr().err
    others = tmp_path / "others"  # another studio's pairs of the same names
    write_shard(shard_path(others, 0), [made_up("0", style="waltz")])
    write_index(others)
    assert main([*command, "--data", str(others)]) == 1
    assert "and is waltz; give the same flags and pairs" in capsys.readouterr().err
    more = tmp_path / "more"
    write_shard(shard_path(more, 0), [made_up(name) for name in ("0", "1", "2")])
    write_index(more)
    capsys.readouterr()
    assert main([*command, "--data", str(more)]) == 0
    assert capsys.readouterr().out == f"3 items in {out}\n"
