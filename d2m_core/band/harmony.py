"""Keys, chords and how they are laid under the hands.

Progressions are written as musicians speak of them: a degree and a quality, `IIm7 V9 Imaj7`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ..errors import SettingError

NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

DEGREES = {
    "I": 0,
    "bII": 1,
    "II": 2,
    "bIII": 3,
    "III": 4,
    "IV": 5,
    "#IV": 6,
    "V": 7,
    "bVI": 8,
    "VI": 9,
    "bVII": 10,
    "VII": 11,
}

QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10), "m7": (0, 3, 7, 10), "maj7": (0, 4, 7, 11),
    "9": (0, 4, 7, 10, 14), "m9": (0, 3, 7, 10, 14), "maj9": (0, 4, 7, 11, 14),
    "6": (0, 4, 7, 9), "m6": (0, 3, 7, 9), "69": (0, 4, 7, 9, 14), "sus4": (0, 5, 7),
    "sus2": (0, 2, 7), "7sus4": (0, 5, 7, 10), "dim": (0, 3, 6), "dim7": (0, 3, 6, 9),
    "m7b5": (0, 3, 6, 10), "13": (0, 4, 10, 14, 21), "7#9": (0, 4, 7, 10, 15),
    "7b9": (0, 4, 7, 10, 13), "5": (0, 7, 12), "add9": (0, 4, 7, 14), "m11": (0, 3, 7, 10, 17),
}  # fmt: skip
"""Semitones above the root."""

SCALES = {
    "minor": (0, 2, 3, 5, 7, 8, 10), "major": (0, 2, 4, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10), "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10), "harmonic": (0, 2, 3, 5, 7, 8, 11),
    "blues": (0, 3, 5, 6, 7, 10), "pentatonic": (0, 3, 5, 7, 10),
}  # fmt: skip

_SYMBOL = re.compile(r"([b#]?(?:VII|VI|IV|V|III|II|I))(.*)")


@dataclass(frozen=True)
class Harmony:
    """One chord."""

    root: int
    """Pitch class 0..11."""
    quality: str

    @property
    def name(self) -> str:
        return NAMES[self.root] + self.quality

    @property
    def classes(self) -> tuple[int, ...]:
        return tuple((self.root + step) % 12 for step in QUALITIES[self.quality])

    def interval(self, low: int, high: int, usual: int) -> int:
        """The chord's step that lies within `low..high` semitones of the root, or the usual one."""
        for step in QUALITIES[self.quality]:
            if low <= step <= high:
                return step
        return usual


@dataclass(frozen=True)
class Key:
    tonic: int
    mode: str

    @property
    def is_minor(self) -> bool:
        return 3 in SCALES[self.mode]

    @property
    def name(self) -> str:
        return f"{NAMES[self.tonic]} {'minor' if self.is_minor else 'major'}"

    @property
    def classes(self) -> tuple[int, ...]:
        return tuple((self.tonic + step) % 12 for step in SCALES[self.mode])


_SHARPS = {"C#": 1, "D#": 3, "E#": 5, "Gb": 6, "G#": 8, "A#": 10, "B#": 0, "Cb": 11, "Fb": 4}
KEYS = tuple(f"{name} {mode}" for name in NAMES for mode in ("major", "minor"))
"""Keys as the band writes them; `read_key` takes sharps and flats alike."""


def read_key(text: str) -> Key:
    """The key of a text as `A minor`, `Am`, `F# major` or `Eb`. Raises `SettingError`."""
    match = re.fullmatch(r"\s*([A-Ga-g])([#b]?)\s*(major|maj|minor|min|m|M)?\s*", text)
    if match is None:
        raise SettingError(f"Key is {text!r}; write it as `A minor`, `F# major` or `any`.")
    name = match[1].upper() + match[2]
    tonic = NAMES.index(name) if name in NAMES else _SHARPS[name]
    return Key(tonic, "minor" if match[3] in ("minor", "min", "m") else "major")


def read_progression(text: str, key: Key) -> tuple[tuple[Harmony, ...], ...]:
    """Chords per bar: bars are parted by spaces, chords within a bar by commas."""
    bars = []
    for bar in text.split():
        chords = []
        for symbol in bar.split(","):
            match = _SYMBOL.fullmatch(symbol)
            assert match is not None, symbol
            root = (key.tonic + DEGREES[match[1]]) % 12
            chords.append(Harmony(root, match[2]))
        bars.append(tuple(chords))
    return tuple(bars)


def voice(chord: Harmony, previous: tuple[int, ...] | None, centre: int, size: int = 4) -> tuple[int, ...]:
    """MIDI notes, low to high, near the previous chord's; the bass has the root of large chords."""
    classes = list(dict.fromkeys(chord.classes))
    if len(classes) > size:
        classes = classes[1:]
    if len(classes) > size:  # the fifth says least
        fifth = (chord.root + 7) % 12
        classes = [c for c in classes if c != fifth][:size]
    best: tuple[float, tuple[int, ...]] | None = None
    for floor in range(centre - 9, centre - 2):
        notes = tuple(sorted(floor + (c - floor) % 12 for c in classes))
        cost = abs(float(np.mean(notes)) - centre)
        if previous is not None:
            cost += sum(min(abs(n - p) for p in previous) for n in notes)
        cost += 2.0 * (notes[1] - notes[0] == 1)
        if best is None or cost < best[0]:
            best = (cost, notes)
    assert best is not None
    return best[1]


def nearest(classes: tuple[int, ...], pitch: float) -> int:
    """The MIDI note of one of the pitch classes that lies nearest to `pitch`."""
    middle = round(pitch)
    near = sorted(range(middle - 7, middle + 8), key=lambda note: (abs(note - pitch), note))
    return next(note for note in near if note % 12 in classes)


def bass_note(pitch_class: int, lowest: int = 28) -> int:
    """The MIDI note of a class within an octave from `lowest`."""
    return lowest + (pitch_class - lowest) % 12
