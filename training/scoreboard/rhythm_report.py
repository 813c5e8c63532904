"""Scores of rhythm cases as means with intervals: one table per set, and all of it as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from training.figures.bootstrap import Interval, mean_interval
from training.figures.calibration import Calibration, calibration
from training.figures.tables import plain, table

from .cuts import CUTS, Tempi, kept
from .rhythm_scores import CONTROLS, CaseScore, Measures

LABELS = {
    "beat_f": "beat F",
    "cmlt": "CMLt",
    "amlt": "AMLt",
    "tempo": "tempo within 4 %",
    "tempo_octaves": "tempo, octaves free",
    "downbeat_f": "downbeat F",
    "on_beat": "accents on a beat",
    "on_eighth": "accents on an eighth",
    "beats_hit": "beats with an accent",
}
RIGHT_F = 0.7
"""A clip is right, for the confidence, from this beat F on. Blind grids score about 0.28,
perfect ones at half or double time 2 / 3: an octave error is wrong."""

RIGHT_MEANS = f"beat F of {RIGHT_F:g} or more"
_PAIRED = "other clip"


def set_calibration(scores: Sequence[CaseScore]) -> Calibration | None:
    """Calibration over the cases that have a reference; None where none has."""
    known = [score for score in scores if not math.isnan(score.found.beat_f)]
    if not known:
        return None
    right = np.array([score.found.beat_f >= RIGHT_F for score in known])
    return calibration(np.array([score.confidence for score in known]), right)


def set_rows(scores: Sequence[CaseScore]) -> list[dict[str, Any]]:
    """One row per measure: its mean and interval, the controls' means, and the paired difference
    to another clip's grid. Measures that no case has are left out."""
    rows = []
    for name, label in LABELS.items():
        values = np.array([getattr(score.found, name) for score in scores])
        found = mean_interval(values)
        if not found.clips:
            continue
        row: dict[str, Any] = {"measure": label, "clips": found.clips}
        row |= {"found": found.mean, "95 %": _span(found)}
        for control in CONTROLS:
            mean = mean_interval(_of_control(scores, control, name)).mean
            row[control] = None if math.isnan(mean) else mean
        apart = mean_interval(values - _of_control(scores, _PAIRED, name))
        row[f"minus {_PAIRED}"] = None if math.isnan(apart.mean) else apart.mean
        row["95 % of it"] = _span(apart) if apart.clips else None
        rows.append(row)
    return rows


def set_text(name: str, about: str, scores: Sequence[CaseScore]) -> str:
    """The set's table under its name, and a line each on its confidence and on cuts."""
    lines = [f"{name}: {about}\n", table(set_rows(scores))]
    found = set_calibration(scores)
    if found is not None:
        error = found.error
        lines.append(
            f"calibration error {error.mean:.3f} ({_span(error)}); {found.if_perfect:.3f} were the "
            f"confidence exact, {found.if_shuffled:.3f} shuffled between clips; right "
            f"({RIGHT_MEANS}): {found.right} of {error.clips}\n"
        )
    exact, free = (kept(_cuts(scores), octaves) for octaves in (False, True))
    if exact.clips:
        count = sum(len(score.cut_bpm) for score in scores)
        lines.append(
            f"tempo kept over {count} cuts ({', '.join(CUTS)}): {exact.mean:.3f} ({_span(exact)}), octaves "
            f"free {free.mean:.3f} ({_span(free)})\n"
        )
    song = kept(_heard(scores), octaves=False)
    if song.clips:
        lines.append(f"the same cuts of the songs, by our ear: {song.mean:.3f} ({_span(song)})\n")
    return "".join(lines) + "\n"


def set_json(about: str, scores: Sequence[CaseScore]) -> dict[str, Any]:
    """The same and every case, as JSON allows it: null where a figure does not exist."""
    found = set_calibration(scores)
    intervals = {}
    for field in fields(Measures):
        values = np.array([getattr(score.found, field.name) for score in scores])
        apart = values - _of_control(scores, _PAIRED, field.name)
        controls = {c: mean_interval(_of_control(scores, c, field.name)) for c in CONTROLS}
        intervals[field.name] = {
            "found": asdict(mean_interval(values)),
            f"minus {_PAIRED}": asdict(mean_interval(apart)),
            **{name: asdict(interval) for name, interval in controls.items()},
        }
    return plain(
        {
            "about": about,
            "measures": intervals,
            "calibration": None if found is None else asdict(found),
            "tempo kept over cuts": asdict(kept(_cuts(scores), octaves=False)),
            "the same, octaves free": asdict(kept(_cuts(scores), octaves=True)),
            "the same of the songs": asdict(kept(_heard(scores), octaves=False)),
            "cases": [asdict(score) for score in scores],
        }
    )


def _cuts(scores: Sequence[CaseScore]) -> list[Tempi]:
    return [(score.found_bpm, score.cut_bpm) for score in scores]


def _heard(scores: Sequence[CaseScore]) -> list[Tempi]:
    return [score.heard for score in scores if score.heard is not None]


def _of_control(scores: Sequence[CaseScore], control: str, measure: str) -> np.ndarray:
    return np.array([getattr(score.controls[control], measure) for score in scores])


def _span(interval: Interval) -> str:
    return f"{interval.low:.2f}..{interval.high:.2f}"
