"""Straight time: grids on which every sixteenth has its own token step.

Codec tokens come at a steady rate. On a grid whose beat lasts an even number of their steps a beat,
an eighth and a bar are whole steps long, and the same hit falls at the same place of the same step
in every bar: it becomes the same token. A sixteenth lasts a whole number of steps or half a step
more; what lies between two steps goes to the later one, always the same.
"""

from __future__ import annotations

import numpy as np

TOKEN_RATE = 50.0
"""Token steps per second of the codecs that write on straight grids."""

EVEN_STEPS = (16, 50)
"""Fewest and most token steps of a beat: 187.5 to 60 BPM at 50 steps a second."""


def beat_steps(tempo_bpm: float, token_rate: float = TOKEN_RATE) -> int:
    """The even number of token steps in a beat whose tempo is nearest to `tempo_bpm`, in octaves.

    Neighbours are at most 12 % apart, so the nearest is at most 6 % away; outside `EVEN_STEPS`
    further.
    """
    choices = np.arange(EVEN_STEPS[0], EVEN_STEPS[1] + 1, 2)
    away = np.abs(np.log2(straight_bpm(choices, token_rate) / tempo_bpm))
    return int(choices[np.argmin(away)])


def straight_bpm(steps: np.ndarray | int, token_rate: float = TOKEN_RATE) -> np.ndarray:
    """Tempo of a beat of so many token steps."""
    return 60.0 * token_rate / np.asarray(steps, np.float64)


def on_steps(beat: np.ndarray | float, steps: int) -> np.ndarray:
    """Places in beats, float64, moved to the nearest of `steps` token steps per beat.

    In the middle between two the later one, whatever the beat, so that a pattern stays a pattern.
    """
    return np.floor(np.asarray(beat, np.float64) * steps + 0.5 + 1e-6) / steps
