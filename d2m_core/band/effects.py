"""What a mixing desk does to sound: filters that move, reverb, delay, ducking, compression."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy

from .synth import SAMPLE_RATE

SWEEP_BLOCK = 512


@lru_cache(maxsize=64)
def sections_of(kind: str, hz: float, order: int, rate: int = SAMPLE_RATE) -> np.ndarray:
    """A Butterworth filter's second-order sections, float32."""
    return scipy.signal.butter(order, hz / (rate / 2), kind, output="sos").astype(np.float32)


def high_pass(sound: np.ndarray, hz: float, order: int = 2, rate: int = SAMPLE_RATE) -> np.ndarray:
    return scipy.signal.sosfilt(sections_of("high", hz, order, rate), sound).astype(np.float32)


def low_pass(sound: np.ndarray, hz: float, order: int = 2, rate: int = SAMPLE_RATE) -> np.ndarray:
    return scipy.signal.sosfilt(sections_of("low", hz, order, rate), sound).astype(np.float32)


def sweep(
    sound: np.ndarray, cutoff_hz: np.ndarray, resonance: float = 0.9, rate: int = SAMPLE_RATE
) -> np.ndarray:
    """A low pass whose cutoff moves, on [..., N]; `cutoff_hz` has one value per `SWEEP_BLOCK`."""
    out = np.empty_like(sound)
    turn = 2 * np.pi * np.clip(cutoff_hz, 60, 0.47 * rate) / rate
    alpha, cosine = np.sin(turn) / (2 * resonance), np.cos(turn)
    b1, a0 = 1 - cosine, 1 + alpha
    sections = np.stack(
        [b1 / 2 / a0, b1 / a0, b1 / 2 / a0, np.ones_like(a0), -2 * cosine / a0, (1 - alpha) / a0], 1
    )
    state = np.zeros((1, *sound.shape[:-1], 2))
    for k, section in enumerate(sections):
        block = slice(k * SWEEP_BLOCK, (k + 1) * SWEEP_BLOCK)
        out[..., block], state = scipy.signal.sosfilt(section[None], sound[..., block], zi=state)
    return out


def make_room(
    seconds: float, damping_hz: float, rng: np.random.Generator, rate: int = SAMPLE_RATE
) -> np.ndarray:
    """Impulse responses float32 [2, n] of left and right, unlike each other, of unit energy."""
    t = np.arange(int(seconds * rate)) / rate
    noise = rng.standard_normal((2, len(t))) * np.exp(-6.9 * t / seconds)
    noise *= np.clip(t / 0.008, 0, 1)
    response = high_pass(low_pass(noise.astype(np.float32), damping_hz, 1, rate), 220, 1, rate)
    return response / np.sqrt((response**2).sum(1, keepdims=True))


def reverb(sound: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Mono [N] in a room, float32 [2, N]."""
    return np.stack([scipy.signal.oaconvolve(sound, side)[: len(sound)] for side in room]).astype(np.float32)


def echoes(sound: np.ndarray, delay_s: float, feedback: float, count: int = 4) -> np.ndarray:
    """Repeats that swap sides and grow duller, float32 [2, N], without the sound itself."""
    out = np.zeros((2, len(sound)), np.float32)
    repeat, gain = low_pass(high_pass(sound, 300, 1), 4_500, 1), 1.0
    for k in range(1, count + 1):
        shift = round(k * delay_s * SAMPLE_RATE)
        gain *= feedback
        if shift < len(sound):
            out[k % 2, shift:] += gain * repeat[:-shift]
            out[1 - k % 2, shift:] += 0.35 * gain * repeat[:-shift]
    return out


def spread(sound: np.ndarray, width: float, pan: float, delay_s: float) -> np.ndarray:
    """Mono [N] to stereo [2, N]: a delayed copy of opposite sign on each side, gone in mono."""
    left = np.cos((pan + 1) * np.pi / 4) * np.sqrt(2)
    right = np.sin((pan + 1) * np.pi / 4) * np.sqrt(2)
    out = np.stack([left * sound, right * sound]).astype(np.float32)
    if width > 0:
        shift = round(delay_s * SAMPLE_RATE)
        side = np.zeros_like(sound)
        side[shift:] = width * high_pass(sound[:-shift], 250, 1)
        out[0] += side
        out[1] -= side
    return out


def ducking(times_s: np.ndarray, length: int, depth: float, hold_s: float) -> np.ndarray:
    """Gain float32 [length] that dips at every time and swells back within `hold_s`."""
    gain = np.ones(length, np.float32)
    t = np.arange(int(hold_s * SAMPLE_RATE)) / (hold_s * SAMPLE_RATE)
    dip = (1 - depth * (1 - t) ** 1.6 * np.minimum(t * hold_s / 0.004, 1)).astype(np.float32)
    for time_s in times_s:
        start = round(time_s * SAMPLE_RATE)
        first, last = max(0, start), min(length, start + len(dip))
        if first < last:
            gain[first:last] = np.minimum(gain[first:last], dip[first - start : last - start])
    return gain


def compress(mix: np.ndarray, threshold_db: float, ratio: float) -> np.ndarray:
    """Bus compression of [2, N] by its level: 15 ms to act, 150 ms to let go."""
    hop = SAMPLE_RATE // 200
    frames = -(-mix.shape[1] // hop)
    padded = np.pad(np.mean(mix**2, axis=0), (0, frames * hop - mix.shape[1]))
    level = 10 * np.log10(padded.reshape(frames, hop).mean(1) + 1e-9)
    over = np.maximum(level - threshold_db, 0) * (1 - 1 / ratio)
    fast, slow = (scipy.signal.lfilter([1 - a], [1, -a], over) for a in (np.exp(-5 / 15), np.exp(-5 / 150)))
    drop = np.maximum(fast, slow)
    at = np.arange(mix.shape[1]) / hop - 0.5
    return mix * np.interp(at, np.arange(frames), 10 ** (-drop / 20)).astype(np.float32)


def limit(mix: np.ndarray, ceiling: float) -> np.ndarray:
    """A limiter that looks 2 ms ahead, the same gain on both sides of [2, N]."""
    need = np.minimum(1.0, ceiling / np.maximum(np.abs(mix).max(0), 1e-9)).astype(np.float32)
    if need.min() >= 1:
        return mix
    width = SAMPLE_RATE // 250
    gain = scipy.ndimage.uniform_filter1d(scipy.ndimage.minimum_filter1d(need, 2 * width + 1), width)
    return mix * gain
