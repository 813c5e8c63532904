"""Whether a confidence means what it says: expected calibration error and its picture.

A clip counts as right by a yes or no that the caller decides. Clips are sorted by confidence into
bins of equally many (Naeini, Cooper, Hauskrecht, AAAI 2015; equal mass as in Nguyen, O'Connor,
EMNLP 2015); the error is the mean gap between a bin's confidence and its share of right clips,
weighted by the bin's size. Of few clips even a perfect confidence shows an error: `if_perfect`
says how large, and `if_shuffled` what confidences of other clips would score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from d2m_core.files import replacing

from .bootstrap import Interval, interval_of

_PER_BIN = 10
"""Clips in a bin, at least."""
_MOST_BINS = 10
_TRIALS = 500
_INK, _FAINT, _COLOURS = "#222222", "#999999", ("#1f77b4", "#d95f02", "#1b9e77", "#7570b3")


@dataclass(frozen=True, eq=False)
class Reliability:
    """Equal-mass bins of clips, the least sure first."""

    confidence: np.ndarray
    """float64 [bins]: mean confidence."""
    right: np.ndarray
    """float64 [bins]: share of right clips."""
    counts: np.ndarray
    """int [bins]."""

    @property
    def error(self) -> float:
        """Expected calibration error, 0..1."""
        return float(np.average(np.abs(self.confidence - self.right), weights=self.counts))


@dataclass(frozen=True)
class Calibration:
    """The calibration error of a set of clips, and what it would be otherwise."""

    error: Interval
    if_perfect: float
    if_shuffled: float
    right: int
    """Clips that are right."""
    curve: Reliability


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int | None = None) -> Reliability:
    """Bins of confidences [N] in 0..1 against right clips, bool [N].

    Clips of the same confidence share what they got right, so their order does not matter. Without
    `bins` there are ten clips in each, and at most ten bins.
    """
    if bins is None:
        bins = int(np.clip(len(confidence) // _PER_BIN, 1, _MOST_BINS))
    order = np.argsort(confidence, kind="stable")
    sure, group = np.asarray(confidence, np.float64)[order], np.zeros(len(order), int)
    group[1:] = np.cumsum(np.diff(sure) > 0)
    shares = np.bincount(group, np.asarray(right, np.float64)[order]) / np.bincount(group)
    parts = [part for part in np.array_split(np.arange(len(order)), bins) if len(part)]
    return Reliability(
        np.array([sure[part].mean() for part in parts]),
        np.array([shares[group[part]].mean() for part in parts]),
        np.array([len(part) for part in parts]),
    )


def calibration(confidence: np.ndarray, right: np.ndarray) -> Calibration:
    """Calibration error of at least one clip: confidences [N] in 0..1, and which are right."""
    confidence, right = np.asarray(confidence, np.float64), np.asarray(right, bool)
    rng = np.random.default_rng(0)

    def error_of(clips: np.ndarray) -> float:
        return reliability(confidence[clips], right[clips]).error

    perfect = [
        reliability(confidence, rng.random(len(confidence)) < confidence).error for _ in range(_TRIALS)
    ]
    shuffled = [reliability(rng.permutation(confidence), right).error for _ in range(_TRIALS)]
    return Calibration(
        interval_of(error_of, len(confidence)),
        float(np.mean(perfect)),
        float(np.mean(shuffled)),
        int(right.sum()),
        reliability(confidence, right),
    )


def draw_reliability(sets: Mapping[str, Calibration], right_means: str, path: Path) -> None:
    """A PNG of the reliability curves of several sets; `right_means` names the vertical axis."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5.4), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], "--", color=_FAINT, label="exact")
    for index, (name, found) in enumerate(sets.items()):
        curve, colour = found.curve, _COLOURS[index % len(_COLOURS)]
        axes.plot(
            curve.confidence,
            curve.right,
            "o-",
            color=colour,
            label=f"{name}: error {found.error.mean:.2f}, {found.error.clips} clips",
        )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="confidence (mean of a bin)")
    axes.set_ylabel(f"share of clips with {right_means}", color=_INK)
    axes.set_aspect("equal")
    axes.legend(loc="upper left", frameon=False)
    figure.tight_layout()
    with replacing(path) as partial:
        figure.savefig(partial, format="png")
