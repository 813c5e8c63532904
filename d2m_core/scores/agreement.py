"""How well music agrees with a rhythm that was asked for: what the best of several is chosen by."""

from __future__ import annotations

import numpy as np

from ..rhythm import rhythm_from_audio
from ..types import Rhythm, Waveform
from .metrics import beat_f

NEAR_S = 0.04
"""A hit so near a beat counts as on it, one motion frame."""


def rhythm_agreement(wave: Waveform, rhythm: Rhythm, start_s: float = 0.0, from_s: float = 0.0) -> float:
    """Agreement of music with `rhythm`, about -0.5..1; more is better.

    `wave` starts `start_s` seconds into the rhythm; what lies before `from_s` in it is not judged.
    The mean of two: the beat F of the beats heard in it (no tempo told), and how far its hits stand
    out on the beats asked for over its hits at any time.
    """
    beats_s = rhythm.beats_s - start_s
    beats_s = beats_s[(beats_s >= from_s) & (beats_s < wave.duration_s)]
    heard = rhythm_from_audio(wave)
    found = heard.beats_s[heard.beats_s >= from_s]
    hits = heard.accent
    return 0.5 * beat_f(beats_s, found) + 0.5 * _standing_out(hits, heard.fps, beats_s, from_s)


def _standing_out(hits: np.ndarray, fps: float, beats_s: np.ndarray, from_s: float) -> float:
    """Mean of hits [F] within `NEAR_S` of the beats, less their mean at all times."""
    if len(beats_s) == 0:
        return 0.0
    times_s = np.arange(len(hits)) / fps
    near = np.abs(times_s[:, None] - beats_s) <= NEAR_S + 1e-9  # [F, beats]
    at_beats = np.where(near, hits[:, None], 0.0).max(0)
    return float(at_beats.mean() - hits[times_s >= from_s].mean())
