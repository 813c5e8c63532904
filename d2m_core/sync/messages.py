"""What is told to other programs, and under which names: one table for MIDI, OSC and Link."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import scipy

from ..errors import require
from ..grid import tempo_of
from ..types import Rhythm

KINDS = {
    "start": "the music begins; value: the beat it begins at, from 0",
    "beat": "a beat; value: its number from 0",
    "downbeat": "that beat starts a bar; value: the beat's number",
    "bar": "a bar; value: its number from 0",
    "tempo": "the tempo has changed; value: beats per minute",
    "section": "a part of the piece begins; value: its name",
    "accent": "a visible accent; value: its strength, 0 to 1",
    "energy": "how much is going on; value: 0 to 1",
    "stop": "the music has ended; value: 0",
}
"""Kinds of messages, and what their `value` says."""

_ENERGY_S = 0.1
"""How often the energy of a rhythm is told."""
_ACCENT = 0.3
"""Accents of a rhythm are told from this strength on."""
_TEMPO_SHARE = 0.005
"""A tempo that differs by less than this share is the same one."""


@dataclass(frozen=True)
class Message:
    """One thing that happens."""

    kind: str
    """One of `KINDS`."""
    time_s: float
    """When it is heard, seconds since the session's start."""
    value: float | str = 0.0
    """See `KINDS`."""
    bpm: float = 0.0
    """The tempo from here on, of a beat, a start or a tempo; 0 where it stays."""

    def __post_init__(self) -> None:
        require(self.kind in KINDS, f"The message is {self.kind!r}; use one of {', '.join(KINDS)}.")


def messages_of(rhythm: Rhythm, sections: Iterable[tuple[float, str]] = ()) -> list[Message]:
    """A whole rhythm as messages, in the order of time; `sections` are (seconds, name).

    It starts with its first beat and stops where it ends.
    """
    beats = rhythm.beats_s
    if len(beats) == 0:
        return []
    lasts = np.diff(beats, append=beats[-1] + (60 / tempo_of(beats) if len(beats) > 1 else 1.0))
    found = [Message("start", float(beats[0]), 0, 60 / float(lasts[0]))]
    bar, told_bpm = -1, 0.0
    for number, (time_s, lasts_s, opens) in enumerate(zip(beats, lasts, rhythm.downbeats, strict=True)):
        at, bpm = float(time_s), 60 / float(lasts_s)
        if abs(bpm - told_bpm) > _TEMPO_SHARE * bpm:
            found.append(Message("tempo", at, round(bpm, 3), bpm))
            told_bpm = bpm
        found.append(Message("beat", at, number, bpm))
        if opens:
            bar += 1
            found += [Message("downbeat", at, number), Message("bar", at, bar)]
    found += [Message("section", float(at), name) for at, name in sections]
    found += _accents(rhythm) + _energy(rhythm)
    found.append(Message("stop", float(max(rhythm.duration_s, beats[-1] + lasts[-1]))))
    order = list(KINDS)
    return sorted(found, key=lambda each: (each.time_s, order.index(each.kind)))


def _accents(rhythm: Rhythm) -> list[Message]:
    peaks, _ = scipy.signal.find_peaks(rhythm.accent, height=_ACCENT)
    return [Message("accent", float(k / rhythm.fps), round(float(rhythm.accent[k]), 3)) for k in peaks]


def _energy(rhythm: Rhythm) -> list[Message]:
    step = max(1, round(_ENERGY_S * rhythm.fps))
    return [
        Message("energy", float(k / rhythm.fps), round(float(rhythm.energy[k]), 3))
        for k in range(0, len(rhythm.energy), step)
    ]
