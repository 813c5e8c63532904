"""Things that took long to make, kept on disk under a name that all that made them has a part in.

    poses = kept(
        folder, "clip.npz", recipe(estimate_poses, files=[video], fps=25.0), make=write_poses, read=load_poses
    )

lies in `folder/clip-0123456789abcdef.npz`, and what it was made of in `....npz.made_of` beside
it. Other code, another file or another setting is another recipe and so another name: what was made
otherwise is never taken for it. What is not asked for any more stays until the folder is removed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from d2m_core.files import replacing

from .provenance import Code, array_sha256, code_of, file_sha256

T = TypeVar("T")
RECORD = ".made_of"
"""What follows the name of a thing in the name of its record, a JSON file."""


@dataclass(frozen=True)
class Recipe:
    """All that decides a thing."""

    code: str
    """Checksum of the functions that make it, with all they import."""
    files: tuple[tuple[str, str], ...]
    """Name and checksum of the files that go in, wherever they lie."""
    settings: dict[str, Any]
    """JSON values; arrays by their checksums."""

    @property
    def text(self) -> str:
        """As the record has it."""
        return json.dumps(vars(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @property
    def key(self) -> str:
        """Other recipes have other keys."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def recipe(*makers: Code, files: Iterable[Path] = (), **settings: Any) -> Recipe:
    """What a thing is made of: the code of `makers`, files by content, settings by value.

    Settings may be JSON values, arrays, sets, ranges and dataclasses of such. A path is refused with
    `TypeError`, since it does not say what lies there: it belongs into `files`.
    """
    contents = tuple((path.name, file_sha256(path)) for path in map(Path, files))
    plain = json.loads(json.dumps(settings, default=_plain))
    return Recipe(code_of(*makers), contents, plain)


@dataclass(frozen=True)
class Kept:
    """The place of one thing, there or to be made; small, so it can be sent to a worker."""

    path: Path
    made_of: Recipe

    @property
    def there(self) -> bool:
        return self.path.exists()

    def write(self, make: Callable[[Path], object]) -> None:
        """Lets `make` write the thing, and notes what it is made of; whole or not at all."""
        with replacing(self.path) as partial:
            make(partial)
            with replacing(self.path.with_name(self.path.name + RECORD)) as record:
                record.write_text(self.made_of.text, encoding="utf-8")


def place_for(folder: Path, name: str, made_of: Recipe) -> Kept:
    """Where a thing of this recipe lies; `name` has the suffix that its file needs."""
    plain = Path(name)
    return Kept(folder / f"{plain.stem}-{made_of.key}{plain.suffix}", made_of)


def kept(
    folder: Path, name: str, made_of: Recipe, make: Callable[[Path], object], read: Callable[[Path], T]
) -> T:
    """A thing from `folder`, made and stored there where none of this recipe is."""
    thing = place_for(folder, name, made_of)
    if not thing.there:
        thing.write(make)
    return read(thing.path)


def write_json(content: Any) -> Callable[[Path], object]:
    """A `make` that writes this content."""
    return lambda path: path.write_text(json.dumps(content), encoding="utf-8")


def read_json(path: Path) -> Any:
    """A `read` for what `write_json` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def _plain(value: Any) -> Any:
    """What JSON has no word for, as it has."""
    if isinstance(value, np.ndarray):
        return {"sha256": array_sha256(value)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, range):
        return [value.start, value.stop, value.step]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    raise TypeError(f"{value!r} cannot be part of a recipe; give a value, or a path among the files.")
