"""Skeletons on a picture, and the accents that their joints make."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..files import not_written, replacing
from ..motion import Accents
from ..pose.landmarks import (
    ANKLES,
    EARS,
    ELBOWS,
    HEELS,
    HIPS,
    INDEX_FINGERS,
    KNEES,
    NOSE,
    SHOULDERS,
    TOES,
    TORSO,
    WRISTS,
)
from ..types import PoseSequence
from .colours import DARK, Colour


def _side(side: int) -> tuple[tuple[int, int], ...]:
    """The lines of an arm, a leg and a foot: 0 left, 1 right."""
    arm = pairwise(pair[side] for pair in (SHOULDERS, ELBOWS, WRISTS, INDEX_FINGERS))
    leg = pairwise(pair[side] for pair in (HIPS, KNEES, ANKLES, HEELS))
    return (*arm, *leg, (ANKLES[side], TOES[side]), (HEELS[side], TOES[side]))


_TRUNK = (SHOULDERS, *zip(SHOULDERS, HIPS, strict=True), HIPS)
_LIMBS = ((_TRUNK, 2), (_side(0), 0), (_side(1), 1))
"""Pairs of landmarks, each with the column of `_PALETTES` that colours it."""
_HEAD = (NOSE, *EARS)
_HEAD_SIZE = 0.27
"""Radius of the head in torso lengths."""
_JOINTS = (*SHOULDERS, *ELBOWS, *WRISTS, *HIPS, *KNEES, *ANKLES, *TOES)

_PALETTES: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((255, 150, 40), (40, 205, 255), (245, 245, 245)),
    ((255, 95, 150), (120, 240, 140), (245, 245, 245)),
    ((250, 220, 60), (150, 130, 255), (245, 245, 245)),
    ((255, 120, 95), (70, 230, 205), (245, 245, 245)),
)
"""Left, right and middle of a body, one set per dancer."""

_RING: Colour = (255, 70, 190)
_RING_S, _RING_SIZE = 0.2, 0.4
"""Seconds, and first radius in torso lengths, of a full accent's ring; it doubles as it fades."""

_SHIFT = 4
"""OpenCV draws at 1 / 2 ** `_SHIFT` of a pixel, so that slow limbs do not jump."""


class _Canvas:
    """Colours and their strength, drawn apart and laid over a picture in the end.

    So lines of one body that cross do not add up, and a joint that is hardly seen is faint.
    """

    def __init__(self, rgb: np.ndarray) -> None:
        self.paint, self.alpha = np.zeros_like(rgb), np.zeros(rgb.shape[:2], np.uint8)

    def line(self, start: Any, end: Any, ink: Colour, alpha: int, width: int) -> None:
        import cv2

        for canvas, colour in ((self.paint, ink), (self.alpha, alpha)):
            cv2.line(canvas, _fixed(start), _fixed(end), colour, width, cv2.LINE_AA, _SHIFT)

    def ring(self, spot: Any, radius: float, ink: Colour, alpha: int, width: int) -> None:
        import cv2

        size = round(radius * 2**_SHIFT)
        for canvas, colour in ((self.paint, ink), (self.alpha, alpha)):
            cv2.circle(canvas, _fixed(spot), size, colour, width, cv2.LINE_AA, _SHIFT)


def _fixed(spot: Any) -> list[int]:
    """A place in pixels as OpenCV's fixed point."""
    return np.round(np.asarray(spot) * 2**_SHIFT).astype(int).tolist()


def draw_skeleton(
    rgb: np.ndarray, image_landmarks: np.ndarray, visibility: np.ndarray, *, person: int = 0
) -> np.ndarray:
    """A copy of `rgb` [H, W, 3] with a body on it; its parts fade where they are less visible.

    `image_landmarks` [J, 2] are in frame heights. The dancer's left is warm, the right cool;
    `person` picks the set of colours.
    """
    height, canvas = rgb.shape[0], _Canvas(rgb)
    colours = _PALETTES[person % len(_PALETTES)]
    limit = 4.0 * max(rgb.shape[:2])  # OpenCV's fixed point overflows far outside the picture
    spots = np.clip(image_landmarks * height, -limit, limit)
    thick = max(2, round(height / 130))
    # All outlines first, so that no limb's outline cuts through another limb.
    for extra, outline in ((max(2, thick // 2) * 2, True), (0, False)):
        for pairs, column in _LIMBS:
            for start, end in pairs:
                if alpha := _strength(visibility, start, end):
                    ink = DARK if outline else colours[column]
                    canvas.line(spots[start], spots[end], ink, alpha, thick + extra)
    # The head is a ring as large as the torso says: its own landmarks come too near each other.
    if alpha := _strength(visibility, *_HEAD, *TORSO):
        size = _HEAD_SIZE * _torso(spots)
        canvas.ring(spots[list(_HEAD)].mean(axis=0), size, colours[2], alpha, max(1, thick // 2))
    # Joints last, on top of the ends of their limbs.
    for joint in _JOINTS:
        if alpha := _strength(visibility, joint):
            canvas.ring(spots[joint], thick * 1.1, colours[2], alpha, -1)
    return _blend(rgb, canvas.paint, canvas.alpha)


def _strength(visibility: np.ndarray, *joints: int) -> int:
    """How opaque, 0..255, what these landmarks hold is drawn: as well as the least of them is seen."""
    seen = float(visibility[list(joints)].min())
    return round(255 * (0.15 + 0.8 * seen)) if seen > 0 else 0


def _torso(spots: np.ndarray) -> float:
    """From the middle of the shoulders to that of the hips, in the unit of `spots` [J, 2]."""
    return float(np.linalg.norm(spots[list(SHOULDERS)].mean(axis=0) - spots[list(HIPS)].mean(axis=0)))


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
    torso = min(_torso(image_landmarks), 1.0)
    since_s = time_s - accents.times_s
    for k in np.flatnonzero((since_s > -1e-6) & (since_s < _RING_S)):
        fresh = 1 - float(since_s[k]) / _RING_S
        size = _RING_SIZE * torso * float(accents.strengths[k]) * (2 - fresh)
        # Each accent is a layer of its own, which fades as a whole.
        layer = out.copy()
        for spot, wider in _ring_spots(image_landmarks, accents, int(k)):
            if np.abs(spot).max() < 4:  # OpenCV overflows far outside the picture
                radius, thick = round(size * wider * height * 2**_SHIFT), max(2, height // 110)
                cv2.circle(layer, _fixed(spot * height), radius, _RING, thick, cv2.LINE_AA, _SHIFT)
        out = cv2.addWeighted(layer, fresh, out, 1 - fresh, 0)
    return out


def _ring_spots(landmarks: np.ndarray, accents: Accents, index: int) -> list[tuple[np.ndarray, float]]:
    """Where the rings of an accent are, and how much wider than a joint's."""
    joints = accents.joints[index] if accents.joints else TORSO
    spots = [(landmarks[joint], 1.0) for joint in joints if joint not in TORSO]
    if set(joints) & set(TORSO):
        spots.append((landmarks[list(TORSO)].mean(0), 2.0))
    return spots


def save_png(rgb: np.ndarray, path: Path | str) -> Path:
    """Writes a uint8 picture [H, W, 3] as PNG, whole or not at all. Raises `MediaError`."""
    from PIL import Image

    path = Path(path)
    try:
        with replacing(path) as partial:
            Image.fromarray(rgb).save(partial, format="PNG")
    except OSError as error:
        raise not_written(path, error) from error
    return path
