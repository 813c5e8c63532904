"""What else is in the picture: things in front of the dancers, people at the wall behind them."""

from __future__ import annotations

import cv2
import numpy as np

from training.studio.stage.camera import NEAREST_M, Camera
from training.studio.stage.passer import Occluder

from .figure import Figure
from .look import random_look
from .paint import limb, soft_polygon
from .room import to_picture

_LOOKERS_ON = (3, 9)
_CROWD_M, _CROWD_HIGH_M = (-5.0, 5.0), 2.3
_CROWD_FROM_WALL_M = 0.35


def paint_thing(picture: np.ndarray, thing: Occluder, camera: Camera) -> None:
    """A box or a plant onto the picture."""
    foot, size_m = thing.foot[0], (thing.width_m, thing.height_m)
    view = camera.to_view(foot)
    if view[2] < 2 * NEAREST_M:
        return
    height, width = picture.shape[:2]
    unit = camera.focal * height / view[2]
    base = camera.project(foot) * height
    up = (camera.project(foot - [0.0, 0.1, 0.0]) - camera.project(foot)) * height / 0.1
    reach = max(size_m) * unit
    if not -reach < base[0] < width + reach or not -reach < base[1] < height + 2 * reach:
        return
    rng = np.random.default_rng([thing.seed, 0x0B0E])
    painter = _box if thing.kind == "box" else _plant
    painter(picture, base, up, unit, size_m, rng)


def _box(
    picture: np.ndarray,
    base: np.ndarray,
    up: np.ndarray,
    unit: float,
    size_m: tuple[float, float],
    rng: np.random.Generator,
) -> None:
    """A loudspeaker, a case or a table's front."""
    half = np.array([size_m[0] / 2 * unit, 0.0])
    top = base + up * size_m[1]
    shade = rng.uniform(0.08, 0.5) * rng.uniform(0.8, 1.2, 3)
    colour = (float(shade[0]), float(shade[1]), float(shade[2]))
    corners = np.array([base - half, base + half, top + half, top - half])
    soft_polygon(picture, corners, 0.04 * unit, colour)
    lid = np.array([[0.0, -0.12 * unit], [0.0, -0.12 * unit]])
    back = np.concatenate([corners[2:], corners[3:1:-1] * [0.94, 1] + [0.06 * base[0], 0] + lid])
    light = (colour[0] * 1.25, colour[1] * 1.25, colour[2] * 1.25)
    soft_polygon(picture, back, 0.03 * unit, light)
    if rng.random() < 0.6:
        for share in (0.3, 0.72):
            middle = base + up * size_m[1] * share
            radius = 0.32 * size_m[0] * unit * (1.0 if share < 0.5 else 0.6)
            radius = min(radius, 0.18 * size_m[1] * unit)
            limb(picture, middle, middle + 0.5, radius, radius, (0.06, 0.06, 0.07))
            limb(picture, middle, middle + 0.5, radius / 2, radius / 2, (0.2, 0.2, 0.22))


def _plant(
    picture: np.ndarray,
    base: np.ndarray,
    up: np.ndarray,
    unit: float,
    size_m: tuple[float, float],
    rng: np.random.Generator,
) -> None:
    """A pot with long leaves."""
    wide, tall = size_m[0] * unit, size_m[1]
    root = base + up * 0.28
    for _ in range(26):
        lean, reach = rng.uniform(-1, 1), rng.uniform(0.45, 1.0)
        green = rng.uniform(0.28, 0.55)
        colour = (0.45 * green, float(green), 0.5 * green)
        bend = root + up * (tall - 0.3) * reach * 0.6 + [lean * wide * 0.22, 0.0]
        tip = root + up * (tall - 0.3) * reach + [lean * wide * 0.5, 0.0]
        limb(picture, root, bend, 0.012 * unit, 0.035 * unit, colour)
        limb(picture, bend, tip, 0.035 * unit, 0.008 * unit, colour)
    half = np.array([0.16 * unit, 0.0])
    pot = np.array([base - half * 0.8, base + half * 0.8, root + half, root - half])
    soft_polygon(picture, pot, 0.1 * unit, (0.6, 0.34, 0.24))


class Crowd:
    """People at the wall who sway with the beat; two layers, painted once."""

    def __init__(
        self, joints: np.ndarray, tall_m: float, seed: int, wall_m: float, picture_height: int
    ) -> None:
        """`joints` [F, J, 3] of a dancer in the scene lend their poses."""
        self.ppm = float(np.clip(0.25 * picture_height, 40.0, 120.0))
        self.depth_m = wall_m - _CROWD_FROM_WALL_M
        rng = np.random.default_rng([seed, 0xC40D])
        spots = rng.uniform(_CROWD_M[0] + 0.8, _CROWD_M[1] - 0.8, int(rng.integers(*_LOOKERS_ON)))
        frames = rng.integers(len(joints), size=len(spots))
        self.layers = [self._layer(joints, tall_m, spots[part::2], frames[part::2], rng) for part in (0, 1)]

    def _layer(
        self,
        joints: np.ndarray,
        tall_m: float,
        spots: np.ndarray,
        frames: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Some of the people, float32 [h, w, 4], colour times coverage and coverage."""
        wide, high = round((_CROWD_M[1] - _CROWD_M[0]) * self.ppm), round(_CROWD_HIGH_M * self.ppm)
        far = 40.0
        camera = Camera((0.0, -_CROWD_HIGH_M / 2, -far), (0.0, 0.0, 0.0), far * self.ppm / high, wide / high)
        grounds = [np.zeros((high, wide, 3), np.float32), np.ones((high, wide, 3), np.float32)]
        for spot, frame in zip(spots, frames, strict=True):
            body = joints[frame].astype(np.float64)
            body = body - [body[:, 0].mean() - spot, body[:, 1].max(), body[:, 2].mean()]
            look = random_look(int(rng.integers(2**31)))
            for ground in grounds:
                Figure(body, camera, look, wide, high, tall_m).paint(ground)
        coverage = 1.0 - np.clip(grounds[1] - grounds[0], 0.0, 1.0).mean(-1)
        layer = np.dstack([0.82 * grounds[0], coverage]).astype(np.float32)
        return cv2.GaussianBlur(layer, (0, 0), 0.012 * self.ppm + 0.3)

    def paint(self, picture: np.ndarray, camera: Camera, beat: float) -> None:
        """The crowd onto the picture, at a place in beats."""
        height, width = picture.shape[:2]
        for layer, sign in zip(self.layers, (1.0, -1.0), strict=True):
            sway = sign * 0.04 * np.sin(np.pi * beat)
            corner = np.array([_CROWD_M[0] + sway, -_CROWD_HIGH_M, self.depth_m])
            axes = np.stack([[1 / self.ppm, 0, 0], [0, 1 / self.ppm, 0], corner], 1)
            seen = cv2.warpPerspective(
                layer,
                to_picture(axes, camera, width, height),
                (width, height),
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
            )
            picture *= 1.0 - seen[..., 3:]
            picture += seen[..., :3]
