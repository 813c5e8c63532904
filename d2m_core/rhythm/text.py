"""Beats as text that a person can read, type and mend: seconds, with `d` where a bar starts."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np

from ..errors import SettingError
from ..types import Rhythm

_ENTRY = re.compile(
    r"(?:(?P<minutes>\d+):)?(?P<seconds>\d+(?:\.\d*)?|\.\d+)(?:\s*(?P<bar>d))?(?=\s|$)\s*", re.I
)


def format_beats(rhythm: Rhythm) -> str:
    """One beat per line in seconds, as `parse_beats` reads them: `1.250 d` starts a bar."""
    return "\n".join(
        f"{time_s:.3f}{' d' if bar else ''}"
        for time_s, bar in zip(rhythm.beats_s, rhythm.downbeats, strict=True)
    )


def parse_beats(text: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Beat times float64 [M] and bar lines bool [M] (None where none is marked) from text.

    Seconds or minutes:seconds, one per line or with commas, semicolons or spaces between; a `d`
    behind a time marks the start of a bar; `#` starts a remark. Raises `SettingError`.
    """
    times: list[float] = []
    marks: list[bool] = []
    for line in text.splitlines():
        for part in re.split(r"[,;]", line.split("#")[0]):
            _read(part.strip(), times, marks)
    if not times:
        raise SettingError("The list of beats is empty; type times in seconds, one per line.")
    for before, after in pairwise(times):
        if not after > before:
            raise SettingError(
                f"In the list of beats {after:g} follows {before:g}; let times rise, and write "
                "decimals with a point."
            )
    return np.array(times, np.float64), np.array(marks, bool) if any(marks) else None


def _read(part: str, times: list[float], marks: list[bool]) -> None:
    """Reads the times of a part between commas."""
    at = 0
    while at < len(part):
        found = _ENTRY.match(part, at)
        if found is None:
            raise SettingError(
                f"In the list of beats {part[at:].split()[0]!r} is no time; write seconds such as "
                "1.25, and a d behind those that start a bar."
            )
        value = 60.0 * int(found["minutes"] or 0) + float(found["seconds"])
        times.append(value)
        marks.append(found["bar"] is not None)
        at = found.end()
