"""One drawn frame of a dancer: joints become limbs, clothes and a head, painted back to front."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from d2m_core.pose.landmarks import (
    ANKLES,
    BOTH_HIPS,
    EARS,
    ELBOWS,
    EYES,
    HEELS,
    HIPS,
    INDEX_FINGERS,
    KNEES,
    LITTLE_FINGERS,
    MOUTH,
    NOSE,
    SHOULDERS,
    THUMBS,
    TOES,
    TORSO,
    WRISTS,
)
from training.studio.stage.camera import NEAREST_M, Camera
from training.studio.stage.hiding import Bones, both_sides

from .look import Look, shadow
from .paint import head, limb, soft_polygon

USUAL_HEIGHT = 1.71
"""Radii are metres of a body this tall."""

_PROFILE = (
    (-0.13, 0.35, 0.02, 0.05), (-0.10, 0.75, 0.03, 0.07), (-0.03, 1.0, 0.04, 0.095),
    (0.1, 1.0, 0.045, 0.115), (0.35, 0.9, 0.03, 0.125), (0.65, 0.72, 0.04, 0.118),
    (0.85, 0.64, 0.085, 0.124), (1.02, 0.66, 0.1, 0.128), (1.16, 0.64, 0.1, 0.125),
)  # fmt: skip
"""The shirt: (share of the way from shoulders to hips, of the half width, metres more, least)."""

_SHADOWS: Bones = (
    (*SHOULDERS, 0.16),
    *both_sides(SHOULDERS, HIPS, 0.16),
    *both_sides(HIPS, KNEES, 0.13),
    *both_sides(KNEES, ANKLES, 0.1),
    *both_sides(ANKLES, TOES, 0.09),
    *both_sides(HEELS, TOES, 0.09),
    *both_sides(SHOULDERS, ELBOWS, 0.08),
    *both_sides(ELBOWS, WRISTS, 0.07),
    (*EARS, 0.16),
)
"""What throws a shadow, and how wide."""


class Figure:
    """One frame's dancer: projected joints, and the parts in the order they must be painted."""

    def __init__(
        self, body: np.ndarray, camera: Camera, look: Look, width: int, height: int, tall_m: float
    ) -> None:
        self.body, self.camera, self.look = body, camera, look
        self.width, self.height = width, height
        self.view = camera.to_view(body)  # [J, 3]
        self.points = camera.project(body) * height  # [J, 2]
        self.grown = tall_m / USUAL_HEIGHT
        self.parts: list[tuple[float, Callable[[np.ndarray], None]]] = []

    def paint(self, picture: np.ndarray) -> None:
        """Paints the dancer onto a picture float32 [H, W, 3] in 0..1."""
        if self.out_of_sight:
            return
        for side in (0, 1):
            self._leg(side)
            self._arm(side)
        self._torso()
        self._head()
        for _, paint in sorted(self.parts, key=lambda part: -part[0]):
            paint(picture)

    @property
    def depth(self) -> float:
        """Metres from the camera to the hips, along the line of sight."""
        return float(self.view[BOTH_HIPS, 2].mean())

    @property
    def out_of_sight(self) -> bool:
        """Whether no part of the dancer can be in the picture."""
        if float(self.view[:, 2].min()) < NEAREST_M:
            return True
        reach = 0.3 * self._pixels(float(self.view[:, 2].min()))
        low, high = self.points.min(0) - reach, self.points.max(0) + reach
        return bool((high < 0).any() or low[0] > self.width or low[1] > self.height)

    def _pixels(self, depth: float) -> float:
        """Pixels per metre of a usual body at a camera depth."""
        return float(self.camera.focal * self.height / max(depth, 0.3) * self.grown)

    def _limb(
        self,
        a: np.ndarray,
        b: np.ndarray,
        radii: tuple[float, float],
        colour: tuple[float, float, float],
        nearer: float = 0.0,
    ) -> None:
        """Adds a stroke between two points in camera axes; `nearer` metres pull it to the front."""
        middle = np.array([self.width / 2, self.height / 2])
        start, end = (self.camera.focal * p[:2] / max(p[2], 0.3) * self.height + middle for p in (a, b))
        thick, thin = (r * self._pixels(p[2]) for r, p in zip(radii, (a, b), strict=True))
        depth = float(a[2] + b[2]) / 2 - nearer
        self.parts.append((depth, lambda picture: limb(picture, start, end, thick, thin, colour)))

    def _leg(self, side: int) -> None:
        look = self.look
        hip, knee, ankle, heel, toe = (self.view[pair[side]] for pair in (HIPS, KNEES, ANKLES, HEELS, TOES))
        hip = hip + (hip - self.view[HIPS[1 - side]]) * 0.06
        calf = look.skin if look.shorts else look.trousers
        raised = 0.55 * float(np.clip((hip[2] - knee[2]) / 0.2 - 1.2, 0.0, 1.0))
        self._limb(hip, knee, (0.092, 0.066), look.trousers, raised - 0.3)
        self._limb(knee, ankle, (0.06, 0.042) if look.shorts else (0.066, 0.052), calf, -0.1)
        if look.shorts:
            self._limb(hip, hip + 0.8 * (knee - hip), (0.096, 0.082), look.trousers, raised - 0.29)
        sole = np.array([0.0, 0.012, 0.0])
        self._limb(heel + sole, toe + sole, (0.042, 0.034), (0.93, 0.93, 0.92), -0.12)
        self._limb(ankle, heel * 0.6 + ankle * 0.4, (0.047, 0.046), look.shoes, -0.11)
        self._limb(heel * 0.9 + ankle * 0.1, toe * 0.97 + ankle * 0.03, (0.042, 0.035), look.shoes, -0.1)

    def _arm(self, side: int) -> None:
        look = self.look
        shoulder, elbow, wrist = (self.view[pair[side]] for pair in (SHOULDERS, ELBOWS, WRISTS))
        little, index, thumb = (self.view[pair[side]] for pair in (LITTLE_FINGERS, INDEX_FINGERS, THUMBS))
        lower = look.top if look.long_sleeves else look.skin
        self._limb(shoulder, elbow, (0.055, 0.043), lower, 0.02)
        self._limb(elbow, wrist, (0.043, 0.031), lower, 0.04)
        if not look.long_sleeves:
            cuff = shoulder + 0.55 * (elbow - shoulder)
            nearer = 0.225 * float(shoulder[2] - elbow[2]) + 0.025
            self._limb(shoulder, cuff, (0.06, 0.055), look.top, nearer)
        palm = (little + index) / 2
        self._limb(wrist, wrist + 0.75 * (palm - wrist), (0.034, 0.037), look.skin, 0.05)
        self._limb(
            wrist + 0.55 * (palm - wrist), wrist + 1.35 * (palm - wrist), (0.034, 0.02), look.skin, 0.055
        )
        self._limb(
            wrist + 0.4 * (thumb - wrist), wrist + 1.25 * (thumb - wrist), (0.017, 0.012), look.skin, 0.06
        )

    def _torso(self) -> None:
        left, right, hip_left, hip_right = self.points[list(TORSO)]
        depth = float(self.view[list(TORSO), 2].mean())
        unit = self._pixels(depth)
        down = (hip_left + hip_right - left - right) / 2
        down = down / max(float(np.linalg.norm(down)), 1e-6)
        edges = self._edges(left, right, hip_left, hip_right, down, unit)
        shirt = _rounded(np.concatenate([edges[0], edges[1][::-1]]))
        stripe = np.stack([_along(e, share) for share in (0.2, 0.31) for e in edges])[[0, 1, 3, 2]]
        neck = self.view[list(SHOULDERS)].mean(0)
        chin = self.view[list(EARS)].mean(0) * 0.75 + self.view[list(MOUTH)].mean(0) * 0.25
        self._limb(self.view[HIPS[0]], self.view[HIPS[1]], (0.098, 0.098), self.look.trousers, -0.06)
        self._limb(
            neck + 0.1 * (neck - chin), neck + 0.75 * (chin - neck), (0.062, 0.05), self.look.skin, 0.02
        )

        def paint(picture: np.ndarray) -> None:
            soft_polygon(picture, shirt, 0.13 * unit, self.look.top)
            if self.look.stripe:
                soft_polygon(picture, stripe, 0.13 * unit, self.look.shoes)

        self.parts.append((depth, paint))

    def _edges(
        self,
        left: np.ndarray,
        right: np.ndarray,
        hip_left: np.ndarray,
        hip_right: np.ndarray,
        down: np.ndarray,
        unit: float,
    ) -> np.ndarray:
        """Left and right edge [2, N, 2] of the shirt; never thinner than a body from the side."""
        across = np.array([-down[1], down[0]])
        across = across if (left - right) @ across >= 0 else -across
        middle = {0.0: (left + right) / 2, 1.0: (hip_left + hip_right) / 2}
        half = {0.0: abs((left - right) @ across) / 2, 1.0: abs((hip_left - hip_right) @ across) / 2}
        edges: list[list[np.ndarray]] = [[], []]
        for share, part, extra, least in _PROFILE:
            where = middle[0.0] + (middle[1.0] - middle[0.0]) * share
            wide = half[0.0] + (half[1.0] - half[0.0]) * np.clip(share, 0, 1) * 0.5
            reach = max(wide * part + extra * unit, least * unit)
            edges[0].append(where + across * reach)
            edges[1].append(where - across * reach)
        return np.array(edges)

    def _head(self) -> None:
        ears, nose = self.view[list(EARS)], self.view[NOSE]
        leftward = ears[0] - ears[1]
        leftward = leftward / np.linalg.norm(leftward)
        eyes, mouth = self.view[list(EYES)].mean(0), self.view[list(MOUTH)].mean(0)
        up = eyes - mouth
        up = up - leftward * (up @ leftward)
        up = up / np.linalg.norm(up)
        axes = np.stack([leftward, up, np.cross(leftward, up)], 1)
        middle = ears.mean(0)
        scale = 1.1 * self._pixels(float(middle[2]))
        centre = self.points[list(EARS)].mean(0)
        self.parts.append(
            (float(middle[2]) - 0.03, lambda picture: head(picture, centre, axes, scale, self.look.head))
        )
        for ear, sign in zip(ears, (1.0, -1.0), strict=True):
            turned_away = 0.05 if (leftward * sign)[2] < 0 else -0.05
            self._limb(ear - up * 0.012, ear + up * 0.012, (0.016, 0.019), self.look.skin, turned_away)
        if axes[2, 2] < -0.15:
            bridge = nose + up * 0.03 - axes[:, 2] * 0.014
            colour = self.look.skin
            self._limb(bridge, nose - axes[:, 2] * 0.008, (0.007, 0.0125), colour, 0.2)
        if self.look.ponytail:
            root = middle - axes[:, 2] * 0.1 + up * 0.05
            sag = root - axes[:, 2] * 0.05 + np.array([0.0, 0.2, 0.0])
            self._limb(root, sag, (0.042, 0.022), self.look.head.hair, -0.1)

    def shadow(self) -> np.ndarray:
        """Darkness [H, W] that the dancer casts on the floor."""
        flat = self.body.copy()
        tall = -flat[:, 1]
        flat[:, 0] += 0.28 * tall
        flat[:, 2] += 0.2 * tall
        flat[:, 1] = 0.0
        spots = self.camera.project(flat) * self.height
        unit = self._pixels(float(self.view[HIPS[0], 2]))
        lines = [spots[[start, end]] for start, end, _ in _SHADOWS]
        return shadow(lines, [wide * unit * 0.8 for *_, wide in _SHADOWS], self.width, self.height)


def _along(edge: np.ndarray, share: float) -> np.ndarray:
    """The point [2] of a shirt's edge [N, 2] at a share of the way from shoulders to hips."""
    at = [row[0] for row in _PROFILE]
    return np.array([np.interp(share, at, edge[:, 0]), np.interp(share, at, edge[:, 1])])


def _rounded(points: np.ndarray, rounds: int = 3) -> np.ndarray:
    """A closed outline [N, 2] with its corners cut, `rounds` times."""
    for _ in range(rounds):
        after = np.roll(points, -1, 0)
        points = np.stack([0.75 * points + 0.25 * after, 0.25 * points + 0.75 * after], 1).reshape(-1, 2)
    return points
