"""Sound in and out: load, save, resample, fit to a length; `mux` joins it with a picture."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from ..errors import MediaError
from ..types import VideoClip, Waveform
from . import blocks
from .blocks import BLOCK, FADE_S, Blocks
from .resampling import resampled
from .sound_file import AUDIO_FORMATS, LAYOUTS, add_sound, open_output, sound_packets
from .sound_window import read_window, window_blocks

_LOSSY_RATES = {"libopus": (48_000,)}
_COMMON_RATES = (32_000, 44_100, 48_000)
"""Rates that every player takes in lossy formats; other sound is written at the last one."""

_KEPT = 1 << 24
"""Values of a sound that are kept from measuring it to writing it: 64 MB, three minutes of stereo."""

_HEARD = 1.41
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


def save_audio(wave: Waveform | Blocks, path: str | Path, metadata: dict[str, str] | None = None) -> Path:
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
    sound = encodable(wave, kind.codec, kind.lossy)
    with open_output(path, kind.container, metadata) as out:
        stream = add_sound(out, sound, kind.codec)
        for packet in sound_packets(stream, sound):
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


def own_sound(clip: VideoClip) -> Waveform | None:
    """The sound of a clip's window, mono, from its first picture on; None where there is none.

    Raises `MediaError` for sound that cannot be read.
    """
    if not clip.has_audio:
        return None
    window = window_blocks(clip.path, clip.start_s, clip.duration_s, clip)
    parts = [torch.from_numpy(block).mean(0) for block in window.blocks]
    return Waveform(torch.cat(parts)[None, None], window.rate) if parts else None  # [1, 1, N]


def with_own_sound(wave: Waveform | Blocks, clip: VideoClip, gain: float) -> Blocks:
    """The music [1, C, N] with the clip's own sound under it, at the higher of the two rates.

    Peaks may pass 1; writing lowers them. Raises `MediaError` where the clip has no sound.
    """
    music, own = in_blocks(wave), own_blocks(clip)
    rate = max(own.rate, music.rate)
    below = blocks.fitted(blocks.at_rate(own, rate), clip.duration_s)
    above = blocks.fitted(blocks.at_rate(music, rate), clip.duration_s)
    return blocks.mixed(above, below, gain)


def own_blocks(clip: VideoClip) -> Blocks:
    """The clip's own sound, from its first picture on. Raises `MediaError` where it has none."""
    windows = [window_blocks(clip.path, clip.start_s, clip.duration_s, clip)]

    def read() -> Iterator[torch.Tensor]:
        window = windows.pop() if windows else window_blocks(clip.path, clip.start_s, clip.duration_s, clip)
        return map(torch.from_numpy, window.blocks)

    return Blocks(windows[0].rate, windows[0].channels, read)


def in_blocks(wave: Waveform | Blocks) -> Blocks:
    """One sound, mono or stereo, as it can be written. Raises `MediaError` for any other."""
    if isinstance(wave, Blocks):
        return wave
    _check(wave)
    return blocks.of_wave(wave)


def encodable(
    wave: Waveform | Blocks, codec: str, lossy: bool = True, tick: Callable[[], None] | None = None
) -> Blocks:
    """The sound as an encoder takes it: mono or stereo, finite, within -1..1, at a common rate.

    `tick` is called while its peak is looked for; it may raise to cancel.
    """
    sound = in_blocks(wave)
    allowed = _LOSSY_RATES.get(codec, _COMMON_RATES)
    if lossy and sound.rate not in allowed:
        sound = blocks.at_rate(sound, allowed[-1])
    sound, peak = _measured(sound, tick)
    if peak > 1.0:
        if peak > _HEARD:
            _log.warning(
                "The sound peaks at %.2f, and is lowered by %.1f dB to fit; make what goes in softer.",
                peak,
                20 * np.log10(peak),
            )
        sound = blocks.scaled(sound, peak)
    return sound


def _check(wave: Waveform) -> None:
    batch, channels, length = wave.samples.shape
    if batch != 1 or channels not in LAYOUTS or length == 0:
        raise MediaError(
            f"The sound has {batch} items, {channels} channels and {length} samples; "
            "give one item, mono or stereo, that is not empty."
        )
    if not all(bool(torch.isfinite(part).all()) for part in wave.samples.split(BLOCK, dim=-1)):
        raise MediaError("The sound has values that are not numbers; make it again.")


def _measured(sound: Blocks, tick: Callable[[], None] | None) -> tuple[Blocks, float]:
    """The sound and its peak; a short one is kept, so that it is not made again for writing."""
    kept: list[torch.Tensor] | None = []
    peak, length = 0.0, 0
    for block in sound.make():
        if tick is not None:
            tick()
        peak = max(peak, float(block.abs().max()) if block.numel() else 0.0)
        length += block.numel()
        if kept is not None and length <= _KEPT:
            kept.append(block)
        else:
            kept = None
    if kept is None:
        return sound, peak
    known = kept
    return Blocks(sound.rate, sound.channels, lambda: iter(known)), peak
