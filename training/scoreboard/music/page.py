"""A page for each scored clip: the rhythm wanted, what the music does, and its spectrum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from d2m_core.files import replacing
from d2m_core.types import Waveform

from .scores import CaseScore

_INK, _FAINT = "#222222", "#999999"
_BEAT, _ONSET, _TRUE, _ACCENT, _ENERGY = "#1f77b4", "#d95f02", "#1b9e77", "#e7298a", "#c9d7e8"
_SHOWN = ("asked_f", "dance_f", "accents_met", "style")


def draw_page(score: CaseScore, path: Path) -> None:
    """A PNG of one clip: three panels over the same seconds."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 7), dpi=80)
    FigureCanvasAgg(figure)
    top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=(2, 1.4, 2.6))
    _wanted(top, score)
    _heard(middle, score)
    _spectrum(bottom, score.case.take.wave)
    top.set_title(_title(score), loc="left", fontsize=10, color=_INK)
    bottom.set_xlabel("seconds")
    bottom.set_xlim(0, score.case.duration_s)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        figure.savefig(partial, format="png")


def _title(score: CaseScore) -> str:
    case, music = score.case, score.columns["music"]
    shown = [f"{n.replace('_', ' ')} {music[n]:.2f}" for n in _SHOWN if not np.isnan(music.get(n, np.nan))]
    heard = case.heard.tempo_bpm
    return (
        f"{case.dance.name}, {case.style}: asked {case.rhythm.tempo_bpm:.1f} BPM, "
        f"heard {heard:.1f}; " + ", ".join(shown)
    )


def _wanted(axes: Any, score: CaseScore) -> None:
    case = score.case
    rhythm, dance = case.rhythm, case.dance
    times_s = np.arange(len(rhythm.curves)) / rhythm.fps
    energy = rhythm.energy
    axes.fill_between(times_s, energy, color=_ENERGY, label="energy")
    axes.plot(times_s, rhythm.accent, color=_ONSET, linewidth=1, label="accents wanted")
    axes.vlines(rhythm.beats_s, 0, 1, color=_BEAT, linewidth=0.8, label="beats asked for")
    axes.plot(
        dance.accents_s,
        np.full(len(dance.accents_s), 1.08),
        "v",
        color=_ACCENT,
        markersize=4,
        label="seen accents",
    )
    if dance.beats_s is not None:
        kind = "true beats" if dance.made else "its song's beats"
        axes.plot(dance.beats_s, np.full(len(dance.beats_s), 1.2), "|", color=_TRUE, markersize=9, label=kind)
    axes.set(ylim=(0, 1.55), yticks=())
    axes.set_ylabel("wanted")
    axes.legend(loc="upper right", ncols=5, fontsize=7, frameon=False)


def _heard(axes: Any, score: CaseScore) -> None:
    import librosa

    wave, heard = score.case.take.wave, score.case.heard
    samples = wave.samples[0, 0].numpy()
    envelope = librosa.onset.onset_strength(y=samples, sr=wave.sample_rate)
    times_s = librosa.times_like(envelope, sr=wave.sample_rate)
    axes.plot(times_s, envelope / max(float(envelope.max()), 1e-9), color=_INK, linewidth=0.8)
    axes.vlines(heard.onsets_s, 0, 0.35, color=_ONSET, linewidth=1, label="onsets")
    axes.vlines(heard.beats_s, 0, 1, color=_BEAT, linewidth=0.8, linestyle="--", label="beats heard")
    axes.set(ylim=(0, 1.3), yticks=())
    axes.set_ylabel("music's onsets")
    axes.legend(loc="upper right", ncols=2, fontsize=7, frameon=False)


def _spectrum(axes: Any, wave: Waveform) -> None:
    import librosa

    samples = wave.samples[0, 0].numpy()
    mel = librosa.feature.melspectrogram(y=samples, sr=wave.sample_rate, n_mels=80, hop_length=480)
    decibels = librosa.power_to_db(mel, ref=np.max, top_db=70)
    extent = (0, len(samples) / wave.sample_rate, 0, len(mel))
    axes.imshow(decibels, origin="lower", aspect="auto", extent=extent, cmap="magma")
    axes.set(yticks=())
    axes.set_ylabel("mel spectrum")
