"""How the learning rate goes over a run: the same for every network here."""

from __future__ import annotations

import math

FINAL_RATE = 0.02
"""Share of the learning rate left at the end of the cosine."""


def rate_factor(step: int, warm_steps: int, progress: float) -> float:
    """Share 0..1 of the learning rate: a linear rise, then a cosine over `progress` 0..1."""
    warm = min(1.0, (step + 1) / max(1, warm_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * progress))
    return warm * (FINAL_RATE + (1 - FINAL_RATE) * cosine)
