"""What is sent to the page's beat editor: plain numbers, few however long the clip."""

from __future__ import annotations

import json

import numpy as np
import pytest

from d2m_core.grid import steady_beats
from d2m_core.pictures import editor_data
from d2m_core.pictures.beat_editor import MOST_POINTS
from d2m_core.types import Rhythm


def rhythm(seconds: float) -> Rhythm:
    frames = round(seconds * 25)
    beats = steady_beats(120.0, seconds, 0.25)
    curves = np.zeros((frames, 2), np.float32)
    curves[7] = 1.0
    return Rhythm(beats, np.arange(len(beats)) % 4 == 0, curves, 120.0)


@pytest.mark.parametrize("seconds", [4.0, 3600.0])
def test_it_is_plain_short_and_keeps_every_peak(seconds: float) -> None:
    source = rhythm(seconds)
    data = json.loads(json.dumps(editor_data(source, source, None)))
    assert len(data["accent"]) <= MOST_POINTS
    assert len(data["accent"]) / data["fps"] == pytest.approx(seconds, abs=1.0)
    assert max(data["accent"]) == 1.0
    assert np.argmax(data["accent"]) / data["fps"] == pytest.approx(7 / 25, abs=1.0)
    assert data["beats"][0] == {"t": 0.25, "bar": True}
    assert len(data["beats"]) == len(data["found"]) == len(source.beats_s)
    assert data["bodies"] == []
