"""What fitting the rhythm network to a set of dances does to dances that it was not fitted to."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from d2m_core.rhythm import RhythmNet, load_rhythm, rhythm_from_motion
from d2m_core.scores import beat_f
from training.figures.bootstrap import mean_interval
from training.figures.tables import table
from training.judges.clocks import fitted

from .adapt import AdaptSettings, RealDance, adapt
from .pool import Pool


def cross_validated(
    start: Path, dances: Sequence[RealDance], pool: Pool, settings: AdaptSettings, folds: int
) -> str:
    """A table: beat F of every dance by a network that was fitted to other songs, and as it was.

    Offset and drift are fitted before a grid is scored, for every column alike; `other dance` is
    the grid found in the next dance of the set, so fitted: what chance gives.
    """
    songs = sorted({song_of(dance) for dance in dances})
    before, after, chance = [], [], []
    for fold in range(folds):
        ours = {song for number, song in enumerate(songs) if number % folds == fold}
        held = [dance for dance in dances if song_of(dance) in ours]
        rest = [dance for dance in dances if song_of(dance) not in ours]
        net = load_rhythm(start)
        was = copy.deepcopy(net)
        adapt(net, rest, pool, settings)
        before += [score(dance, grid(dance, was)) for dance in held]
        grids = [grid(dance, net) for dance in held]
        after += [score(dance, found) for dance, found in zip(held, grids, strict=True)]
        chance += [score(d, grids[(k + 1) % len(grids)]) for k, d in enumerate(held)]
    rows = []
    for name, values in (("as it was", before), ("fitted", after), ("other dance", chance)):
        found = mean_interval(np.array(values))
        rows.append(
            {
                "network": name,
                "beat F": found.mean,
                "95 %": f"{found.low:.3f}..{found.high:.3f}",
                "dances": len(values),
            }
        )
    gain = mean_interval(np.array(after) - np.array(before))
    rows.append({"network": "gain", "beat F": gain.mean, "95 %": f"{gain.low:.3f}..{gain.high:.3f}"})
    return table(rows)


def song_of(dance: RealDance) -> str:
    """Which song a dance belongs to; its own name where nobody says."""
    return dance.song or dance.name


def grid(dance: RealDance, net: RhythmNet) -> np.ndarray:
    """Beats found, float64 [M]."""
    return rhythm_from_motion(dance.motion, net).beats_s


def score(dance: RealDance, beats_s: np.ndarray) -> float:
    """Beat F once offset and drift are fitted."""
    return beat_f(dance.beats_s, fitted(beats_s, dance.beats_s))
