"""A rhythm's curves as few points that a curve editor holds, and curves that somebody drew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import require
from ..types import Rhythm

_SAME_STEP = 0.02
"""Lines between the points of a curve pass so near to it."""


def curve_points(values: np.ndarray) -> list[tuple[float, float]]:
    """Points (place 0..1, value) whose straight lines follow values [F] at all frames within 0.02."""
    at = np.linspace(0.0, 1.0, len(values))
    kept, open_parts = {0, len(values) - 1}, [(0, len(values) - 1)]
    while open_parts:
        first, last = open_parts.pop()
        if last - first < 2:
            continue
        inner = slice(first + 1, last)
        away = np.abs(values[inner] - np.interp(at[inner], at[[first, last]], values[[first, last]]))
        if away.max() > _SAME_STEP:
            far = first + 1 + int(away.argmax())
            kept.add(far)
            open_parts += [(first, far), (far, last)]
    return [(float(at[k]), float(values[k])) for k in sorted(kept)]


def with_curve(rhythm: Rhythm, name: str, drawn: np.ndarray, amount: float = 1.0) -> Rhythm:
    """The rhythm with a curve (of `Rhythm.names`) as `drawn` [F]; `amount` below 1 keeps some of the old.

    What is drawn outside 0..1 is held within. Raises `SettingError`.
    """
    require(0 <= amount <= 1, f"amount is {amount:g}; use 0 (as it was) to 1 (as drawn).")
    require(bool(np.isfinite(drawn).all()), "The drawn curve has values that are no numbers; draw it again.")
    curves, column = rhythm.curves.copy(), rhythm.names.index(name)
    curves[:, column] += amount * (np.clip(drawn, 0, 1) - curves[:, column])
    return replace(rhythm, curves=curves)
