"""Values that arrive at given times and rest or flow between: arithmetic on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d


@dataclass(frozen=True, eq=False)
class Track:
    """A channel bundle followed over frames."""

    values: np.ndarray
    """[F, C]."""
    index: np.ndarray
    """[F] event that is being approached or, between movements, has not begun yet."""
    share: np.ndarray
    """[F] how much of the way to it is done, 0..1; 0 means that it has not begun."""


def follow(
    times: np.ndarray,
    arrive: np.ndarray,
    leave: np.ndarray,
    values: np.ndarray,
    flow: np.ndarray | None = None,
    snap: float = 1.0,
) -> Track:
    """Moves between events [E] (rising `arrive`, `leave` after the arrival before), values [E, C].

    `flow` [E] marks events that are passed without a stop; `snap` > 1 starts late, arrives fast.
    """
    index = np.clip(np.searchsorted(arrive, times), 1, len(arrive) - 1)
    span = np.maximum(arrive[index] - leave[index], 0.02)
    share = np.clip((times - leave[index]) / span, 0.0, 1.0)
    share[times > arrive[-1]] = 1.0
    u = (share**snap)[:, None]
    before, after = values[index - 1], values[index]
    out = before + (after - before) * (u * u * (3.0 - 2.0 * u))
    if flow is not None and flow.any():
        slope = np.zeros_like(values)
        gap = np.maximum(arrive[2:] - arrive[:-2], 0.05)[:, None]
        slope[1:-1] = np.where(flow[1:-1, None], (values[2:] - values[:-2]) / gap, 0.0)
        u = share[:, None]
        start = np.where((leave[index] - arrive[index - 1] < 0.02)[:, None], slope[index - 1], 0.0)
        out = out + span[:, None] * ((u * (1 - u) ** 2) * start - (u * u * (1 - u)) * slope[index])
    return Track(out, index, share)


def times_of(
    arrive: np.ndarray, wanted_s: np.ndarray, least_s: np.ndarray | float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Rising arrivals and departures [E]: a movement takes `wanted_s` where there is time for it.

    Where the event before leaves less than `least_s`, the arrival is late.
    """
    arrive = arrive.copy()
    least = np.broadcast_to(least_s, arrive.shape)
    for k in range(1, len(arrive)):
        arrive[k] = max(arrive[k], arrive[k - 1] + max(0.02, float(least[k])))
    leave = arrive - np.maximum(wanted_s, least)
    leave[1:] = np.maximum(leave[1:], arrive[:-1])
    return arrive, leave


def smooth(values: np.ndarray, sigma_s: float, fps: float) -> np.ndarray:
    """Gaussian filter over frames [F, ...] without delay, ends held."""
    if sigma_s * fps < 0.15:
        return values
    return gaussian_filter1d(values, sigma_s * fps, axis=0, mode="nearest", truncate=3.0)


def pulses(times: np.ndarray, at: np.ndarray, amount: np.ndarray, rise_s: float, fall_s: float) -> np.ndarray:
    """Sum [F] of smooth bumps that begin at `at` [E], are `amount` [E] high after `rise_s`."""
    out = np.zeros(len(times))
    if len(at) == 0:
        return out
    first = np.searchsorted(times, at)
    last = np.searchsorted(times, at + rise_s + fall_s)
    for start, end, zero, height in zip(first, last, at, amount, strict=True):
        t = times[start:end] - zero
        up = np.clip(t / rise_s, 0.0, 1.0)
        down = np.clip((t - rise_s) / fall_s, 0.0, 1.0)
        out[start:end] += height * (up * up * (3 - 2 * up)) * (1 - down * down * (3 - 2 * down))
    return out


def soft_min(a: np.ndarray, b: np.ndarray, width: float = 0.03) -> np.ndarray:
    """Smooth minimum, at most `width` / 4 below the true one."""
    h = np.clip(0.5 + 0.5 * (b - a) / width, 0.0, 1.0)
    return b + (a - b) * h - width * h * (1.0 - h)


def bounded(values: np.ndarray, limit: float) -> np.ndarray:
    """Values that bend softly so as to stay within ±limit; small ones stay as they are."""
    return limit * np.tanh(values / limit) if limit > 0 else values * 0.0
