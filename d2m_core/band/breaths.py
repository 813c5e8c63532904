"""Before a strong hit everything sinks a little: what still rings would cover it."""

from __future__ import annotations

import numpy as np

from .answers import BEAT_MARKS, STRONG
from .arrange import Score
from .plan import Plan

_BREATH_S, _SINK_S, _SPARE_S = 0.09, 0.04, 0.02
"""Before a hit everything sinks for so long, within the second of these; what a beat strikes meanwhile
sounds for the third first."""
_BREATH_DB = 6.0
"""So far: a hit is heard by how much it rises over what still rings."""


def breaths_of(plan: Plan, score: Score, rate: int) -> np.ndarray:
    """Where everything sinks before a strong hit that is played, int64 [n, 2], rising.

    Rows are the samples from which it sinks, and of the hit.
    """
    struck = {round(n.beat, 6) for n in score.notes}
    strong = [float(plan.swung(hit.beat)) for hit in plan.hits if hit.strength >= STRONG]
    hits = [round(float(plan.seconds(beat)) * rate) for beat in strong if round(beat, 6) in struck]
    loud = [n.beat for n in score.notes if n.part in BEAT_MARKS and n.velocity > 0.4]
    strokes = np.unique(np.round(plan.seconds(np.array(loud)) * rate).astype(np.int64))
    rows = []
    for hit in hits:
        begin = hit - round(_BREATH_S * rate)
        near = strokes[(strokes > begin - round(_SPARE_S * rate)) & (strokes < hit - round(_SPARE_S * rate))]
        rows.append((max(begin, near[-1] + round(_SPARE_S * rate)) if len(near) else begin, hit))
    return np.array(rows, np.int64).reshape(-1, 2)


def sunk(breaths: np.ndarray, low: int, high: int, rate: int) -> np.ndarray:
    """Gain float64 [high - low] of the samples from `low` on, below 1 within the `breaths`."""
    at = np.arange(low, high)
    gain = np.ones(high - low)
    for start, hit in breaths[(breaths[:, 0] < high) & (breaths[:, 1] > low)]:
        inside = slice(max(low, start) - low, min(high, hit) - low)
        fall = np.minimum((at[inside] - start) / (_SINK_S * rate), 1)
        gain[inside] = np.minimum(gain[inside], 10 ** (-_BREATH_DB / 20 * fall))
    return gain
