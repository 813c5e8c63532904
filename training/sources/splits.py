"""Which recordings train a model and which test it: no song and no performance on both sides."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from d2m_core.errors import SettingError, require

from .recording import SPLITS, Recording

SHARES = (0.9, 0.05, 0.05)
"""Of `SPLITS`, in its order."""

SHARED_SONGS = frozenset({"aist", "cdcd"})
"""Sources whose official validation and test share songs, not dances; train has none of them."""

_HELD_OUT = SPLITS[1:]


def assign_splits(
    recordings: Iterable[Recording], shares: Sequence[float] = SHARES, seed: int = 0
) -> dict[str, str]:
    """The split of each recording, by its name.

    A source's official splits stay. All others that share a song or a performance, directly or
    through further recordings, go together: where an official one is among them with it, else to a
    split that a hash of the group and `seed` picks with the chances `shares`, in the order of
    `SPLITS`. Small sets may leave a split empty. The order of `recordings` does not matter.

    Raises `SettingError`.
    """
    _check_shares(shares)
    found = list(recordings)
    groups: dict[str, list[Recording]] = defaultdict(list)
    roots = _Groups()
    for one in found:
        for key in _keys(one):
            roots.join(f"name {one.name}", _folded(key))
    for one in found:
        groups[roots.root(f"name {one.name}")].append(one)
    splits: dict[str, str] = {}
    for group in groups.values():
        official = {one.split for one in group if one.split}
        kept = next((split for split in reversed(SPLITS) if split in official), "")
        key = min(min(_keys(one), default=f"name {one.name}") for one in group)
        picked = kept or _picked(key, shares, seed)
        splits.update({one.name: one.split or picked for one in group})
    return splits


def check_leaks(rows: Iterable[Mapping[str, Any]]) -> None:
    """Raises `SettingError` that names each song and performance found in two splits.

    Rows have `split`, and `song` and `performance`, which may be empty. Songs in validation and
    test are let pass where all their rows come from `SHARED_SONGS` (key `source`).
    """
    places: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        for kind in ("song", "performance"):
            if row.get(kind):
                places[kind, str(row[kind])][str(row["split"])].add(str(row.get("source", "")))
    leaks = [
        f"{kind} {name!r} in {' and '.join(sorted(sides))}"
        for (kind, name), sides in sorted(places.items())
        if len(sides) > 1 and not (kind == "song" and _by_design(sides))
    ]
    if leaks:
        more = f" and {len(leaks) - 5} more" if len(leaks) > 5 else ""
        raise SettingError(
            f"The splits leak: {'; '.join(leaks[:5])}{more}; "
            "let the builder assign the splits, or mend the list that states them."
        )


def _by_design(sides: Mapping[str, set[str]]) -> bool:
    return set(sides) <= set(_HELD_OUT) and set().union(*sides.values()) <= SHARED_SONGS


def _keys(one: Recording) -> list[str]:
    keys = (("performance", one.performance), ("song", one.song))
    return [f"{kind} {value}" for kind, value in keys if value]


def _folded(key: str) -> str:
    """The same for what differs in capitals or in Unicode's forms only."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", key).casefold())


def _check_shares(shares: Sequence[float]) -> None:
    require(
        len(shares) == len(SPLITS) and all(share >= 0 for share in shares) and abs(sum(shares) - 1.0) < 1e-6,
        f"The shares are {tuple(shares)}; give those of {', '.join(SPLITS)}, which add up to 1.",
    )


def _picked(key: str, shares: Sequence[float], seed: int) -> str:
    number = int.from_bytes(hashlib.sha256(f"{seed} {key}".encode()).digest()[:8], "big") / 2**64
    possible = [(split, share) for split, share in zip(SPLITS, shares, strict=True) if share > 0]
    for split, share in possible:
        number -= share
        if number < 0:
            return split
    return possible[-1][0]


class _Groups:
    """Sets that grow together (union-find)."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def root(self, key: str) -> str:
        path = [key]
        while (above := self._above.get(path[-1], path[-1])) != path[-1]:
            path.append(above)
        for passed in path:
            self._above[passed] = path[-1]
        return path[-1]

    def join(self, one: str, other: str) -> None:
        self._above[self.root(one)] = self.root(other)
