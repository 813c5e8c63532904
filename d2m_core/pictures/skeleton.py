"""Pictures to check the work by: skeletons on the clip, and the rhythm with its beats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MediaError
from ..files import replacing
from ..motion import Accents
from ..types import PoseSequence

Colour = tuple[int, int, int]

_LEFT = ((11, 13), (13, 15), (15, 19), (23, 25), (25, 27), (27, 29), (27, 31), (29, 31))
_RIGHT = ((12, 14), (14, 16), (16, 20), (24, 26), (26, 28), (28, 30), (28, 32), (30, 32))
_MIDDLE = ((11, 12), (11, 23), (12, 24), (23, 24))
_LIMBS = ((_MIDDLE, 2), (_LEFT, 0), (_RIGHT, 1))
"""Pairs of landmarks, each with the column of `_PALETTES` that colours it."""
_HEAD, _SHOULDERS, _HIPS = [0, 7, 8], [11, 12], [23, 24]
_HEAD_SIZE = 0.27
"""Radius of the head in torso lengths."""
_JOINTS = (*range(11, 17), *range(23, 29), 31, 32)

_PALETTES: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((255, 150, 40), (40, 205, 255), (245, 245, 245)),
    ((255, 95, 150), (120, 240, 140), (245, 245, 245)),
    ((250, 220, 60), (150, 130, 255), (245, 245, 245)),
    ((255, 120, 95), (70, 230, 205), (245, 245, 245)),
)
"""Left, right and middle of a body, one set per dancer."""
_DARK: Colour = (16, 18, 24)

_FLASH: Colour = (255, 70, 190)
_FLASH_S, _FLASH_SIZE = 0.2, 0.4
"""Seconds, and first radius in torso lengths, of a full accent's ring; it doubles as it fades."""
_TRUNK = (*_SHOULDERS, *_HIPS)

_SHIFT = 4
"""OpenCV draws at 1 / 2 ** `_SHIFT` of a pixel, so that slow limbs do not jump."""


def draw_skeleton(
    rgb: np.ndarray, image_landmarks: np.ndarray, visibility: np.ndarray, *, person: int = 0
) -> np.ndarray:
    """A copy of `rgb` [H, W, 3] with a body on it; its parts fade where they are less visible.

    `image_landmarks` [J, 2] are in frame heights. The dancer's left is warm, the right cool;
    `person` picks the set of colours.
    """
    import cv2

    height = rgb.shape[0]
    colours = _PALETTES[person % len(_PALETTES)]
    paint = np.zeros_like(rgb)
    alpha = np.zeros(rgb.shape[:2], np.uint8)
    limit = 4.0 * max(rgb.shape[:2])  # OpenCV's fixed point overflows far outside the picture
    spots = np.clip(image_landmarks * height, -limit, limit)
    points = np.round(spots * 2**_SHIFT).astype(int).tolist()
    thick = max(2, round(height / 130))
    flags = {"lineType": cv2.LINE_AA, "shift": _SHIFT}

    def strength(*joints: int) -> int:
        seen = float(visibility[list(joints)].min())
        return round(255 * (0.15 + 0.8 * seen)) if seen > 0 else 0

    def limbs(extra: int, outline: bool) -> None:
        for pairs, column in _LIMBS:
            colour = _DARK if outline else colours[column]
            for start, end in pairs:
                if alpha_here := strength(start, end):
                    for canvas, ink in ((paint, colour), (alpha, alpha_here)):
                        cv2.line(canvas, points[start], points[end], ink, thick + extra, **flags)

    def ring(spot: Any, radius: float, ink: Colour, alpha_here: int, width: int) -> None:
        place = np.round(np.asarray(spot) * 2**_SHIFT).astype(int).tolist()
        for canvas, colour in ((paint, ink), (alpha, alpha_here)):
            cv2.circle(canvas, place, round(radius * 2**_SHIFT), colour, width, **flags)

    limbs(max(2, thick // 2) * 2, outline=True)
    limbs(0, outline=False)
    if alpha_here := strength(*_HEAD, *_SHOULDERS, *_HIPS):
        torso = np.linalg.norm(spots[_SHOULDERS].mean(axis=0) - spots[_HIPS].mean(axis=0))
        ring(spots[_HEAD].mean(axis=0), _HEAD_SIZE * float(torso), colours[2], alpha_here, max(1, thick // 2))
    for joint in _JOINTS:
        if alpha_here := strength(joint):
            ring(spots[joint], thick * 1.1, colours[2], alpha_here, -1)
    return _blend(rgb, paint, alpha)


def _blend(rgb: np.ndarray, paint: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """`paint` over `rgb`, where `alpha` [H, W] uint8 is not 0."""
    out = rgb.copy()
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if len(rows):
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        share = alpha[box][..., None].astype(np.uint16)
        out[box] = (out[box] * (255 - share) + paint[box] * share + 127) // 255
    return out


def draw_poses(rgb: np.ndarray, poses: PoseSequence, frame: int) -> np.ndarray:
    """A copy of `rgb` with everyone who is present in one frame of `poses`."""
    for person in np.flatnonzero(poses.present[frame]):
        body = poses.image[frame, person], poses.visibility[frame, person]
        rgb = draw_skeleton(rgb, *body, person=int(person))
    return rgb


def draw_accents(rgb: np.ndarray, image_landmarks: np.ndarray, accents: Accents, time_s: float) -> np.ndarray:
    """A copy of `rgb` with rings where accents of the last 0.2 s were made, wide where strong.

    `image_landmarks` [J, 2] are those of the dancer at `time_s`, in frame heights. Without joints
    in `accents` the ring is around the trunk.
    """
    import cv2

    height, out = rgb.shape[0], rgb.copy()
    torso = np.linalg.norm(image_landmarks[_SHOULDERS].mean(0) - image_landmarks[_HIPS].mean(0))
    since_s = time_s - accents.times_s
    for k in np.flatnonzero((since_s > -1e-6) & (since_s < _FLASH_S)):
        fresh = 1 - float(since_s[k]) / _FLASH_S
        size = _FLASH_SIZE * min(float(torso), 1.0) * float(accents.strengths[k]) * (2 - fresh)
        layer = out.copy()
        for spot, wider in _flash_spots(image_landmarks, accents, int(k)):
            if np.abs(spot).max() < 4:  # OpenCV overflows far outside the picture
                place = np.round(spot * height * 2**_SHIFT).astype(int).tolist()
                radius, thick = round(size * wider * height * 2**_SHIFT), max(2, height // 110)
                cv2.circle(layer, place, radius, _FLASH, thick, cv2.LINE_AA, _SHIFT)
        out = cv2.addWeighted(layer, fresh, out, 1 - fresh, 0)
    return out


def _flash_spots(landmarks: np.ndarray, accents: Accents, index: int) -> list[tuple[np.ndarray, float]]:
    """Where the rings of an accent are, and how much wider than a joint's."""
    joints = accents.joints[index] if accents.joints else _TRUNK
    spots = [(landmarks[joint], 1.0) for joint in joints if joint not in _TRUNK]
    if set(joints) & set(_TRUNK):
        spots.append((landmarks[list(_TRUNK)].mean(0), 2.0))
    return spots


def save_png(rgb: np.ndarray, path: Path | str) -> Path:
    """Writes a uint8 picture [H, W, 3] as PNG, whole or not at all. Raises `MediaError`."""
    from PIL import Image

    path = Path(path)
    try:
        with replacing(path) as partial:
            Image.fromarray(rgb).save(partial, format="PNG")
    except OSError as error:
        raise MediaError(
            f"The picture could not be written to {path} ({error.strerror or error}); "
            "free some space or choose another folder."
        ) from error
    return path
