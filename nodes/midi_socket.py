"""MIDI as other packs pass it: a file of mido's, a path, or an object that can write itself."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ..d2m_core.errors import MediaError
from ..d2m_core.midi import open_midi
from ..d2m_core.midi.reading import check_midi
from ..d2m_core.motion import dance_accents
from . import host
from .sockets import ClipPoses


def midi_in(value: Any) -> Any:
    """A file of mido's from what stands at a MIDI input. Raises `MediaError`."""
    import mido

    if isinstance(value, mido.MidiFile):
        return check_midi(value)
    if isinstance(value, str | Path):
        return open_midi(host.media_path(str(value)))
    if hasattr(value, "write"):  # pretty_midi
        out = io.BytesIO()
        value.write(out)
        return open_midi(out.getvalue())
    raise MediaError(f"The MIDI input is of type {type(value).__name__}; connect MIDI of another node.")


def seen_accents(poses: ClipPoses) -> tuple[tuple[float, float], ...]:
    """What one sees of the dancers: (seconds, strength 0..1) of each accent."""
    found = dance_accents(poses.poses)
    return tuple(zip(found.times_s.tolist(), found.strengths.tolist(), strict=True))
