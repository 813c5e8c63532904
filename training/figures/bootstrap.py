"""How sure a mean over clips is: percentile bootstrap over clips (Efron, 1979)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

ROUNDS = 2000
_TAILS = (2.5, 97.5)
_SEED = 0


@dataclass(frozen=True)
class Interval:
    """A figure over clips with its 95 % interval; NaN where no clip has a value."""

    mean: float
    low: float
    high: float
    clips: int


def mean_interval(values: np.ndarray) -> Interval:
    """Mean of one value per clip [N]; clips without a value (NaN) are left out.

    Give differences of two scores of the same clips for a paired comparison.
    """
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    if len(known) == 0:
        return Interval(np.nan, np.nan, np.nan, 0)
    low, high = np.percentile(known[draws(len(known))].mean(1), _TAILS)
    return Interval(float(known.mean()), float(low), float(high), len(known))


def interval_of(score: Callable[[np.ndarray], float], clips: int) -> Interval:
    """Any figure: `score` takes indices of clips [N] and gives the figure over them."""
    found = [score(drawn) for drawn in draws(clips)]
    low, high = np.percentile(found, _TAILS)
    return Interval(score(np.arange(clips)), float(low), float(high), clips)


def draws(clips: int) -> np.ndarray:
    """Indices of clips drawn with replacement, int [ROUNDS, clips]; the same on every call."""
    return np.random.default_rng(_SEED).integers(clips, size=(ROUNDS, clips))
