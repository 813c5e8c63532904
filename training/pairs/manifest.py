"""The list of what lies in a folder of pairs, and how it came about."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from d2m_core.band import licences_of
from d2m_core.errors import SettingError
from d2m_core.files import replacing
from training.run.provenance import commit, file_sha256

from .pair import FILM, PAIR_FORMAT
from .shards import Entry, read_pairs, shards_in

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Origin:
    """What decides the pairs of a data set; folders of unequal origin are never mixed."""

    settings: dict[str, Any]
    materials: dict[str, Any]
    """Names and checksums of the raw materials."""
    code: str
    """Checksum of the studio's source."""
    versions: dict[str, str]


def begin(folder: Path, origin: Origin) -> dict[str, Any]:
    """Begins a data set, or sees that the one begun here is of the same origin; its manifest."""
    path = folder / MANIFEST
    if not path.exists():
        if shards_in(folder):
            raise SettingError(f"{folder} holds shards but no {MANIFEST}; give another folder.")
        head = {"format_version": PAIR_FORMAT, **asdict(origin), "commit": commit()}
        _write(path, {**head, "complete": False})
    return _compared(path, origin)


def _compared(path: Path, origin: Origin) -> dict[str, Any]:
    """The manifest at `path`. Raises `SettingError` where it is of another origin."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        before = Origin(**{key: found[key] for key in vars(origin)})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingError(f"{path} cannot be read ({error}); give another folder.") from error
    for part in ("settings", "materials", "versions"):
        old, new = getattr(before, part), json.loads(json.dumps(getattr(origin, part)))
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                raise SettingError(
                    f"{path.parent} was begun with {key} {_short(old.get(key))} and this is"
                    f" {_short(new.get(key))}; give the same, or another folder."
                )
    if before.code != origin.code:
        raise SettingError(
            f"{path.parent} was begun with another version of the studio ({before.code}, this is"
            f" {origin.code}); give another folder."
        )
    return found


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def finish(folder: Path, begun: dict[str, Any], entries: list[Entry]) -> dict[str, Any]:
    """Writes the whole manifest and returns it; `begun` is what `begin` gave."""
    sources = Counter[str]()
    for pair in read_pairs(folder, kinds=()):
        sources.update(pair.facts.sources)
    licences = licences_of(tuple(sorted(sources)))
    inside = Counter(entry.shard for entry in entries)
    keys = ("format_version", *Origin.__dataclass_fields__, "commit")
    whole = {key: begun[key] for key in keys} | {
        "complete": True,
        "pairs": len(entries),
        "hours": round(sum(entry.duration_s for entry in entries) / 3600, 4),
        "drawn": sum(FILM in entry.members for entry in entries),
        "styles": dict(sorted(Counter(entry.style for entry in entries).items())),
        "people": dict(sorted(Counter(str(entry.people) for entry in entries).items())),
        "sources": {name: {"licence": licences[name], "pairs": sources[name]} for name in sorted(sources)},
        "shards": [
            {
                "name": path.name,
                "pairs": inside[path.name],
                "bytes": path.stat().st_size,
                "sha256": file_sha256(path),
            }
            for path in shards_in(folder)
        ],
    }
    _write(folder / MANIFEST, whole)
    return whole


def _write(path: Path, content: dict[str, Any]) -> None:
    with replacing(path) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
