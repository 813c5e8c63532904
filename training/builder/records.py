"""What is noted of every recording and clip while a data set is built, as small JSON files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from d2m_core.files import replacing
from training.sources import Recording

from .cutting import Cut

_LONGEST_NAME = 64
"""Names inside a tar have little room."""


@dataclass(frozen=True)
class Plan:
    """How a recording was cut, or why it could not be."""

    seconds: float = 0.0
    cuts: tuple[Cut, ...] = ()
    shots_s: tuple[float, ...] = ()
    """Changes of shot, from the recording's start."""
    reason: str = ""
    """Of `gates`; empty if it was cut."""
    detail: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a clip."""

    reason: str = ""
    """Why it was dropped, of `gates`; empty if it was kept."""
    detail: str = ""
    tempo_bpm: float | None = None
    confidence: float | None = None
    """0..1: how sure the beats are."""
    present: float | None = None
    """Share of the frames that show the lead."""
    motion: float | None = None
    """Median speed, body heights per second."""
    level_db: float | None = None
    bytes: int = 0
    """Size of the clip's own file; 0 where it was dropped."""


def clip_name(recording: str, number: int) -> str:
    """Name of a recording's clip, in shards and records."""
    if len(recording) > _LONGEST_NAME:
        tail = hashlib.sha256(recording.encode()).hexdigest()[:10]
        recording = f"{recording[: _LONGEST_NAME - 11]}-{tail}"
    return f"{recording}_{number:04d}"


@dataclass(frozen=True)
class Store:
    """The work folder: a file per recording, and one or two per clip, each whole or not there."""

    folder: Path

    def plan_path(self, recording: str) -> Path:
        return self._place("plans", clip_name(recording, 0)[:-5], ".json")

    def outcome_path(self, clip: str) -> Path:
        return self._place("clips", clip, ".json")

    def pair_path(self, clip: str) -> Path:
        """A shard of one pair."""
        return self._place("clips", clip, ".tar")

    def _place(self, kind: str, name: str, suffix: str) -> Path:
        """Spread over 256 folders: some file systems suffer from crowded ones."""
        return self.folder / kind / hashlib.sha256(name.encode()).hexdigest()[:2] / (name + suffix)

    def write_plan(self, recording: str, plan: Plan) -> None:
        write_json(self.plan_path(recording), asdict(plan))

    def write_outcome(self, clip: str, outcome: Outcome) -> None:
        write_json(self.outcome_path(clip), asdict(outcome))

    def plan(self, recording: Recording) -> Plan | None:
        """What is noted of a recording; None where it has to be cut (again)."""
        found = _read(self.plan_path(recording.name))
        if found is None:
            return None
        cuts = tuple(Cut(**each) for each in found.pop("cuts"))
        return Plan(**{**found, "cuts": cuts, "shots_s": tuple(found["shots_s"])})

    def outcome(self, clip: str, with_pair: bool = True) -> Outcome | None:
        """What is noted of a clip; None where it has to be made (again).

        `with_pair`: a kept clip must have its own file too, whole.
        """
        found = _read(self.outcome_path(clip))
        if found is None:
            return None
        outcome = Outcome(**found)
        if outcome.reason or not with_pair:
            return outcome
        path = self.pair_path(clip)
        whole = path.exists() and path.stat().st_size == outcome.bytes
        return outcome if whole else None

    def forget(self, reasons: tuple[str, ...]) -> int:
        """Removes what is noted of plans and clips that were dropped for `reasons`; how many."""
        count = 0
        for path in sorted(self.folder.glob("*/*/*.json")):
            found = _read(path)
            if found is None or found["reason"] in reasons:
                path.unlink()
                count += 1
        return count

    def remove_leftovers(self) -> None:
        """Removes what a killed run had not finished writing."""
        for path in self.folder.rglob(".*"):
            path.unlink(missing_ok=True)


def planned(piece: Cut) -> Outcome | None:
    """The outcome of a cut that its plan alone decides; None for those to be made."""
    return Outcome(piece.drop, f"{piece.seconds:g} s") if piece.drop else None


def rounded(outcome: Outcome) -> Outcome:
    """The same with figures as they are written."""
    figures = ("tempo_bpm", "confidence", "present", "motion", "level_db")
    known = {name: value for name in figures if (value := getattr(outcome, name)) is not None}
    short = {name: round(float(value), 4) for name, value in known.items()}
    return Outcome(**{**asdict(outcome), **short})


def write_json(path: Path, content: Any, indent: int | None = None) -> None:
    """Writes a JSON file, whole or not at all."""
    with replacing(path) as partial:
        text = json.dumps(content, ensure_ascii=False, indent=indent) + "\n"
        partial.write_text(text, encoding="utf-8")


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
