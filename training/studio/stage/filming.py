"""Sets a camera up for dancers and lets it move: framing first, then what the hand does."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from d2m_core.pose.landmarks import ANKLES, BOTH_HIPS, HIPS, KNEES

from .camera import CameraPath, aimed, wandering
from .shot import Shot

_CUT_AT = {"feet": ANKLES, "knees": KNEES, "hips": HIPS}
"""Landmarks that the lower edge of the picture cuts off, by crop."""

_DEG = np.pi / 180


def film(people: np.ndarray, shot: Shot, fps: float, rng: np.random.Generator) -> CameraPath:
    """A camera path for people [P, F, J, 3] in the scene; the first of them matters most."""
    frames = people.shape[1]
    spread = float(np.ptp(people[:, :, BOTH_HIPS, 0].mean((1, 2))))
    distance = rng.uniform(2.7, 5.0) + 0.7 * spread
    height = rng.uniform(0.6, 1.75)
    side = rng.normal(0.0, 0.5)
    middle = people.mean((0, 1, 2))
    position = np.tile([middle[0] + side, -height, middle[2] - distance], (frames, 1))
    target = np.tile(middle, (frames, 1))
    angles, focal, sight = _framed(people, position[0], target[0], shot, rng)
    straight = aimed(position[:1], target[:1])
    if {"dolly", "arc"} & set(shot.moves):
        position = _travel(position, middle, shot, rng)
    angles = angles + aimed(position, target) - straight  # [F, 3]
    angles = angles + _turns(people, sight, shot, fps, rng)
    focals = focal * _zoom(frames, shot, rng)
    if "handheld" in shot.moves:
        position, angles = _shaken(position, angles, fps, rng)
    return CameraPath(position, angles, focals, shot.aspect, fps)


def _framed(
    people: np.ndarray, position: np.ndarray, target: np.ndarray, shot: Shot, rng: np.random.Generator
) -> tuple[np.ndarray, float, tuple[float, float]]:
    """Angles [1, 3], focal length and half angles of sight (across, down) for what `shot` shows."""
    angles = aimed(position[None], target[None])
    air, fill = rng.uniform(0.04, 0.2), rng.uniform(0.9, 1.0)
    cut, width, to_right = rng.uniform(0.08, 0.35), rng.uniform(0.9, 1.1), rng.random() < 0.5
    low = high = left = right = 0.0
    for _ in range(2):  # turning the camera changes what is at the edges, so once more
        camera = CameraPath(position[None], angles, np.ones(1), shot.aspect, 1.0)
        view = camera.to_view(people.reshape(1, -1, 3)).reshape(people.shape)
        flat = view[..., :2] / np.maximum(view[..., 2:], 0.5)
        # What the dancers fill, but for rare poses: a hand thrown up may leave the picture.
        low, high = np.quantile(flat[..., 1], (0.004, 0.998))
        left, right = np.quantile(flat[..., 0], (0.004, 0.996))
        if shot.crop in _CUT_AT:
            high = float(np.median(flat[:, :, _CUT_AT[shot.crop], 1]))
            high -= 0.03 * (high - low) if shot.crop != "knees" else 0.0
        margin = air * (high - low)
        low, high = low - margin, high + (margin if shot.crop in ("full", "side") else 0.0)
        if shot.crop == "side":
            edges = np.quantile(flat[0, ..., 0], [cut, 1 - cut])
            wide = shot.aspect * (high - low) * width
            left, right = (edges[0], edges[0] + wide) if to_right else (edges[1] - wide, edges[1])
        angles = angles + np.array([[np.arctan((left + right) / 2), np.arctan((low + high) / 2), 0]])
    focal = fill / (high - low)
    if shot.crop in ("full", "feet"):  # these show all of the width, too
        focal = min(focal, 0.97 * shot.aspect / (right - left))
    elif shot.crop == "side":
        focal = shot.aspect / (right - left)
    return angles, float(focal), (float(np.arctan(shot.aspect / 2 / focal)), float(0.5 / focal))


def _travel(position: np.ndarray, middle: np.ndarray, shot: Shot, rng: np.random.Generator) -> np.ndarray:
    """Positions [F, 3] that come nearer or go away, or circle round the dancers."""
    share = _eased(len(position), rng)
    offset = position - middle
    if "dolly" in shot.moves:
        offset = offset * (1.0 + rng.choice([-1, 1]) * rng.uniform(0.08, 0.25) * share)[:, None]
    if "arc" in shot.moves:
        angle = rng.choice([-1, 1]) * rng.uniform(10, 32) * _DEG * (share - 0.5)
        c, s = np.cos(angle), np.sin(angle)
        offset = np.stack(
            [offset[:, 0] * c + offset[:, 2] * s, offset[:, 1], offset[:, 2] * c - offset[:, 0] * s], -1
        )
    out = middle + offset
    out[:, 1] = position[:, 1]
    return out


def _eased(frames: int, rng: np.random.Generator) -> np.ndarray:
    """0..1 over the clip [F]: once across, or there and back, or most of it in a short time."""
    time = np.linspace(0.0, 1.0, frames)
    draw = rng.random()
    if draw < 0.4:
        return time
    if draw < 0.75:
        return 0.5 - 0.5 * np.cos(2 * np.pi * (time * rng.uniform(0.5, 2.0) + rng.random()))
    start, length = rng.uniform(0.1, 0.7), rng.uniform(0.05, 0.3)
    share = np.clip((time - start) / length, 0.0, 1.0)
    return share * share * (3 - 2 * share)


def _turns(
    people: np.ndarray, sight: tuple[float, float], shot: Shot, fps: float, rng: np.random.Generator
) -> np.ndarray:
    """Angles [F, 3] added by panning and tilting."""
    frames = people.shape[1]
    turns = np.zeros((frames, 3))
    if "follow" in shot.moves:
        hips = people[0, :, BOTH_HIPS].mean(1)
        late = max(0, round(rng.uniform(0.05, 0.4) * fps))
        way = gaussian_filter1d(hips - hips.mean(0), 0.3 * fps, axis=0, mode="nearest")
        way = np.concatenate([np.repeat(way[:1], late, 0), way])[:frames]
        share = rng.uniform(0.6, 1.0)
        turns[:, 0] += share * way[:, 0] / rng.uniform(2.8, 4.5)
        turns[:, 1] += 0.5 * share * way[:, 1] / rng.uniform(2.8, 4.5)
    if "drift" in shot.moves:
        reach = rng.choice([-1, 1]) * rng.uniform(0.15, 0.5) * sight[0]
        turns[:, 0] += reach * (_eased(frames, rng) - 0.5)
    if "tilt" in shot.moves:
        turns[:, 1] += rng.uniform(0.1, 0.3) * sight[1] * (_eased(frames, rng) - 0.5)
        lean = np.clip(rng.normal(0, 5), -11, 11) * _DEG
        turns[:, 2] += lean * (0.6 + 0.4 * _eased(frames, rng))
    return turns


def _zoom(frames: int, shot: Shot, rng: np.random.Generator) -> np.ndarray:
    """Factors [F] of the focal length."""
    if "zoom" not in shot.moves:
        return np.ones(frames)
    share = _eased(frames, rng)
    return np.exp(np.log(rng.uniform(1.15, 1.6)) * (share - 0.75))


def _shaken(
    position: np.ndarray, angles: np.ndarray, fps: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A hand's sway, tremor and roll, and a step now and then."""
    frames, restless = len(position), float(rng.lognormal(0.0, 0.4))
    sway = wandering(frames, 3, 0.45, fps, rng) * np.array([0.5, 0.4, 0.6])
    tremor = wandering(frames, 3, 0.06, fps, rng) * np.array([0.06, 0.07, 0.05])
    shift = wandering(frames, 3, 0.5, fps, rng) * np.array([0.02, 0.012, 0.015])
    if rng.random() < 0.2:
        pace = 2 * np.pi * rng.uniform(1.5, 2.1) * np.arange(frames) / fps
        shift[:, 1] += 0.012 * np.abs(np.sin(pace / 2))
        sway[:, 0] += 0.25 * np.sin(pace / 2)
    lean = np.array([0.0, 0.0, rng.normal(0.0, 1.2)])
    return position + restless * shift, angles + (restless * (sway + tremor) + lean) * _DEG
