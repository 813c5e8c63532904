"""When the picture changes at once: cuts from shot to shot, but no flashes of light."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np

_ROWS, _COLUMNS = 9, 16
_LEAST_STEP = 0.1
"""Mean change of the small picture's colours (0..1) from which it may be a cut."""
_TIMES_USUAL = 4.0
"""A cut changes the picture this many times more than the pictures around it changed."""
_AROUND = 5
_FLASH = 3
"""So many pictures before and after, a flash of light is not there."""


class Cuts:
    """Finds cuts in pictures that are shown one after another."""

    def __init__(self) -> None:
        self._small: deque[np.ndarray] = deque(maxlen=2 * _AROUND + 2)
        self._frames = 0
        self.found: list[int] = []
        """Numbers of the frames that begin a shot, but for the first."""

    def see(self, rgb: np.ndarray) -> None:
        """The next picture uint8 [H, W, 3]."""
        self._small.append(_small(rgb))
        self._frames += 1
        if len(self._small) == self._small.maxlen:
            self._judge(_AROUND + 1)

    def end(self) -> list[int]:
        """No picture follows: the frames that begin a shot."""
        start = _AROUND + 2 if len(self._small) == self._small.maxlen else 1
        for place in range(start, len(self._small)):
            self._judge(place)
        return self.found

    def _judge(self, place: int) -> None:
        pictures = list(self._small)
        steps = np.array([_change(a, b) for a, b in pairwise(pictures)])
        step = steps[place - 1]
        if step < _LEAST_STEP or step < steps.max():
            return
        others = np.delete(steps, place - 1)
        usual = float(np.median(others)) if len(others) else 0.0
        # After a flash of light all is as it was before.
        before = pictures[max(place - _FLASH, 0)]
        after = pictures[min(place + _FLASH - 1, len(pictures) - 1)]
        if step > _TIMES_USUAL * usual and _change(before, after) > 0.6 * step:
            self.found.append(self._frames - len(pictures) + place)


def _small(rgb: np.ndarray) -> np.ndarray:
    """A picture of a few pixels [9, 16, 3], 0..1: medians would not tell more than these means."""
    height, width = rgb.shape[:2]
    rows, columns = max(1, height // (_ROWS * 4)), max(1, width // (_COLUMNS * 4))
    thin = rgb[::rows, ::columns].astype(np.float32)
    thin = thin[: thin.shape[0] // _ROWS * _ROWS, : thin.shape[1] // _COLUMNS * _COLUMNS]
    if thin.size == 0:
        return np.full((_ROWS, _COLUMNS, 3), rgb.mean() / 255.0, np.float32)
    parts = thin.reshape(_ROWS, thin.shape[0] // _ROWS, _COLUMNS, thin.shape[1] // _COLUMNS, 3)
    return np.asarray(parts.mean(axis=(1, 3)) / 255.0)


def _change(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean())
