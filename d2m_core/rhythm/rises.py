"""Beats of music without a network: where its sound rises, and bars where harmony changes.

What **Rhythm from Audio** heard by until version 0.2; kept for comparison, and for whoever asks for it.
"""

from __future__ import annotations

import numpy as np
import scipy

from ..media import resample, to_mono
from ..types import METRE, Waveform
from .curves import BeatCurves
from .decoding import Asked, BeatGrid, decode_beats
from .search import every

_AUDIO_RATE = 22050
_AUDIO_HOP = 256
"""86 envelope frames per second."""
_BASS_TOP_HZ, _BASS_WEIGHT, _COMPRESSION = 160.0, 3.0, 0.7
"""Rises below the first count more, on magnitudes to this power: a loud kick beats bright hats
between the beats. Against decibels: beat F 0.73 instead of 0.53 on decoded studio music."""
_AUDIO_LEAD_S = 0.008
"""How much earlier than a click its envelope peaks, measured."""
_HANDICAPS = {4: 0.0, 3: 0.5}
"""Beats in a bar, and by how much (in log odds per beat) each has to be better than the others."""


def beats_by_rises(wave: Waveform, tempo_bpm: float | None = None) -> BeatGrid:
    """The beats and bars of music, or of music at a known tempo; librosa finds its envelopes."""
    samples = to_mono(resample(wave, _AUDIO_RATE)).samples[0, 0].numpy()
    fps = _AUDIO_RATE / _AUDIO_HOP
    hits, bass, chroma = _envelopes(samples)
    grid = decode_beats(BeatCurves(evened(hits, fps)), fps, Asked(tempo_bpm))
    beats = np.clip(grid.beats_s + _AUDIO_LEAD_S, 0.0, None)
    beats = beats[beats < wave.duration_s]
    downbeats = bars(_bar_starts(beats, fps, bass, chroma))
    return BeatGrid(beats, downbeats, grid.tempo_bpm, grid.confidence)


def _envelopes(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Onset strength of all the music and of its bass, [S] and [S], and its harmony, [12, S]."""
    import librosa

    magnitude = np.abs(librosa.stft(samples, n_fft=1024, hop_length=_AUDIO_HOP))
    mel = librosa.feature.melspectrogram(S=magnitude, sr=_AUDIO_RATE, n_mels=40)
    loud = mel**_COMPRESSION  # [40, S]
    rise = np.maximum(np.diff(loud, axis=1, prepend=loud[:, :1]), 0.0)
    low = librosa.mel_frequencies(n_mels=40, fmax=_AUDIO_RATE / 2) < _BASS_TOP_HZ
    bass = rise[low].mean(0)
    chroma = librosa.feature.chroma_stft(S=magnitude**2, sr=_AUDIO_RATE, n_fft=1024, tuning=0.0)
    return rise[~low].sum(0) + _BASS_WEIGHT * rise[low].sum(0), bass, chroma


def evened(envelope: np.ndarray, fps: float, percent: float = 95.0) -> np.ndarray:
    """An onset envelope [S] as 0..1, even in loud and quiet stretches: its local percentile becomes 1."""
    size = int(4 * fps)
    high = scipy.ndimage.percentile_filter(envelope, percent, size=size, mode="nearest")
    high = scipy.ndimage.gaussian_filter1d(high, size / 4, mode="nearest")
    floor = 0.05 * envelope.max(initial=0.0) + 1e-6
    return np.clip(envelope / np.maximum(high, floor), 0.0, 1.0)


def _bar_starts(beats_s: np.ndarray, fps: float, bass: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """How likely a bar starts at each beat, 0..1 [M]: harmony changes there, and the bass plays."""
    if len(beats_s) < 2:
        return np.full(len(beats_s), 0.5)
    edges = np.clip((beats_s * fps).astype(int), 0, len(bass) - 1)
    means = np.stack([part.mean(1) for part in np.split(chroma, edges[1:], axis=1)])  # [M, 12]
    change = np.linalg.norm(np.diff(means, axis=0, prepend=means[:1]), axis=1)
    low = scipy.ndimage.maximum_filter1d(bass, 5)[edges]
    total = sum((cue - cue.mean()) / (cue.std() + 1e-6) for cue in (change, 0.5 * low))
    return 1 / (1 + np.exp(-total))


def bars(likely: np.ndarray) -> np.ndarray:
    """Which beats start a bar: the best phase of bars of four, or of three if far better.

    `likely`: how likely each beat starts one, 0..1, [M].
    """
    likely = np.clip(likely, 1e-3, 1 - 1e-3)
    odds = np.log(likely / (1 - likely))
    best, choice = -np.inf, (0, METRE)
    for metre, handicap in _HANDICAPS.items():
        for first in range(min(metre, len(odds))):
            ours = every(len(odds), first, metre)
            others = odds[~ours].mean() if (~ours).any() else 0.0
            score = odds[ours].mean() - others - handicap
            if score > best:
                best, choice = score, (first, metre)
    return every(len(odds), *choice)
