"""How music ends: a last hit that rings out, or a fade; never longer or shorter than it was."""

from __future__ import annotations

import numpy as np
import scipy
import torch

from ..types import Rhythm, Waveform

_RING_S = (0.45, 1.25)
"""So long may a last hit ring: long enough to be heard as an end, and the dance does not go on alone."""
_HEARD_S = 0.08
"""A hit is looked for in so much after its beat."""
_AUDIBLE = 0.5
"""A last hit is at least so loud, as a share of the whole piece's level (RMS)."""
_ON_ONE = 1.6
"""The first beat of a bar is worth so many times another."""

_HOLD_BEATS = 0.4
_HOLD_S = (0.1, 0.25)
"""The last hit sounds as it is for a part of its beat, within these limits; what comes after is let go."""
_LET_GO_S = 0.25
"""Time in which music after the last hit falls by 60 dB."""
_WET = 0.6
"""Level of what rings on, against the hit."""
_ROOM_SEED = 7

_FADE_S = (0.8, 4.0)
"""A fade lasts as long as the last bar, within these limits, and at most `_FADE_SHARE` of the piece."""
_FADE_SHARE = 1 / 3
_LAST_S = 0.03
"""What rings at the very end is brought to silence in so long."""


def ended(wave: Waveform, rhythm: Rhythm, ending: str) -> Waveform:
    """The music [B, C, N] with one of `ENDINGS`, exactly as long.

    A `hit` is the best beat shortly before the end; where none sounds, a piece fades instead.
    """
    if ending == "cut":
        return wave
    samples = wave.samples.clone()
    for piece in samples:  # [C, N], changed in place
        hit_s = last_hit_s(piece, wave.sample_rate, rhythm) if ending == "hit" else None
        if hit_s is None:
            _fade(piece, wave.sample_rate, rhythm)
        else:
            _ring_out(piece, wave.sample_rate, hit_s, 60.0 / rhythm.tempo_bpm)
    return Waveform(samples, wave.sample_rate)


def last_hit_s(piece: torch.Tensor, rate: int, rhythm: Rhythm) -> float | None:
    """The beat on which music [C, N] is to end, in seconds; None where nothing sounds on any."""
    end_s = piece.shape[-1] / rate
    power = piece.double().pow(2).mean(0).numpy()
    level, best, found = float(np.sqrt(power.mean())), 0.0, None
    for beat_s, on_one in zip(rhythm.beats_s, rhythm.downbeats, strict=True):
        if not _RING_S[0] <= end_s - beat_s <= _RING_S[1]:
            continue
        first = round(beat_s * rate)
        heard = float(np.sqrt(power[first : first + round(_HEARD_S * rate)].mean()))
        worth = heard * (_ON_ONE if on_one else 1.0)
        if heard > _AUDIBLE * level and worth > best:
            best, found = worth, float(beat_s)
    return found


def _ring_out(piece: torch.Tensor, rate: int, hit_s: float, beat_s: float) -> None:
    """Lets the hit at `hit_s` be the last of music [C, N]: it rings in a room, what follows is let go."""
    count = piece.shape[-1]
    first = round(hit_s * rate)
    hold = round(float(np.clip(_HOLD_BEATS * beat_s, *_HOLD_S)) * rate)
    after_s = np.maximum(np.arange(count - first) - hold, 0) / rate
    kept = piece[:, first:].double().numpy() * 10 ** (-3 * after_s / _LET_GO_S)
    rung = scipy.signal.fftconvolve(kept, _room(len(piece), count - first, rate), axes=-1)[:, : count - first]
    end = kept + _WET * rung
    last = min(round(_LAST_S * rate), count - first)
    end[:, len(after_s) - last :] *= np.linspace(1.0, 0.0, last)
    piece[:, first:] = torch.from_numpy(end).float()


def _room(channels: int, count: int, rate: int) -> np.ndarray:
    """The answer of a room, float64 [C, count], of energy 1: noise that falls by 60 dB, highs first."""
    noise = np.random.default_rng(_ROOM_SEED).standard_normal((channels, count))
    time_s = np.arange(count) / rate
    whole_s = count / rate
    dark = _filtered(noise, "low", min(2500.0, 0.45 * rate), rate)
    bright = (noise - dark) * 10 ** (-6 * time_s / whole_s)
    answer = (dark + bright) * 10 ** (-3 * time_s / whole_s)
    answer = _filtered(answer, "high", 150.0, rate)
    return answer / np.sqrt((answer**2).sum(-1, keepdims=True).max())


def _filtered(sound: np.ndarray, kind: str, edge_hz: float, rate: int) -> np.ndarray:
    return scipy.signal.sosfilt(scipy.signal.butter(1, edge_hz, kind, fs=rate, output="sos"), sound)


def _fade(piece: torch.Tensor, rate: int, rhythm: Rhythm) -> None:
    """Music [C, N] fades to silence, over about a bar."""
    count = piece.shape[-1]
    bar_s = float(np.clip(rhythm.metre * 60.0 / rhythm.tempo_bpm, *_FADE_S))
    length = max(1, round(min(bar_s, _FADE_SHARE * count / rate) * rate))
    piece[:, count - length :] *= 0.5 + 0.5 * torch.cos(torch.linspace(0.0, torch.pi, length))
