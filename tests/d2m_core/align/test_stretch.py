"""Sound that is stretched as it comes is the sound stretched whole."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
import torch

from d2m_core.align.stretch import stretch, stretch_on
from d2m_core.types import Waveform

RATE, SECONDS = 4000, 13.0


def sound() -> Waveform:
    rng, count = np.random.default_rng(0), round(RATE * SECONDS)
    hits = rng.standard_normal(count) * (np.arange(count) % (RATE // 2) < 150)
    left = (0.4 * np.sin(np.arange(count) * 0.3) + 0.3 * hits).astype(np.float32)
    return Waveform(torch.from_numpy(np.stack([left, 0.5 * left[::-1]]))[None], RATE)


@pytest.mark.parametrize("seconds", [13.0, 16.0], ids=["wobbling", "past its end"])
def test_pieces_are_the_whole(seconds: float) -> None:
    beats = np.arange(0, 13.01, 0.5)
    anchors = np.stack([beats, beats + 0.05 * np.sin(beats * 1.3)], axis=1)
    anchors[-1] = 13.0
    if seconds > SECONDS:
        anchors = np.array([[0.0, 0.0], [11.0, 10.0], [14.5, 16.0]])
    wave = sound()
    whole = stretch(wave, anchors, seconds, as_loud=False).samples
    cuts = np.sort(np.r_[0, np.random.default_rng(1).integers(0, wave.samples.shape[-1], 20), 52_000])
    parts = (Waveform(wave.samples[..., a:b], RATE) for a, b in pairwise(cuts))
    pieces = list(stretch_on(parts, anchors, seconds, 52_000))
    torch.testing.assert_close(torch.cat([each.samples for each in pieces], -1), whole, atol=0, rtol=0)
    assert len(pieces) > 1


def test_the_first_comes_before_the_sound_ends() -> None:
    wave, taken = sound(), []

    def parts() -> Iterator[Waveform]:
        for part in wave.samples.split(RATE // 4, dim=-1):
            taken.append(part.shape[-1] / RATE)
            yield Waveform(part, RATE)

    anchors = np.array([[0.0, 0.0], [2.0, 2.2], [4.0, 4.0], [13.0, 13.0]])
    next(stretch_on(parts(), anchors, 13.0, wave.samples.shape[-1]))
    assert sum(taken) == pytest.approx(5.5, abs=0.3)
