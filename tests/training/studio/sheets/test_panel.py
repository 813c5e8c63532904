"""Panels of the contact sheet."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch

from d2m_core.types import Waveform
from training.pairs.pair import Facts, Pair
from training.studio.sheets.panel import Window, _log_mel


def test_the_sheet_shows_a_tone_where_it_sounds() -> None:
    """Both halves of a second: 1 kHz, then a tenth of it at 4 kHz."""
    time_s = torch.arange(24_000) / 24_000
    low, high = torch.sin(2000 * torch.pi * time_s), 0.1 * torch.sin(8000 * torch.pi * time_s)
    music = Waveform(torch.where(time_s < 0.5, low, high)[None, None], 24_000)
    window = Window(0.0, 1.0, np.empty(0), np.empty(0, bool))
    level = _log_mel(Pair("tone", Facts(1.0, made_by="my_video"), music), window)
    edges = librosa.mel_frequencies(len(level) + 2, fmax=12_000)
    bands, widths = edges[1:-1], edges[2:] - edges[:-2]
    assert level.shape[1] == 101
    assert level.max() == 0.0
    for frame, hertz in ((25, 1000), (75, 4000)):
        assert level[:, frame].argmax() == np.abs(bands - hertz).argmin()
    wider = widths[level[:, 75].argmax()] / widths[level[:, 25].argmax()]
    assert level[:, 75].max() == pytest.approx(-20.0 - 10 * np.log10(wider), abs=3.0)  # triangles
