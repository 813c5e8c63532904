"""When the beats fall: a small network over motion, and the same object from music."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import nn

from .beats import STEADY_BELOW, bars, decode_beats
from .config import TEMPO_RANGE_BPM, RhythmConfig, check_tempo
from .types import MOTION_FPS, PART_CURVES, MotionFeatures, Progress, Rhythm, Waveform

log = logging.getLogger(__name__)

_CLAMP = 5.0
"""Features further out than so many deviations are taken as outliers."""
_DILATIONS = 8
_CURVES = 4
"""Outputs that every network has."""


@dataclass(frozen=True, eq=False)
class RhythmOutput:
    """Logits per motion frame, float32 [B, F] unless said."""

    beat: torch.Tensor
    downbeat: torch.Tensor
    onset: torch.Tensor
    """Visible accents (`accents.find_accents`)."""
    energy: torch.Tensor
    parts: torch.Tensor | None = None
    """[B, F, len(PART_CURVES)]."""
    tempo: torch.Tensor | None = None
    """[B, F, tempo bins], see `tempo_bins_bpm`; to be taken through a softmax."""


@dataclass(frozen=True, eq=False)
class RhythmCurves:
    """What the network sees in a dance, 0..1 per motion frame; 0 where nobody is seen."""

    beat: np.ndarray
    """float32 [F], as all that follow unless said."""
    downbeat: np.ndarray
    onset: np.ndarray
    energy: np.ndarray
    parts: np.ndarray | None = None
    """float32 [F, len(PART_CURVES)]."""
    tempo: np.ndarray | None = None
    """float32 [F, bins], each row sums to 1."""
    accents: np.ndarray | None = None
    """The visible accents, found without the network."""


def tempo_bins_bpm(count: int) -> np.ndarray:
    """Centres of `count` tempo bins in BPM, evenly spread in octaves, float64 [count]."""
    return np.geomspace(*TEMPO_RANGE_BPM, count)


class _Block(nn.Module):
    """Residual dilated convolution; normalised per frame, whatever the clip's length."""

    def __init__(self, channels: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.conv = nn.Conv1d(
            channels, channels, kernel, dilation=dilation, padding=dilation * (kernel // 2)
        )
        self.mix = nn.Conv1d(channels, channels, 1)
        self.drop = nn.Dropout1d(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(x.transpose(1, 2)).transpose(1, 2)  # [B, channels, F]
        return x + self.mix(self.drop(nn.functional.gelu(self.conv(y))))


class RhythmNet(nn.Module):
    """Dilated convolutions over motion features -> beat, downbeat, onset and energy logits."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, config: RhythmConfig, names: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.config = config
        self.names = names
        """The motion features that it reads; empty: those it is given."""
        self.register_buffer("mean", torch.zeros(config.features))
        self.register_buffer("std", torch.ones(config.features))
        self.enter = nn.Conv1d(config.features, config.channels, 3, padding=1)
        self.blocks = nn.ModuleList(
            _Block(config.channels, config.kernel, 2 ** (i % _DILATIONS), config.dropout)
            for i in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.channels)
        parts = len(PART_CURVES) if config.parts else 0
        self.head = nn.Linear(config.channels, _CURVES + parts + config.tempo_bins)

    def forward(self, motion: torch.Tensor, mask: torch.Tensor | None = None) -> RhythmOutput:
        """Logits for motion features.

        Args:
            motion: [B, F, D], as `extract_motion` gives them; normalised here.
            mask: bool [B, F], False where nobody is seen; those frames count as average.
        """
        x = ((motion - self.mean) / self.std).clamp(-_CLAMP, _CLAMP)
        if mask is not None:
            x = x * mask.unsqueeze(-1)
        x = self.enter(x.transpose(1, 2))  # [B, channels, F]
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x.transpose(1, 2)))  # [B, F, 4 + parts + bins]
        bins = self.config.tempo_bins
        beat, downbeat, onset, energy = logits[..., :_CURVES].unbind(-1)
        return RhythmOutput(
            beat, downbeat, onset, energy,
            parts=logits[..., _CURVES : logits.shape[-1] - bins] if self.config.parts else None,
            tempo=logits[..., logits.shape[-1] - bins :] if bins else None,
        )  # fmt: skip


def rhythm_from_motion(
    motion: MotionFeatures, net: RhythmNet, tempo_bpm: float | None = None,
    metre: int | None = None,
) -> Rhythm:  # fmt: skip
    """The rhythm one sees in a dance: a steady grid that lands on its accents.

    With `tempo_bpm` the tempo is kept exactly and only its phase is looked for; with `metre` bars
    have so many beats, else four or three, whichever fits better. The confidence is
    the probability that the beats are right; where it is under `beats.STEADY_BELOW` they are a
    steady pulse whose sixteenths meet the strongest accents. Where nobody is seen or nothing moves,
    a steady default grid comes back with confidence 0.
    """
    tempo_bpm = None if tempo_bpm is None else check_tempo(tempo_bpm)
    seen = rhythm_curves(motion, net)
    grid = decode_beats(
        seen.beat, motion.fps, seen.downbeat, tempo_bpm, seen.onset, seen.tempo, metre=metre,
        accents=seen.accents,
    )  # fmt: skip
    if 0 < grid.confidence < STEADY_BELOW:
        log.warning(
            "The dance's beats are unsure (confidence %.2f): a steady pulse of %.0f BPM meets its "
            "strongest accents on sixteenths; set the tempo to choose another.",
            grid.confidence, grid.tempo_bpm,
        )  # fmt: skip
    onset = seen.onset if seen.accents is None else seen.accents  # what is seen, where known
    curves = np.stack([onset, seen.energy], 1).astype(np.float32)  # [F, R]
    return Rhythm(
        grid.beats_s, grid.downbeats, curves, grid.tempo_bpm, grid.confidence, fps=motion.fps,
        parts=seen.parts,
    )  # fmt: skip


def rhythm_curves(motion: MotionFeatures, net: RhythmNet) -> RhythmCurves:
    """What the network says of every frame, before beats are read from it."""
    has_accents = "accent" in motion.names
    accents = motion.values[:, motion.names.index("accent")] if has_accents else None
    motion = motion.only(net.names or motion.names)
    if motion.values.shape[1] != net.config.features:
        raise ValueError(
            f"the network reads {net.config.features} features, got {motion.values.shape[1]}"
        )
    column = motion.names.index("present") if "present" in motion.names else None
    present = np.ones(len(motion.values), bool) if column is None else motion.values[:, column] > 0
    device = net.mean.device
    training = net.training
    net.eval()
    with torch.inference_mode():
        values = torch.from_numpy(motion.values).to(device)[None]
        out = net(values, torch.from_numpy(present).to(device)[None])
    net.train(training)
    seen = present[:, None]
    flat = [out.beat, out.downbeat, out.onset, out.energy]
    beat, downbeat, onset, energy = (curve[0].sigmoid().cpu().numpy() * present for curve in flat)
    parts = None if out.parts is None else out.parts[0].sigmoid().cpu().numpy() * seen
    tempo = None if out.tempo is None else out.tempo[0].softmax(-1).cpu().numpy()
    return RhythmCurves(beat, downbeat, onset, energy, parts, tempo, accents)


# --- from music ---

_AUDIO_RATE = 22050
_AUDIO_HOP = 256
"""86 envelope frames per second."""
_BASS_TOP_HZ, _BASS_WEIGHT, _COMPRESSION = 160.0, 3.0, 0.7
"""Rises below the first count more, on magnitudes to this power: a loud kick beats bright hats
between the beats. Against decibels: beat F 0.73 instead of 0.53 on decoded studio music."""
_AUDIO_LEAD_S = 0.008
"""How much earlier than a click its envelope peaks, measured."""


_AUDIO_STAGES = 4


def rhythm_from_audio(
    wave: Waveform, tempo_bpm: float | None = None, on_progress: Progress | None = None
) -> Rhythm:
    """Beats, accents and loudness of music, as the same object that a dance gives.

    `on_progress` counts the four stages of it: sound, envelopes, beats, bars.
    """
    import librosa

    stage = on_progress or (lambda done, total: None)
    tempo_bpm = None if tempo_bpm is None else check_tempo(tempo_bpm)
    samples = wave.samples.mean(dim=(0, 1)).numpy()
    samples = librosa.resample(samples, orig_sr=wave.sample_rate, target_sr=_AUDIO_RATE)
    frames = max(1, round(wave.duration_s * MOTION_FPS))
    fps = _AUDIO_RATE / _AUDIO_HOP
    stage(1, _AUDIO_STAGES)
    onset, bass, chroma = _envelopes(samples)
    activation = _activation(onset)
    stage(2, _AUDIO_STAGES)
    grid = decode_beats(activation, fps, tempo_bpm=tempo_bpm)
    stage(3, _AUDIO_STAGES)
    beats = np.clip(grid.beats_s + _AUDIO_LEAD_S, 0.0, None)
    beats = beats[beats < frames / MOTION_FPS]
    wide = ndimage.maximum_filter1d(activation, int(fps / MOTION_FPS) | 1)
    times = np.arange(frames) / MOTION_FPS - _AUDIO_LEAD_S
    accents = np.interp(times, np.arange(len(wide)) / fps, wide)  # [F]
    curves = np.stack([accents, _loudness(samples, frames)], 1).astype(np.float32)  # [F, R]
    downbeats = bars(_bar_starts(beats, fps, bass, chroma))
    stage(4, _AUDIO_STAGES)
    return Rhythm(beats, downbeats, curves, grid.tempo_bpm, grid.confidence)


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


def _activation(envelope: np.ndarray) -> np.ndarray:
    """An onset envelope as 0..1, even in loud and quiet stretches."""
    size = int(4 * _AUDIO_RATE / _AUDIO_HOP)
    high = ndimage.percentile_filter(envelope, 95, size=size, mode="nearest")
    high = ndimage.gaussian_filter1d(high, size / 4, mode="nearest")
    floor = 0.05 * envelope.max(initial=0.0) + 1e-6
    return np.clip(envelope / np.maximum(high, floor), 0.0, 1.0)


def _bar_starts(
    beats_s: np.ndarray, fps: float, bass: np.ndarray, chroma: np.ndarray
) -> np.ndarray:
    """How likely a bar starts at each beat, 0..1 [M]: harmony changes there, and the bass plays."""
    if len(beats_s) < 2:
        return np.full(len(beats_s), 0.5)
    edges = np.clip((beats_s * fps).astype(int), 0, len(bass) - 1)
    means = np.stack([part.mean(1) for part in np.split(chroma, edges[1:], axis=1)])  # [M, 12]
    change = np.linalg.norm(np.diff(means, axis=0, prepend=means[:1]), axis=1)
    low = ndimage.maximum_filter1d(bass, 5)[edges]
    total = sum((cue - cue.mean()) / (cue.std() + 1e-6) for cue in (change, 0.5 * low))
    return 1 / (1 + np.exp(-total))


def _loudness(samples: np.ndarray, frames: int) -> np.ndarray:
    """Level of the music over about a second, 1 at its loudest and 0 at 40 dB less, [F]."""
    size = round(_AUDIO_RATE / MOTION_FPS)
    padded = np.pad(samples, (0, max(0, frames * size - len(samples))))[: frames * size]
    power = ndimage.gaussian_filter1d((padded.reshape(frames, size) ** 2).mean(1), MOTION_FPS / 2)
    decibels = 10 * np.log10(power / max(float(power.max()), 1e-10) + 1e-10)
    return np.clip(1 + decibels / 40, 0, 1) * (power.max() > 1e-8)
