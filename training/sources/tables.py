"""Tables that people write by hand: commas, semicolons or tabs, with a header or without."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from d2m_core.errors import SettingError

from .recording import Unreadable

Row = dict[str, str]

_CLOCK = re.compile(r"(?:(\d+):)?(?:(\d+):)?(\d+(?:[.,]\d+)?)")
_DELIMITERS = "\t;,"


def seconds(text: str) -> float:
    """`hh:mm:ss`, `mm:ss` or seconds, each with or without a fraction. Raises `ValueError`."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text.strip()!r} is not a time; write hh:mm:ss, mm:ss or seconds")
    hours, minutes, rest = match.groups()
    if minutes is None:  # one colon: the first group took the minutes
        hours, minutes = None, hours
    last = float(rest.replace(",", "."))
    if (minutes is not None and last >= 60) or (hours is not None and int(minutes or 0) >= 60):
        raise ValueError(f"{text.strip()!r} is not a time; minutes and seconds end at 59")
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + last


def span(row: Row) -> tuple[float, float | None]:
    """Where a row's `start` and `end` say that its stretch lies; no end is the file's end.

    Raises `ValueError`.
    """
    start_s = seconds(row["start"]) if row.get("start") else 0.0
    end_s = seconds(row["end"]) if row.get("end") else None
    if end_s is not None and end_s <= start_s:
        raise ValueError(f"the end {row['end']} is not after the start {row.get('start') or '0'}")
    return start_s, end_s


def read_table(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, Row | Unreadable]]:
    """Rows of a table with the place where each stands ("file, line n").

    A first line that names `columns[0]` is a header, and its names count; otherwise the columns are
    `columns` in this order. Fields may be quoted; empty lines and lines from `#` on are skipped.
    UTF-8 or UTF-16, with a byte-order mark or none. Raises `SettingError` where it cannot be read.
    """
    names, delimiter = list(columns), ""
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip(" \t;,") or line.lstrip().startswith("#"):
            continue
        where = f"{path.name}, line {number}"
        if not delimiter:
            delimiter = _delimiter(line, columns[0])
            header = [name.casefold() for name in _fields_or_none(line, delimiter)]
            if columns[0] in header:
                names = header
                continue
        try:
            fields = _fields(line, delimiter)
            if len(fields) > len(names) and any(fields[len(names) :]):
                raise ValueError(f"{len(fields)} fields for {len(names)} columns")
        except ValueError as error:
            yield where, Unreadable(where, str(error), line=line)
        else:
            yield where, dict(zip(names, fields, strict=False))


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingError(
            f"The table {path} cannot be read ({error.strerror or error}); check the path."
        ) from error
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _delimiter(line: str, first: str) -> str:
    """The first delimiter that makes a header or a row with a time in its second field of it."""
    for delimiter in _DELIMITERS:
        fields = _fields_or_none(line, delimiter)
        if len(fields) > 1 and (first in (name.casefold() for name in fields) or _CLOCK.fullmatch(fields[1])):
            return delimiter
    return next((one for one in _DELIMITERS if one in line), ",")


def _fields_or_none(line: str, delimiter: str) -> list[str]:
    """The fields of one line; none where it cannot be read."""
    try:
        return _fields(line, delimiter)
    except ValueError:
        return []


def _fields(line: str, delimiter: str) -> list[str]:
    """The fields of one line. Raises `ValueError` where its quotes do not match."""
    # Spaces between a quote that closes and the delimiter are people's, but no CSV.
    for text in (line, re.sub(rf'"[^\S\t]+(?={re.escape(delimiter)}|$)', '"', line)):
        try:
            rows = list(csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=True))
        except csv.Error as error:
            wrong = str(error)
        else:
            return [field.strip() for field in rows[0]]
    if "expected after" in wrong:
        raise ValueError("something follows the end of a quoted field; double the quotes inside it")
    raise ValueError("a quoted field does not end; close its quotes")
