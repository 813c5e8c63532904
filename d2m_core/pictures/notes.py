"""One still picture of a piece: its notes by player, over beats, sections and chords."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..midi.score import Moment, Note
from ..types import Rhythm
from .colours import BEAT, DOWNBEAT, PAPER, css

_INK, _FAINT, _GROUND = "#e8eaf0", "#8b90a0", "#1b1e27"
_COLOURS = ("#ff5f7a", "#ffbe3c", "#7de08a", "#5aaaff", "#d08bff", "#52d6c8", "#ff9d5c", "#b6c35a")
_DPI = 100
_MOST_BEATS = 300
"""More are not drawn: only bars then."""


def piano_roll(
    notes: Sequence[Note],
    rhythm: Rhythm,
    sections: Iterable[Moment] = (),
    chords: Iterable[Moment] = (),
    title: str = "",
    *,
    width: int = 1400,
    height: int = 600,
) -> np.ndarray:
    """Picture uint8 [height, width, 3]: a bar for each note, as high as its pitch, strong where loud."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor=css(PAPER))
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.045, 0.09, 0.94, 0.74), facecolor=_GROUND)
    players = list(dict.fromkeys(note.player for note in notes))
    for index, player in enumerate(players):
        _draw_notes(axes, [note for note in notes if note.player == player], player, index)
    _draw_time(axes, rhythm, sections, chords)
    facts = f"{len(notes)} notes  ·  {rhythm.tempo_bpm:.1f} BPM  ·  {rhythm.duration_s:.1f} s"
    figure.text(0.045, 0.93, title or "Notes", color=_INK, fontsize=16, weight="bold")
    figure.text(0.045, 0.885, facts, color=_FAINT, fontsize=11.5)
    if players:
        look = {"frameon": False, "labelcolor": _INK, "fontsize": 11, "borderaxespad": 0}
        figure.legend(loc="upper right", bbox_to_anchor=(0.985, 0.97), ncols=6, **look)
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    figure.clear()
    vars(canvas.renderer).clear()  # texts keep it, and its pixels, until the garbage collector runs
    return picture


def _draw_notes(axes: Any, notes: list[Note], player: str, index: int) -> None:
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgba

    red, green, blue, _ = to_rgba(_COLOURS[index % len(_COLOURS)])
    shapes = []
    for note in notes:
        low, high = note.pitch - 0.42, note.pitch + 0.42
        end_s = max(note.end_s, note.start_s + 0.03)
        shapes.append([(note.start_s, low), (end_s, low), (end_s, high), (note.start_s, high)])
    colours = [(red, green, blue, 0.35 + 0.65 * note.velocity / 127) for note in notes]
    axes.add_collection(PolyCollection(shapes, facecolors=colours, edgecolors="none", zorder=3))
    axes.plot([], [], color=(red, green, blue), linewidth=6, label=player)
    pitches = [note.pitch for note in notes]
    axes.update_datalim([(0, min(pitches) - 2), (0, max(pitches) + 2)])


def _draw_time(axes: Any, rhythm: Rhythm, sections: Iterable[Moment], chords: Iterable[Moment]) -> None:
    """Bars and beats behind the notes, sections above, chords at the foot."""
    lines = [(rhythm.downbeats, css(DOWNBEAT), 0.35)]
    if len(rhythm.beats_s) <= _MOST_BEATS:
        lines.append((~rhythm.downbeats, css(BEAT), 0.12))
    for mask, colour, alpha in lines:
        for time_s in rhythm.beats_s[mask]:
            axes.axvline(time_s, color=colour, alpha=alpha, linewidth=0.8, zorder=1)
    look = {"transform": axes.get_xaxis_transform(), "fontsize": 10, "clip_on": True}
    for section in sections:
        axes.axvline(section.start_s, color=_INK, alpha=0.7, linewidth=1.2, zorder=2)
        axes.text(section.start_s, 0.965, f" {section.name}", color=_INK, **look)
    last_s, least_s = -np.inf, rhythm.duration_s / 40
    for chord in chords:
        if chord.start_s - last_s >= least_s:
            axes.text(chord.start_s, 0.012, f" {chord.name}", color=_FAINT, **look)
            last_s = chord.start_s
    axes.set_xlim(0, max(rhythm.duration_s, 0.04))
    axes.autoscale_view(scalex=False)
    axes.set_xlabel("seconds", color=_FAINT, fontsize=11)
    axes.set_ylabel("pitch", color=_FAINT, fontsize=11)
    axes.tick_params(colors=_FAINT, labelsize=10.5)
    for spine in axes.spines.values():
        spine.set_visible(False)
