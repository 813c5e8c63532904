"""How an estimator's answer differs from the truth: per joint, per channel, per band of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from d2m_core.pose.landmarks import (
    ANKLES,
    ARMS,
    BOTH_HIPS,
    ELBOWS,
    FACE,
    FEET,
    HANDS,
    HIPS,
    KNEES,
    LEGS,
    PAIRS,
    SHOULDERS,
    WRISTS,
)
from d2m_core.types import LANDMARKS, PoseSequence

from .hiding import SEEN

GROUPS: dict[str, tuple[int, ...]] = {
    "face": FACE,
    "shoulders": SHOULDERS,
    "elbows": ELBOWS,
    "wrists": WRISTS,
    "hands": HANDS,
    "hips": HIPS,
    "knees": KNEES,
    "ankles": ANKLES,
    "feet": FEET,
}
"""Joints that are measured together."""

CHANNELS = ("world x", "world y", "world z", "image x", "image y")
"""Of `in_metres`: across, down and away around the hips; across and down in the picture."""

BANDS = ("slow", "middle", "fast")
"""Errors below 0.5 Hz, up to 2.5 Hz and above."""

_SLOW_S, _MIDDLE_S = 0.265, 0.053
"""Spreads in seconds of the Gaussians whose half-power points are 0.5 and 2.5 Hz."""

_OTHER = {a: b for left, right in PAIRS.values() for a, b in ((left, right), (right, left))}
SWAP = np.array([_OTHER.get(joint, joint) for joint in range(LANDMARKS)])
"""Index of the same landmark on the other side of the body."""

LIMBS = {"arms": ARMS, "legs": LEGS}
_TELLING = {"arms": (*ELBOWS, *WRISTS), "legs": (*KNEES, *ANKLES)}
_FOLLOWED_WITHIN_M = 0.4


@dataclass(frozen=True, eq=False)
class Sighting:
    """One clip: who was there, and the one person whom the estimator followed."""

    truth: PoseSequence
    """P = 1: the person who was followed for most of the time."""
    found: PoseSequence
    """P = 1."""
    followed: np.ndarray
    """bool [F]: found, and this person, not another."""
    tags: tuple[str, ...]
    """Kind of crop, moves, people, model ... as `kind:value`."""


def picture_scale(poses: PoseSequence) -> float:
    """Frame heights per metre at the distance of person 0, the median over the clip."""
    across = poses.image[:, 0].std(1).mean(-1)
    solid = poses.world[:, 0, :, :2].std(1).mean(-1)
    good = poses.present[:, 0] & (solid > 0.05)
    return float(np.median(across[good] / solid[good])) if good.any() else 0.5


def in_metres(poses: PoseSequence, scale: float) -> np.ndarray:
    """Person 0 in `CHANNELS`, float64 [F, J, 5]; picture places over frame heights per metre."""
    return np.concatenate([poses.world[:, 0], poses.image[:, 0] / scale], -1).astype(np.float64)


def sighting(truth: PoseSequence, found: PoseSequence, tags: tuple[str, ...]) -> Sighting:
    """Pairs what was found (P = 1) with the person of the truth (P) who was followed most."""
    frames = min(truth.frames, found.frames)
    gaps = []
    for person in range(truth.people):
        scale = picture_scale(one(truth, person, frames))
        off = np.linalg.norm(truth.image[:frames, person] - found.image[:frames, 0], axis=-1)
        gaps.append(np.median(off, axis=-1) / scale)
    gap = np.stack(gaps)  # [P, F]
    near = found.present[:frames, 0] & (gap.min(0) < _FOLLOWED_WITHIN_M)
    whom = np.argmin(gap, axis=0)
    most = int(np.argmax(np.bincount(whom[near], minlength=truth.people)))
    return Sighting(one(truth, most, frames), one(found, 0, frames), near & (whom == most), tags)


def one(poses: PoseSequence, person: int, frames: int) -> PoseSequence:
    """The first frames of one person."""
    return poses.frames_at(slice(0, frames)).people_at(slice(person, person + 1))


@dataclass(frozen=True, eq=False)
class Errors:
    """The difference of one sighting, in metres, taken apart."""

    bias: np.ndarray
    """[J, 5]: the mean over the clip."""
    gain: np.ndarray
    """[J, 5]: how much of the movement around its mean is added, around the hips' middle."""
    rest: np.ndarray
    """[F, J, 5]: what remains after bias and gain; not followed or swapped frames interpolated."""
    bands: np.ndarray
    """[3, F, J, 5]: `rest` in `BANDS`."""
    speed: np.ndarray
    """[F, J]: of the true joint around the hips, metres per second."""
    good: np.ndarray
    """bool [F]: followed, not near a gap, nothing swapped."""
    swapped: dict[str, np.ndarray]
    """bool [F] by limb."""
    seen: np.ndarray
    """[F, J]: visibility in the truth."""


def errors(pair: Sighting) -> Errors | None:
    """The errors of a sighting; None where too little was followed."""
    scale = picture_scale(pair.truth)
    truth, found = in_metres(pair.truth, scale), in_metres(pair.found, scale)
    swapped = {limb: _swapped(truth, found, limb) & pair.followed for limb in LIMBS}
    mixed = np.any(list(swapped.values()), axis=0)
    good = pair.followed & ~mixed
    if good.sum() < max(25, 0.4 * len(good)):
        return None
    gap = _bridged(found - truth, good)
    moved = around_hips(truth)
    moved = moved - moved[good].mean(0)
    clear = good[:, None] & (pair.truth.visibility[:, 0] >= SEEN - 0.01)
    clear = np.where(clear.sum(0) > 20, clear, good[:, None])[..., None]  # [F, J, 1]
    count = clear.sum(0)
    bias = (gap * clear).sum(0) / count
    centred = (gap - bias) * clear
    power = (moved**2 * clear).sum(0)
    gain = (centred * moved).sum(0) / np.maximum(power, 1e-9)
    gain = np.where(power / count > 0.02**2, np.clip(gain, -1.2, 1.2), 0.0)
    rest = gap - bias - gain * moved
    speed = np.linalg.norm(np.gradient(truth[..., :3], axis=0), axis=-1) * pair.truth.fps
    return Errors(
        bias, gain, rest, banded(rest, pair.truth.fps), speed, good, swapped, pair.truth.visibility[:, 0]
    )


def around_hips(values: np.ndarray) -> np.ndarray:
    """Joints [F, J, 5] from the hips' middle in every channel."""
    return values - values[:, BOTH_HIPS].mean(1, keepdims=True)


def banded(values: np.ndarray, fps: float) -> np.ndarray:
    """Values [F, ...] in `BANDS`, [3, F, ...], which add up to them."""
    low = gaussian_filter1d(values, _SLOW_S * fps, axis=0, mode="nearest")
    lower = gaussian_filter1d(values, _MIDDLE_S * fps, axis=0, mode="nearest")
    return np.stack([low, lower - low, values - lower])


def _bridged(values: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Values [F, ...] with straight lines where a frame is not good."""
    known = np.flatnonzero(good)
    flat = values.reshape(len(values), -1)
    where = np.arange(len(values))
    low = np.clip(np.searchsorted(known, where, "right") - 1, 0, len(known) - 1)
    high = np.clip(low + 1, 0, len(known) - 1)
    a, b = known[low], known[high]
    share = np.where(b > a, (where - a) / np.maximum(b - a, 1), 0.0).clip(0, 1)[:, None]
    return (flat[a] * (1 - share) + flat[b] * share).reshape(values.shape)


def _swapped(truth: np.ndarray, found: np.ndarray, limb: str) -> np.ndarray:
    """Frames in which left and right of a limb are exchanged, bool [F]."""
    joints = list(_TELLING[limb])
    across = around_hips(found)[:, joints, :2]
    straight = np.linalg.norm(across - around_hips(truth)[:, joints, :2], axis=-1).mean(1)
    crossed = np.linalg.norm(across - around_hips(truth)[:, SWAP[joints], :2], axis=-1).mean(1)
    return (straight > 0.12) & (crossed < 0.5 * straight)


def runs(marks: np.ndarray) -> np.ndarray:
    """Lengths of the runs of True in bool [F]."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(int), [0]])))
    return edges[1::2] - edges[::2]


def lag_ms(truth: np.ndarray, found: np.ndarray, good: np.ndarray, fps: float) -> float:
    """By how much `found` [F, C] is late, from where the velocities agree best."""
    times = np.arange(len(truth), dtype=np.float64)
    pace = np.gradient(truth, axis=0)
    inner = good.copy()
    inner[:6] = inner[-6:] = False
    shifts = np.arange(-2.0, 3.01, 0.1)
    score = np.empty(len(shifts))
    for index, shift in enumerate(shifts):
        moved = np.stack([np.interp(times + shift, times, c) for c in found.T], -1)
        other = np.gradient(moved, axis=0)[inner]
        score[index] = (pace[inner] * other).sum() / np.sqrt(max((other**2).sum(), 1e-12))
    return float(shifts[int(np.argmax(score))] * 1000 / fps)
