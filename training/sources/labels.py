"""`labels.csv` of a folder: which of its videos each row means, however its name is written."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache
from itertools import islice
from pathlib import Path

from .names import same_name
from .recording import LABEL_LOST, NO_VIDEO, Unreadable
from .tables import Row, read_table

LABELS = "labels.csv"
COLUMNS = ("file", "song", "performance", "style", "start", "end", "music")

_ALIKE = 0.8
"""Names that are so alike (0 to 1) may be one that was mistyped."""
_SHOWN = 60

_Lost = tuple[str, str, Callable[[str, str], bool]]
"""Where a row stands that means no video, what it says, and whether that may mean a video."""


class Names:
    """Finds files of a folder by what people call them."""

    def __init__(self, names: Iterable[str], what: str) -> None:
        """`names` are paths below the folder; `what` they are is for messages."""
        self._exact, self._what = set(names), what
        self._folded: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self._exact):
            self._folded[same_name(name)].append(name)

    def find(self, name: str) -> str:
        """The one file that is meant. Raises `ValueError` with the reason where there is none."""
        if name in self._exact:
            return name
        found = self._folded.get(same_name(name), [])
        if len(found) > 1:
            several = " or ".join(map(repr, found))
            raise ValueError(f"{name!r} may be {several}; write it as the file is called")
        if not found:
            raise ValueError(f"there is no {self._what} {name!r} in the folder")
        return found[0]


@dataclass
class Labels:
    """The rows of a folder's videos."""

    rows: dict[str, list[tuple[str, Row]]] = field(default_factory=dict)
    """(Where it stands, what it says) for each row of a video, by its path below the folder."""
    wrong: list[Unreadable] = field(default_factory=list)
    """Rows that mean no video, and videos without a row that these may have meant."""


def read_labels(root: Path, videos: Iterable[str]) -> Labels:
    """What `labels.csv` says of videos, named by their paths below `root`. Raises `SettingError`."""
    found, names = Labels(), list(videos)
    lost: list[_Lost] = []
    known = Names(names, "video")
    for where, row in _table(root):
        if isinstance(row, Unreadable):
            found.wrong.append(row)
            lost.append((where, row.line, _stands_in))
            continue
        name = row.get("file", "")
        try:
            found.rows.setdefault(known.find(name), []).append((where, row))
        except ValueError as error:
            found.wrong.append(Unreadable(where, str(error), NO_VIDEO))
            lost.append((where, name, _is_like))
    for name in names:
        if name not in found.rows:
            found.wrong += islice(_lost_labels(name, lost), 1)
    return found


def _table(root: Path) -> Iterator[tuple[str, Row | Unreadable]]:
    """The rows of the table, whether or not its name is in capitals."""
    found = sorted(path for path in root.iterdir() if path.name.casefold() == LABELS)
    path = root / LABELS if root / LABELS in found else next(iter(found), None)
    return iter(()) if path is None else read_table(path, COLUMNS)


def _lost_labels(video: str, lost: list[_Lost]) -> Iterator[Unreadable]:
    """What to say of a video without a row that rows which mean no video may have meant."""
    for where, text, may_mean in lost:
        if may_mean(text, video):
            why = f"{where} may mean it ({text.strip()[:_SHOWN]!r}); mend that row, or give it one"
            yield Unreadable(video, why, LABEL_LOST)


def _is_like(name: str, video: str) -> bool:
    """Whether a name that is no file's may be a video's, mistyped or with another ending or folder."""
    one, other = _stem(name), _stem(video)
    if one == other or re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return one == other
    match = SequenceMatcher(None, one, other, autojunk=False)
    return match.real_quick_ratio() >= _ALIKE and match.ratio() >= _ALIKE


def _stands_in(line: str, video: str) -> bool:
    """Whether a line that cannot be read names a video."""
    stem = _stem(video)
    return bool(stem) and re.search(rf"(?<![^\W_]){re.escape(stem)}(?![^\W_])", _plain(line)) is not None


@cache
def _stem(path: str) -> str:
    return Path(_plain(same_name(path))).stem


def _plain(text: str) -> str:
    """Without accents and capitals."""
    taken_apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in taken_apart if not unicodedata.combining(letter))
