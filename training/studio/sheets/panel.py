"""One panel of the contact sheet: some bars of a pair on one time axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from d2m_core.pose.landmarks import BOTH_HIPS
from training.pairs.pair import Pair

from .dancer_strip import strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes


BACK = "#12141a"
"""Colour behind everything."""

_INK, _SOFT = "#e8e8ec", "#8a8d98"
_BEAT, _HIP, _ACCENT, _ENERGY = "#ffffff", "#5fd0ff", "#ffb03a", "#7a5cff"
_SECTION = {
    "intro": "#3b6ea8",
    "verse": "#3f8f6b",
    "build": "#b5892e",
    "drop": "#b5453f",
    "break": "#6b54a8",
    "outro": "#5b6470",
}

_BEATS = 16
"""Beats in a panel, about."""
_MEL_BANDS, _MEL_HOP = 72, 240
_STRIP = (1760, 268)
"""Pixels of the row of dancers."""


@dataclass(frozen=True)
class Window:
    """The part of a pair that a panel shows."""

    start_s: float
    end_s: float
    beats_s: np.ndarray
    """float64 [n] inside."""
    downbeats: np.ndarray
    """bool [n]."""


def window_of(pair: Pair) -> Window:
    """About `_BEATS` beats from a downbeat on, with a new section among them where there is one."""
    facts = pair.facts
    beats, marks = np.array(facts.beats_s), np.array(facts.downbeats, bool)
    starts = np.flatnonzero(marks)
    if len(beats) < 2 or len(starts) == 0:
        return Window(0.0, min(facts.duration_s, 8.0), beats[beats < 8.0], marks[beats < 8.0])
    metre = facts.metre or 4
    length = metre * max(1, round(_BEATS / metre))
    usable = [int(first) for first in starts if first + length <= len(beats)] or [int(starts[0])]
    changes = [section[0] for section in facts.sections if 0 < section[0] < facts.duration_s]
    first = usable[0]
    for candidate in usable:
        end = beats[min(candidate + length, len(beats)) - 1]
        half = beats[min(candidate + length // 4, len(beats) - 1)]
        if any(half - 1e-3 <= change <= end for change in changes):
            first = candidate
            break
    inside = slice(first, first + length)
    period_s = float(np.median(np.diff(beats)))
    shown = beats[inside]
    return Window(
        max(0.0, float(shown[0]) - period_s / 2),
        min(facts.duration_s, float(shown[-1]) + period_s / 2),
        shown,
        marks[inside],
    )


def draw_panel(axes: list[Axes], pair: Pair) -> None:
    """Draws a pair on three axes, one above the other: dancers, hips, sound."""
    window = window_of(pair)
    for ax in axes:
        ax.set_facecolor(BACK)
        ax.set_xlim(window.start_s, window.end_s)
        ax.set_xticks([])
        ax.set_yticks([])
        for side in ax.spines.values():
            side.set_visible(False)
    _title(axes[0], pair)
    if pair.seen is not None:
        _draw_dancers(axes[0], pair, window)
        _draw_hips(axes[1], pair, window)
    if pair.music is not None:
        _draw_sound(axes[2], pair, window)
    for ax in axes:
        for time_s, down in zip(window.beats_s, window.downbeats, strict=True):
            ax.axvline(time_s, color=_BEAT, lw=1.3 if down else 0.6, alpha=0.75 if down else 0.4, zorder=2)


def _title(ax: Axes, pair: Pair) -> None:
    facts = pair.facts
    people = "" if not facts.people else f"{facts.people} dancers" if facts.people > 1 else "solo"
    words = [
        facts.key,
        people,
        ", ".join(filter(None, (facts.crop, *facts.camera, *facts.occluders))),
        f"seed {facts.seed}" if facts.seed is not None else pair.name,
    ]
    tempo = f"{facts.tempo_bpm:.0f} BPM  {facts.metre}/4" if facts.tempo_bpm else ""
    ax.set_title(
        f"{facts.style or pair.name}   {tempo}", loc="left", color=_INK, fontsize=11, fontweight="bold", pad=3
    )
    ax.set_title("  ·  ".join(filter(None, words)), loc="right", color=_SOFT, fontsize=8, pad=3)


def _draw_dancers(ax: Axes, pair: Pair, window: Window) -> None:
    span = (window.start_s, window.end_s)
    image = strip(pair, window.beats_s, span, *_STRIP)
    ax.imshow(image, extent=(*span, 0, 1), aspect="auto", interpolation="bilinear", zorder=3)
    ax.set_ylim(0, 1)
    for start_s, name in pair.facts.moves[0] if pair.facts.moves else ():
        if window.start_s <= start_s < window.end_s - 0.3:
            _label(ax, start_s, 0.985, name, _INK)


def _draw_hips(ax: Axes, pair: Pair, window: Window) -> None:
    """Hip height with accents on it, the dancer's energy behind."""
    poses = pair.truth if pair.truth is not None else pair.seen
    assert poses is not None
    if pair.joints is not None:
        height = -pair.joints[:, 0, BOTH_HIPS, 1].mean(-1)
    else:
        height = -poses.image[:, 0, BOTH_HIPS, 1].mean(-1)
    times = np.arange(len(height)) / poses.fps
    inside = (times >= window.start_s) & (times <= window.end_s)
    low, high = float(height[inside].min()), float(height[inside].max())
    reach = max(high - low, 1e-3)
    ax.set_ylim(low - 0.15 * reach, high + 0.25 * reach)
    if pair.energy is not None:
        level = low - 0.15 * reach + 1.4 * reach * pair.energy[:, 0]
        ax.fill_between(times, low - reach, level, color=_ENERGY, alpha=0.22, lw=0)
    ax.plot(times, height, color=_HIP, lw=1.4, zorder=4)
    if pair.accents is not None:
        own = pair.accents[pair.accents[:, 2] == 0]
        ax.scatter(
            own[:, 0],
            np.interp(own[:, 0], times, height),
            s=6 + 34 * own[:, 1],
            color=_ACCENT,
            zorder=5,
            lw=0,
        )
    _label(ax, window.start_s, high + 0.2 * reach, "hip height, accents, energy", _SOFT)


def _draw_sound(ax: Axes, pair: Pair, window: Window) -> None:
    mel = _log_mel(pair, window)
    ax.imshow(
        mel,
        extent=(window.start_s, window.end_s, 0, 1),
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=-62,
        vmax=0,
        interpolation="bilinear",
    )
    ax.set_ylim(0, 1.16)
    for start_s, end_s, kind, _ in pair.facts.sections:
        left, right = max(start_s, window.start_s), min(end_s, window.end_s)
        if right > left:
            ax.axvspan(left, right, ymin=1 / 1.16, color=_SECTION.get(kind, _SOFT), lw=0, zorder=3)
            if right - left > 0.5:
                _label(ax, left, 1.145, kind, "#ffffff")
    for start_s, end_s, name in pair.facts.chords:
        left, right = max(start_s, window.start_s), min(end_s, window.end_s)
        if right - left > 0.45:
            _label(ax, left, 0.98, name, "#ffffff")


def _log_mel(pair: Pair, window: Window) -> np.ndarray:
    """Decibels below the loudest [bands, frames] of the window."""
    import librosa

    assert pair.music is not None
    rate = pair.music.sample_rate
    part = pair.music.samples[0].mean(0)[round(window.start_s * rate) : round(window.end_s * rate)]
    mel = librosa.feature.melspectrogram(
        y=part.numpy(),
        sr=rate,
        n_fft=2048,
        win_length=1024,
        hop_length=_MEL_HOP,
        n_mels=_MEL_BANDS,
        pad_mode="reflect",
    )
    return librosa.power_to_db(mel, ref=np.max, top_db=None)


def _label(ax: Axes, x: float, y: float, text: str, colour: str) -> None:
    ax.annotate(
        text,
        (x, y),
        xytext=(2.5, 0),
        textcoords="offset points",
        color=colour,
        fontsize=7,
        va="top",
        ha="left",
        zorder=6,
        annotation_clip=False,
    )
