"""`manifest.json`: what a data set was made with and from; the guard against mixing two of them.

It is written when a data set is begun, with all that decides what the pairs will be, and again when
it is finished, with counts, checksums and the licences of every source that went in. All of that
comes from the shards, so a run that was killed and went on writes the same as one that was not.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from d2m_core.errors import SettingError
from d2m_core.files import replacing
from training.versions import ROOT, commit, digest, file_sha256, fluidsynth_version, versions_of

from .materials import licences_of
from .members import FILM, PAIR_FORMAT
from .pair_settings import PairSettings
from .shards import Entry, read_pairs, shards_in

MANIFEST = "manifest.json"

_PACKAGES = (
    "av", "mido", "numpy", "opencv-contrib-python", "pyfluidsynth", "pyloudnorm", "safetensors",
    "scipy", "soxr", "torch",
)  # fmt: skip
_CODE = ("training/studio", "d2m_core/grid.py", "d2m_core/music/straight.py", "d2m_core/types.py")


@dataclass(frozen=True)
class Origin:
    """What decides the pairs of a data set; folders of unequal origin are never mixed."""

    settings: dict[str, Any]
    materials: dict[str, Any]
    """Names and checksums of the raw materials."""
    code: str
    """Checksum of the studio's source."""
    versions: dict[str, str]


def origin_of(settings: PairSettings, seed: int, per_shard: int) -> Origin:
    """The origin of pairs that are made here and now."""
    plain = {key: value for key, value in vars(settings).items() if key != "materials"}
    del plain["made_by"]
    plain |= {"styles": list(settings.styles), "held_out": settings.materials.held_out}
    versions = versions_of(_PACKAGES)
    if (synth := fluidsynth_version()) is not None:
        versions["fluidsynth"] = synth
    return Origin(
        {**plain, "seed": seed, "per_shard": per_shard}, _materials(settings), studio_code(),
        versions,
    )  # fmt: skip


def studio_code() -> str:
    """A checksum of all source that decides what pairs are like."""
    files = []
    for place in _CODE:
        path = ROOT / place
        found = [path] if path.is_file() else sorted(path.rglob("*"))
        files += [p for p in found if p.is_file() and p.suffix in (".py", ".json")]
    return digest(*files)[:16]


def _materials(settings: PairSettings) -> dict[str, Any]:
    given = settings.materials
    fonts = [{"name": path.name, "sha256": file_sha256(path)} for path in given.soundfonts]
    folders = {"groove": given.groove, "samples": given.samples}
    digests = {key: None if path is None else digest(path) for key, path in folders.items()}
    return {"soundfonts": fonts, **digests}


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
        "sources": {
            name: {"licence": licences[name], "pairs": sources[name]} for name in sorted(sources)
        },
        "shards": [
            {
                "name": path.name, "pairs": inside[path.name], "bytes": path.stat().st_size,
                "sha256": file_sha256(path),
            }
            for path in shards_in(folder)
        ],
    }  # fmt: skip
    _write(folder / MANIFEST, whole)
    return whole


def _write(path: Path, content: dict[str, Any]) -> None:
    with replacing(path) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
