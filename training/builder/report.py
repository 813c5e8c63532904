"""`report.json` and `report.html`: what was kept and dropped, tempo, style, samples.

Nothing in them depends on when or how the set was built. The page needs nothing beside itself.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from d2m_core.files import replacing
from training.sources import Recording
from training.sources.recording import SPLITS

from .jobs import Context
from .manifest import counted
from .pictures import bars_picture, sample_pictures
from .records import write_json
from .rows import Row

REPORT = "report.json"
PAGE = "report.html"
SAMPLES = 8
_TEMPO_STEP = 10

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;"
    "background:#14161c;color:#e8eaf0}table{border-collapse:collapse;margin:1rem 0}"
    "td,th{padding:.2rem 1rem .2rem 0;text-align:left}td.n{text-align:right}"
    "img{max-width:100%;display:block;margin:.5rem 0 1.5rem}h2{margin-top:2rem}"
    "p.soft{color:#8b90a0}"
)


def figures(rows: Sequence[Row]) -> dict[str, Any]:
    """What `report.json` says."""
    kept = [row for row in rows if row.kept]
    tempos = [row.tempo_bpm for row in kept if row.tempo_bpm is not None]
    return {
        "recordings": len({row.recording for row in rows} - {""}),
        "kept": len(kept),
        "dropped": len(rows) - len(kept),
        "hours": round(sum(row.seconds for row in kept) / 3600, 4),
        "reasons": counted(row.reason for row in rows if not row.kept),
        "examples": _examples(rows),
        "splits": {split: sum(row.split == split for row in kept) for split in SPLITS},
        "styles": counted(row.style or "not stated" for row in kept),
        "tempo_bpm": tempo_histogram(tempos),
        "quartiles": {
            name: _quartiles([getattr(row, name) for row in kept])
            for name in ("tempo_bpm", "confidence", "present", "motion", "level_db", "seconds")
        },
    }


def tempo_histogram(tempos: Sequence[float]) -> dict[str, int]:
    """How many clips lie from each multiple of ten BPM to the next."""
    bins = [int(tempo // _TEMPO_STEP) * _TEMPO_STEP for tempo in tempos]
    return {str(low): bins.count(low) for low in sorted(set(bins))}


def _quartiles(values: Sequence[float | None]) -> list[float]:
    known = [value for value in values if value is not None]
    return [round(float(v), 3) for v in np.percentile(known, (0, 25, 50, 75, 100))] if known else []


def _examples(rows: Sequence[Row]) -> dict[str, list[str]]:
    """For each reason, what the first few clips said."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if not row.kept and len(found.setdefault(row.reason, [])) < 3:
            name = row.clip or row.recording or row.origin
            found[row.reason].append(f"{name}: {row.detail}")
    return dict(sorted(found.items()))


def write_report(
    out: Path, rows: Sequence[Row], source: str, given: Sequence[Recording], context: Context
) -> None:
    """Writes both files; pictures are of clips in the shards and of their videos."""
    found = figures(rows)
    write_json(out / REPORT, found, 1)
    parts = [f"<h1>Data set from {html.escape(source)}</h1>", _head(found), _reasons(found)]
    if found["kept"]:
        parts += [
            "<h2>Tempo, clips per 10 BPM</h2>",
            _image(bars_picture(found["tempo_bpm"])),
            "<h2>Style, clips</h2>",
            _image(bars_picture(found["styles"])),
            _quartile_table(found),
            "<h2>Random samples</h2><p class=soft>Above: frames on the beat with the poses found."
            " Below: dancer on every beat, hip height, sound; lines are beats, thick ones"
            " downbeats.</p>",
        ]
        recordings = {recording.name: recording for recording in given}
        for row, picture in sample_pictures(out, rows, recordings, context, SAMPLES):
            words = f"{row.clip} ({row.split}), {row.style or 'style not stated'}"
            parts += [f"<h3>{html.escape(words)}</h3>", _image(picture, "jpeg")]
    title = f"<title>Data set from {html.escape(source)}</title>"
    page = f"<!doctype html><meta charset=utf-8>{title}<style>{_STYLE}</style>" + "\n".join(parts)
    with replacing(out / PAGE) as partial:
        partial.write_text(page + "\n", encoding="utf-8")


def _head(found: dict[str, Any]) -> str:
    splits = ", ".join(f"{count} {split}" for split, count in found["splits"].items())
    return (
        f"<p>{found['recordings']} recordings gave {found['kept']} clips, {found['hours']:.2f}"
        f" hours ({splits}); {found['dropped']} were dropped.</p>"
    )


def _reasons(found: dict[str, Any]) -> str:
    if not found["reasons"]:
        return ""
    most = sorted(found["reasons"].items(), key=lambda each: (-each[1], each[0]))
    lines = [
        f"<tr><td>{html.escape(reason)}<td class=n>{count}"
        f"<td>{html.escape('; '.join(found['examples'][reason]))}"
        for reason, count in most
    ]
    return ("<h2>Dropped</h2><table><tr><th>reason<th>clips<th>for instance" + "".join(lines)) + "</table>"


def _quartile_table(found: dict[str, Any]) -> str:
    lines = [
        f"<tr><td>{name}" + "".join(f"<td class=n>{value:g}" for value in values)
        for name, values in found["quartiles"].items()
    ]
    head = "<tr><th>of kept clips<th>lowest<th>quarter<th>median<th>three quarters<th>highest"
    return f"<table>{head}{''.join(lines)}</table>"


def _image(data: bytes, kind: str = "png") -> str:
    return f'<img src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'
