"""What a dancer does, as a row of numbers per frame: pure functions on arrays.

Lengths are in body heights and seconds, so neither the picture's size nor the dancer's matters. The
2D image landmarks carry what has to be exact in time (they are steadier than depth, and they keep
travel and jumps); the 3D world landmarks carry angles and the direction the dancer faces.
"""

from __future__ import annotations

import numpy as np
import scipy

from ..pose.landmarks import ANKLES, EARS, ELBOWS, HIPS, KNEES, NOSE, SHOULDERS, TORSO, WRISTS
from ..types import MOTION_FPS, MotionFeatures, PoseSequence
from .accents import BRAKING_NAMES, braking_columns
from .body import Body, body_of

MOTION_NAMES = (
    *"present root_x root_y root_vx root_vy root_ax root_ay approach".split(),
    *"bounce_v bounce_a hip_height hip_height_v hip_height_a".split(),
    *"knee_bend_l knee_bend_r knee_v knee_a elbow_bend_l elbow_bend_r".split(),
    *"head_y head_vx head_vy head_ay nod nod_v".split(),
    *"lean lean_v sway sway_v sway_a hip_tilt hip_tilt_v".split(),
    *"wrist_x_l wrist_x_r wrist_y_l wrist_y_r wrist_vx_l wrist_vx_r wrist_vy_l wrist_vy_r".split(),
    *"wrist_speed_l wrist_speed_r wrist_decel_l wrist_decel_r".split(),
    *"ankle_x_l ankle_x_r ankle_y_l ankle_y_r ankle_vx_l ankle_vx_r ankle_vy_l ankle_vy_r".split(),
    *"ankle_speed_l ankle_speed_r ankle_decel_l ankle_decel_r contact_l contact_r clap clap_v".split(),
    *"yaw_sin yaw_cos shoulder_yaw_v hip_yaw_v total_speed total_accel total_decel turns".split(),
    *"speed_band_1 speed_band_2 speed_band_3 speed_band_4".split(),
    *"bounce_energy_1 bounce_energy_2 bounce_energy_3 bounce_energy_4".split(),
    *"bounce_v_even bounce_a_even hip_height_v_even knee_v_even speed_even decel_even".split(),
    *BRAKING_NAMES,
)
"""Columns of the features. `_v`, `_a`: first and second derivative; `_l`, `_r`: the dancer's left
and right; `_even`: divided by its own size nearby, so that small dances count. A network reads
those that it was trained with."""

_FLIPPED = {
    *"root_x root_vx root_ax head_vx lean lean_v sway sway_v sway_a hip_tilt hip_tilt_v yaw_sin".split(),
    *"shoulder_yaw_v hip_yaw_v trunk_steady_vx".split(),
}
_FLIPPED_PAIRS = ("wrist_x", "wrist_vx", "wrist_steady_vx", "ankle_x", "ankle_vx", "ankle_steady_vx")

_MOVING = (*WRISTS, *ELBOWS, *KNEES, *ANKLES, *SHOULDERS, *HIPS, NOSE)
"""Landmarks whose speeds are summed up."""
_AIMLESS = 0.1
"""Speed in body heights per second under which a limb's direction means nothing."""

Column = tuple[np.ndarray, tuple[int, ...]]
"""Values [F] and the landmarks they depend on."""


def extract_motion(poses: PoseSequence, person: int = 0) -> MotionFeatures:
    """Motion features of one dancer at 25 frames per second.

    Landmarks lost for a moment are interpolated. Where the dancer, or a landmark that a column
    needs, is away for longer, the column is zero; `present` tells absence from stillness. Around cuts
    (`cuts_s`) all other columns are zero too: a leap from shot to shot is no movement.
    """
    if not 0 <= person < poses.people:
        raise IndexError(f"person {person} of {poses.people}")
    body = body_of(poses, person)
    columns: dict[str, Column] = {"present": (body.present.astype(np.float64), ())}
    for group in (_root, _legs, _upper, _hands, _feet, _facing, _whole):
        columns |= group(body)
    shown = {name: (np.where(body.cut, 0.0, column), joints) for name, (column, joints) in columns.items()}
    columns |= _scales(shown) | _evened(shown, body) | braking_columns(poses, person, body)
    values = np.zeros((len(body.present), len(MOTION_NAMES)), np.float32)  # [F, D]
    for index, name in enumerate(MOTION_NAMES):
        column, joints = columns[name]
        known = body.present & body.known[:, list(joints)].all(1)
        known &= (name == "present") | ~body.cut
        values[:, index] = np.where(known, np.nan_to_num(column), 0.0)
    return MotionFeatures(values, MOTION_NAMES)


def mirror_motion(motion: MotionFeatures) -> MotionFeatures:
    """The same dance seen in a mirror: left and right swapped, sideways signs turned."""
    values = np.empty_like(motion.values)
    swap = {"_l": "_r", "_r": "_l"}
    for index, name in enumerate(motion.names):
        partner = name[:-2] + swap[name[-2:]] if name[-2:] in swap else name
        sign = -1.0 if name in _FLIPPED or name[:-2] in _FLIPPED_PAIRS else 1.0
        values[:, index] = sign * motion.values[:, motion.names.index(partner)]
    return MotionFeatures(values, motion.names, motion.fps)


# --- derivatives ---


def _d1(values: np.ndarray) -> np.ndarray:
    """First derivative per second along time."""
    if len(values) < 5:
        return np.zeros_like(values)
    return scipy.signal.savgol_filter(values, 5, 2, deriv=1, delta=1 / MOTION_FPS, axis=0)


def _d2(values: np.ndarray) -> np.ndarray:
    """Second derivative per second squared along time."""
    if len(values) < 7:
        return np.zeros_like(values)
    return scipy.signal.savgol_filter(values, 7, 3, deriv=2, delta=1 / MOTION_FPS, axis=0)


def _speed(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(_d1(points), axis=-1)


def _decel(speed: np.ndarray) -> np.ndarray:
    return np.maximum(-_d1(speed), 0.0)


# --- groups of columns ---


def _root(body: Body) -> dict[str, Column]:
    root = body.middle(HIPS)  # [F, 2]
    here = body.present if body.present.any() else ~body.present
    away = root - np.median(root[here], 0)
    v, a = _d1(root), _d2(root)
    smooth = scipy.ndimage.gaussian_filter1d(body.log_scale, 0.4 * MOTION_FPS, mode="nearest")
    trunk = np.array([NOSE, *EARS, *TORSO])
    often = body.known[here][:, trunk].mean(0) > 0.5  # the same joints all along: no jumps
    height = -body.image[:, trunk[often] if often.any() else trunk, 1].mean(1)
    return {
        "root_x": (away[:, 0], HIPS),
        "root_y": (-away[:, 1], HIPS),
        "root_vx": (v[:, 0], HIPS),
        "root_vy": (-v[:, 1], HIPS),
        "root_ax": (a[:, 0], HIPS),
        "root_ay": (-a[:, 1], HIPS),
        "approach": (_d1(smooth), HIPS),
        "bounce_v": (_d1(height), HIPS),
        "bounce_a": (_d2(height), HIPS),
    }


def _angle(points: np.ndarray, ends: tuple[int, int, int]) -> np.ndarray:
    """How far a joint is bent, in radians: 0 when straight. [F]"""
    first, joint, last = (points[:, index] for index in ends)
    one, two = joint - first, last - joint
    size = np.linalg.norm(one, axis=-1) * np.linalg.norm(two, axis=-1)
    return np.arccos(np.clip((one * two).sum(-1) / np.maximum(size, 1e-9), -1, 1))


def _legs(body: Body) -> dict[str, Column]:
    legs = (*HIPS, *KNEES, *ANKLES)
    lowest = np.maximum(body.image[:, ANKLES[0], 1], body.image[:, ANKLES[1], 1])
    hip_height = lowest - body.middle(HIPS)[:, 1]
    left, right = (_angle(body.world, ends) for ends in zip(HIPS, KNEES, ANKLES, strict=True))
    ankle_x = body.middle(ANKLES)[:, 0]
    sway = body.middle(HIPS)[:, 0] - ankle_x
    tilt = body.image[:, HIPS[0], 1] - body.image[:, HIPS[1], 1]
    return {
        "hip_height": (hip_height, legs),
        "hip_height_v": (_d1(hip_height), legs),
        "hip_height_a": (_d2(hip_height), legs),
        "knee_bend_l": (left, legs[::2]),
        "knee_bend_r": (right, legs[1::2]),
        "knee_v": (_d1(left + right), legs),
        "knee_a": (_d2(left + right), legs),
        "sway": (sway, legs),
        "sway_v": (_d1(sway), legs),
        "sway_a": (_d2(sway), legs),
        "hip_tilt": (tilt, HIPS),
        "hip_tilt_v": (_d1(tilt), HIPS),
    }


def _upper(body: Body) -> dict[str, Column]:
    head = body.middle(EARS)
    rise = body.middle(HIPS)[:, 1] - head[:, 1]
    nod = body.image[:, NOSE, 1] - head[:, 1]
    lean = body.middle(SHOULDERS)[:, 0] - body.middle(HIPS)[:, 0]
    v = _d1(head)
    face = (NOSE, *EARS)
    return {
        "head_y": (rise, (*EARS, *HIPS)),
        "head_vx": (v[:, 0], EARS),
        "head_vy": (-v[:, 1], EARS),
        "head_ay": (-_d2(head)[:, 1], EARS),
        "nod": (nod, face),
        "nod_v": (_d1(nod), face),
        "lean": (lean, TORSO),
        "lean_v": (_d1(lean), TORSO),
    }


def _limb(body: Body, name: str, joint: int, root: tuple[int, int], side: str) -> dict[str, Column]:
    """Where a hand or foot is against the body, how it moves in the room, how it brakes."""
    place = body.image[:, joint] - body.middle(root)
    v = _d1(body.image[:, joint])
    speed = np.linalg.norm(v, axis=-1)
    return {
        f"{name}_x_{side}": (place[:, 0], (joint, *root)),
        f"{name}_y_{side}": (-place[:, 1], (joint, *root)),
        f"{name}_vx_{side}": (v[:, 0], (joint,)),
        f"{name}_vy_{side}": (-v[:, 1], (joint,)),
        f"{name}_speed_{side}": (speed, (joint,)),
        f"{name}_decel_{side}": (_decel(speed), (joint,)),
    }


def _hands(body: Body) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for side, shoulder, elbow, wrist in zip("lr", SHOULDERS, ELBOWS, WRISTS, strict=True):
        columns |= _limb(body, "wrist", wrist, SHOULDERS, side)
        arm = (shoulder, elbow, wrist)
        columns[f"elbow_bend_{side}"] = (_angle(body.world, arm), arm)
    clap = np.linalg.norm(body.image[:, WRISTS[0]] - body.image[:, WRISTS[1]], axis=-1)
    return columns | {"clap": (clap, WRISTS), "clap_v": (_d1(clap), WRISTS)}


def _feet(body: Body) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for side, ankle in zip("lr", ANKLES, strict=True):
        columns |= _limb(body, "ankle", ankle, HIPS, side)
        contact = np.exp(-((columns[f"ankle_speed_{side}"][0] / 0.3) ** 2))
        columns[f"contact_{side}"] = (contact, (ankle,))
    return columns


def _yaw(points: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    """Direction a pair of landmarks faces, radians [F], without jumps: 0 faces the camera."""
    across = points[:, pair[0]] - points[:, pair[1]]
    across = scipy.ndimage.gaussian_filter1d(across, 1.0, axis=0, mode="nearest")
    return np.unwrap(np.arctan2(across[:, 2], across[:, 0]))


def _facing(body: Body) -> dict[str, Column]:
    shoulders, hips = _yaw(body.world, SHOULDERS), _yaw(body.world, HIPS)
    return {
        "yaw_sin": (np.sin(shoulders), SHOULDERS),
        "yaw_cos": (np.cos(shoulders), SHOULDERS),
        "shoulder_yaw_v": (_d1(shoulders), SHOULDERS),
        "hip_yaw_v": (_d1(hips), HIPS),
    }


def _mean_known(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mean over landmarks [F, J] -> [F] of those known; zero where none is."""
    return (values * known).sum(1) / np.maximum(known.sum(1), 1)


def _whole(body: Body) -> dict[str, Column]:
    joints = list(_MOVING)
    points, known = body.image[:, joints], body.known[:, joints]
    speed = _mean_known(_speed(points), known)
    accel = _mean_known(np.linalg.norm(_d2(points), axis=-1), known)
    decel = _mean_known(_decel(_speed(points)), known)
    v = np.pad(_d1(points), ((2, 2), (0, 0), (0, 0)), mode="edge")
    before, after = v[:-4], v[4:]
    size = np.linalg.norm(before, axis=-1) + np.linalg.norm(after, axis=-1)
    turning = np.linalg.norm(after - before, axis=-1) / (size + _AIMLESS)
    return {
        "total_speed": (speed, ()),
        "total_accel": (accel, ()),
        "total_decel": (decel, ()),
        "turns": (_mean_known(turning, known), ()),
    }


def _scales(columns: dict[str, Column]) -> dict[str, Column]:
    """Rhythm at several time scales: summed speed, and how strongly the trunk bounces."""
    out: dict[str, Column] = {}
    for source, name in (("total_speed", "speed_band"), ("bounce_v", "bounce_energy")):
        values, joints = columns[source]
        layers = [scipy.ndimage.gaussian_filter1d(values, s, mode="nearest") for s in (1, 2, 4, 8, 16)]
        for scale in range(4):
            band = layers[scale] - layers[scale + 1]
            if name == "bounce_energy":
                wide = 2.0 ** (scale + 2)
                band = np.sqrt(scipy.ndimage.gaussian_filter1d(band**2, wide, mode="nearest"))
            out[f"{name}_{scale + 1}"] = (band, joints)
    return out


def _evened(columns: dict[str, Column], body: Body) -> dict[str, Column]:
    """Columns divided by their own size nearby; the floor keeps noise from growing into a dance."""
    sources = (
        ("bounce_v", "bounce_v_even", 0.02),
        ("bounce_a", "bounce_a_even", 0.3),
        ("hip_height_v", "hip_height_v_even", 0.02),
        ("knee_v", "knee_v_even", 0.2),
        ("total_speed", "speed_even", 0.03),
        ("total_decel", "decel_even", 0.2),
    )
    out: dict[str, Column] = {}
    here = body.present.astype(np.float64)
    weight = scipy.ndimage.gaussian_filter1d(here, 2 * MOTION_FPS, mode="constant") + 1e-9
    for source, name, floor in sources:
        values, joints = columns[source]
        mean = scipy.ndimage.gaussian_filter1d(values * here, 2 * MOTION_FPS, mode="constant") / weight
        values = values - mean
        power = scipy.ndimage.gaussian_filter1d(values**2 * here, 2 * MOTION_FPS, mode="constant") / weight
        out[name] = (values / (np.sqrt(power) + floor), joints)
    return out
