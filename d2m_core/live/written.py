"""A piece that is written while it is played: its sound, and which moment of it belongs to which beat."""

from __future__ import annotations

import numpy as np

from ..align.bend import FINER, PIECE_MARGIN_S, between, laid_closer
from ..music.unfolding import Unfolding
from ..straight import TOKEN_RATE

_KEPT_STEPS = 25.0
"""So much of what was played is kept."""


class Written:
    """Sound of an `Unfolding`. One thread makes it (`make`), another takes and plays it (`take`, `read`)."""

    def __init__(self, piece: Unfolding) -> None:
        self._piece = piece
        self._raw = np.zeros((2, 0), np.float32)
        self._begun = False
        self._fine = np.zeros((2, 0), np.float32)  # `FINER` for one, from step `_low` on
        self._low, self._per_step = 0.0, 1.0

    @property
    def beats(self) -> int:
        """How many are written."""
        return len(self._piece.ends) - 1

    def make(self) -> np.ndarray:
        """Writes on: the samples that come next, `FINER` for one, float32 [2, n]; n may be 0."""
        sound = self._piece.more()
        rate, new = sound.sample_rate, sound.samples[0].numpy()
        margin = round(PIECE_MARGIN_S * rate)
        self._raw = np.concatenate([self._raw, np.broadcast_to(new, (2, new.shape[1]))], 1)
        self._per_step = FINER * rate / TOKEN_RATE
        before = margin if self._begun else 0  # samples that only lead in
        if self._raw.shape[1] <= before + margin:
            return self._fine[:, :0]
        fine = laid_closer(self._raw, rate)[:, FINER * before : -FINER * margin]
        self._raw, self._begun = self._raw[:, -2 * margin :], True
        return fine.astype(np.float32)

    def take(self, fine: np.ndarray) -> None:
        """What `make` gave."""
        self._fine = np.concatenate([self._fine, fine], 1)

    @property
    def high(self) -> float:
        """The step up to which there is sound."""
        return self._low + self._fine.shape[1] / self._per_step

    def at(self, beats: np.ndarray) -> np.ndarray:
        """Token steps of places in beats; those that are not written yet last as long as the last one."""
        ends = self._piece.ends[:]
        last = ends[-1] - ends[-2] if len(ends) > 1 else 0
        beyond = np.maximum(0.0, beats - (len(ends) - 1))
        return np.interp(beats, np.arange(len(ends)), ends) + beyond * last

    def read(self, steps: np.ndarray) -> np.ndarray:
        """Samples at rising steps, float32 [2, n]; silence where there is no sound. What lies well before is
        forgotten."""
        cut = int((steps[0] - self._low - _KEPT_STEPS) * self._per_step)
        if cut > 0:
            self._fine, self._low = self._fine[:, cut:], self._low + cut / self._per_step
        at = (steps - self._low) * self._per_step
        low, high = max(0, int(at[0]) - 4), max(0, int(at[-1]) + 4)
        part = self._fine[:, low:high]
        if part.shape[1] == 0:
            return np.zeros((2, len(steps)), np.float32)
        return np.stack([between(row, at - low) for row in part])
