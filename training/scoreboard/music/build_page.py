"""Spectrograms side by side: today's music, the new, and the band on the same beats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from d2m_core.files import replacing
from d2m_core.media import to_mono
from d2m_core.types import Waveform

HIGHEST_HZ = 8000.0
RANGE_DB = 70.0
SHOWN_S = 6.0
_INK = "#222222"

Row = tuple[str, Sequence[tuple[str, Waveform | None]]]
"""Name of a dance, and its columns with their names."""


def draw_side_by_side(rows: Sequence[Row], path: Path) -> None:
    """A PNG: a row for each dance, a spectrogram for each column; the first seconds up to 8 kHz."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = len(rows[0][1])
    figure = Figure(figsize=(5 * columns, 2.3 * len(rows) + 0.4), dpi=80)
    FigureCanvasAgg(figure)
    all_axes = figure.subplots(len(rows), columns, squeeze=False, sharex=True, sharey=True)
    for (name, waves), line in zip(rows, all_axes, strict=True):
        line[0].set_ylabel(name, fontsize=9, color=_INK)
        for (title, wave), axes in zip(waves, line, strict=True):
            if wave is not None:
                _spectrogram(axes, wave)
            if axes in all_axes[0]:
                axes.set_title(title, fontsize=10, color=_INK)
    for axes in all_axes[-1]:
        axes.set_xlabel("seconds", fontsize=8)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        figure.savefig(partial, format="png")


def _spectrogram(axes: Any, wave: Waveform) -> None:
    import librosa

    samples = to_mono(wave).samples[0, 0].numpy()[: round(SHOWN_S * wave.sample_rate)]
    size = 2 ** round(np.log2(0.085 * wave.sample_rate))
    level = np.abs(librosa.stft(samples, n_fft=size, hop_length=size // 8))
    decibels = librosa.amplitude_to_db(level, ref=np.max, top_db=RANGE_DB)
    bins = min(len(decibels), round(HIGHEST_HZ * size / wave.sample_rate))
    extent = (0.0, len(samples) / wave.sample_rate, 0.0, bins * wave.sample_rate / size / 1000)
    axes.imshow(decibels[:bins], origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=-RANGE_DB)
    axes.tick_params(labelsize=7)
