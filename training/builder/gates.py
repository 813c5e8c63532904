"""Is a clip worth keeping? Each gate measures one thing and names the reason if it is not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import ndimage

from d2m_core.types import MotionFeatures, Waveform

from .settings import Gates

TOO_SHORT = "too short"
SHOT_CHANGE = "shot change"
NO_SOUND = "no sound"
TOO_QUIET = "too quiet"
SILENT = "silent stretches"
NO_MUSIC = "no music"
NOBODY = "nobody seen"
AWAY = "dancer away"
STILL = "hardly any motion"
NOT_FETCHED = "not downloaded"
UNREADABLE = "unreadable"
FAILED = "failed"
CRASHED = "crashed"

_WINDOW_S = 0.5
"""Shorter rests belong to music."""
_FLOOR_DB = -60.0
_RANGE_DB = 40.0
_RISE_DB = 3.0
"""By so much the loudness of a band has to rise for a hit."""
_BANDS_HZ = (40, 120, 300, 700, 1500, 3000, 6000, 11000)
_HOP_S = 0.01


def level_db(wave: Waveform) -> float:
    """Loudness as RMS of all channels, dBFS; -120 for silence."""
    power = float(wave.samples.double().square().mean())
    return 10 * float(np.log10(max(power, 1e-12)))


def silent_share(wave: Waveform) -> float:
    """Share of the sound that is silent beside its loudest moments, 0..1."""
    size = max(1, round(_WINDOW_S * wave.sample_rate))
    mono = wave.samples[0].mean(0).double().numpy()
    parts = mono[: len(mono) // size * size].reshape(-1, size)
    if not len(parts):
        return 1.0
    levels = 10 * np.log10((parts**2).mean(1) + 1e-12)
    return float((levels < max(_FLOOR_DB, np.percentile(levels, 95) - _RANGE_DB)).mean())


def onsets_per_s(wave: Waveform) -> float:
    """Hits per second that stand out in some band: its loudness rises by `_RISE_DB` and more."""
    rate, hop = wave.sample_rate, max(1, round(_HOP_S * wave.sample_rate))
    size = 4 * hop
    mono = wave.samples[0].mean(0).double().numpy()
    if len(mono) < 8 * size:
        return 0.0
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[::hop] * np.hanning(size)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    hz = np.fft.rfftfreq(size, 1 / rate)
    edges = pairwise(_BANDS_HZ)
    bands = np.stack([power[:, (hz >= low) & (hz < high)].sum(1) for low, high in edges])
    loud = bands.max() * 1e-5 + 1e-9
    decibels = ndimage.gaussian_filter1d(10 * np.log10(bands + loud), 2.0, axis=1)
    rise = np.maximum(decibels[:, 5:] - decibels[:, :-5], 0.0).mean(0)  # over 50 ms
    peaks = (rise == ndimage.maximum_filter1d(rise, 9)) & (rise >= _RISE_DB)
    return float(peaks.sum()) / wave.duration_s


def heard(wave: Waveform, gates: Gates) -> tuple[str, str]:
    """Why the sound of a clip is not good enough, and the figure; empty if it is."""
    level = level_db(wave)
    if level <= gates.min_level:
        return TOO_QUIET, f"{level:.1f} dBFS"
    silence = silent_share(wave)
    if silence > gates.max_silence > 0:
        return SILENT, f"{silence:.0%} of it"
    onsets = onsets_per_s(wave)
    if onsets < gates.min_onsets:
        return NO_MUSIC, f"{onsets:.2f} hits per second"
    return "", ""


def seen(motion: MotionFeatures, gates: Gates) -> tuple[str, str]:
    """Why the dance of a clip is not good enough, and the figure; empty if it is."""
    here = motion.values[:, motion.names.index("present")] > 0
    if here.mean() < gates.min_present:
        return AWAY, f"seen in {here.mean():.0%} of the frames"
    speed = motion_amount(motion)
    if speed < gates.min_motion:
        return STILL, f"{speed:.3f} body heights per second"
    return "", ""


def motion_amount(motion: MotionFeatures) -> float:
    """Median speed of the body while it is seen, body heights per second."""
    here = motion.values[:, motion.names.index("present")] > 0
    speed = motion.values[here, motion.names.index("total_speed")]
    return float(np.median(speed)) if len(speed) else 0.0
