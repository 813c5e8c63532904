"""What a drawn dancer wears and the room around them, from the seed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .paint import Colour, HeadLook

_SKINS: tuple[Colour, ...] = (
    (0.96, 0.80, 0.69),
    (0.90, 0.70, 0.56),
    (0.80, 0.59, 0.44),
    (0.62, 0.43, 0.31),
    (0.45, 0.30, 0.22),
)
_HAIRS: tuple[Colour, ...] = (
    (0.10, 0.08, 0.08),
    (0.24, 0.15, 0.10),
    (0.42, 0.26, 0.14),
    (0.78, 0.60, 0.32),
    (0.52, 0.20, 0.12),
)
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
    (0.80, 0.77, 0.74), (0.70, 0.76, 0.80), (0.83, 0.76, 0.68),
    (0.74, 0.79, 0.73), (0.78, 0.73, 0.80), (0.62, 0.66, 0.74),
)  # fmt: skip
_FLOORS: tuple[Colour, ...] = ((0.66, 0.50, 0.36), (0.52, 0.42, 0.35), (0.58, 0.58, 0.60), (0.72, 0.60, 0.47))


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
        HeadLook(skin, hair, lips, iris, low, float(rng.uniform(0.045, 0.065))),
        top,
        trousers,
        shoes,
        bool(rng.random() < 0.35),
        bool(rng.random() < 0.3),
        ponytail,
        bool(rng.random() < 0.5),
        pick(_WALLS),
        pick(_FLOORS),
    )


def shadow(points: list[np.ndarray], widths: list[float], width: int, height: int) -> np.ndarray:
    """Soft darkness [H, W] in 0..1 of strokes [2, 2] on the floor, in pixels with widths."""
    small = 4
    mask = np.zeros((max(1, height // small), max(1, width // small)), np.uint8)
    for line, thick in zip(points, widths, strict=True):
        ends = np.clip(np.round(line / small * 16), -30000, 30000).astype(np.int32)
        cv2.line(mask, ends[0].tolist(), ends[1].tolist(), 255, max(1, round(thick / small)), cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask, (0, 0), max(1.0, height / small / 60))
    return cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32) / 255
