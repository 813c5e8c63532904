"""Sound in and out: load, save, resample, fit to a length; `mux` joins it with a picture."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch

from ..errors import MediaError
from ..types import VideoClip, Waveform
from .resampling import resampled
from .sound_file import AUDIO_FORMATS, LAYOUTS, add_sound, open_output, sound_packets
from .sound_window import read_window

FADE_S = 0.02
"""Length of the fade where sound is cut off."""

_LOSSY_RATES = {"libopus": (48_000,)}
_COMMON_RATES = (32_000, 44_100, 48_000)
"""Rates that every player takes in lossy formats; other sound is written at the last one."""

_HEARD = 1.01
"""A peak lowered from less than this is nobody's concern."""

_log = logging.getLogger(__name__)


def load_audio(
    path: str | Path,
    sample_rate: int | None = None,
    start_s: float = 0.0,
    duration_s: float | None = None,
    mono: bool = False,
) -> Waveform:
    """Loads the sound of any audio or video file, float32 [1, C, N].

    In a video, time 0 is its first picture, as in `open_clip`: earlier sound is left out, later
    sound starts with silence. At most `duration_s` seconds come back, fewer where the sound ends.
    Only they and a little before them are decoded; the samples are those of the whole sound, but
    for the noise that decoders of AAC, AC-3 and MP2 draw by themselves. Raises `MediaError` where
    there is no sound to load.
    """
    wave = read_window(Path(path), start_s, duration_s)
    wave = to_mono(wave) if mono else wave
    return wave if sample_rate is None else resample(wave, sample_rate)


def save_audio(wave: Waveform, path: str | Path, metadata: dict[str, str] | None = None) -> Path:
    """Writes one sound (B = 1, mono or stereo) as its file name ends: see `AUDIO_FORMATS`.

    WAV and FLAC hold 16 bits at the sound's own rate. Others are written at 32, 44.1 or 48 kHz
    (Opus always 48), since many players take nothing else. Peaks above 1 lower the whole sound
    instead of being clipped. Raises `MediaError`; no part of a file is ever left behind.
    """
    path = Path(path)
    kind = AUDIO_FORMATS.get(path.suffix.lower())
    if kind is None:
        known = " ".join(sorted(AUDIO_FORMATS))
        raise MediaError(f"{path.name} does not end in a known sound format; use one of {known}.")
    wave = encodable(wave, kind.codec, kind.lossy)
    with open_output(path, kind.container, metadata) as out:
        stream = add_sound(out, wave, kind.codec)
        for packet in sound_packets(stream, wave):
            out.mux(packet)
    return path


def resample(wave: Waveform, sample_rate: int) -> Waveform:
    """The same sound at another rate."""
    if sample_rate == wave.sample_rate:
        return wave
    return Waveform(resampled(wave.samples, wave.sample_rate, sample_rate), sample_rate)


def fit_length(wave: Waveform, duration_s: float) -> Waveform:
    """The sound, cut (with a fade of `FADE_S`) or filled with silence to exactly `duration_s`."""
    wanted = round(duration_s * wave.sample_rate)
    samples = wave.samples[..., :wanted]  # [B, C, N]
    missing = wanted - samples.shape[-1]
    if missing > 0:
        return Waveform(torch.nn.functional.pad(samples, (0, missing)), wave.sample_rate)
    if wanted < wave.samples.shape[-1]:
        length = min(wanted, round(FADE_S * wave.sample_rate))
        samples = samples.clone()
        samples[..., wanted - length :] *= torch.linspace(1.0, 0.0, length)
    return Waveform(samples, wave.sample_rate)


def to_mono(wave: Waveform) -> Waveform:
    """The mean of all channels, [B, 1, N]."""
    return Waveform(wave.samples.mean(dim=1, keepdim=True), wave.sample_rate)


def with_own_sound(wave: Waveform, clip: VideoClip, gain: float) -> Waveform:
    """The music [1, C, N] with the clip's own sound under it, at the higher of the two rates.

    Peaks may pass 1; writing lowers them. Raises `MediaError` where the clip has no sound.
    """
    own = read_window(clip.path, clip.start_s, clip.duration_s, clip.first_s or 0.0)
    if own.samples.shape[1] > 2:
        own = to_mono(own)
    rate = max(own.sample_rate, wave.sample_rate)
    own = fit_length(resample(own, rate), clip.duration_s)
    wave = fit_length(resample(wave, rate), clip.duration_s)
    return Waveform(wave.samples + gain * own.samples, rate)  # [1, C, N], mono meets stereo


def encodable(wave: Waveform, codec: str, lossy: bool = True) -> Waveform:
    """The sound as an encoder takes it: mono or stereo, finite, within -1..1, at a common rate."""
    batch, channels, length = wave.samples.shape
    if batch != 1 or channels not in LAYOUTS or length == 0:
        raise MediaError(
            f"The sound has {batch} items, {channels} channels and {length} samples; "
            "give one item, mono or stereo, that is not empty."
        )
    if not bool(torch.isfinite(wave.samples).all()):
        raise MediaError("The sound has values that are not numbers; make it again.")
    allowed = _LOSSY_RATES.get(codec, _COMMON_RATES)
    if lossy and wave.sample_rate not in allowed:
        wave = resample(wave, allowed[-1])
    peak = float(wave.samples.abs().max())
    if peak > 1.0:
        if peak > _HEARD:
            _log.warning("the sound peaks at %.2f; lowered by %.1f dB to fit", peak, 20 * np.log10(peak))
        wave = Waveform(wave.samples / peak, wave.sample_rate)
    return wave
