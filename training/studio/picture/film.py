"""What a cheap camera does to a picture: exposure, colour cast, softness, grain, motion blur."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Film:
    """Faults of a camera. The default has none."""

    exposure: float = 1.0
    """Factor of the brightness."""
    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Factors of red, green and blue."""
    flicker: float = 0.0
    """How much the exposure wanders, as a share."""
    softness: float = 0.0
    """Blur in thousandths of the picture's height."""
    grain: float = 0.0
    """Spread of the noise in 0..1."""
    shutter: float = 0.0
    """Share of the frame's time that it is open; above 0 each frame is drawn twice."""


CLEAN = Film()


def random_film(seed: int) -> Film:
    """A camera of a seed: a third is clean, the rest is dim, warm, soft, grainy or slow."""
    rng = np.random.default_rng([seed, 0xF11A])
    if rng.random() < 0.35:
        return CLEAN
    warm = rng.normal(0.0, 0.06)
    return Film(
        float(np.exp(rng.normal(-0.1, 0.25))),
        (1.0 + float(warm), 1.0, 1.0 - float(warm)),
        float(rng.uniform(0, 0.06)) if rng.random() < 0.3 else 0.0,
        float(rng.choice([0.0, rng.uniform(0.5, 4.0)])),
        float(rng.choice([0.0, rng.uniform(0.01, 0.05)])),
        float(rng.choice([0.0, rng.uniform(0.2, 0.6)], p=[0.65, 0.35])),
    )


def developed(picture: np.ndarray, film: Film, frame: int, seed: int) -> np.ndarray:
    """The picture float32 [H, W, 3] in 0..1 as the camera stores it, uint8 RGB."""
    if film.softness > 0:
        sigma = film.softness * picture.shape[0] / 1000
        picture = cv2.GaussianBlur(picture, (0, 0), max(sigma, 0.3))
    light = film.exposure * (1.0 + film.flicker * np.sin(0.9 * frame) * np.sin(0.37 * frame))
    if light != 1.0 or film.cast != (1.0, 1.0, 1.0):
        picture = picture * (np.float32(light) * np.array(film.cast, np.float32))
    if film.grain > 0:
        rng = np.random.default_rng([seed, 0x94A1, frame])
        grain = rng.standard_normal(picture.shape[:2], np.float32)
        picture = picture + np.float32(film.grain) * grain[..., None]
    return cv2.convertScaleAbs(np.clip(picture, 0.0, 1.0), alpha=255.0)
