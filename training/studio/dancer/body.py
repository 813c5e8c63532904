"""The dancer's body: proportions, two-bone limbs, and joints from a posture.

Scene axes: x right, y down, z away from the camera, floor at y = 0, all in metres.
Body axes ("local"): left, up, forward; a body frame is a matrix [..., 3, 3] with these as columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from d2m_core.pose.landmarks import (
    ANKLES,
    ELBOWS,
    FACE,
    HEELS,
    HIPS,
    INDEX_FINGERS,
    KNEES,
    LITTLE_FINGERS,
    SHOULDERS,
    THUMBS,
    TOES,
    WRISTS,
)
from d2m_core.types import LANDMARKS

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
    """A grown-up of 1.48 to 2.0 m, sometimes a child; slim or broad, long or short limbs."""
    child = rng.random() < 0.08
    height = rng.uniform(1.15, 1.5) if child else np.clip(rng.normal(1.71, 0.09), 1.48, 2.0)
    height, build, long = float(height), float(rng.normal(1.0, 0.06)), float(rng.normal(1.0, 0.02))

    def part(share: float, spread: float = 0.03) -> float:
        """A length near a share of the height."""
        varied = float(np.clip(rng.normal(1.0, spread), 1 - 2 * spread, 1 + 2 * spread))
        return height * share * varied

    limbs = (0.95 if child else 1.0) * float(np.clip(long, 0.95, 1.05))
    build = float(np.clip(build, 0.86, 1.16))
    return Body(
        height,
        part(0.238 * limbs),
        part(0.232 * limbs),
        part(0.042),
        part(0.115),
        part(0.058 * build, 0.04),
        part(0.285),
        part(0.103 * build, 0.04),
        part(0.165 * limbs),
        part(0.150 * limbs),
        part(0.135 if child else 0.122),
    )


def turned(yaw: np.ndarray, pitch: np.ndarray | float = 0.0, roll: np.ndarray | float = 0.0) -> np.ndarray:
    """Local rotations [F, 3, 3]: yaw to the left, then pitch forward, then roll to the left."""
    yaw, pitch, roll = np.broadcast_arrays(np.asarray(yaw, np.float64), pitch, roll)
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(-roll), np.sin(-roll)
    zero, one = np.zeros_like(cy), np.ones_like(cy)
    about_up = matrix((cy, zero, sy), (zero, one, zero), (-sy, zero, cy))
    about_left = matrix((one, zero, zero), (zero, cp, -sp), (zero, sp, cp))
    about_forward = matrix((cr, -sr, zero), (sr, cr, zero), (zero, zero, one))
    return about_up @ about_left @ about_forward  # [F, 3, 3]


def matrix(*rows: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """Matrices [F, 3, 3] from their rows, each entry [F]."""
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
    """[F, 3, 3] frame of the hips; likewise chest, head and `arms`, in which hands are aimed."""
    chest: np.ndarray
    head: np.ndarray
    arms: np.ndarray
    toes: np.ndarray
    """[F, 2, 3] toes (left, right) in the scene."""
    feet: np.ndarray
    """[F, 2, 3, 3] frames."""
    knees: np.ndarray
    """[F, 2, 3] scene directions that the knees point to."""
    hands: np.ndarray
    """[F, 2, 3] wrist targets (out, up, forward) from the shoulder in arm lengths."""
    shrug: np.ndarray
    """[F] metres the shoulders are raised."""
    flex: np.ndarray
    """[F, 2] how far the hand bends at the wrist, radians."""
    elbows: float
    """How far the elbows point outward, about 0.3 to 0.9."""


FACE_AT = (
    (0.0, -0.02, 0.105), (0.017, 0.018, 0.088), (0.031, 0.02, 0.085), (0.045, 0.02, 0.078),
    (-0.017, 0.018, 0.088), (-0.031, 0.02, 0.085), (-0.045, 0.02, 0.078), (0.074, 0.0, 0.0),
    (-0.074, 0.0, 0.0), (0.024, -0.052, 0.085), (-0.024, -0.052, 0.085),
)  # fmt: skip
"""Where `landmarks.FACE` is from the head's middle, in local metres of a 1.71 m body."""


def joints_of(body: Body, posture: Posture) -> np.ndarray:
    """The 33 landmarks float64 [F, J, 3] of a posture, in the scene."""
    joints = np.zeros((len(posture.root), LANDMARKS, 3))
    up = np.array([0.0, 1.0, 0.0])
    neck = posture.root + apply(posture.chest, up * body.torso)
    skull = (
        neck
        + apply(posture.chest, up * body.head * 0.45)
        + apply(posture.head, np.array([0.0, 0.55 * body.head, 0.02]))
    )
    for index, offset in zip(FACE, FACE_AT, strict=True):
        joints[:, index] = skull + apply(posture.head, np.array(offset) * body.height / 1.71)
    for side, sign in enumerate(SIDES):
        _leg(joints, body, posture, side)
        _arm(joints, body, posture, side, sign, neck)
    return joints


def toes_to_ankle(body: Body) -> np.ndarray:
    """From the toes to the ankle, in the foot's axes, [3]."""
    return np.array([0.0, 0.85 * body.ankle, -0.75 * body.foot])


def hip_offset(body: Body, side: int) -> np.ndarray:
    """From the hips' middle to a hip joint, in the pelvis' axes, [3]."""
    return np.array([SIDES[side] * body.hips, 0.0, 0.0])


def _leg(joints: np.ndarray, body: Body, posture: Posture, side: int) -> None:
    hip = posture.root + apply(posture.pelvis, hip_offset(body, side))
    frame = posture.feet[:, side]
    target = posture.toes[:, side] + apply(frame, toes_to_ankle(body))
    knee, ankle = two_bone(hip, target, posture.knees[:, side], body.thigh, body.shin)
    joints[:, HIPS[side]], joints[:, KNEES[side]], joints[:, ANKLES[side]] = hip, knee, ankle
    heel = np.array([0, -0.75 * body.ankle, -0.25 * body.foot])
    joints[:, HEELS[side]] = ankle + apply(frame, heel)
    joints[:, TOES[side]] = ankle - apply(frame, toes_to_ankle(body))


def _elbow_aim(hands: np.ndarray, elbows: float) -> np.ndarray:
    """Where elbows point [F, 3] for hands [F, 3] (out, up, forward).

    Down and outward for a hand in front; from there it turns as the arm does, so that it never
    flips where arms can go.
    """
    front = np.array([0.32, -0.42, 0.85])
    aim = np.array([elbows, -0.8, -0.3])
    way = hands / np.maximum(np.linalg.norm(hands, axis=-1, keepdims=True), 1e-6)
    axis = np.cross(front, way)
    cosine = way @ front
    once = np.cross(axis, aim)
    return aim + once + np.cross(axis, once) / np.maximum(1.0 + cosine, 0.05)[:, None]


def _arm(joints: np.ndarray, body: Body, posture: Posture, side: int, sign: float, neck: np.ndarray) -> None:
    mirror = np.array([sign, 1.0, 1.0])
    raised = np.zeros((len(neck), 3))
    high = np.clip(posture.hands[:, side, 1], 0.0, 1.0)
    raised[:, 0], raised[:, 1] = sign * body.shoulders, posture.shrug + 0.03 * high * body.height
    shoulder = neck + apply(posture.chest, raised)
    target = shoulder + apply(posture.arms, posture.hands[:, side] * mirror * body.arm)
    aim = _elbow_aim(posture.hands[:, side], posture.elbows) * mirror
    elbow, wrist = two_bone(shoulder, target, apply(posture.arms, aim), body.upper_arm, body.forearm)
    joints[:, SHOULDERS[side]], joints[:, ELBOWS[side]], joints[:, WRISTS[side]] = shoulder, elbow, wrist
    along = (wrist - elbow) / body.forearm
    across = apply(posture.arms, np.array([-sign, 0.0, 0.0]))
    across = across - along * (across * along).sum(-1, keepdims=True) * 0.8
    over = np.cross(along, across)
    bent = along * np.cos(posture.flex[:, side, None]) + over * np.sin(posture.flex[:, side, None])
    size = body.height / 1.71
    joints[:, LITTLE_FINGERS[side]] = wrist + size * (0.085 * bent - 0.028 * across)
    joints[:, INDEX_FINGERS[side]] = wrist + size * (0.095 * bent + 0.022 * across)
    joints[:, THUMBS[side]] = wrist + size * (0.045 * bent + 0.038 * across)
