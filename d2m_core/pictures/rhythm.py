"""One still picture of a rhythm: its curves and beats, and the music's spectrum under them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..motion import Accents
from ..rhythm import likely_tempi
from ..types import RHYTHM_CURVES, Rhythm, Waveform
from .colours import ACCENT, BEAT, DOWNBEAT, PAPER, css

_INK, _FAINT = "#e8eaf0", "#8b90a0"
_ENERGY, _TRUTH, _SEEN = "#7de08a", "#ff5f7a", "#ff46be"
_DPI = 100
_START, _END = 0.055, 0.985
"""Where the axes start and end, as shares of the width."""
_TOP, _BOTTOM = 100, 56
"""Pixels above and below the curves."""

_COLUMNS, _ROWS = 1400, 128
_FFT = 1024
_LOWEST_HZ = 40.0
_RANGE_DB = 70.0
"""What is this much quieter than the loudest is black."""


def rhythm_picture(
    rhythm: Rhythm,
    waveform: Waveform | None = None,
    truth_beats_s: np.ndarray | None = None,
    title: str = "",
    accents: Accents | None = None,
    *,
    truth_label: str = "true beats",
    width: int = 1400,
    height: int = 600,
) -> np.ndarray:
    """Picture uint8 [height, width, 3] of accents, energy, beats and bars over time.

    With `waveform` its spectrum stands below, with the beats over it; `truth_beats_s` are marked
    above the curves as `truth_label`, `accents` as triangles in them, large where strong.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor=css(PAPER))
    canvas = FigureCanvasAgg(figure)
    rows = 1 if waveform is None else 2
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    _draw_curves(axes[0], rhythm)
    _draw_beats(axes[0], rhythm)
    if truth_beats_s is not None:
        _mark_truth(axes[0], truth_beats_s, truth_label)
    if accents is not None:
        _mark_seen(axes[0], accents)
    if waveform is not None:
        _draw_spectrum(axes[1], waveform)
        _draw_beats(axes[1], rhythm)
    _dress(figure, axes, rhythm, title)
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    figure.clear()
    vars(canvas.renderer).clear()  # texts keep it, and its pixels, until the garbage collector runs
    return picture


def _mark_truth(axes: Any, beats_s: np.ndarray, label: str) -> None:
    """Triangles above the curves, outside the axes."""
    axes.plot(
        beats_s,
        np.full(len(beats_s), 1.06),
        "v",
        color=_TRUTH,
        markersize=7,
        markeredgecolor=css(PAPER),
        label=label,
        clip_on=False,
        zorder=5,
    )


def _mark_seen(axes: Any, accents: Accents) -> None:
    """Triangles at the foot of the curves, large where strong."""
    axes.scatter(
        accents.times_s,
        np.full(len(accents), 0.05),
        10 + 200 * accents.strengths**2,
        _SEEN,
        marker="^",
        edgecolors=css(PAPER),
        linewidths=0.6,
        label="seen accents",
        zorder=4,
    )


def _draw_curves(axes: Any, rhythm: Rhythm) -> None:
    times_s = np.arange(len(rhythm.curves)) / rhythm.fps
    colours = zip(RHYTHM_CURVES, (css(ACCENT), _ENERGY), (True, False), strict=True)
    for name, colour, strong in colours:
        if name not in rhythm.names:
            continue
        curve = rhythm.curves[:, rhythm.names.index(name)]
        axes.plot(times_s, curve, color=colour, linewidth=1.6 if strong else 2.2, label=name)
        axes.fill_between(times_s, curve, color=colour, alpha=0.32 if strong else 0.10, linewidth=0)


def _draw_beats(axes: Any, rhythm: Rhythm) -> None:
    """Beats as thin lines, the first of each bar as strong ones; fainter where they crowd."""
    crowded = len(rhythm.beats_s) > 120
    for mask, colour, width, name in (
        (~rhythm.downbeats, css(BEAT), 0.9, "beat"),
        (rhythm.downbeats, css(DOWNBEAT), 1.8, "downbeat"),
    ):
        if mask.any():
            axes.vlines(
                rhythm.beats_s[mask],
                0,
                1,
                transform=axes.get_xaxis_transform(),
                colors=colour,
                linewidth=width * (0.5 if crowded else 1),
                alpha=0.5 if crowded else 0.8,
                label=name,
            )


def _draw_spectrum(axes: Any, waveform: Waveform) -> None:
    levels, top_hz = _spectrum(waveform)
    axes.imshow(
        levels,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=-_RANGE_DB,
        vmax=0,
        extent=(0, max(waveform.samples.shape[-1], 1) / waveform.sample_rate, 0, 1),
    )
    marks = [hz for hz in (100, 1000, 10000) if _LOWEST_HZ < hz < top_hz]
    axes.set_yticks([np.log(hz / _LOWEST_HZ) / np.log(top_hz / _LOWEST_HZ) for hz in marks])
    axes.set_yticklabels([f"{hz} Hz" if hz < 1000 else f"{hz // 1000} kHz" for hz in marks])


def _spectrum(waveform: Waveform) -> tuple[np.ndarray, float]:
    """Levels in dB below the loudest [rows, columns], rows rising by ratio, and the top in Hz.

    A fixed number of columns is looked at, so that an hour costs no more than a second.
    """
    mono = waveform.samples[0].mean(dim=0).numpy()
    padded = np.pad(mono, _FFT // 2)
    starts = np.linspace(0, max(len(mono) - 1, 0), _COLUMNS).astype(int)
    pieces = padded[starts[:, None] + np.arange(_FFT)] * np.hanning(_FFT).astype(np.float32)
    power = np.abs(np.fft.rfft(pieces, axis=1)) ** 2  # [columns, bins]
    top_hz = waveform.sample_rate / 2
    edges = np.geomspace(_LOWEST_HZ, top_hz, _ROWS) * _FFT / waveform.sample_rate
    bins = np.arange(power.shape[1])
    rows = np.stack([np.interp(edges, bins, column) for column in power], axis=1)
    level = 10 * np.log10(rows + 1e-12)
    return level - level.max(), top_hz


def _tempi(rhythm: Rhythm) -> str:
    """The tempo, and where others are likely too, how likely each is."""
    found = likely_tempi(rhythm)
    if len(found) == 1:
        return f"{rhythm.tempo_bpm:.1f} BPM"
    first, *others = found
    also = ", ".join(f"or {guess.bpm:.0f} ({100 * guess.probability:.0f} %)" for guess in others)
    return f"{rhythm.tempo_bpm:.1f} BPM ({100 * first.probability:.0f} %) {also}"


def _dress(figure: Any, axes: np.ndarray, rhythm: Rhythm, title: str) -> None:
    """Title, legend, scales and colours."""
    facts = f"{_tempi(rhythm)}  ·  {len(rhythm.beats_s)} beats  ·  confidence {rhythm.confidence:.2f}"
    height = figure.get_figheight() * _DPI
    figure.text(_START, 1 - 44 / height, title or "Dance rhythm", color=_INK, fontsize=16, weight="bold")
    figure.text(_START, 1 - 70 / height, facts, color=_FAINT, fontsize=11.5)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="lower right",
        bbox_to_anchor=(_END, 1 - 80 / height),
        ncols=6,
        frameon=False,
        labelcolor=_INK,
        fontsize=11,
        handlelength=1.6,
        columnspacing=1.4,
        borderaxespad=0,
    )
    axes[0].set_ylim(0, 1.02)
    axes[0].set_yticks([0, 0.5, 1])
    axes[0].set_xlim(0, rhythm.duration_s)
    axes[-1].set_xlabel("seconds", color=_FAINT, fontsize=11)
    for one in axes:
        one.set_facecolor("#1b1e27")
        one.tick_params(colors=_FAINT, labelsize=10.5)
        for spine in one.spines.values():
            spine.set_visible(False)
    figure.subplots_adjust(
        left=_START, right=_END, top=1 - _TOP / height, bottom=_BOTTOM / height, hspace=0.09
    )
