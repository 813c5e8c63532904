"""What makes sound: parts that render block after block, each note on its sample."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from .font_player import play_font
from .patches import Patch, Played, one_note, steps_of

Piece = tuple[int, np.ndarray]
"""(first sample, sound [C, n])."""
_HELD = 1.6
_KEPT = 12_000_000
"""Samples of single notes that a part keeps: 48 MB."""


class Tail:
    """Puts sounds into a block, and keeps for the next what rings on."""

    def __init__(self, channels: int) -> None:
        self._rest = np.zeros((channels, 0), np.float32)

    @property
    def rings(self) -> bool:
        """Whether something is left for the next block."""
        return bool(self._rest.any())

    def fill(self, length: int, pieces: Iterable[Piece]) -> np.ndarray:
        """The next block, float32 [C, length]; places of `pieces` count from its start."""
        pieces = list(pieces)
        ends = [place + sound.shape[-1] for place, sound in pieces]
        whole = np.zeros((len(self._rest), max([length, self._rest.shape[1], *ends])), np.float32)
        whole[:, : self._rest.shape[1]] = self._rest
        for place, sound in pieces:
            first = max(0, -place)
            if first < sound.shape[-1]:
                whole[:, place + first : place + sound.shape[-1]] += sound[..., first:]
        self._rest = whole[:, length:].copy()
        return whole[:, :length]


class Part:
    """One instrument's part: the sounds of events, in order of their start."""

    def __init__(self, starts: np.ndarray, sound: Callable[[int, int], list[Piece]], channels: int) -> None:
        """`sound(first, last)` makes the pieces of those events, placed on the piece's clock."""
        self._starts, self._sound, self.channels = starts, sound, channels
        self._tail, self._next = Tail(channels), 0

    def alone(self, first: int, last: int) -> list[Piece]:
        """The sounds of some events, for measuring."""
        return self._sound(first, last)

    @property
    def starts(self) -> np.ndarray:
        """Samples at which the events begin, rising."""
        return self._starts

    def render(self, low: int, high: int) -> np.ndarray:
        """Samples low..high of the piece, float32 [C, n]; asked for in order."""
        last = int(np.searchsorted(self._starts, high))
        pieces = self._sound(self._next, last) if last > self._next else []
        self._next = last
        return self._tail.fill(high - low, [(place - low, sound) for place, sound in pieces])


def synth_part(patch: Patch, notes: list[Played], rate: int) -> Part:
    """A part for one of the band's own synthesisers; equal notes are made once, while there is room."""
    made: OrderedDict[tuple[int, int, int], np.ndarray] = OrderedDict()
    kept = 0

    def sound_of(note: Played) -> np.ndarray:
        nonlocal kept
        key = steps_of(note, rate)
        if key in made:
            made.move_to_end(key)
            return made[key]
        made[key] = one_note(patch, *key, rate)[None]
        kept += made[key].shape[-1]
        while kept > _KEPT and len(made) > 1:
            kept -= made.popitem(last=False)[1].shape[-1]
        return made[key]

    notes = sorted(notes, key=lambda n: n.start)
    starts = np.array([n.start for n in notes])
    return Part(starts, lambda low, high: [(n.start, sound_of(n)) for n in notes[low:high]], 1)


def font_part(font: Path, program: int, notes: list[Played], rate: int) -> Part:
    """A part for one sound of a soundfont."""
    notes = sorted(notes, key=lambda n: n.start)

    def sound(low: int, high: int) -> list[Piece]:
        first = notes[low].start
        moved = [Played(n.start - first, n.held, n.pitch, n.velocity) for n in notes[low:high]]
        return [(first, play_font(font, program, False, moved, rate))]

    return Part(np.array([n.start for n in notes]), sound, 2)


def stroke_part(starts: np.ndarray, sound: Callable[[int], np.ndarray]) -> Part:
    """A part of ready sounds: `sound(k)` is that of the start `k`, float32 [n]."""
    return Part(starts, lambda low, high: [(int(starts[k]), sound(k)[None]) for k in range(low, high)], 1)


def usual_level(part: Part, rate: int, count: int = 10) -> float:
    """How loud a part's chords are, RMS, by `count` of them; 0 without sound.

    The loudest 50 ms of what dies away, more of what is held: that covers others for longer.
    """
    starts = part.starts
    firsts = np.unique(starts)
    picked = firsts[np.linspace(0, len(firsts) - 1, min(count, len(firsts))).astype(int)]
    levels = []
    for start in picked:
        low, high = (int(np.searchsorted(starts, start + d)) for d in (0, 1))
        chord = Tail(part.channels).fill(rate // 2, [(p - int(start), s) for p, s in part.alone(low, high)])
        power = (chord.mean(0)[: rate // 20 * 10].reshape(10, -1) ** 2).mean(1)
        levels.append(max(float(np.sqrt(power.max())), _HELD * float(np.sqrt(np.sort(power)[-6:].mean()))))
    return float(np.quantile(levels, 0.75)) if levels else 0.0
