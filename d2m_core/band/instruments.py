"""Instruments for the band: a soundfont that is there, or one fetched when the user allows it."""

from __future__ import annotations

import http.client
import logging
import urllib.request
from dataclasses import replace
from pathlib import Path

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
_TIMEOUT_S, _BLOCK = 10.0, 1 << 18
_log = logging.getLogger(__name__)


def find_instruments(
    folder: Path | None = None, *, download: bool = False, on_progress: Progress | None = None
) -> Materials:
    """What the band plays with: a soundfont of `folder`, else one that a package installed.

    Where there is neither and `download` is allowed, MuseScore General (38 MB) is fetched into
    `folder`, once; `on_progress(bytes, total_bytes)` runs meanwhile. Without a soundfont, or without
    what plays one, the band has its own synthesisers, and one sentence in the log says so. Raises
    `ModelError` where it cannot be fetched.
    """
    fonts = fonts_in(folder)
    found = installed_materials()
    if not fonts and not found.soundfonts and download and folder is not None:
        fonts = (_fetched(folder / SOUNDFONT, on_progress),)
    found = replace(found, soundfonts=fonts or found.soundfonts)
    if not found.soundfonts:
        _log.warning("No soundfont: the band plays its own synthesisers; put %s into %s.", SOUNDFONT, folder)
    elif font_library() is None:
        return replace(found, soundfonts=())
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
    with urllib.request.urlopen(SOUNDFONT_ADDRESS, timeout=_TIMEOUT_S) as answer, target.open("wb") as out:
        total, done = int(answer.headers.get("Content-Length") or 0), 0
        while block := answer.read(_BLOCK):
            out.write(block)
            done += len(block)
            if on_progress is not None:
                on_progress(done, total)
    if total and done != total:
        raise http.client.HTTPException(f"the connection ended after {done} of {total} bytes")
    with target.open("rb") as file:
        head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise http.client.HTTPException("what came is no soundfont")


def _not_fetched(path: Path, reason: str) -> ModelError:
    return ModelError(
        f"The soundfont {path.name} could not be fetched ({reason}); download {SOUNDFONT_ADDRESS} into"
        f" {path.parent}, or let the band play its own synthesisers."
    )
