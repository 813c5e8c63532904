"""Instruments for the band: a soundfont that is there, or one fetched when the user allows it."""

from __future__ import annotations

import http
import http.client
import logging
import urllib.request
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO

from ..errors import ModelError
from ..files import cause, replacing
from ..types import Progress
from .font_player import font_library
from .materials import Materials, installed_materials

SOUNDFONT = "MuseScore_General.sf3"
SOUNDFONT_ADDRESS = f"https://ftp.osuosl.org/pub/musescore/soundfont/MuseScore_General/{SOUNDFONT}"
"""Where MuseScore's makers publish it (MIT licence)."""
_NOTE = "MuseScore_General_LICENSE.txt"
_NOTE_TEXT = """\
MuseScore_General.sf3 is the MuseScore General soundfont by S. Christian Collins and others.
Licence: MIT, https://ftp.osuosl.org/pub/musescore/soundfont/MuseScore_General/MuseScore_General_License.md
"""
_TIMEOUT_S, _BLOCK, _TRIES = 10.0, 1 << 18, 3
_log = logging.getLogger(__name__)


def find_instruments(
    folder: Path | None = None, *, download: bool = False, on_progress: Progress | None = None
) -> Materials:
    """What the band plays with: a soundfont of `folder`, else one that a package installed.

    Where there is neither, and what plays one is installed, and `download` is allowed, MuseScore General
    (38 MB) is fetched into `folder`, once; `on_progress(bytes, total_bytes)` runs meanwhile. Without a
    soundfont, where it cannot be fetched and without what plays one, the band has its own synthesisers, and
    one sentence in the log says so.
    """
    fonts = fonts_in(folder)
    found = installed_materials()
    if (fonts or found.soundfonts or download) and font_library() is None:  # which says what to install
        return replace(found, soundfonts=())
    if not fonts and not found.soundfonts and download and folder is not None:
        try:
            fonts = (_fetched(folder / SOUNDFONT, on_progress),)
        except ModelError as error:
            _log.warning("%s", error)
            return found
    found = replace(found, soundfonts=fonts or found.soundfonts)
    if not found.soundfonts:
        _log.warning("No soundfont: the band plays its own synthesisers; put %s into %s.", SOUNDFONT, folder)
    return found


def fonts_in(folder: Path | None) -> tuple[Path, ...]:
    """The soundfonts of a folder, by name."""
    if folder is None or not folder.is_dir():
        return ()
    return tuple(sorted(p for p in folder.iterdir() if p.suffix.lower() in (".sf2", ".sf3")))


def _fetched(path: Path, on_progress: Progress | None) -> Path:
    """Fetches the soundfont whole or not at all, its licence beside it."""
    try:
        with replacing(path) as target:
            _download(target, on_progress)
        with replacing(path.with_name(_NOTE)) as target:
            target.write_text(_NOTE_TEXT, encoding="utf-8")
    except http.client.HTTPException as error:
        raise _not_fetched(path, str(error)) from error
    except OSError as error:
        reason = str(getattr(error, "reason", "")) or cause(path, error)
        raise _not_fetched(path, reason) from error
    return path


def _download(target: Path, on_progress: Progress | None) -> None:
    """All of it, by up to `_TRIES` connections, each from where the one before broke off."""
    with target.open("wb") as out:
        for _ in range(_TRIES):
            total = _append(out, on_progress)
            if out.tell() >= total:
                break
        else:
            raise http.client.HTTPException(f"the connection ended after {out.tell()} of {total} bytes")
        size = out.tell()
    with target.open("rb") as file:
        head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise http.client.HTTPException("what came is no soundfont")
    if (own := 8 + int.from_bytes(head[4:8], "little")) != size:
        raise http.client.HTTPException(f"a soundfont of {own} bytes came with {size}")


def _append(out: IO[bytes], on_progress: Progress | None) -> int:
    """Goes on where the file ends, and gives the length of the whole; a server that cannot begins anew."""
    asked = urllib.request.Request(SOUNDFONT_ADDRESS)
    if out.tell():
        asked.add_header("Range", f"bytes={out.tell()}-")
    with urllib.request.urlopen(asked, timeout=_TIMEOUT_S) as answer:
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            out.seek(0)
            out.truncate()
        length = answer.headers.get("Content-Length")
        total = out.tell() + int(length or 0)
        with suppress(ConnectionError, TimeoutError, http.client.IncompleteRead):
            while block := answer.read(_BLOCK):
                out.write(block)
                if on_progress is not None:
                    on_progress(out.tell(), total)
    return total


def _not_fetched(path: Path, reason: str) -> ModelError:
    return ModelError(
        f"The soundfont {path.name} could not be fetched ({reason}); download {SOUNDFONT_ADDRESS} into"
        f" {path.parent}. The band plays its own synthesisers."
    )
