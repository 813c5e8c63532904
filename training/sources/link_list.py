"""`list`: a table of links, one stretch of dance per row.

    url,start,end
    https://example.org/watch?v=abc,00:01:30,00:01:52.5
    https://example.org/dance.mp4,12.5,20

Commas, semicolons or tabs; a header or none; `start` and `end` are `hh:mm:ss`, `mm:ss` or seconds
and may be left empty. With a header, columns `song`, `performance` and `style` may follow in any
order. Empty lines and lines that start with `#` are skipped. All rows of one link are one
performance where the table names none, so that they stay on one side of a split.

Where the `ffmpeg` program is installed only the stretch is downloaded: the recording's link then
ends in `#t=START,END` and its times count from START. Otherwise the video is downloaded whole, once
for all its rows.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from .names import digest, safe_name
from .options import SourceOptions
from .recording import Recording, Unreadable
from .tables import Row, read_table, span

COLUMNS = ("url", "start", "end", "song", "performance", "style")

_YOUTUBE = re.compile(r"(?:www\.|m\.|music\.)?(?:youtube\.com|youtu\.be)")


def read_list(options: SourceOptions) -> Iterator[Recording | Unreadable]:
    """The rows of the table `options.root`, in its order. Raises `SettingError`."""
    seen: dict[str, str] = {}
    for where, row in read_table(options.root, COLUMNS):
        found = row if isinstance(row, Unreadable) else _recording(where, row, options)
        if isinstance(found, Recording):
            if found.name in seen:
                found = Unreadable(where, f"the stretch is the same as in {seen[found.name]}")
            else:
                seen[found.name] = where
        yield found


def _recording(where: str, row: Row, options: SourceOptions) -> Recording | Unreadable:
    url = row.get("url", "")
    if not _is_link(url):
        return Unreadable(where, f"{url!r} is not a link; it must start with http:// or https://")
    try:
        start_s, end_s = span(row)
    except ValueError as error:
        return Unreadable(where, str(error))
    key, link = video_key(url), urlsplit(url)._replace(fragment="").geturl()
    section = options.sections and end_s is not None and shutil.which("ffmpeg") is not None
    stretch = f"{start_s:g} {'end' if end_s is None else f'{end_s:g}'}"
    return Recording(
        name=f"{safe_name(key)[:60]}-{digest(f'{key} {stretch}')}",
        source="list",
        url=f"{link}#t={start_s:g},{end_s:g}" if section else link,
        start_s=0.0 if section else start_s,
        end_s=end_s - start_s if section and end_s is not None else end_s,
        song=row.get("song", ""),
        performance=row.get("performance", "") or key,
        style=row.get("style", "") or options.style,
    )


def _is_link(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that are no address
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def video_key(url: str) -> str:
    """What two links to one video share: the number of a YouTube video, else the link itself."""
    parts = urlsplit(url)
    if _YOUTUBE.fullmatch((parts.hostname or "").lower()):
        numbers = parse_qs(parts.query).get("v") or [parts.path.rstrip("/").rsplit("/", 1)[-1]]
        if re.fullmatch(r"[A-Za-z0-9_-]{11}", numbers[0]):
            return f"youtube {numbers[0]}"
    return parts._replace(fragment="").geturl()
