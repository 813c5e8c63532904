"""Cameras: a pinhole camera, and the path of one that pans, zooms, shakes, tilts or travels.

Scene axes: x right, y down, z away, floor at y = 0, metres. Camera axes: x right, y down in the
picture, z along the line of sight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from training.studio.dancer.body import matrix

NEAREST_M = 0.2
"""Points nearer than this are projected as if they were this far away."""


@dataclass(frozen=True)
class Camera:
    """A camera that stands still."""

    position: tuple[float, float, float]
    """In the scene; y is negative above the floor."""
    angles: tuple[float, float, float]
    """Radians: yaw to the right, pitch down, roll clockwise."""
    focal: float
    """In frame heights."""
    aspect: float = 16 / 9
    """Width over height of the picture."""

    @property
    def rotation(self) -> np.ndarray:
        """Scene directions -> camera axes, [3, 3]."""
        return rotations(np.array([self.angles]))[0]

    def to_view(self, points: np.ndarray) -> np.ndarray:
        """Scene points [..., 3] -> camera axes [..., 3]."""
        return (points - np.array(self.position)) @ self.rotation.T

    def project(self, points: np.ndarray) -> np.ndarray:
        """Scene points [..., 3] -> picture [..., 2] in frame heights from the top left corner."""
        view = self.to_view(points)
        centre = np.array([self.aspect / 2, 0.5])
        return self.focal * view[..., :2] / np.maximum(view[..., 2:], NEAREST_M) + centre


@dataclass(frozen=True, eq=False)
class CameraPath:
    """Where a camera is and looks in every frame."""

    position: np.ndarray
    """float64 [F, 3]."""
    angles: np.ndarray
    """float64 [F, 3]: yaw, pitch, roll as in `Camera`."""
    focal: np.ndarray
    """float64 [F] in frame heights."""
    aspect: float
    fps: float

    @property
    def frames(self) -> int:
        return len(self.focal)

    @property
    def still(self) -> bool:
        """Whether all frames see the same picture."""
        parts = (self.position, self.angles, self.focal)
        return all(bool((part == part[:1]).all()) for part in parts)

    def at(self, frame: int) -> Camera:
        """The camera of one frame."""
        x, y, z = (float(v) for v in self.position[frame])
        yaw, pitch, roll = (float(v) for v in self.angles[frame])
        return Camera((x, y, z), (yaw, pitch, roll), float(self.focal[frame]), self.aspect)

    def rotate(self, vectors: np.ndarray) -> np.ndarray:
        """Scene directions [F, J, 3] -> camera axes [F, J, 3]."""
        return vectors @ rotations(self.angles).transpose(0, 2, 1)

    def to_view(self, points: np.ndarray) -> np.ndarray:
        """Scene points [F, J, 3] -> camera axes [F, J, 3]."""
        return self.rotate(points - self.position[:, None])

    def in_picture(self, view: np.ndarray) -> np.ndarray:
        """Camera axes [F, J, 3] -> picture [F, J, 2] in frame heights from the top left corner."""
        flat = view[..., :2] / np.maximum(view[..., 2:], NEAREST_M)
        return self.focal[:, None, None] * flat + np.array([self.aspect / 2, 0.5])

    def project(self, points: np.ndarray) -> np.ndarray:
        """Scene points [F, J, 3] -> picture [F, J, 2] in frame heights from the top left corner."""
        return self.in_picture(self.to_view(points))

    def sampled(self, times_s: np.ndarray) -> CameraPath:
        """The path at other times [n], straight between frames, held at the end."""
        known = np.arange(self.frames) / self.fps
        fps = self.fps if len(times_s) < 2 else 1.0 / float(times_s[1] - times_s[0])

        def at(values: np.ndarray) -> np.ndarray:
            return np.stack([np.interp(times_s, known, column) for column in values.T], -1)

        focal = np.interp(times_s, known, self.focal)
        return replace(self, position=at(self.position), angles=at(self.angles), focal=focal, fps=fps)


def rotations(angles: np.ndarray) -> np.ndarray:
    """Yaw, pitch, roll [F, 3] -> matrices [F, 3, 3] from scene directions to camera axes."""
    (cy, cp, cr), (sy, sp, sr) = np.cos(angles).T, np.sin(angles).T
    zero, one = np.zeros_like(cy), np.ones_like(cy)
    yaw = matrix((cy, zero, -sy), (zero, one, zero), (sy, zero, cy))
    pitch = matrix((one, zero, zero), (zero, cp, -sp), (zero, sp, cp))
    roll = matrix((cr, sr, zero), (-sr, cr, zero), (zero, zero, one))
    return roll @ pitch @ yaw


def aimed(position: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Angles [F, 3], roll 0, of cameras at `position` [F, 3] that look at `target` [F, 3]."""
    right, down, away = (target - position).T
    yaw, pitch = np.arctan2(right, away), np.arctan2(down, np.hypot(right, away))
    return np.stack([yaw, pitch, np.zeros_like(yaw)], -1)


def wandering(
    frames: int, channels: int, smooth_s: float, fps: float, rng: np.random.Generator
) -> np.ndarray:
    """Smooth noise [frames, channels] of unit spread that turns about every `smooth_s` seconds."""
    sigma = smooth_s * fps
    pad = int(np.ceil(3 * sigma))
    raw = rng.standard_normal((frames + 2 * pad, channels))
    smooth = gaussian_filter1d(raw, sigma, axis=0, mode="nearest", truncate=3.0)
    return smooth[pad : pad + frames] * np.sqrt(2 * np.sqrt(np.pi) * max(sigma, 0.29))
