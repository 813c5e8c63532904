"""When a dancer is where in the music: swing, an own slow drift around the beat, and lags."""

from __future__ import annotations

import numpy as np

from d2m_core.band import Plan

PARTS = ("left foot", "right foot", "hips", "trunk", "hands")
"""Parts of the body with lags of their own."""

_ENDING_S = {"hands": 0.032, "trunk": 0.03, "hips": 0.03}
"""A movement is seen to stop this long before it is over; feet 16 ms."""


class Clock:
    """Places in beats <-> seconds, for one dancer and one plan."""

    def __init__(self, plan: Plan, rng: np.random.Generator) -> None:
        self.plan = plan
        self.offset_s = float(np.clip(rng.normal(0.0, 0.012), -0.03, 0.03))
        self.sizes_s = rng.uniform(0.0, 0.012, 2)
        self.turns_s = rng.uniform(4.0, 20.0, 2)
        self.phases = rng.uniform(0.0, 2 * np.pi, 2)
        self.lags_s = np.clip(rng.normal(0.0, [0.008, 0.008, 0.008, 0.012, 0.015]), -0.03, 0.03)
        self.jitter_s = float(rng.uniform(0.003, 0.012))
        self.swings = float(rng.uniform(0.75, 1.0)) if rng.random() < 0.9 else 0.0
        """Share of the music's swing that this dancer has."""

    def drift(self, times_s: np.ndarray) -> np.ndarray:
        """Seconds behind the music, [...]."""
        turn = 2 * np.pi * times_s[..., None] / self.turns_s + self.phases
        return self.offset_s + (self.sizes_s * np.sin(turn)).sum(-1)

    def seconds(self, beat: np.ndarray) -> np.ndarray:
        """When the dancer means to be at these places in beats."""
        beat = np.asarray(beat, np.float64)
        swung = beat + self.swings * (self.plan.swung(beat) - beat)
        music_s = self.plan.seconds(swung)
        return music_s + self.drift(music_s)

    def beats(self, times_s: np.ndarray) -> np.ndarray:
        """The inverse of `seconds`, to a millisecond."""
        beat = self.plan.beat(times_s - self.drift(times_s))
        pair = 2 * self.plan.swing_step
        start = np.floor(beat / pair + 1e-9) * pair
        middle = 0.5 * (1 + self.swings * self.plan.swing)
        share = (beat - start) / pair
        even = np.where(share < middle, share * 0.5 / middle, 0.5 + (share - middle) * 0.5 / (1 - middle))
        return start + even * pair

    def arrivals(self, at: np.ndarray, part: str, rng: np.random.Generator) -> np.ndarray:
        """Seconds at which a part of the body really arrives, with its lag and jitter."""
        lag_s = self.lags_s[PARTS.index(part)] + _ENDING_S.get(part, 0.016)
        return self.seconds(at) + lag_s + rng.normal(0.0, self.jitter_s, len(at))
