"""`manifest.json` of a built data set: what it was made with, from and into."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.pairs.manifest import MANIFEST, Origin
from training.pairs.shards import read_index, shards_in
from training.run.provenance import file_sha256
from training.sources.recording import SPLITS

from .clips import codec_of
from .records import write_json
from .rows import Row
from .settings import ClipSettings

_HEAD = ("format_version", *Origin.__dataclass_fields__, "commit")


def is_complete(begun: dict[str, Any]) -> bool:
    """Whether a manifest is that of a finished data set."""
    return bool(begun.get("complete"))


def mark_begun(out: Path, begun: dict[str, Any]) -> None:
    """A finished data set is worked on again."""
    write_json(out / MANIFEST, {**{key: begun[key] for key in _HEAD}, "complete": False}, 1)


def write_manifest(
    out: Path, begun: dict[str, Any], rows: list[Row], contents: str, settings: ClipSettings
) -> dict[str, Any]:
    """Writes the whole manifest and returns it; `begun` is what `studio.manifest.begin` gave."""
    kept = [row for row in rows if row.kept]
    whole = {key: begun[key] for key in _HEAD} | {
        "complete": True,
        "codec": asdict(codec_of(settings.encoding).spec),
        "recordings": {"listed": len({row.recording for row in rows} - {""}), "sha256": contents},
        "clips": {"kept": len(kept), "dropped": len(rows) - len(kept)},
        "dropped": counted(row.reason for row in rows if not row.kept),
        "hours": round(sum(row.seconds for row in kept) / 3600, 4),
        "styles": counted(row.style for row in kept),
        "licences": counted(row.licence or "not stated" for row in kept),
        "splits": {split: _split(out / split, kept, split) for split in SPLITS},
    }
    write_json(out / MANIFEST, whole, 1)
    return whole


def counted(values: Any) -> dict[str, int]:
    """How often each occurs, by name."""
    return dict(sorted(Counter(values).items()))


def _split(folder: Path, kept: list[Row], split: str) -> dict[str, Any]:
    shards = shards_in(folder)
    inside = Counter(entry.shard for entry in read_index(folder)) if shards else Counter[str]()
    own = [row for row in kept if row.split == split]
    return {
        "clips": len(own),
        "hours": round(sum(row.seconds for row in own) / 3600, 4),
        "songs": len({row.song or row.performance or row.recording for row in own}),
        "shards": [
            {
                "name": path.name,
                "pairs": inside[path.name],
                "bytes": path.stat().st_size,
                "sha256": file_sha256(path),
            }
            for path in shards
        ],
    }
