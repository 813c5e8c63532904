"""`folder`: the user's own videos.

    FOLDER/
        any/depth/NAME.mp4          or .mov, .mkv, .webm, .avi ...
        house/NAME.mp4              a folder called like a style gives it
        labels.csv                  optional

`labels.csv` has the columns `file,song,performance,style,start,end,music`; only `file` must be
there. `file` is relative to FOLDER, `start` and `end` are `hh:mm:ss`, `mm:ss` or seconds, `music`
is a file in the music folder that takes the place of the video's sound and starts with the video.
A file may have several rows, one per stretch. Videos without a row are taken whole, but for those
that a row which means no video may have meant: they would lose their song. Rows with one
`song`, or one `performance`, never come to lie on two sides of a split; without a label each video
is a performance of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from d2m_core.styles import STYLES

from .labels import Names, read_labels
from .names import VIDEO_SUFFIXES, look_under, safe_name
from .options import SourceOptions
from .recording import LABEL_LOST, PASSED_OVER, Recording, Unreadable
from .tables import Row, span


def read_folder(options: SourceOptions) -> Iterator[Recording | Unreadable]:
    """The videos under `options.root`, sorted, and all that is left out. Raises `SettingError`."""
    videos, left = look_under(options.root, VIDEO_SUFFIXES)
    for path, why in left.items():
        yield Unreadable(path.relative_to(options.root).as_posix(), why, PASSED_OVER)
    names = {path.relative_to(options.root).as_posix(): path for path in videos}
    labels = read_labels(options.root, names)
    yield from labels.wrong
    music = None if options.music is None else _Music(options.music)
    lost = {one.where for one in labels.wrong if one.reason == LABEL_LOST}
    for name, path in names.items():
        if name not in lost:
            yield from _stretches(path, options, labels.rows.get(name), music)


def _stretches(
    path: Path, options: SourceOptions, rows: list[tuple[str, Row]] | None, songs: _Music | None
) -> Iterator[Recording | Unreadable]:
    file = path.relative_to(options.root).as_posix()
    seen: dict[str, str] = {}
    for where, row in rows or [(file, {})]:
        try:
            start_s, end_s = span(row)
            music = _music(row.get("music", ""), songs)
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


class _Music:
    """The files of the music folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        files = (path for path in folder.rglob("*") if path.is_file())
        self._names = Names((path.relative_to(folder).as_posix() for path in files), "music")

    def find(self, name: str) -> Path:
        """Raises `ValueError`."""
        return self._folder / self._names.find(name)


def _music(name: str, songs: _Music | None) -> Path | None:
    if not name:
        return None
    if songs is None:
        raise ValueError(f"the music {name!r} needs the music folder; name it")
    return songs.find(name)


def _style_of(path: Path, options: SourceOptions) -> str:
    """The nearest folder called like a style, below the root."""
    for part in reversed(path.relative_to(options.root).parts[:-1]):
        if part.casefold() in STYLES:
            return part.casefold()
    return options.style
