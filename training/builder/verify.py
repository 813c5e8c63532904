"""Looks through a finished data set and says in one sentence each what is wrong with it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from d2m_core.errors import D2MError, SettingError
from d2m_core.types import MOTION_FPS
from training.pairs.manifest import MANIFEST
from training.pairs.pair import Pair
from training.pairs.shards import entries_of, read_index, read_pairs, shards_in
from training.run.provenance import file_sha256
from training.sources.recording import SPLITS
from training.sources.splits import check_leaks
from training.transformer.encoding import in_straight_time, straight_way
from training.transformer.items import item_from

from .rows import Row, read_rows


def faults(out: Path) -> Iterator[str]:
    """Everything that is wrong with a data set; nothing if it is whole."""
    try:
        manifest = _manifest(out)
        rows = read_rows(out)
    except D2MError as error:
        yield str(error)
        return
    if not manifest.get("complete"):
        yield f"{out} is not finished; run the command that began it again."
        return
    found: Counter[str] = Counter()
    for split in SPLITS:
        listed = manifest["splits"][split]["shards"]
        yield from _folder_faults(out / split, listed)
        wanted = {row.clip: row for row in rows if row.kept and row.split == split}
        for shard in shards_in(out / split):
            yield from _shard_faults(shard, wanted, manifest, found)
    kept = [row.clip for row in rows if row.kept]
    yield from (f"Clip {clip} is listed and in no shard." for clip in kept if not found[clip])
    yield from (f"Clip {clip} is in the shards {n} times." for clip, n in found.items() if n > 1)
    try:
        check_leaks(asdict(row) for row in rows if row.kept)
    except SettingError as error:
        yield str(error)


def _manifest(out: Path) -> dict[str, Any]:
    path = out / MANIFEST
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingError(f"{path} cannot be read ({error}); build the data set again.") from error


def _folder_faults(folder: Path, listed: list[dict[str, Any]]) -> Iterator[str]:
    """Shards that are missing, new or changed, and an index that does not fit them."""
    there = {path.name: path for path in shards_in(folder)}
    for shard in listed:
        path = there.pop(shard["name"], None)
        if path is None:
            yield f"Shard {folder.name}/{shard['name']} is missing."
        elif file_sha256(path) != shard["sha256"]:
            yield f"Shard {folder.name}/{path.name} is not as it was written (SHA-256)."
    yield from (f"Shard {folder.name}/{name} is not in the manifest." for name in there)
    try:
        shards = shards_in(folder)
        entries = [asdict(entry) for path in shards for entry in entries_of(path)]
        if shards and [asdict(e) for e in read_index(folder)] != json.loads(json.dumps(entries)):
            yield f"The index of {folder.name} does not fit its shards."
    except D2MError as error:
        yield str(error)


def _shard_faults(
    shard: Path, wanted: dict[str, Row], manifest: dict[str, Any], found: Counter[str]
) -> Iterator[str]:
    """What is wrong with the pairs of a shard; counts them in `found`."""
    try:
        for pair in read_pairs(shard):
            found[pair.name] += 1
            if pair.name not in wanted:
                yield f"Clip {pair.name} is in {shard.parent.name} and not listed there."
            else:
                yield from _pair_faults(pair, wanted[pair.name], manifest)
    except D2MError as error:
        yield f"{shard.parent.name}/{shard.name}: {error}"


def _pair_faults(pair: Pair, row: Row, manifest: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a clip; that its parts are equally long was seen when it was read."""
    if pair.music is None or pair.seen is None or pair.item is None:
        yield f"Clip {pair.name} lacks music, poses or training item."
        return
    lasts_s = pair.facts.duration_s
    if abs(lasts_s - row.seconds) > 1e-3:
        yield f"Clip {pair.name} lasts {lasts_s:g} s and is listed with {row.seconds:g} s."
    try:
        item = item_from(pair.item, f"{pair.name}'s item")  # tokens in range, or ValueError
    except (D2MError, ValueError) as error:
        yield f"The training item of {pair.name} is broken: {error}."
        return
    if asdict(item.codec) != manifest["codec"]:
        yield f"The tokens of {pair.name} are of another codec than the manifest's."
    seconds, beats_s = _laid(pair, row, manifest)
    steps, frames = item.codec.steps(seconds), round(seconds * MOTION_FPS)
    if abs(item.codes.shape[1] - steps) > 1 or abs(len(item.curves) - frames) > 1:
        yield (
            f"The training item of {pair.name} has {item.codes.shape[1]} steps and"
            f" {len(item.curves)} frames; {steps} and {frames} belong to {seconds:g} s."
        )
    if item.motion is None or not np.array_equal(item.beats_s, beats_s):
        yield f"The training item of {pair.name} lacks motion or has other beats than the clip."


def _laid(pair: Pair, row: Row, manifest: dict[str, Any]) -> tuple[float, np.ndarray]:
    """How long a clip's item lasts and its beats: the clip's own, or those of the straight grid."""
    way, codec = None, manifest["codec"]
    if in_straight_time(manifest["settings"].get("straight", False), codec["name"]):
        way = straight_way(pair.facts, codec["token_rate"])
    if way is None:
        return row.seconds, np.array(pair.facts.beats_s)
    return float(way.to_straight(row.seconds)), way.straight_s
