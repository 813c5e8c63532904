"""What a dancer brings along: size of movement, handedness, facing, favourites."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.studio.dancer.moves.arms import ARMS
from training.studio.dancer.moves.vocabulary import MOVES

from .trunk import Habit


@dataclass(frozen=True)
class Dancer:
    """What a person brings along."""

    vigour: float
    """About 0.25 (hardly moves) to 1.35."""
    hand: int
    """1 begins to the left, -1 to the right."""
    facing: float
    """Radians to the left of the camera."""
    habit: Habit
    legs: dict[str, float]
    """By move, how much this dancer likes it; likewise `arms`."""
    arms: dict[str, float]
    stride: float
    """Factor on steps of moves that travel."""
    purism: float
    """0 mixes styles freely, 1 only dances the style's own moves."""


def random_dancer(habit: Habit, rng: np.random.Generator) -> Dancer:
    """A dancer with an own size of movement and favourites."""
    kind = rng.random()
    low, high = (0.25, 0.5) if kind < 0.12 else (1.1, 1.35) if kind > 0.85 else (0.6, 1.1)
    facing = rng.normal(0.0, 0.15) if rng.random() < 0.8 else rng.normal(0.0, 0.6)
    legs = {name: float(np.exp(rng.normal(0.0, 0.6))) for name in MOVES}
    arms = {name: float(np.exp(rng.normal(0.0, 0.5))) for name in ARMS}
    hand = 1 if rng.random() < 0.4 else -1
    return Dancer(
        float(rng.uniform(low, high)),
        hand,
        float(facing),
        habit,
        legs,
        arms,
        float(rng.uniform(1.0, 1.7)),
        float(rng.uniform(0.1, 0.9)),
    )
