"""Data sets of pairs on disk: tar shards that WebDataset reads, and so does any tar program.

A folder holds

    shard-00000.tar ...  pairs, as many in each shard as in the next, the last one may have fewer
    index.jsonl          one line per pair: where it lies, its seed, style, tempo, length
    manifest.json        what the data was made with and from (see `manifest`)
    sheet.jpg            pictures of some pairs (see `contact_sheet`)

Each pair NAME is a few files that follow one another in a shard, and all but the first may lack:

    NAME.json              facts (`pair.Facts`): beats, downbeats, tempo, chords, sections, ...
    NAME.pose.safetensors  arrays, below
    NAME.flac              the music: 16 bit, mono or stereo, 24 kHz where the studio made it
    NAME.mp4               the dance as pictures, the music under it
    NAME.item.safetensors  what the transformer trains on (`training.transformer.items`), of built data sets

    seen.world     float16 [F, P, 33, 3]  what a pose estimator returned: metres around the hips,
    seen.image     float16 [F, P, 33, 2]  frame heights from the top left corner,
    seen.visibility float16 [F, P, 33]    0..1,
    seen.present   uint8   [F, P]         1 where the person was found,
    seen.fps       float64 [1]            frames per second
    true.*                                the same from a perfect estimator
    true.joints    float32 [F, P, 33, 3]  scene metres: x right, y down from the floor, z away
    dance.accents  float32 [A, 3]         seconds, strength 0..1, person
    dance.energy   float16 [F, P]         0..1
    music.curves   float16 [F, 2]         accent and energy (`types.RHYTHM_CURVES`), 25 per second
    music.onsets.PART float32 [n, 2]      seconds, strength 0..1

Nothing in a shard is code, and reading runs none. The tar headers hold no time and no owner, so
equal pairs make equal shards. A shard is there whole or not at all.

Writers: `write_shard`, then `write_index`. Readers: `read_pairs` streams, `PairFolder` picks.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from d2m_core.errors import SettingError
from d2m_core.files import replacing

from .pair import FACTS, Pair, from_members, to_members

INDEX = "index.jsonl"
OWN_FILES = ("shard-", "index.", "manifest.", "sheet.")
"""What the names of our files start with."""


@dataclass(frozen=True)
class Entry:
    """A pair's place, and what one may want to choose it by."""

    name: str
    shard: str
    style: str
    tempo_bpm: float | None
    duration_s: float
    people: int
    seed: int | None
    members: dict[str, tuple[int, int]]
    """Kind of member -> its first byte in the shard and its length."""


def shard_path(folder: Path, number: int) -> Path:
    """Where shard `number` of a data set lies."""
    return folder / f"shard-{number:05d}.tar"


def shards_in(folder: Path) -> list[Path]:
    """The finished shards of a folder, in order."""
    return sorted(folder.glob("shard-[0-9]*.tar"))


def remove_leftovers(folder: Path) -> list[Path]:
    """Removes what a killed run had not finished writing; returns what it was."""
    left = [path for own in OWN_FILES for path in folder.glob(f".{own}*")]
    for path in left:
        path.unlink(missing_ok=True)
    return left


# --- writing ---


def write_shard(path: Path, pairs: Iterable[Pair]) -> Path:
    """Writes pairs, one after the other as they come, into the shard `path`."""
    with replacing(path) as partial, tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as tar:
        for pair in pairs:
            if not pair.name or "." in pair.name or "/" in pair.name:
                raise ValueError(f"a pair's name must have no dots and slashes, got {pair.name!r}")
            for name, data in to_members(pair):
                header = tarfile.TarInfo(name)  # time 0, owner 0, no names
                header.size, header.mode = len(data), 0o644
                tar.addfile(header, io.BytesIO(data))
    return path


def write_index(folder: Path) -> list[Entry]:
    """Reads all shards of a folder and writes where each pair lies into `index.jsonl`."""
    entries = [entry for path in shards_in(folder) for entry in entries_of(path)]
    with replacing(folder / INDEX) as partial:
        lines = (json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in entries)
        partial.write_text("".join(lines), encoding="utf-8")
    return entries


def entries_of(path: Path) -> list[Entry]:
    """What `write_index` notes of one shard."""
    entries = []
    with path.open("rb") as file:
        for name, places in _places(path).items():
            facts = from_members(name, {FACTS: _read(file, *places[FACTS])}).facts
            entries.append(
                Entry(
                    name,
                    path.name,
                    facts.style,
                    facts.tempo_bpm,
                    facts.duration_s,
                    facts.people,
                    facts.seed,
                    places,
                )
            )
    return entries


def names_in(path: Path) -> list[str]:
    """Names of the pairs in a shard, without reading them."""
    return list(_places(path))


def _places(path: Path) -> dict[str, dict[str, tuple[int, int]]]:
    """Pair -> kind of member -> first byte and length."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for header in tar:
                if header.isreg():
                    name, _, kind = header.name.partition(".")
                    found.setdefault(name, {})[kind] = (header.offset_data, header.size)
    except (OSError, tarfile.TarError) as error:
        raise SettingError(f"{path} is no shard ({error}); remove it and make it again.") from error
    for name, kinds in found.items():
        if FACTS not in kinds:
            raise SettingError(f"{path.name}: {name} has no facts; remove it and make it again.")
    return found


def _read(file: BinaryIO, start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(size)


# --- reading ---


def read_pairs(folder: Path | str, kinds: Iterable[str] | None = None) -> Iterator[Pair]:
    """All pairs of a folder, or of one shard, in order.

    `kinds` names the members to read beside the facts (of `pair.POSES`, `MUSIC`, `FILM`,
    `ITEM`); None reads all. Raises `SettingError` where something is broken.
    """
    folder = Path(folder)
    paths = [folder] if folder.is_file() else shards_in(folder)
    if not paths:
        raise SettingError(f"There are no shards in {folder}; make some, or give another folder.")
    wanted = None if kinds is None else {FACTS, *kinds}
    for path in paths:
        places = _places(path)
        with path.open("rb") as file:
            for name, members in places.items():
                yield _pair(file, name, members, wanted)


def _pair(file: BinaryIO, name: str, members: dict[str, tuple[int, int]], wanted: set[str] | None) -> Pair:
    chosen = {k: place for k, place in members.items() if wanted is None or k in wanted}
    return from_members(name, {kind: _read(file, *place) for kind, place in chosen.items()})


class PairFolder:
    """A data set of which any pair can be read, by number or by name."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.entries = read_index(self.folder)
        self._by_name = {entry.name: entry for entry in self.entries}

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, key: int | str) -> Pair:
        return self.read(key)

    def read(self, key: int | str, kinds: Iterable[str] | None = None) -> Pair:
        """One pair; `kinds` as in `read_pairs`."""
        entry = self._by_name[key] if isinstance(key, str) else self.entries[key]
        wanted = None if kinds is None else {FACTS, *kinds}
        with (self.folder / entry.shard).open("rb") as file:
            return _pair(file, entry.name, entry.members, wanted)


def read_index(folder: Path) -> list[Entry]:
    """What `write_index` wrote."""
    path = folder / INDEX
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [Entry(**row) for row in rows]
    except (OSError, ValueError, TypeError) as error:
        raise SettingError(
            f"{path} cannot be read ({error}); run python -m training.studio again to finish it."
        ) from error
