"""True landmarks -> what MediaPipe would have said: sampling, lag, jitter, slips and gaps.

The middle of every range was fitted to what MediaPipe (lite and full) said about drawn dancers; see
`_world_noise` and `_lagging`. The ranges are wider than that, since drawings are sharp and real
clips are not.
"""

from __future__ import annotations

import numpy as np

from d2m_core.types import LANDMARKS, PoseSequence
from training.studio.dancer.dance import Dance

SOURCE_FPS = (24.0, 25.0, 29.97, 30.0, 50.0, 59.94)
"""Frame rates of the clips that real poses come from."""

_SWAP = np.array(
    [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(i + (1 if i % 2 else -1) for i in range(11, 33))]
)
"""Index of the same landmark on the other side of the body."""


def _joint_scale() -> np.ndarray:
    """Jitter of each landmark [J] against that of a shoulder."""
    scale = np.ones(LANDMARKS)
    scale[:11] = 0.8
    scale[13:15], scale[15:17], scale[17:23] = 1.5, 2.2, 2.6
    scale[23:25], scale[25:27], scale[27:29], scale[29:33] = 0.6, 1.4, 1.8, 2.2
    return scale


JOINT_SCALE = _joint_scale()


def mediapipe_like(poses: Dance | PoseSequence, rng: np.random.Generator) -> PoseSequence:
    """The poses with an estimator's faults, drawn afresh for every call; one person or more."""
    clean = poses.poses if isinstance(poses, Dance) else poses
    level = float(rng.lognormal(np.log(0.0055), 0.5))
    swapped = _runs(clean.frames, rng, per_second=0.03 * rng.random(), longest_s=0.2, fps=clean.fps)
    world, image = _resampled(clean, rng)
    strength = rng.uniform(0.3, 1.0)
    pace = rng.uniform(6.0, 30.0)
    world, image = (_lagging(values, clean.fps, pace, strength) for values in (world, image))
    world = world * rng.normal(1.0, 0.04) + _world_noise(world, level, clean.fps, rng)
    image = image + _image_noise(image, clean, level, rng)
    world, image = (_slipped(values, swapped, level, clean.fps, rng) for values in (world, image))
    world = world - world[:, :, 23:25].mean(2, keepdims=True)
    visibility = clean.visibility * _visibility(clean, rng)
    present = _presence(clean, rng)
    keep = present[..., None]
    return PoseSequence(
        (world * keep[..., None]).astype(np.float32),
        (image * keep[..., None]).astype(np.float32),
        (visibility * keep).astype(np.float32),
        present,
        clean.fps,
    )


def _resampled(clean: PoseSequence, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Poses of the last source frame shown at each motion frame's time, with uneven frame times."""
    source_fps = float(rng.choice(SOURCE_FPS))
    times = np.arange(clean.frames) / clean.fps
    shown = (
        np.floor(times * source_fps + 1e-6 + rng.random()) / source_fps - rng.random() / source_fps
    )
    shown = np.clip(shown + rng.normal(0.0, 0.002, clean.frames), 0.0, times[-1])
    where = np.minimum(shown * clean.fps, clean.frames - 1.0)
    low = np.floor(where).astype(int)
    high = np.minimum(low + 1, clean.frames - 1)
    share = (where - low)[:, None, None, None]
    return tuple(
        values[low].astype(np.float64) * (1 - share) + values[high] * share
        for values in (clean.world, clean.image)
    )


def _lagging(values: np.ndarray, fps: float, pace: float, strength: float) -> np.ndarray:
    """A tracker's smoothing [F, P, J, C]: slow movements lag, fast ones are followed at once.

    Measured on drawn dancers: hips and knees 20 ms late, head and shoulders 15, hands 10.
    """
    out = np.empty_like(values)
    out[0] = values[0]
    for f in range(1, len(values)):
        gap = values[f] - out[f - 1]
        speed = np.linalg.norm(gap, axis=-1, keepdims=True) * fps
        alpha = 1.0 - strength * np.exp(-(3.0 + pace * speed) / fps * 4.0)
        out[f] = out[f - 1] + alpha * gap
    return out


def _coloured(
    shape: tuple[int, ...], smooth_s: float, fps: float, rng: np.random.Generator
) -> np.ndarray:
    """Unit noise over frames [F, ...] that wanders over about `smooth_s` seconds."""
    half = max(1, round(smooth_s * fps))
    raw = rng.standard_normal((shape[0] + 2 * half, *shape[1:])).astype(np.float32)
    total = np.cumsum(raw, axis=0)
    return (total[2 * half :] - total[: -2 * half]) / np.sqrt(2 * half)


def _world_noise(
    clean: np.ndarray, level: float, fps: float, rng: np.random.Generator
) -> np.ndarray:
    """Errors in metres [F, P, J, 3] of true places: jitter, wandering, bias and flattened depth.

    Fitted, in mm, to 12 drawn dancers. Jitter above 2.5 Hz: 2-6 (hips, shoulders) to 8-13 (arms,
    feet) across the picture, 8-38 in depth. All that moves: 7-37 across, 40-120 in depth. Constant
    bias: 3-40 across, 45-120 in depth, 10 at the hips.
    """
    shape = clean.shape
    deep = rng.uniform(1.5, 4.0)
    fast = rng.standard_normal(shape).astype(np.float32) * np.array([0.6, 0.45, 0.6 * deep])
    slow = _coloured(shape, 0.3, fps, rng) * np.array([2.2, 2.2, 2.4 * deep])
    bias = (
        rng.standard_normal((1, *shape[1:]))
        * np.array([2.5, 2.2, 3.2 * deep])
        * rng.uniform(0.5, 1.5)
    )
    gain = rng.normal((0.0, 0.0, -0.15), (0.04, 0.04, 0.3), size=(1, *shape[1:]))
    return (fast + slow + bias) * JOINT_SCALE[:, None] * level + gain * clean


def _image_noise(
    image: np.ndarray, clean: PoseSequence, level: float, rng: np.random.Generator
) -> np.ndarray:
    """Jitter [F, P, J, 2] in frame heights, in proportion to the dancer's size in the picture."""
    size = np.ptp(clean.image[..., 1], axis=2).mean() / 1.6
    fast = rng.standard_normal(image.shape).astype(np.float32) * 0.7
    slow = _coloured(image.shape, 0.25, clean.fps, rng) * 1.5
    return (fast + slow) * JOINT_SCALE[:, None] * level * size


def _slipped(
    values: np.ndarray, swapped: np.ndarray, level: float, fps: float, rng: np.random.Generator
) -> np.ndarray:
    """Left and right exchanged in some frames; now and then one limb jumps for a few frames."""
    out = values.copy()
    out[swapped] = values[swapped][:, :, _SWAP]
    for first in np.flatnonzero(rng.random(len(values)) < 0.15 / fps):
        last = first + int(rng.integers(1, 4))
        joints = rng.choice(np.arange(13, 33), size=int(rng.integers(1, 5)), replace=False)
        shift = rng.normal(0.0, 0.12 if values.shape[-1] == 3 else 0.04, size=values.shape[-1])
        out[first:last, :, joints] += shift
    return out


def _runs(
    frames: int, rng: np.random.Generator, *, per_second: float, longest_s: float, fps: float
) -> np.ndarray:
    """Marks bool [F]: runs of up to `longest_s`, starting `per_second` times per second."""
    marks = np.zeros(frames, bool)
    for first in np.flatnonzero(rng.random(frames) < per_second / fps):
        marks[first : first + max(1, int(rng.uniform(0, longest_s) * fps))] = True
    return marks


def _visibility(clean: PoseSequence, rng: np.random.Generator) -> np.ndarray:
    """0..1 [F, P, J]: high on the trunk, lower and restless on hands and feet."""
    base = 0.995 - 0.03 * (JOINT_SCALE - 0.6) * rng.uniform(0.0, 3.0)
    restless = 0.03 * JOINT_SCALE * np.abs(_coloured(clean.visibility.shape, 0.2, clean.fps, rng))
    return np.clip(base - restless * rng.uniform(0.0, 2.0), 0.05, 1.0)


def _presence(clean: PoseSequence, rng: np.random.Generator) -> np.ndarray:
    """Frames in which the person is found [F, P]; most clips have no gap, some have several."""
    rate = 0.0 if rng.random() < 0.6 else rng.uniform(0.02, 0.3)
    longest = float(rng.choice([0.12, 0.5]))
    lost = _runs(clean.frames, rng, per_second=rate, longest_s=longest, fps=clean.fps)
    present = clean.present & ~lost[:, None]
    return present if present.any() else clean.present
