"""Pieces of a dance, and the share of cuts that keep its tempo."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from d2m_core.types import LANDMARKS, PoseSequence, Waveform
from training.scoreboard.cuts import CUTS, heard_tempi, kept, pieces_of


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


def test_songs_are_cut_in_the_same_way() -> None:
    rate = 8000
    clicks = torch.zeros(1, 1, 8 * rate)
    for beat in range(16):  # 120 in the first half, then 96 a minute
        at = beat * 0.5 if beat < 8 else 4 + (beat - 8) * 0.625
        if at < 8:
            clicks[..., round(at * rate) : round(at * rate) + 80] = torch.linspace(1, 0, 80)
    _, pieces = heard_tempi(Waveform(clicks, rate))
    assert list(pieces) == list(CUTS)
    assert pieces["first half"] == pytest.approx(120, rel=0.04)
    assert pieces["second half"] == pytest.approx(96, rel=0.04)


def test_shares_of_cuts_that_keep_the_tempo() -> None:
    tempi = [
        (100.0, {"first half": 103.9, "second half": 104.1, "1 s off": 200.0, "2 s off": 100.0}),
        (90.0, {"first half": 90.0}),
        (90.0, {}),
    ]
    exact, free = kept(tempi, octaves=False), kept(tempi, octaves=True)
    assert (exact.mean, exact.clips) == (0.75, 2)
    assert free.mean == (0.75 + 1) / 2
