"""Shards become training items, once each, with tokens, motion and the right curves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from d2m_core.codec import encode_audio, load_codec
from d2m_core.errors import SettingError
from d2m_core.media import to_mono
from d2m_core.motion import MOTION_NAMES, extract_motion
from d2m_core.rhythm import load_rhythm, rhythm_from_motion
from tests import tiny_models
from tests.training.studio.pairs import SECONDS, made_up
from training.encode_audio import NOTE, item_path, main
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
