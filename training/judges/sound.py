"""Scores of the sound itself: level, faults, sameness, and distances between sets of music.

Beside `metrics`, which scores time. `frechet_distance` is only as good as the embedding that it is
given: always name it, and print the distance of real music of the same amount beside it.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
from scipy.signal import butter, sosfilt

from d2m_core.errors import SettingError
from d2m_core.types import Waveform

SILENT_DB = -60.0
"""A tenth of a second whose level (root mean square, full scale 0) is below is silent."""

FULL_SCALE = 0.999
CLIPPED_RUN = 3
"""So many neighbouring samples at full scale are clipped; one alone is a peak."""

LOOP_PERIOD_S = 0.5
"""Repetition with a longer period is music; up to this one a loop may be stuck."""

_BAR_PLACES = 64
_PIECE_S = 0.1
_TONE_S = 0.17
"""Length of the windows in which tones are looked for; the nearest power of two is taken."""


def loudness_lufs(wave: Waveform) -> float:
    """Integrated loudness (ITU-R BS.1770, pyloudnorm); NaN for silence or under 0.4 s.

    Raises `SettingError` where pyloudnorm is not installed.
    """
    try:
        import pyloudnorm
    except ImportError:
        raise SettingError("Loudness needs pyloudnorm; run pip install pyloudnorm.") from None
    samples = wave.samples[0].t().double().numpy()  # [N, C]
    meter = pyloudnorm.Meter(wave.sample_rate)
    if len(samples) < meter.block_size * wave.sample_rate or not samples.any():
        return math.nan
    level = float(meter.integrated_loudness(samples))
    return level if math.isfinite(level) else math.nan


def clear_tones_db(wave: Waveform, lowest_hz: float = 1000.0, highest_hz: float = 6000.0) -> float:
    """How far tones stand out of what is around them, in dB; noise has about 7, a held chord 20 and more.

    Of each tenth of a second that is not quiet: the mean of the twentieth of its bins (171 ms at 24 kHz)
    that stand out most of the 20 bins about them; the mean over time. NaN for silence.
    """
    mono = wave.samples[0].mean(0)
    size = 2 ** round(math.log2(_TONE_S * wave.sample_rate))
    if len(mono) < size:
        return math.nan
    window = torch.hann_window(size)
    power = torch.stft(mono, size, size // 2, window=window, return_complex=True, center=False).abs().square()
    hz = torch.arange(len(power)) * wave.sample_rate / size
    level = (power + 1e-12).log10()
    around = torch.nn.functional.avg_pool1d(level.t()[:, None], 21, 1, 10, count_include_pad=False)[:, 0].t()
    inside = (hz >= lowest_hz) & (hz <= highest_hz)
    out, loud = (level - around)[inside], power[inside].sum(0)
    heard = loud > 1e-3 * loud.max().clamp_min(1e-9)
    if not heard.any() or float(loud.max()) < 1e-9:
        return math.nan
    most = out[:, heard].topk(max(1, len(out) // 20), dim=0).values
    return 10 * float(most.mean())


def between_hits_db(wave: Waveform, lowest_hz: float = 1000.0) -> float:
    """How far the level above `lowest_hz` falls between hits, in dB: from the loudest tenth of all stretches
    of 10 ms to the quietest, counted down to 60 dB. An even noise has about 4. NaN for silence."""
    mono = wave.samples[0].mean(0).double().numpy()
    sos = butter(4, lowest_hz, "highpass", fs=wave.sample_rate, output="sos")
    width = round(0.01 * wave.sample_rate)
    sound = sosfilt(sos, mono)
    power = (sound[: len(sound) // width * width].reshape(-1, width) ** 2).mean(1)
    if len(power) == 0 or power.max() <= 0:
        return math.nan
    low, high = np.quantile(10 * np.log10(np.maximum(power, power.max() * 1e-6)), (0.1, 0.9))
    return float(high - low)


def bars_apart_db(wave: Waveform, downbeats_s: np.ndarray) -> float:
    """How far each bar is from the next, in dB: the mean difference of 40 mel bands at `_BAR_PLACES` places
    of both, below 60 dB under the loudest all alike. A loop has 0; NaN with fewer than two whole bars."""
    import librosa

    inside = downbeats_s[(downbeats_s >= 0) & (downbeats_s <= wave.duration_s)]
    if len(inside) < 3:
        return math.nan
    mono, hop = wave.samples[0].mean(0).numpy(), round(0.01 * wave.sample_rate)
    mel = librosa.feature.melspectrogram(
        y=mono, sr=wave.sample_rate, n_fft=4 * hop, hop_length=hop, n_mels=40
    )
    level = librosa.power_to_db(mel, ref=np.max, top_db=60)  # [40, frames]
    share = np.arange(_BAR_PLACES) / _BAR_PLACES
    bars = [
        level[:, np.minimum(((a + (b - a) * share) * wave.sample_rate / hop).astype(int), level.shape[1] - 1)]
        for a, b in pairwise(inside)
    ]
    return float(np.mean([np.abs(one - other).mean() for one, other in pairwise(bars)]))


def clipped_share(wave: Waveform) -> float:
    """Share of the samples that lie in runs of `CLIPPED_RUN` and more at full scale."""
    total = 0
    for channel in wave.samples.flatten(0, 1).numpy():
        starts, ends = _runs(np.abs(channel) >= FULL_SCALE)
        lengths = ends - starts
        total += int(lengths[lengths >= CLIPPED_RUN].sum())
    return total / max(1, wave.samples.numel())


def silent_pieces(wave: Waveform, piece_s: float = _PIECE_S) -> np.ndarray:
    """Which pieces of `piece_s` seconds are below `SILENT_DB`, bool [pieces]; the last is cut."""
    size = max(1, round(piece_s * wave.sample_rate))
    power = wave.samples.double().square().mean((0, 1)).numpy()  # [N]
    if len(power) == 0:
        return np.zeros(0, bool)
    edges = np.arange(0, len(power), size)
    means = np.add.reduceat(power, edges) / np.diff(np.append(edges, len(power)))
    return means < 10 ** (SILENT_DB / 10)


def silent_share(wave: Waveform) -> float:
    """Share of the tenths of a second that are silent; 1 for no sound at all."""
    pieces = silent_pieces(wave)
    return float(pieces.mean()) if len(pieces) else 1.0


def longest_loop_s(codes: torch.Tensor, token_rate: float, sounding: np.ndarray | None = None) -> float:
    """Longest stretch in seconds where all codebooks [K, T] repeat what they said just before.

    Any period up to `LOOP_PERIOD_S` counts, from its second time on, and once it has come round
    whole. Where `sounding`, bool [T], is False, sameness is silence and counts for nothing.
    """
    steps, longest = codes.shape[1], 0
    heard = np.ones(steps, bool) if sounding is None else np.asarray(sounding, bool)
    for period in range(1, min(round(LOOP_PERIOD_S * token_rate), steps - 1) + 1):
        same = (codes[:, period:] == codes[:, :-period]).all(0).cpu().numpy() & heard[period:]
        starts, ends = _runs(same)
        run = int((ends - starts).max(initial=0))
        if run >= period:
            longest = max(longest, run)
    return longest / token_rate


def token_agreement(one: torch.Tensor, other: torch.Tensor) -> float:
    """Share of equal tokens in two pieces [K, T], over their common length."""
    steps = min(one.shape[-1], other.shape[-1])
    return float((one[..., :steps] == other[..., :steps]).float().mean())


def cosine_distance(one: np.ndarray, other: np.ndarray) -> float:
    """1 less the cosine of the angle between two embeddings: 0 the same way, 2 opposite."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return 1.0 - float(np.dot(one, other)) / lengths if lengths else math.nan


def frechet_distance(
    mean: np.ndarray, covariance: np.ndarray, other_mean: np.ndarray, other_covariance: np.ndarray
) -> float:
    """Fréchet distance of two Gaussians (Dowson, Landau, 1982), as FAD takes it.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)); the trace of the root is the sum of the roots of
    the eigenvalues of C1 C2, which are real and not negative.
    """
    roots = np.sqrt(np.clip(np.linalg.eigvals(covariance @ other_covariance).real, 0.0, None))
    apart = float(((np.asarray(mean) - other_mean) ** 2).sum())
    spread = float(np.trace(covariance) + np.trace(other_covariance) - 2 * roots.sum())
    return max(0.0, apart + spread)


def _runs(marks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of the stretches of True."""
    edges = np.diff(np.concatenate([[0], marks.astype(np.int8), [0]]))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
