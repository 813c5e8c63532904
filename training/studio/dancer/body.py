"""The dancer's body: proportions, two-bone limbs, and the camera that looks at it.

Scene axes: x right, y down, z away from the camera, floor at y = 0, all in metres.
Body axes ("local"): left, up, forward; a body frame is a matrix [..., 3, 3] with these as columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

FRAME_FACING_CAMERA = np.array([[1.0, 0, 0], [0, -1.0, 0], [0, 0, -1.0]])
"""Body frame of someone who looks straight at the camera: left is picture right."""

SIDES = (1.0, -1.0)
"""Sign of the local left axis for the left and the right limb."""


@dataclass(frozen=True)
class Body:
    """Segment lengths in metres."""

    height: float
    thigh: float
    shin: float
    ankle: float
    """Height of the ankle above the floor."""
    foot: float
    hips: float
    """Half the distance between the hip joints."""
    torso: float
    """From the hips' middle to the shoulders' middle."""
    shoulders: float
    """Half the distance between the shoulder joints."""
    upper_arm: float
    forearm: float
    head: float
    """From the shoulders' middle to the head's middle."""

    @property
    def leg(self) -> float:
        return self.thigh + self.shin

    @property
    def arm(self) -> float:
        return self.upper_arm + self.forearm


def random_body(rng: np.random.Generator) -> Body:
    """A grown-up of 1.50 to 1.95 m with plausible proportions."""
    height = float(np.clip(rng.normal(1.71, 0.09), 1.5, 1.95))

    def part(share: float, spread: float = 0.04) -> float:
        return (
            height * share * float(np.clip(rng.normal(1.0, spread), 1 - 2 * spread, 1 + 2 * spread))
        )

    return Body(
        height, part(0.238), part(0.232), part(0.042), part(0.115), part(0.058, 0.07),
        part(0.285), part(0.103, 0.07), part(0.165), part(0.150), part(0.122),
    )  # fmt: skip


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in front of the dancer."""

    distance_m: float
    height_m: float
    pitch: float
    """Radians; positive looks down."""
    focal: float
    """In frame heights."""
    aspect: float = 16 / 9
    """Width over height of the picture that `Dance.poses.image` refers to."""

    def to_view(self, points: np.ndarray) -> np.ndarray:
        """Scene points [..., 3] -> camera axes [..., 3] (x right, y down, z away)."""
        moved = points - np.array([0.0, -self.height_m, -self.distance_m])
        return self.rotate(moved)

    def rotate(self, vectors: np.ndarray) -> np.ndarray:
        """Turns scene directions [..., 3] into camera axes."""
        c, s = np.cos(self.pitch), np.sin(self.pitch)
        return vectors @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]).T

    def project(self, points: np.ndarray, aspect: float | None = None) -> np.ndarray:
        """Scene points [..., 3] -> picture [..., 2] in frame heights from the top left corner."""
        view = self.to_view(points)
        depth = np.maximum(view[..., 2:], 0.2)
        centre = np.array([(self.aspect if aspect is None else aspect) / 2, 0.5])
        return self.focal * view[..., :2] / depth + centre

    def fitted(self, joints: np.ndarray, aspect: float | None = None) -> Camera:
        """The same camera, zoomed out where a body [F, J, 3] would leave a picture this wide."""
        aspect = self.aspect if aspect is None else aspect
        half = np.array([aspect / 2, 0.5])
        offset = (
            np.abs(self.project(joints, aspect) - half).max((0, 1))
            + 0.12 * self.focal / self.distance_m
        )
        zoom = min(1.0, float((0.97 * half / offset).min()))
        return replace(self, focal=self.focal * zoom, aspect=aspect)


def random_camera(body: Body, rng: np.random.Generator) -> Camera:
    """A camera at 2.6 to 5 m that keeps the whole body, raised arms included, in most frames."""
    distance = float(rng.uniform(2.8, 5.0))
    height = float(rng.uniform(0.7, 1.7))
    aim = body.height * float(rng.uniform(0.5, 0.6))
    pitch = float(np.arctan2(height - aim, distance))
    fill = float(rng.uniform(0.5, 0.68))
    aspect = float(rng.choice([16 / 9, 4 / 3, 1.0, 9 / 16], p=[0.5, 0.15, 0.1, 0.25]))
    return Camera(distance, height, pitch, fill * distance / body.height, aspect)


def turned(
    yaw: np.ndarray, pitch: np.ndarray | float = 0.0, roll: np.ndarray | float = 0.0
) -> np.ndarray:
    """Local rotations [F, 3, 3]: yaw to the left, then pitch forward, then roll to the left."""
    yaw, pitch, roll = np.broadcast_arrays(np.asarray(yaw, np.float64), pitch, roll)
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(-roll), np.sin(-roll)
    zero, one = np.zeros_like(cy), np.ones_like(cy)
    about_up = _matrix((cy, zero, sy), (zero, one, zero), (-sy, zero, cy))
    about_left = _matrix((one, zero, zero), (zero, cp, -sp), (zero, sp, cp))
    about_forward = _matrix((cr, -sr, zero), (sr, cr, zero), (zero, zero, one))
    return about_up @ about_left @ about_forward  # [F, 3, 3]


def _matrix(*rows: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    return np.stack([np.stack(row, -1) for row in rows], -2)


def apply(frame: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Frames [F, 3, 3] times local offsets [3] or [F, 3] -> scene vectors [F, 3]."""
    return np.einsum("fij,fj->fi", frame, np.broadcast_to(offset, (len(frame), 3)))


def two_bone(
    start: np.ndarray, target: np.ndarray, pole: np.ndarray, upper: float, lower: float
) -> tuple[np.ndarray, np.ndarray]:
    """Middle and end joint [F, 3] of a limb that reaches for `target`, bending towards `pole`."""
    reach = target - start
    distance = np.linalg.norm(reach, axis=-1, keepdims=True)
    direction = reach / np.maximum(distance, 1e-6)
    span = np.clip(distance, abs(upper - lower) + 0.02, (upper + lower) * 0.999)
    along = (upper**2 - lower**2 + span**2) / (2 * span)
    aside = np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    bend = pole - direction * (pole * direction).sum(-1, keepdims=True)
    bend = bend / np.maximum(np.linalg.norm(bend, axis=-1, keepdims=True), 1e-6)
    return start + direction * along + bend * aside, start + direction * span


@dataclass(frozen=True, eq=False)
class Posture:
    """Everything that decides where the joints are, per frame."""

    root: np.ndarray
    """[F, 3] hips' middle in the scene."""
    pelvis: np.ndarray
    """[F, 3, 3] frame of the hips; likewise chest and head."""
    chest: np.ndarray
    head: np.ndarray
    feet: np.ndarray
    """[F, 2, 3] ankles (left, right) in the scene."""
    foot_frames: np.ndarray
    """[F, 2, 3, 3]."""
    hands: np.ndarray
    """[F, 2, 3] wrist targets (out, up, forward) from the shoulder in arm lengths, chest axes."""
    shrug: np.ndarray
    """[F] metres the shoulders are raised."""
    flex: np.ndarray
    """[F, 2] how far the hand bends at the wrist, radians."""


_FACE = {
    0: (0.0, -0.02, 0.105), 1: (0.017, 0.018, 0.088), 2: (0.031, 0.02, 0.085), 3: (0.045, 0.02,
    0.078),
    4: (-0.017, 0.018, 0.088), 5: (-0.031, 0.02, 0.085), 6: (-0.045, 0.02, 0.078),
    7: (0.074, 0.0, 0.0), 8: (-0.074, 0.0, 0.0), 9: (0.024, -0.052, 0.085), 10: (-0.024, -0.052,
    0.085),
}  # fmt: skip
"""Face landmarks from the head's middle, in local metres of a 1.71 m body."""


def joints_of(body: Body, posture: Posture) -> np.ndarray:
    """The 33 landmarks float64 [F, J, 3] of a posture, in the scene."""
    joints = np.zeros((len(posture.root), 33, 3))
    up = np.array([0.0, 1.0, 0.0])
    neck = posture.root + apply(posture.chest, up * body.torso)
    skull = (
        neck
        + apply(posture.chest, up * body.head * 0.45)
        + apply(posture.head, np.array([0.0, 0.55 * body.head, 0.02]))
    )
    for index, offset in _FACE.items():
        joints[:, index] = skull + apply(posture.head, np.array(offset) * body.height / 1.71)
    for side, sign in enumerate(SIDES):
        _leg(joints, body, posture, side, sign)
        _arm(joints, body, posture, side, sign, neck)
    return joints


def _leg(joints: np.ndarray, body: Body, posture: Posture, side: int, sign: float) -> None:
    hip = posture.root + apply(posture.pelvis, np.array([sign * body.hips, 0.0, 0.0]))
    frame = posture.foot_frames[:, side]
    pole = apply(posture.pelvis, np.array([sign * 0.25, 0.0, 0.5])) + apply(
        frame, np.array([0.0, 0.15, 0.5])
    )
    knee, ankle = two_bone(hip, posture.feet[:, side], pole, body.thigh, body.shin)
    joints[:, 23 + side], joints[:, 25 + side], joints[:, 27 + side] = hip, knee, ankle
    joints[:, 29 + side] = ankle + apply(
        frame, np.array([0, -0.75 * body.ankle, -0.25 * body.foot])
    )
    joints[:, 31 + side] = ankle + apply(frame, np.array([0, -0.85 * body.ankle, 0.75 * body.foot]))


def _arm(
    joints: np.ndarray, body: Body, posture: Posture, side: int, sign: float, neck: np.ndarray
) -> None:
    mirror = np.array([sign, 1.0, 1.0])
    raised = np.zeros((len(neck), 3))
    raised[:, 0], raised[:, 1] = sign * body.shoulders, posture.shrug
    shoulder = neck + apply(posture.chest, raised)
    target = shoulder + apply(posture.chest, posture.hands[:, side] * mirror * body.arm)
    pole = apply(posture.chest, np.array([0.55, -0.45, -0.7]) * mirror)
    elbow, wrist = two_bone(shoulder, target, pole, body.upper_arm, body.forearm)
    joints[:, 11 + side], joints[:, 13 + side], joints[:, 15 + side] = shoulder, elbow, wrist
    along = (wrist - elbow) / body.forearm
    across = apply(posture.chest, np.array([-sign, 0.0, 0.0]))
    across = across - along * (across * along).sum(-1, keepdims=True) * 0.8
    over = np.cross(along, across)
    bent = along * np.cos(posture.flex[:, side, None]) + over * np.sin(posture.flex[:, side, None])
    size = body.height / 1.71
    joints[:, 17 + side] = wrist + size * (0.085 * bent - 0.028 * across)
    joints[:, 19 + side] = wrist + size * (0.095 * bent + 0.022 * across)
    joints[:, 21 + side] = wrist + size * (0.045 * bent + 0.038 * across)
