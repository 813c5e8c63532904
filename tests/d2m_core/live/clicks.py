"""A player that is no band: it clicks. Whatever a session asks of a player, it does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from d2m_core.live.clock import Span
from d2m_core.live.session import BLOCK


class Clicks:
    """One click on every beat, sixteenths for answers."""

    style, metre, section, delay_s, behind = "house", 4, "verse", 0.0, False

    def __init__(self) -> None:
        self.struck, self.ends = -np.inf, None  # type: ignore[var-annotated]
        self.first = -np.inf
        self.felt: list[tuple[float, bool]] = []
        self.clicked: list[float] = []
        self.hits: list[float] = []

    def start_at(self, beat: float) -> None:
        self.first = beat

    def foresee(self, expected: Callable[[float], float]) -> None:
        self.expected = expected

    def feel(self, energy: float, thin: bool) -> None:
        self.felt.append((energy, thin))

    def place_after(self, beat: float, quick: bool = False) -> float:
        step = 0.25 if quick else 0.5
        return float(np.ceil(beat / step - 1e-9)) * step

    def played_at(self, place: float) -> float:
        return place

    def hit(self, beat: float, _strength: float) -> bool:
        if abs(beat - self.struck) < 0.9:
            return False
        self.struck = beat
        self.hits.append(beat)
        return True

    def end_on(self, beat: float) -> None:
        self.ends = beat

    def rest(self) -> None:
        self.ends, self.struck = None, -np.inf

    def render(self, span: Span) -> np.ndarray:
        out = np.zeros((2, BLOCK), np.float32)
        low, high = span.beats[0], span.beats[-1]
        beat = float(np.ceil(low))
        if low <= beat < high and beat >= self.first and (self.ends is None or beat <= self.ends):
            out[:, round((beat - low) / (high - low) * (BLOCK - 1))] = 0.5
            self.clicked.append(span.seconds(beat))
        return out
