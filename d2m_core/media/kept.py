"""Music that was made is never lost, even where the film that it was made for cannot be written."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import MediaError
from ..types import Waveform
from .sound import save_audio

_STEM = 40
"""So much of the film's name the sound file bears: it fits wherever the film's would."""

_NAMES_TRIED = 100


@contextmanager
def never_lost(wave: Waveform, out: Path) -> Iterator[None]:
    """Where the block cannot write `out`, keeps the music as a sound file beside it and says where."""
    try:
        yield
    except MediaError as error:
        kept = _kept(wave, out)
        if kept is None:
            raise
        raise MediaError(f"{str(error).rstrip('.')}; the music is kept in {kept}.") from error


def _kept(wave: Waveform, out: Path) -> Path | None:
    """The music as FLAC, beside `out` or else in the system's folder for temporary files."""
    for folder in (out.parent, Path(tempfile.gettempdir())):
        for number in range(1, _NAMES_TRIED):
            path = folder / f"{out.stem[:_STEM]}_music_{number}.flac"
            try:
                if not path.exists():
                    return save_audio(wave, path)
            except (MediaError, OSError):
                break
    return None
