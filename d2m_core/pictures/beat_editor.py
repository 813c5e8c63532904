"""What an editor of beats shows, as plain numbers: read by the page's, in `web/beat_editor`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..types import PoseSequence, Rhythm
from .figures import stick_figures

MOST_POINTS = 6000
"""Points of a curve; longer ones are thinned to the highest of each group."""


def editor_data(source: Rhythm, edited: Rhythm, poses: PoseSequence | None) -> dict[str, Any]:
    """The beats to be moved, those that came of it, curves, and a body now and then.

    `source` holds the beats before any edit, `edited` those after all. Values are numbers, text and
    lists of them: `duration_s`, `fps` of the curves `accent` and `energy`, `beats` (`t` in seconds and
    `bar`), `found` in seconds, and `bodies` (`t` and `lines` as in `StickFigure`).
    """
    step = max(1, -(-len(source.curves) // MOST_POINTS))
    return {
        "duration_s": round(source.duration_s, 3),
        "fps": source.fps / step,
        "accent": _thinned(source.accent, step),
        "energy": _thinned(source.energy, step),
        "beats": [
            {"t": round(float(t), 3), "bar": bool(bar)}
            for t, bar in zip(source.beats_s, source.downbeats, strict=True)
        ],
        "found": [round(float(t), 3) for t in edited.beats_s],
        "bodies": [
            {"t": round(figure.time_s, 3), "lines": np.round(figure.lines.astype(np.float64), 3).tolist()}
            for figure in (stick_figures(poses) if poses is not None else [])
        ],
    }


def _thinned(curve: np.ndarray, step: int) -> list[float]:
    padded = np.pad(curve, (0, -len(curve) % step)).reshape(-1, step).max(axis=1)
    return np.round(padded.astype(np.float64), 3).tolist()
