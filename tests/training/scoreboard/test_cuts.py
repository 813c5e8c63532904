"""Pieces of a dance, and the share of cuts that keep its tempo."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.types import LANDMARKS, PoseSequence
from training.scoreboard.cuts import CUTS, kept, pieces_of


def poses(seconds: float) -> PoseSequence:
    shape = (round(25 * seconds), 1, LANDMARKS)
    rng = np.random.default_rng(0)
    return PoseSequence(
        rng.normal(size=(*shape, 3)).astype(np.float32),
        rng.normal(size=(*shape, 2)).astype(np.float32),
        np.ones(shape, np.float32),
        np.ones(shape[:2], bool),
    )


def test_pieces_are_as_long_as_their_cut_leaves_them() -> None:
    lengths = {name: piece.duration_s for name, piece in pieces_of(poses(10.0)).items()}
    assert list(lengths) == list(CUTS)
    assert list(lengths.values()) == pytest.approx([9.5, 9.0, 8.0, 5.0, 5.0], abs=0.05)


def test_pieces_that_are_too_short_are_not_asked() -> None:
    assert list(pieces_of(poses(3.0))) == ["0.5 s off", "1 s off"]
    assert pieces_of(poses(1.0)) == {}


def test_shares_of_cuts_that_keep_the_tempo() -> None:
    tempi = [
        (100.0, {"first half": 103.9, "second half": 104.1, "1 s off": 200.0, "2 s off": 100.0}),
        (90.0, {"first half": 90.0}),
        (90.0, {}),
    ]
    exact, free = kept(tempi, octaves=False), kept(tempi, octaves=True)
    assert (exact.mean, exact.clips) == (0.75, 2)
    assert free.mean == (0.75 + 1) / 2
