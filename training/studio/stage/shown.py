"""Which moment a clip shows at each motion frame: frame rates, uneven times, lost pictures."""

from __future__ import annotations

import numpy as np

SOURCE_FPS = (24.0, 25.0, 29.97, 30.0, 50.0, 59.94)
"""Frame rates of the clips that real poses come from."""

_SHARES = (0.12, 0.1, 0.25, 0.38, 0.05, 0.1)


def shown_at(frames: int, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Places in frames, float64 [F], of what is in the picture at each frame's time.

    A clip of a frame rate of its own shows its last picture; some clips have uneven times, and
    some lose pictures, so that one stays for longer.
    """
    source_fps = float(rng.choice(SOURCE_FPS, p=_SHARES))
    first = rng.random()
    uneven_s = 0.006 if rng.random() < 0.15 else 0.001
    lost_share = rng.uniform(0.01, 0.08) if rng.random() < 0.12 else 0.0
    count = int(np.ceil(frames / fps * source_fps)) + 2
    taken_s = (np.arange(count) - first) / source_fps + rng.normal(0.0, uneven_s, count)
    kept = rng.random(count) >= lost_share
    kept[0] = True
    latest = np.maximum.accumulate(np.where(kept, np.arange(count), 0))
    times = np.arange(frames) / fps
    index = np.clip(np.floor(times * source_fps + first + 1e-6).astype(int), 0, count - 1)
    return np.clip(taken_s[latest[index]] * fps, 0.0, frames - 1.0)
