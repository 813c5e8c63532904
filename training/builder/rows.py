"""One line for every clip, kept or not: what `clips.jsonl` says and the report counts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from d2m_core.errors import SettingError
from d2m_core.files import replacing
from training.sources import Recording, Unreadable

from .records import Outcome, Store, clip_name, planned

CLIPS = "clips.jsonl"


@dataclass(frozen=True)
class Row:
    """A clip; or a recording or line of a source that gave none (then `clip` is empty)."""

    clip: str
    recording: str
    source: str
    split: str = ""
    """Of `SPLITS`; empty where it was dropped."""
    song: str = ""
    performance: str = ""
    camera: str = ""
    style: str = ""
    licence: str = ""
    origin: str = ""
    """The video relative to the source's folder, or its link."""
    start_s: float = 0.0
    """In the video."""
    seconds: float = 0.0
    kept: bool = False
    reason: str = ""
    """Why it was dropped, of `gates`."""
    detail: str = ""
    tempo_bpm: float | None = None
    confidence: float | None = None
    present: float | None = None
    motion: float | None = None
    level_db: float | None = None


def rows_of(found: Iterable[Recording | Unreadable], store: Store, root: Path, source: str) -> list[Row]:
    """All rows in the order of the source, not yet split. Everything must have been made."""
    rows: list[Row] = []
    for each in found:
        if isinstance(each, Unreadable):
            rows.append(Row("", "", source, origin=each.where, reason=each.reason, detail=each.why))
        else:
            rows += _rows(each, store, root)
    return rows


def _rows(recording: Recording, store: Store, root: Path) -> list[Row]:
    plan = store.plan(recording)
    if plan is None:
        raise SettingError(f"Recording {recording.name} was not cut; run the same command again.")
    whole = Row(
        "",
        recording.name,
        recording.source,
        "",
        recording.song,
        recording.performance,
        recording.camera,
        recording.style,
        recording.licence,
        _origin(recording, root),
        recording.start_s,
        plan.seconds,
        reason=plan.reason,
        detail=plan.detail,
    )
    if plan.reason:
        return [whole]
    rows = []
    for piece in plan.cuts:
        name = clip_name(recording.name, piece.number)
        outcome = planned(piece) or store.outcome(name, with_pair=False)
        if outcome is None:
            raise SettingError(f"Clip {name} was not made; run the same command again.")
        rows.append(_row(whole, name, piece.start_s, piece.seconds, outcome))
    return rows


def _row(whole: Row, name: str, start_s: float, seconds: float, outcome: Outcome) -> Row:
    figures = {k: v for k, v in asdict(outcome).items() if k in Row.__dataclass_fields__}
    place = {"clip": name, "start_s": round(whole.start_s + start_s, 3), "seconds": seconds}
    return Row(**{**asdict(whole), **figures, **place, "kept": not outcome.reason})


def _origin(recording: Recording, root: Path) -> str:
    path = recording.video or (None if recording.url else recording.poses)
    if path is None:
        return recording.url
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def write_rows(folder: Path, rows: Sequence[Row]) -> None:
    """Writes `clips.jsonl`."""
    with replacing(folder / CLIPS) as partial:
        lines = (json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
        partial.write_text("".join(lines), encoding="utf-8")


def read_rows(folder: Path) -> list[Row]:
    """What `write_rows` wrote. Raises `SettingError`."""
    path = folder / CLIPS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Row(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError) as error:
        raise SettingError(
            f"{path} cannot be read ({error}); run python -m training.build_dataset again."
        ) from error
