"""No song and no performance on both sides of a split."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from d2m_core.errors import SettingError
from training.sources import Recording
from training.sources.splits import assign_splits, check_leaks

HERE = Path("x.mp4")


def one(name: str, song: str = "", performance: str = "", split: str = "") -> Recording:
    return Recording(name, "folder", video=HERE, song=song, performance=performance, split=split)


def rows(found: list[Recording], splits: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"song": r.song, "performance": r.performance, "split": splits[r.name], "source": r.source}
        for r in found
    ]


def test_chains_of_songs_and_performances_stay_together() -> None:
    rng = random.Random(3)
    found = [
        one(f"r{n}", rng.choice(["", f"s{rng.randrange(150)}"]), f"p{rng.randrange(250)}") for n in range(400)
    ]
    splits = assign_splits(found, (0.6, 0.2, 0.2), seed=1)
    check_leaks(rows(found, splits))
    shares = [list(splits.values()).count(split) / 400 for split in ("train", "val", "test")]
    assert min(shares) > 0.03
    rng.shuffle(found)
    assert assign_splits(found, (0.6, 0.2, 0.2), seed=1) == splits
    assert assign_splits(found, (0.6, 0.2, 0.2), seed=2) != splits


def test_unnamed_recordings_are_spread_by_the_shares() -> None:
    splits = assign_splits([one(f"r{n}") for n in range(2000)], (0.8, 0.0, 0.2))
    counts = [list(splits.values()).count(split) for split in ("train", "val", "test")]
    assert counts[1] == 0
    assert abs(counts[2] - 400) < 60


def test_official_splits_stay_and_draw_others_with_them() -> None:
    found = [one("a", "s", "p1", "test"), one("b", "s", "p2"), one("c", "t", "p2")]
    assert set(assign_splits(found, (1.0, 0.0, 0.0)).values()) == {"test"}


@pytest.mark.parametrize("kind", ["song", "performance"])
@pytest.mark.parametrize("sides", [("train", "test"), ("train", "val"), ("val", "test")])
def test_a_leak_is_named(kind: str, sides: tuple[str, str]) -> None:
    with pytest.raises(SettingError, match=f"leak: {kind} 'waltz 3' in "):
        check_leaks([{kind: "waltz 3", "split": side, "source": "folder"} for side in sides])


def test_aist_may_share_songs_between_validation_and_test_only() -> None:
    shared = [{"song": "mBR0", "split": s, "source": "aist"} for s in ("val", "test")]
    check_leaks(shared)
    with pytest.raises(SettingError, match="song 'mBR0' in test and train and val"):
        check_leaks([*shared, {"song": "mBR0", "split": "train", "source": "aist"}])
    with pytest.raises(SettingError, match="'mBR0'"):
        check_leaks([*shared, {"song": "mBR0", "split": "test", "source": "folder"}])


@pytest.mark.parametrize("shares", [(1.0,), (0.5, 0.2, 0.2), (1.2, -0.1, -0.1)])
def test_shares_must_add_up(shares: tuple[float, ...]) -> None:
    with pytest.raises(SettingError, match="add up to 1"):
        assign_splits([one("a")], shares)
