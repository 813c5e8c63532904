"""`folder`: the user's own videos.

    FOLDER/
        any/depth/NAME.mp4          or .mov, .mkv, .webm, .avi ...
        house/NAME.mp4              a folder called like a style gives it
        labels.csv                  optional

`labels.csv` has the columns `file,song,performance,style,start,end,music`; only `file` must be
there. `file` is relative to FOLDER, `start` and `end` are `hh:mm:ss`, `mm:ss` or seconds, `music`
is a file in the music folder that takes the place of the video's sound and starts with the video.
A file may have several rows, one per stretch. Videos without a row are taken whole. Rows with one
`song`, or one `performance`, never come to lie on two sides of a split; without a label each video
is a performance of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from d2m_core.styles import STYLES

from .names import VIDEO_SUFFIXES, files_under, safe_name
from .options import SourceOptions
from .recording import Recording, Unreadable
from .tables import Row, read_table, span

LABELS = "labels.csv"
COLUMNS = ("file", "song", "performance", "style", "start", "end", "music")


def read_folder(options: SourceOptions) -> Iterator[Recording | Unreadable]:
    """The videos under `options.root`, sorted. Raises `SettingError`."""
    videos = files_under(options.root, VIDEO_SUFFIXES)
    rows: dict[str, list[tuple[str, Row]]] = {}
    known = {path.relative_to(options.root).as_posix() for path in videos}
    labels = options.root / LABELS
    for where, row in read_table(labels, COLUMNS) if labels.exists() else ():
        if isinstance(row, Unreadable):
            yield row
        elif (file := Path(row.get("file", "")).as_posix()) not in known:
            yield Unreadable(where, f"there is no video {file!r} in the folder")
        else:
            rows.setdefault(file, []).append((where, row))
    for path in videos:
        yield from _stretches(path, options, rows.get(path.relative_to(options.root).as_posix()))


def _stretches(
    path: Path, options: SourceOptions, rows: list[tuple[str, Row]] | None
) -> Iterator[Recording | Unreadable]:
    file = path.relative_to(options.root).as_posix()
    seen: dict[str, str] = {}
    for where, row in rows or [(file, {})]:
        try:
            start_s, end_s = span(row)
            music = _music(row.get("music", ""), options.music)
        except ValueError as error:
            yield Unreadable(where, str(error))
            continue
        whole = start_s == 0.0 and end_s is None
        stretch = "" if whole else f" {start_s:g} {'end' if end_s is None else f'{end_s:g}'}"
        name = safe_name((file[:-4] if path.suffix == ".mp4" else file) + stretch)
        if name in seen:
            yield Unreadable(where, f"the stretch is the same as in {seen[name]}")
            continue
        seen[name] = where
        yield Recording(
            name=name,
            source="folder",
            video=path,
            start_s=start_s,
            end_s=end_s,
            song=row.get("song", "") or (music.stem if music else ""),
            performance=row.get("performance", "") or file,
            style=row.get("style", "") or _style_of(path, options),
            music=music,
            music_start_s=start_s if music else 0.0,
        )


def _music(name: str, folder: Path | None) -> Path | None:
    if not name:
        return None
    if folder is None:
        raise ValueError(f"the music {name!r} needs the music folder; name it")
    if not (path := folder / name).is_file():
        raise ValueError(f"there is no music {name!r} in the music folder")
    return path


def _style_of(path: Path, options: SourceOptions) -> str:
    """The nearest folder called like a style, below the root."""
    for part in reversed(path.relative_to(options.root).parts[:-1]):
        if part.casefold() in STYLES:
            return part.casefold()
    return options.style
