"""A rhythm told to models that read words: a caption, and the header of a score in ABC notation."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..types import Rhythm

_MOODS = ((0.35, "calm"), (0.5, "relaxed"), (0.65, "lively"), (1.0, "energetic"))
"""What the mean energy of a dance is called, up to each value: by the styles that the band finds to suit
it, a waltz is calm, swing relaxed, house lively, techno energetic."""
_PUNCHY = 0.5
"""Mean strength of the accents, at beats, from which they are told of."""
_TELLING_RISE = 0.15
"""So much more or less energy in the last third than in the first is a build or a fade."""
_STILL, _STOP_BEATS = 0.12, 1.5
"""Energy under which a dancer stands, and for how many beats at least, to make a stop."""
_EDGE_S = 1.0
"""Stillness so near to the clip's ends is its beginning or end."""
_NOTE = "1/16"
"""The unit of length in a score: a step of the finest grid that is danced."""


def caption(rhythm: Rhythm) -> str:
    """What a text encoder should know of a rhythm, such as "125 BPM, 4/4, energetic, builds up".

    Tempo to the nearest whole BPM, metre in quarters, then words for how much is going on: the mean
    of the energy curve, strong accents on the beats, a build or a fade from the first third to the last,
    stops. Without a curve, as where beats were typed, tempo and metre alone.
    """
    words = [f"{round(rhythm.tempo_bpm)} BPM", f"{rhythm.metre}/4"]
    if len(rhythm.curves) and rhythm.energy.any():
        words += _of_energy(rhythm)
    return ", ".join(words)


def abc_header(rhythm: Rhythm, title: str = "Dance") -> str:
    """The header of a score in ABC notation with the rhythm's metre (M:) and tempo (Q:), one field a line.

    Whole and in the order of the ABC standard 2.1, from X: to K:, so that notes can follow; the key is C,
    for a dance has none. The tempo is that of a quarter, to a tenth of a BPM where it is no whole number.
    """
    tempo = f"{rhythm.tempo_bpm:.1f}".removesuffix(".0")
    fields = {"X": "1", "T": title, "M": f"{rhythm.metre}/4", "L": _NOTE, "Q": f"1/4={tempo}", "K": "C"}
    return "\n".join(f"{name}:{value}" for name, value in fields.items())


def _of_energy(rhythm: Rhythm) -> list[str]:
    energy = rhythm.energy.astype(np.float64)
    third = max(1, len(energy) // 3)
    rise = energy[-third:].mean() - energy[:third].mean()
    words = [next(word for most, word in _MOODS if energy.mean() <= most)]
    if _accents(rhythm) >= _PUNCHY:
        words.append("strong accents")
    if abs(rise) >= _TELLING_RISE:
        words.append("builds up" if rise > 0 else "dies away")
    if stops := _stops(rhythm):
        words.append(f"{stops} stop" if stops == 1 else f"{stops} stops")
    return words


def _accents(rhythm: Rhythm) -> float:
    """Mean of the accent curve at its beats; 0 without beats."""
    inside = rhythm.beats_s[(rhythm.beats_s >= 0) & (rhythm.beats_s < rhythm.duration_s)]
    frames = np.minimum((inside * rhythm.fps).astype(int), len(rhythm.curves) - 1)
    return float(rhythm.accent[frames].mean()) if len(frames) else 0.0


def _stops(rhythm: Rhythm) -> int:
    """How often the dancer stands for a while in the middle of the clip."""
    still = np.flatnonzero(np.diff(np.concatenate([[0], rhythm.energy < _STILL, [0]]).astype(int)))
    least_s, last_s = _STOP_BEATS * 60.0 / rhythm.tempo_bpm, rhythm.duration_s - _EDGE_S
    spans = [(a / rhythm.fps, b / rhythm.fps) for a, b in list(pairwise(still))[::2]]
    return sum(bool(b - a >= least_s and a > _EDGE_S and b < last_s) for a, b in spans)
