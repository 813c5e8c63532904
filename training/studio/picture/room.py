"""The empty room behind the dancers: wall and floor are painted once and seen by any camera."""

from __future__ import annotations

import cv2
import numpy as np

from training.studio.stage.camera import Camera

from .look import Look

_WALL_M, _WALL_HIGH_M = (-11.0, 11.0), 4.2
_FLOOR_M, _FLOOR_NEAR_M = (-6.0, 6.0), -5.5
_LEAST_PPM, _MOST_PPM = 50.0, 200.0


class Room:
    """Paints the room as a camera sees it; `ppm` pixels per metre are enough for its pictures."""

    def __init__(self, look: Look, seed: int, wall_m: float, picture_height: int) -> None:
        ppm = float(np.clip(0.42 * picture_height, _LEAST_PPM, _MOST_PPM))
        rng = np.random.default_rng([seed, 0x4004])
        self.wall_m = wall_m
        self.wall = _wall(look, ppm, rng)
        self.floor = _floor(look, ppm, wall_m)
        self._lens: dict[tuple[int, int], np.ndarray] = {}
        self._wall_axes = _plane(ppm, (_WALL_M[0], -_WALL_HIGH_M, wall_m), upright=True)
        self._floor_axes = _plane(ppm, (_FLOOR_M[0], 0.0, _FLOOR_NEAR_M), upright=False)

    def seen(self, camera: Camera, width: int, height: int) -> np.ndarray:
        """The empty room, float32 [H, W, 3] in 0..1."""
        above = self._warped(self.wall, self._wall_axes, camera, width, height)
        below = self._warped(self.floor, self._floor_axes, camera, width, height)
        share = self._below(camera, width, height)[..., None]
        picture = above.astype(np.float32)
        picture += (below - picture) * share
        if (width, height) not in self._lens:
            self._lens[width, height] = _vignette(width, height)[..., None]
        picture *= self._lens[width, height]
        return picture

    def _warped(
        self, texture: np.ndarray, axes: np.ndarray, camera: Camera, width: int, height: int
    ) -> np.ndarray:
        """A painted plane as the camera sees it, uint8 [H, W, 3]."""
        return cv2.warpPerspective(
            texture,
            to_picture(axes, camera, width, height),
            (width, height),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def _below(self, camera: Camera, width: int, height: int) -> np.ndarray:
        """Share of floor in each pixel [H, W]: all that lies under the foot of the wall."""
        ends = np.array([[-30.0, 0.0, self.wall_m], [30.0, 0.0, self.wall_m]])
        view = camera.to_view(ends)
        across = np.cross(view[0], view[1])  # normal of the plane through eye and wall foot
        unit = camera.focal * height
        right = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / unit
        down = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) / unit
        steep = np.hypot(across[0], across[1]) / unit
        side = across[0] * right[None] + across[1] * down[:, None] + across[2]
        return np.clip(side / steep + 0.5, 0.0, 1.0).astype(np.float32)


def _plane(ppm: float, corner: tuple[float, float, float], upright: bool) -> np.ndarray:
    """Texture pixels (x, y, 1) -> scene points, [3, 3]; y goes down the wall or into the room."""
    right = np.array([1.0, 0.0, 0.0]) / ppm
    along = np.array([0.0, 1.0, 0.0] if upright else [0.0, 0.0, 1.0]) / ppm
    return np.stack([right, along, np.array(corner)], 1)


def to_picture(axes: np.ndarray, camera: Camera, width: int, height: int) -> np.ndarray:
    """Texture pixels (x, y, 1) -> picture pixels, homography [3, 3]."""
    placed = axes.copy()
    placed[:, 2] -= camera.position
    unit = camera.focal * height
    lens = np.array([[unit, 0, width / 2 - 0.5], [0, unit, height / 2 - 0.5], [0, 0, 1.0]])
    return lens @ camera.rotation @ placed


def _vignette(width: int, height: int) -> np.ndarray:
    """Brightness [H, W] of a lens, and the step from bytes to 0..1."""
    right = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / height
    down = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) / height
    radius2 = 0.64 * right[None] ** 2 + down[:, None] ** 2
    return (1.03 - 0.35 * np.minimum(radius2, 1.2)) / np.float32(255)


def _wall(look: Look, ppm: float, rng: np.random.Generator) -> np.ndarray:
    """Wall uint8 [h, w, 3]: soft light, a rail, a skirting board, a few pictures."""
    x = np.arange(*_WALL_M, 1 / ppm, dtype=np.float32)[None]
    y = _WALL_HIGH_M - np.arange(0, _WALL_HIGH_M, 1 / ppm, dtype=np.float32)[:, None]
    glow = np.exp(-(((x + 0.6) / 2.6) ** 2)) * np.exp(-(((y - 1.9) / 1.5) ** 2))
    shade = (0.74 + 0.24 * glow + 0.05 * np.clip(y / 2.6, -1, 1)).astype(np.float32)
    wall = shade[..., None] * np.array(look.wall, np.float32)
    low = np.clip((0.95 - y) / 0.01, 0, 1)[..., None]
    wall *= 1 - low * (1 - np.array([0.86, 0.87, 0.9], np.float32))
    for _ in range(int(rng.integers(0, 5))):
        _poster(wall, shade, ppm, rng)
    rail = np.clip((0.013 - np.abs(y - 0.955)) / 0.006, 0, 1)[..., None] * np.float32(0.8)
    wall += (np.array([0.93, 0.92, 0.9], np.float32) * shade[..., None] - wall) * rail
    board = np.clip((0.11 - y) / 0.008, 0, 1)[..., None]
    wall += (np.array([0.85, 0.84, 0.82], np.float32) * shade[..., None] - wall) * board
    return _bytes(wall)


def _poster(wall: np.ndarray, shade: np.ndarray, ppm: float, rng: np.random.Generator) -> None:
    """A framed picture on the wall, in place."""
    high, wide = rng.uniform(0.5, 1.1), rng.uniform(0.4, 1.4)
    left, top = rng.uniform(-4.0, 4.0 - wide) - _WALL_M[0], _WALL_HIGH_M - rng.uniform(2.0, 2.7)
    frame, ground = rng.uniform(0.1, 0.95, 3), rng.uniform(0.2, 0.9, 3)
    for inset, colour in ((0.0, frame), (0.05, ground)):
        rows = slice(int((top + inset) * ppm), int((top + high - inset) * ppm))
        cols = slice(int((left + inset) * ppm), int((left + wide - inset) * ppm))
        wall[rows, cols] = shade[rows, cols, None] * colour.astype(np.float32)
    for _ in range(4):
        spot = (
            int((left + wide * rng.uniform(0.2, 0.8)) * ppm),
            int((top + high * rng.uniform(0.2, 0.8)) * ppm),
        )
        radius = int(min(high, wide) * rng.uniform(0.06, 0.16) * ppm)
        cv2.circle(wall, spot, radius, rng.uniform(0.1, 0.9, 3).tolist(), -1, cv2.LINE_AA)


def _floor(look: Look, ppm: float, wall_m: float) -> np.ndarray:
    """Floor uint8 [h, w, 3]: planks towards the wall, in a pool of light."""
    x = np.arange(*_FLOOR_M, 1 / ppm, dtype=np.float32)[None]
    z = np.arange(_FLOOR_NEAR_M, wall_m, 1 / ppm, dtype=np.float32)[:, None]
    row = np.floor(x / 0.16)
    tone = 0.93 + 0.07 * np.sin(row * 12.9898) + 0.02 * np.sin(z * 9 + row * 4.1)
    gap = np.clip((np.abs(x / 0.16 - row - 0.5) - 0.46) / 0.03, 0, 1)
    tone = tone * (1 - 0.16 * gap)
    pool = 0.72 + 0.34 * np.exp(-((x / 1.7) ** 2)) * np.exp(-(((z + 0.1) / 1.5) ** 2))
    return _bytes((tone * pool)[..., None] * np.array(look.floor, np.float32))


def _bytes(picture: np.ndarray) -> np.ndarray:
    return (np.clip(picture, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)
