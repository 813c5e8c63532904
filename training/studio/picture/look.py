"""What a drawn dancer wears and the room around them, from the seed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from training.studio.dancer.body import Camera

from .paint import Colour, HeadLook

_SKINS: tuple[Colour, ...] = (
    (0.96, 0.80, 0.69), (0.90, 0.70, 0.56), (0.80, 0.59, 0.44), (0.62, 0.43, 0.31), (0.45, 0.30,
    0.22),
)  # fmt: skip
_HAIRS: tuple[Colour, ...] = (
    (0.10, 0.08, 0.08), (0.24, 0.15, 0.10), (0.42, 0.26, 0.14), (0.78, 0.60, 0.32), (0.52, 0.20,
    0.12),
)  # fmt: skip
_CLOTHES: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((0.93, 0.36, 0.30), (0.16, 0.22, 0.38), (0.95, 0.95, 0.93)),
    ((0.98, 0.78, 0.25), (0.24, 0.24, 0.28), (0.90, 0.30, 0.28)),
    ((0.20, 0.68, 0.64), (0.55, 0.42, 0.30), (0.96, 0.94, 0.90)),
    ((0.55, 0.38, 0.78), (0.14, 0.15, 0.20), (0.96, 0.85, 0.35)),
    ((0.94, 0.94, 0.92), (0.22, 0.38, 0.62), (0.85, 0.25, 0.30)),
    ((0.28, 0.50, 0.86), (0.86, 0.82, 0.74), (0.20, 0.20, 0.24)),
    ((0.90, 0.47, 0.62), (0.20, 0.30, 0.34), (0.97, 0.97, 0.97)),
    ((0.40, 0.64, 0.30), (0.18, 0.18, 0.22), (0.95, 0.60, 0.25)),
)  # fmt: skip
"""Top, trousers, shoes."""
_WALLS: tuple[Colour, ...] = (
    (0.80, 0.77, 0.74), (0.70, 0.76, 0.80), (0.83, 0.76, 0.68), (0.74, 0.79, 0.73), (0.78, 0.73,
    0.80),
    (0.62, 0.66, 0.74),
)  # fmt: skip
_FLOORS: tuple[Colour, ...] = (
    (0.66, 0.50, 0.36),
    (0.52, 0.42, 0.35),
    (0.58, 0.58, 0.60),
    (0.72, 0.60, 0.47),
)


@dataclass(frozen=True)
class Look:
    """Everything about the picture that is not movement."""

    head: HeadLook
    top: Colour
    trousers: Colour
    shoes: Colour
    long_sleeves: bool
    shorts: bool
    ponytail: bool
    stripe: bool
    wall: Colour
    floor: Colour

    @property
    def skin(self) -> Colour:
        return self.head.skin


def random_look(seed: int) -> Look:
    """Clothes, hair and room of a seed."""
    rng = np.random.default_rng([seed, 0x100C])

    def pick(options: tuple) -> tuple:
        return options[int(rng.integers(len(options)))]

    skin, hair = pick(_SKINS), pick(_HAIRS)
    lips: Colour = (0.86 * skin[0], 0.52 * skin[1], 0.52 * skin[2])
    iris = pick(((0.20, 0.13, 0.09), (0.22, 0.34, 0.44), (0.22, 0.32, 0.18)))
    ponytail = bool(rng.random() < 0.4)
    low = 0.07 if ponytail else float(rng.choice([0.03, 0.06, 0.1]))
    top, trousers, shoes = pick(_CLOTHES)
    return Look(
        HeadLook(skin, hair, lips, iris, low, float(rng.uniform(0.045,
        0.065))), top, trousers, shoes,
        bool(rng.random() < 0.35), bool(rng.random() < 0.3), ponytail, bool(rng.random() < 0.5),
        pick(_WALLS), pick(_FLOORS),
    )  # fmt: skip


def room(look: Look, camera: Camera, width: int, height: int, depth_m: float = 2.2) -> np.ndarray:
    """The empty room, float32 [H, W, 3]: a wall in soft light, a plank floor, a skirting board."""
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    right = (xs + 0.5 - width / 2) / (camera.focal * height)
    down = (ys + 0.5 - height / 2) / (camera.focal * height)
    c, s = np.cos(camera.pitch), np.sin(camera.pitch)
    drop, ahead = down * c + s, c - down * s  # picture ray -> scene axes
    reach = np.where(drop > 1e-4, camera.height_m / np.maximum(drop, 1e-4), np.inf)
    wall_at = (camera.distance_m + depth_m) / np.maximum(ahead, 1e-3)
    on_floor = reach < wall_at
    picture = _wall(look, right * wall_at, camera.height_m - drop * wall_at)
    spot = np.where(on_floor, reach, 1.0)
    planks = _floor(look, right * spot, ahead * spot - camera.distance_m, spot)
    softness = np.clip((wall_at - reach) / (wall_at * 2.0 / (height * camera.focal)) + 0.5, 0, 1)
    picture += (planks - picture) * np.nan_to_num(softness, posinf=1.0, neginf=0.0)[..., None]
    radius = np.hypot(right * 0.8, down) * camera.focal
    return (picture * (1.03 - 0.35 * radius**2)[..., None]).astype(np.float32)


def _wall(look: Look, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Wall colour at metres right of the middle and metres above the floor."""
    glow = np.exp(-(((x + 0.6) / 2.2) ** 2) - ((y - 1.9) / 1.5) ** 2)
    shade = 0.74 + 0.24 * glow + 0.05 * np.clip(y / 2.6, -1, 1)
    wall = shade[..., None] * np.array(look.wall)
    band = np.clip((0.95 - y) / 0.01, 0, 1)[..., None]
    wall = wall * (1 - band) + wall * np.array([0.86, 0.87, 0.9]) * band
    rail = (np.clip((0.013 - np.abs(y - 0.955)) / 0.006, 0, 1) * 0.8)[..., None]
    wall += (np.array([0.93, 0.92, 0.9]) * shade[..., None] - wall) * rail
    board = np.clip((0.11 - y) / 0.008, 0, 1)[..., None]
    return wall + (np.array([0.90, 0.89, 0.87]) * shade[..., None] * 0.95 - wall) * board


def _floor(look: Look, x: np.ndarray, z: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Floor colour at metres right and away: planks towards the wall, in a pool of light."""
    row = np.floor(x / 0.16)
    tone = 0.93 + 0.07 * np.sin(row * 12.9898) + 0.02 * np.sin(z * 9 + row * 4.1)
    fade = np.clip(2.0 / np.maximum(distance, 0.5), 0, 1)
    gap = np.abs(x / 0.16 - row - 0.5) > 0.475
    tone = tone * (1 - 0.22 * gap * fade)
    pool = 0.72 + 0.34 * np.exp(-((x / 1.7) ** 2) - ((z + 0.1) / 1.5) ** 2)
    return (tone * pool)[..., None] * np.array(look.floor)


def shadow(points: list[np.ndarray], widths: list[float], width: int, height: int) -> np.ndarray:
    """Soft darkness [H, W] in 0..1 of strokes [2, 2] on the floor, in pixels with widths."""
    small = 4
    mask = np.zeros((max(1, height // small), max(1, width // small)), np.uint8)
    for line, thick in zip(points, widths, strict=True):
        ends = np.clip(np.round(line / small * 16), -30000, 30000).astype(np.int32)
        cv2.line(
            mask,
            ends[0].tolist(),
            ends[1].tolist(),
            255,
            max(1, round(thick / small)),
            cv2.LINE_AA,
            4,
        )
    soft = cv2.GaussianBlur(mask, (0, 0), max(1.0, height / small / 60))
    return (
        cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32) / 255
    )
