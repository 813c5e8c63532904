"""Shards of pairs: written the same every time, read back, and never half there."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from d2m_core.errors import MediaError, SettingError
from d2m_core.styles import STYLES
from tests.training.studio.pairs import SECONDS, made_up
from training.pairs.pair import FILM, MUSIC, POSES, Facts, Pair, to_members
from training.pairs.shards import (
    PairFolder,
    entries_of,
    read_pairs,
    remove_leftovers,
    shard_path,
    write_index,
    write_shard,
)
from training.studio.sheets.contact_sheet import SHEET, choose, write_sheet


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two shards of five pairs, one of them with a film."""
    pairs = [made_up(f"{n:07d}", n, STYLES[n], 1 + n % 2) for n in range(5)]
    pairs[1] = replace(pairs[1], film=b"stands for an mp4 file")
    write_shard(shard_path(tmp_path, 0), pairs[:3])
    write_shard(shard_path(tmp_path, 1), pairs[3:])
    write_index(tmp_path)
    return tmp_path


def test_a_pair_comes_back_as_it_went(folder: Path) -> None:
    pair = next(read_pairs(folder))
    made = made_up("0000000", 0)
    assert pair.name == made.name
    assert pair.facts == made.facts
    assert pair.music is not None
    assert made.music is not None
    assert pair.music.sample_rate == made.music.sample_rate
    assert (pair.music.samples - made.music.samples).abs().max() <= 0.51 / 32768
    for back, poses in ((pair.seen, made.seen), (pair.truth, made.truth)):
        assert back is not None
        assert poses is not None
        np.testing.assert_allclose(back.world, poses.world, atol=6e-4)
        np.testing.assert_allclose(back.image, poses.image, atol=6e-4)
        np.testing.assert_array_equal(back.present, poses.present)
        assert back.fps == poses.fps
    for name in ("joints", "accents"):
        np.testing.assert_array_equal(getattr(pair, name), getattr(made, name))
    for name in ("energy", "curves"):
        np.testing.assert_allclose(getattr(pair, name), getattr(made, name), atol=6e-4)
    np.testing.assert_array_equal(pair.onsets["kick"], made.onsets["kick"])
    assert to_members(pair) == to_members(replace(made, name=pair.name))


def test_a_pair_of_a_real_video_knows_less(tmp_path: Path) -> None:
    full = made_up("clip_7")
    pair = Pair("clip_7", Facts(SECONDS, made_by="my_video"), full.music, full.seen)
    (back,) = read_pairs(write_shard(tmp_path / "shard-00000.tar", [pair]))
    assert back.facts == pair.facts
    assert back.facts.tempo_bpm is None
    assert back.truth is None
    assert back.curves is None
    assert back.onsets == {}
    assert [name for name, _ in to_members(pair)] == ["clip_7.json", "clip_7.pose.safetensors", "clip_7.flac"]


def test_equal_pairs_make_equal_shards_that_any_tar_program_reads(folder: Path, tmp_path: Path) -> None:
    path = shard_path(folder, 0)
    again = write_shard(tmp_path / "other.tar", read_pairs(path))
    assert again.read_bytes() == path.read_bytes()
    with tarfile.open(path) as tar:
        members = tar.getmembers()
    names = [member.name for member in members]
    keys = [name.partition(".")[0] for name in names]
    assert keys == sorted(keys)  # files of a pair follow one another, as WebDataset wants it
    assert all(name.endswith(".json") for name in names[::3][:1])
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {(0, 0, 0, "", "", 0o644)}


def test_any_pair_can_be_read_by_itself(folder: Path) -> None:
    data = PairFolder(folder)
    assert len(data) == 5
    for number, pair in enumerate(read_pairs(folder)):
        assert to_members(data[number]) == to_members(pair)
        assert data[pair.name].facts == pair.facts
    assert [entry.shard for entry in data.entries] == ["shard-00000.tar"] * 3 + ["shard-00001.tar"] * 2
    assert data.entries[1].people == 2
    assert FILM in data.entries[1].members
    part = data.read(1, kinds=(POSES,))
    assert part.music is None
    assert part.seen is not None
    assert part.film is None
    start, size = data.entries[2].members[MUSIC]
    assert shard_path(folder, 0).read_bytes()[start : start + size][:4] == b"fLaC"


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def pairs() -> Iterator[Pair]:
        yield made_up("0")
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        write_shard(shard_path(tmp_path, 0), pairs())
    assert list(tmp_path.iterdir()) == []
    half, other = tmp_path / ".shard-00003.x1y2.tar", tmp_path / ".hidden"
    half.write_bytes(b"half")
    other.write_bytes(b"not ours")
    assert remove_leftovers(tmp_path) == [half]
    assert other.exists()


def test_broken_shards_are_refused_with_a_sentence(folder: Path, tmp_path: Path) -> None:
    path = shard_path(folder, 0)
    whole = path.read_bytes()
    with pytest.raises(SettingError, match="no shards in"):
        next(read_pairs(tmp_path / "empty"))
    path.write_bytes(b"x" * 2000)
    with pytest.raises(SettingError, match="is no shard"):
        next(read_pairs(path))
    start, _ = entries_of(shard_path(folder, 1))[0].members[MUSIC]
    shard = bytearray(shard_path(folder, 1).read_bytes())
    shard[start : start + 8] = bytes(8)
    shard_path(folder, 1).write_bytes(shard)
    with pytest.raises(MediaError, match=r"0000003\.flac cannot be read"):
        next(read_pairs(shard_path(folder, 1)))
    path.write_bytes(whole.replace(b'"duration_s"', b'"duration_x"'))
    with pytest.raises(SettingError, match="facts are not of format"):
        next(read_pairs(path))
    path.write_bytes(whole.replace(b'"duration_s": 2.0', b'"duration_s": 3.0'))
    with pytest.raises(SettingError, match=r"lasts 2.00 s and the pair 3.00 s"):
        next(read_pairs(path))
    (folder / "index.jsonl").write_text("{}\n")
    with pytest.raises(SettingError, match=r"index.jsonl cannot be read"):
        PairFolder(folder)
    with pytest.raises(ValueError, match="no dots"):
        write_shard(tmp_path / "x.tar", [made_up("a.b")])


def test_the_sheet_shows_every_style_once_first(folder: Path) -> None:
    data = PairFolder(folder)
    assert choose(data.entries) == [0, 1, 2, 3, 4]
    many = [replace(entry, style=STYLES[n % 3]) for n, entry in enumerate(data.entries * 4)]
    assert 1 in choose(many)  # drawn, so it comes first of its style
    chosen = [many[number].style for number in choose(many)]
    assert len(chosen) == 8
    assert chosen == sorted(chosen, key=STYLES.index)
    assert set(chosen) == set(STYLES[:3])
    path = shard_path(folder, 0)
    write_shard(path, [replace(pair, film=None) for pair in list(read_pairs(path))])
    write_index(folder)
    first = write_sheet(folder).read_bytes()
    assert first[:2] == b"\xff\xd8"
    assert 20_000 < len(first) < 1_000_000
    assert write_sheet(folder).read_bytes() == first
    assert (folder / SHEET).exists()


def test_the_index_is_plain_json_lines(folder: Path) -> None:
    rows = [json.loads(line) for line in (folder / "index.jsonl").read_text().splitlines()]
    assert [row["name"] for row in rows] == [f"{n:07d}" for n in range(5)]
    assert rows[0]["tempo_bpm"] == 120.0
