"""One channel of the desk and the rooms behind it; all keep their state from block to block."""

from __future__ import annotations

import numpy as np
import scipy

from .effects import sections_of
from .sources import Part, Tail

SPREAD_S = 0.011
"""Delay of the copy that makes a synthesiser wide."""
_ECHOES = 4


class Filter:
    """A Butterworth filter on [C, n]."""

    def __init__(self, kind: str, hz: float, channels: int, rate: int, order: int = 2) -> None:
        self._sections = sections_of(kind, hz, order, rate)
        self._state = np.zeros((len(self._sections), channels, 2), np.float32)

    def __call__(self, sound: np.ndarray) -> np.ndarray:
        out, self._state = scipy.signal.sosfilt(self._sections, sound, axis=-1, zi=self._state)
        return out.astype(np.float32, copy=False)


class Room:
    """A room of impulse responses [2, n]: mono in, stereo out."""

    def __init__(self, response: np.ndarray) -> None:
        self.response, self._tail = response.astype(np.float32), Tail(2)

    @property
    def rings(self) -> bool:
        """Whether anything of earlier blocks is still to be heard."""
        return self._tail.rings

    def __call__(self, sound: np.ndarray) -> np.ndarray:
        wet = np.stack([scipy.signal.oaconvolve(sound, side) for side in self.response]).astype(np.float32)
        return self._tail.fill(len(sound), [(0, wet)])


class Echo:
    """Repeats that swap sides and grow duller: mono in, stereo out."""

    def __init__(self, delay_s: float, feedback: float, rate: int) -> None:
        self._delay, self._feedback = round(delay_s * rate), feedback
        self._low, self._high = Filter("low", 4_500, 1, rate, 1), Filter("high", 300, 1, rate, 1)
        self._tail = Tail(2)

    def __call__(self, sound: np.ndarray) -> np.ndarray:
        repeat = self._low(self._high(sound[None]))[0]
        pieces = []
        for k in range(1, _ECHOES + 1):
            gain = self._feedback**k
            sides = np.array([0.35, 1.0]) if k % 2 else np.array([1.0, 0.35])
            pieces.append((k * self._delay, (gain * sides[:, None] * repeat).astype(np.float32)))
        return self._tail.fill(len(sound), pieces)


class Strip:
    """A part on its way to the desk: cleaned of lows, levelled, placed and widened."""

    def __init__(
        self, part: Part, lowest_hz: float, gain: float, pan: float, width: float, rate: int
    ) -> None:
        self.part = part
        self._clean = Filter("high", lowest_hz, part.channels, rate)
        self._gain = np.float32(gain)
        sides = np.array([np.cos((pan + 1) * np.pi / 4), np.sin((pan + 1) * np.pi / 4)])
        self._sides = (np.sqrt(2) * sides).astype(np.float32)[:, None]
        self._width = np.float32(width if part.channels == 1 else 0.0)
        self._thin = Filter("high", 250, 1, rate, 1)
        self._delay, self._late = round(SPREAD_S * rate), Tail(1)

    def render(self, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
        """Stereo [2, n] for the desk and mono [n] for the rooms."""
        sound = self._clean(self.part.render(low, high)) * self._gain
        mono = sound.mean(0)
        out = self._sides * sound
        if self._width:
            side = self._late.fill(high - low, [(self._delay, self._thin(sound))])[0] * self._width
            out[0] += side
            out[1] -= side
        return out, mono
