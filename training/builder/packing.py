"""Finished clips into shards, and back where a data set is to grow."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from d2m_core.errors import SettingError
from d2m_core.files import replacing
from training.pairs.shards import INDEX, names_in, shard_path, shards_in, write_index
from training.sources.recording import SPLITS

from .records import Store, write_json


def pack(out: Path, store: Store, clips: dict[str, str], per_shard: int) -> None:
    """Writes the shards and indices of all splits; `clips` maps kept clips to their split.

    Clips are mixed, by a checksum of their names, so that neighbours in a shard are strangers.
    Equal clips make equal shards. What is no longer wanted is removed at the end.
    """
    for split in SPLITS:
        folder = out / split
        names = sorted((clip for clip in clips if clips[clip] == split), key=mixed)
        wanted = []
        for number in range(-(-len(names) // per_shard)):
            part = names[number * per_shard : (number + 1) * per_shard]
            wanted.append(shard_path(folder, number))
            _write_shard(wanted[-1], [store.pair_path(name) for name in part], store)
        for path in set(shards_in(folder)) - set(wanted):
            path.unlink()
        if wanted:
            write_index(folder)
        else:
            (folder / INDEX).unlink(missing_ok=True)


def mixed(name: str) -> str:
    """What clips are sorted by."""
    return hashlib.sha256(name.encode()).hexdigest()


def _write_shard(path: Path, pairs: Sequence[Path], store: Store) -> None:
    """Joins one-pair shards; nothing to do where a run before did just that."""
    note = store.folder / "packed" / path.parent.name / f"{path.stem}.json"
    content = [[pair.stem, pair.stat().st_size] for pair in pairs]
    if path.exists() and note.exists():
        done = json.loads(note.read_text(encoding="utf-8"))
        if done == {"size": path.stat().st_size, "clips": content}:
            return
    with replacing(path) as partial, tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as tar:
        for pair in pairs:
            _copy(pair, tar)
    write_json(note, {"size": path.stat().st_size, "clips": content})


def _copy(source: Path, tar: tarfile.TarFile, only: str = "") -> None:
    """Adds the members of a shard, or of one pair in it, to `tar`."""
    with tarfile.open(source, "r:") as shard:
        for header in shard:
            if only and header.name.partition(".")[0] != only:
                continue
            file = shard.extractfile(header)
            assert file is not None
            clean = tarfile.TarInfo(header.name)  # time 0, owner 0, no names
            clean.size, clean.mode = header.size, 0o644
            tar.addfile(clean, io.BytesIO(file.read()))


def unpack(out: Path, store: Store) -> None:
    """Gives every clip in the shards a file of its own again, so that others can join them."""
    for split in SPLITS:
        for path in shards_in(out / split):
            for name in names_in(path):
                if store.outcome(name) is None:
                    target = store.pair_path(name)
                    with (
                        replacing(target) as partial,
                        tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as tar,
                    ):
                        _copy(path, tar, name)


def remove_pairs(store: Store, clips: Iterable[str]) -> None:
    """Removes the clips' own files; the shards hold them."""
    for name in clips:
        store.pair_path(name).unlink(missing_ok=True)


def room_for(out: Path, store: Store, clips: Iterable[str]) -> None:
    """Raises `SettingError` where the shards will not fit beside the clips."""
    needed = sum(store.pair_path(name).stat().st_size for name in clips)
    there = sum(path.stat().st_size for split in SPLITS for path in shards_in(out / split))
    free = shutil.disk_usage(out).free + there
    if free < needed:
        raise SettingError(
            f"{out} has {free / 1e9:.1f} GB left and the shards need {needed / 1e9:.1f} GB; make"
            " room and run again."
        )
