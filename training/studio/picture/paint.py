"""Shaded, antialiased shapes on an RGB picture: tapered limbs, soft polygons, and a head.

Pictures are float32 [H, W, 3] in 0..1; points are pixels (x, y). Every shape is lit as if it were
round, from the upper left in front of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

Colour = tuple[float, float, float]

LIGHT = np.array([-0.45, -0.68, -0.58], np.float32)
"""Towards the light, in camera axes; about unit length."""

AMBIENT, DIFFUSE = 0.58, 0.52


def _window(
    picture: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[slice, slice, np.ndarray, np.ndarray] | None:
    """Rows, columns and pixel coordinates of a box, or None outside the picture."""
    height, width = picture.shape[:2]
    x0, y0 = max(0, int(low[0]) - 2), max(0, int(low[1]) - 2)
    x1, y1 = min(width, int(high[0]) + 3), min(height, int(high[1]) + 3)
    if x0 >= x1 or y0 >= y1:
        return None
    xs = np.arange(x0, x1, dtype=np.float32)[None, :]
    ys = np.arange(y0, y1, dtype=np.float32)[:, None]
    return slice(y0, y1), slice(x0, x1), xs, ys


def _lit(nx: np.ndarray, ny: np.ndarray, nz: np.ndarray) -> np.ndarray:
    """Brightness of a surface whose normal is (nx, ny, -nz)."""
    facing = nx * LIGHT[0] + ny * LIGHT[1] - nz * LIGHT[2]
    return AMBIENT + DIFFUSE * np.maximum(facing, 0.0) - 0.1 * (1.0 - nz)


def _blend(picture: np.ndarray, rows: slice, cols: slice, colour: np.ndarray, alpha: np.ndarray) -> None:
    patch = picture[rows, cols]
    patch += (colour - patch) * alpha[..., None]


def limb(
    picture: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    start_radius: float,
    end_radius: float,
    colour: Colour,
) -> None:
    """A tapered stroke with round ends."""
    radius = max(start_radius, end_radius)
    box = _window(picture, np.minimum(start, end) - radius, np.maximum(start, end) + radius)
    if box is None:
        return
    rows, cols, xs, ys = box
    x, y = float(start[0]), float(start[1])  # plain numbers keep float32 arrays float32
    right, down = float(end[0]) - x, float(end[1]) - y
    length = max(right * right + down * down, 1e-6)
    share = np.clip(((xs - x) * right + (ys - y) * down) / length, 0.0, 1.0)
    size = start_radius + (end_radius - start_radius) * share
    dx = (xs - (x + share * right)) / size
    dy = (ys - (y + share * down)) / size
    distance = np.sqrt(dx * dx + dy * dy)
    alpha = np.clip((1.0 - distance) * size + 0.5, 0.0, 1.0)
    nz = np.sqrt(np.maximum(1.0 - distance * distance, 0.0))
    _blend(picture, rows, cols, _lit(dx, dy, nz)[..., None] * np.array(colour, np.float32), alpha)


def soft_polygon(picture: np.ndarray, points: np.ndarray, roundness: float, colour: Colour) -> None:
    """A filled outline [N, 2], shaded as a cushion whose rim is `roundness` pixels wide."""
    box = _window(picture, points.min(0) - 2, points.max(0) + 2)
    if box is None:
        return
    rows, cols, xs, ys = box
    roundness = float(roundness)  # plain numbers keep float32 arrays float32
    fine = np.zeros((2 * len(ys), 2 * xs.shape[1]), np.uint8)
    corner = np.array([xs[0, 0], ys[0, 0]])
    cv2.fillPoly(fine, [np.round((points - corner) * 2 * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    alpha = cv2.resize(fine, (xs.shape[1], len(ys)), interpolation=cv2.INTER_AREA) / np.float32(255)
    inside = cv2.distanceTransform((alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    rim = 1.0 - np.clip(inside / max(roundness, 1.0), 0.0, 1.0)
    bulge = cv2.GaussianBlur(np.sqrt(np.maximum(1.0 - rim * rim, 0.0)), (0, 0), max(roundness / 4, 0.6))
    nx = -cv2.Sobel(bulge, cv2.CV_32F, 1, 0, ksize=3) * roundness / 4
    ny = -cv2.Sobel(bulge, cv2.CV_32F, 0, 1, ksize=3) * roundness / 4
    norm = np.sqrt(nx * nx + ny * ny + 1.0)
    shade = _lit(nx / norm, ny / norm, 1.0 / norm)
    _blend(picture, rows, cols, shade[..., None] * np.array(colour, np.float32), alpha)


@dataclass(frozen=True)
class HeadLook:
    """Colours of a head and how long its hair is."""

    skin: Colour
    hair: Colour
    lips: Colour
    iris: Colour
    hair_low: float
    """Metres below the ears that the hair reaches at the back."""
    fringe: float
    """Metres above the eyes where the hair starts."""


_AXES = np.array([0.077, 0.121, 0.098])
"""Half width, height and depth of a skull in metres."""
_CENTRE = np.array([0.0, 0.012, 0.0], np.float32)


def head(picture: np.ndarray, centre: np.ndarray, axes: np.ndarray, scale: float, look: HeadLook) -> None:
    """A head whose ears are around `centre`; `axes` has the columns left, up, forward.

    Axes [3, 3] are in camera axes, `scale` is pixels per metre of a head of usual size.
    """
    reach = np.array([0.12, 0.155]) * scale
    box = _window(picture, centre - reach, centre + reach)
    if box is None:
        return
    rows, cols, xs, ys = box
    fine = 2 if scale < 400 else 1
    within = ((np.arange(fine) + 0.5) / fine - 0.5).astype(np.float32)
    fx = (xs[..., None] + within).reshape(1, -1)
    fy = (ys + within).reshape(-1, 1)
    x, y = (fx - float(centre[0])) / scale, (fy - float(centre[1])) / scale
    flat = np.stack(np.broadcast_arrays(x, y), -1)
    colour, alpha = _surface(flat, axes, 1.0, look)
    over, hair_alpha = _surface(flat, axes, 1.12, look, hair_only=True)
    colour += (over - colour) * hair_alpha[..., None]
    alpha = np.maximum(alpha, hair_alpha)
    painted = np.dstack([colour * alpha[..., None], alpha]).astype(np.float32)
    layer = cv2.resize(painted, (xs.shape[1], len(ys)), interpolation=cv2.INTER_AREA)
    patch = picture[rows, cols]
    patch *= 1.0 - layer[..., 3:]
    patch += layer[..., :3]


def _surface(
    flat: np.ndarray, axes: np.ndarray, grown: float, look: HeadLook, hair_only: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Colour [h, w, 3] and coverage [h, w] of the skull, or the hair over it, at `flat` metres."""
    size = (_AXES * grown).astype(np.float32)
    to_local = axes.T.astype(np.float32)  # camera axes -> left, up, forward
    origin = (flat @ to_local[:, :2].T - _CENTRE) / size
    ray = to_local[:, 2] / size
    a, b = ray @ ray, origin @ ray
    root = b * b - a * ((origin**2).sum(-1) - 1.0)
    alpha = np.clip(root / a / 0.12, 0.0, 1.0)
    hit = root > 0  # n pixels
    unit = origin[hit] + ((-b[hit] - np.sqrt(root[hit])) / a)[:, None] * ray
    place = unit * size + _CENTRE
    normal = (unit / size) @ to_local
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
    shade = _lit(normal[:, 0], normal[:, 1], -normal[:, 2])
    colour = np.zeros((*hit.shape, 3), np.float32)
    if hair_only:
        streak = 0.94 + 0.06 * np.sin(place[:, 0] * 380 + 30 * place[:, 2])
        colour[hit] = (shade * streak)[:, None] * np.array(look.hair, np.float32)
        alpha[hit] *= _is_hair(place, look)
    else:
        colour[hit] = shade[:, None] * _face(place, look)
    return colour, alpha


def _is_hair(place: np.ndarray, look: HeadLook) -> np.ndarray:
    """How much each place [n, 3] is hair, 0..1."""
    left, up, forward = place[..., 0], place[..., 1], place[..., 2]
    front = up - 0.02 - look.fringe + 0.35 * np.maximum(np.abs(left) - 0.035, 0.0)
    back = np.minimum(0.012 + 0.25 * (up - 0.02) - forward, up + look.hair_low)
    return np.clip(np.maximum(front, back) / 0.004 + 0.5, 0.0, 1.0)


def _face(place: np.ndarray, look: HeadLook) -> np.ndarray:
    """Colour [n, 3] of the face: skin, cheeks, brows, eyes, lips; hair where it grows."""
    left, up, forward = place[..., 0], place[..., 1], place[..., 2]
    out = np.broadcast_to(np.array(look.skin, np.float32), place.shape).copy()
    front = forward > 0.02

    def spot(x: float, y: float, width: float, height: float, colour: Colour, soft: float = 0.15) -> None:
        distance = np.sqrt(((np.abs(left) - x) / width) ** 2 + ((up - y) / height) ** 2)
        weight = np.clip((1.0 - distance) / soft + 0.5, 0.0, 1.0) * front
        out[:] += (np.array(colour, np.float32) - out) * weight[..., None]

    skin = np.array(look.skin, np.float32)
    spot(0.045, -0.025, 0.022, 0.018, tuple(skin * (1.0, 0.86, 0.86)), 1.2)
    spot(0.031, 0.022, 0.024, 0.017, tuple(skin * 0.88), 0.8)
    spot(0.031, 0.020, 0.0165, 0.0095, (0.96, 0.96, 0.95))
    spot(0.031, 0.020, 0.0085, 0.0088, look.iris)
    spot(0.031, 0.020, 0.0042, 0.0045, (0.03, 0.03, 0.04))
    spot(0.031, 0.030, 0.0185, 0.0030, (0.12, 0.08, 0.07), 0.4)
    brow = 0.046 + 0.004 * np.cos((np.abs(left) - 0.031) * 60)
    weight = np.clip(
        (1 - np.sqrt(((np.abs(left) - 0.031) / 0.021) ** 2 + ((up - brow) / 0.0055) ** 2)) / 0.3, 0, 1
    )
    out += (np.array(look.hair) * 0.7 - out) * (weight * front)[..., None]
    spot(0.0, -0.018, 0.016, 0.011, tuple(skin * 0.84), 0.6)
    spot(0.008, -0.026, 0.0042, 0.0028, tuple(skin * 0.45), 0.4)
    smile = up - 9.0 * left * left  # the corners of the mouth go up
    for height, colour in ((0.0085, np.array(look.lips)), (0.0016, np.array(look.lips) * 0.45)):
        distance = np.sqrt((left / 0.028) ** 2 + ((smile + 0.054) / height) ** 2)
        out += (colour - out) * (np.clip((1.0 - distance) / 0.3 + 0.5, 0.0, 1.0) * front)[..., None]
    spot(0.0, -0.075, 0.016, 0.006, tuple(skin * 0.92), 1.0)
    out += (np.array(look.hair) - out) * _is_hair(place, look)[..., None]
    return out
