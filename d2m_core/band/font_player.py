"""Soundfonts by symusic's synthesiser: SF2 and SF3, every start on its very sample.

Why this one: `python -m benchmarks.soundfonts`. Version 0.6.0 cannot hand over what it renders.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .kit import GM_KEYS, kit_notes, struck_apart
from .patches import Played

_WANTED = "symusic==0.5.9"
_log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def font_library() -> Any | None:
    """The `symusic` module, or None (said once) where it is missing or cannot render."""
    try:
        found = importlib.import_module("symusic")
    except ImportError:
        _log.warning("No symusic: the band plays its own synthesisers; `pip install %s`.", _WANTED)
        return None
    if found.__version__.split(".")[:2] != ["0", "5"]:
        _log.warning("symusic %s does not suit; `pip install %s`.", found.__version__, _WANTED)
        return None
    return found


@lru_cache(maxsize=4)
def _synthesiser(font: Path, rate: int) -> Any:
    library = font_library()
    assert library is not None, "ask `font_library` before playing soundfonts"
    return library.Synthesizer(str(font), rate, 0)


def play_font(font: Path, program: int, drums: bool, notes: list[Played], rate: int) -> np.ndarray:
    """Notes from sample 0 on through one sound, float32 [2, n], as long as it rings."""
    library = font_library()
    assert library is not None
    score = library.Score(rate)  # at 60 quarters a minute, a tick is a sample
    score.tempos.append(library.Tempo(0, 60.0))
    track = library.Track("", program, drums)
    for note in notes:
        loud = int(np.clip(round(22 + 100 * note.velocity), 1, 127))
        track.notes.append(library.Note(note.start, max(1, note.held), note.pitch, loud))
    score.tracks.append(track)
    sound = np.asarray(_synthesiser(font, rate).render(score, True), np.float32)
    return sound if np.isfinite(sound).all() else np.nan_to_num(sound)


class FontKit(Mapping[str, tuple[np.ndarray, ...]]):
    """The pieces of a soundfont's kit, struck softly to hard, float32 [n] each, when asked for."""

    def __init__(self, font: Path, program: int, rate: int) -> None:
        self._of = (font, program, rate)

    def __getitem__(self, name: str) -> tuple[np.ndarray, ...]:
        return _piece(*self._of, name)

    def __iter__(self) -> Iterator[str]:
        return iter(GM_KEYS)

    def __len__(self) -> int:
        return len(GM_KEYS)


@lru_cache(maxsize=256)
def _piece(font: Path, program: int, rate: int, name: str) -> tuple[np.ndarray, ...]:
    notes, slot = kit_notes(rate, (name,))
    sound = play_font(font, program, True, notes, rate).mean(0)
    sound = np.pad(sound, (0, max(0, len(notes) * slot - len(sound))))
    return struck_apart(sound, slot, rate, (name,))[name]
