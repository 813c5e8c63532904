"""True landmarks -> what MediaPipe would have said: sampling, errors, swaps, gaps, visibility.

The numbers come from `noise_model.json`, which `python -m training.fit_noise` fits to what
MediaPipe said about drawn dancers. Errors enter before MediaPipe's own filters, so that lag and
smoothness come about as they do there: who moves slowly is followed late.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from d2m_core.pose.landmarks import BOTH_HIPS, FACE, TORSO
from d2m_core.types import LANDMARKS, PoseSequence

from .measure import GROUPS, LIMBS, SWAP, around_hips, in_metres, one, picture_scale
from .noise_model import FACINGS, MEMORY_S, QUANTILES, STATES, NoiseModel, load_noise
from .scene import Scene
from .shown import shown_at
from .smoothing import (
    IMAGE_FILTER,
    REGION_M,
    VISIBILITY_MEMORY,
    WORLD_FILTER,
    low_passed,
    one_euro,
    remembering,
)

FITTED = 1.0
"""`severity` of the drawn clips that the model was fitted to."""

_FILTERS = np.array([WORLD_FILTER] * 3 + [(IMAGE_FILTER[0], IMAGE_FILTER[1] / REGION_M)] * 2)  # [5, 2]
_GROUP_OF = np.array([next(i for i, g in enumerate(GROUPS.values()) if j in g) for j in range(LANDMARKS)])
_FOUND_BY = (*FACE, *TORSO)
_FULLY_SEEN = 0.85
"""Share of them in sight from which somebody is not partly hidden."""


def mediapipe_like(
    source: Scene | PoseSequence,
    rng: np.random.Generator,
    severity: float | None = None,
    model: NoiseModel | None = None,
    *,
    as_shown: bool = True,
) -> PoseSequence:
    """The poses with an estimator's faults, drawn afresh for every call; one person or more.

    `severity` multiplies errors and, squared, the rates of swaps and gaps; None draws one, since
    real clips are worse than drawings. Without `as_shown`, frames are taken at their exact times
    instead of through a clip of some other frame rate.
    """
    clean = source.poses if isinstance(source, Scene) else source
    model = load_noise() if model is None else model
    drawn = float(np.exp(rng.normal(0.25, 0.35)))
    severity = drawn if severity is None else severity
    times = shown_at(clean.frames, clean.fps, rng) if as_shown else None
    people = [
        _one_like(one(clean, person, clean.frames), times, model, severity, rng)
        for person in range(clean.people)
    ]
    return PoseSequence(
        np.concatenate([person.world for person in people], axis=1),
        np.concatenate([person.image for person in people], axis=1),
        np.concatenate([person.visibility for person in people], axis=1),
        np.concatenate([person.present for person in people], axis=1),
        clean.fps,
    )


def _one_like(
    clean: PoseSequence,
    times: np.ndarray | None,
    model: NoiseModel,
    severity: float,
    rng: np.random.Generator,
) -> PoseSequence:
    scale = picture_scale(clean)
    true = in_metres(clean, scale)  # [F, J, 5]
    if times is not None:
        true = _interpolated(true, times)
    weights = _state_weights(clean.visibility[:, 0])
    wrong = _errors(true, weights, model, severity, clean.fps, rng)
    wrong[:, BOTH_HIPS, :3] -= wrong[:, BOTH_HIPS, :3].mean(1, keepdims=True)  # the hips' middle is zero
    raw = true + wrong
    for limb, swapped in _swaps(true, model, severity**2, clean.fps, rng).items():
        frames, joints = np.flatnonzero(swapped)[:, None], np.array(LIMBS[limb])
        raw[frames, joints] = raw[frames, SWAP[joints]]
    found = one_euro(raw, clean.fps, _FILTERS)
    present = _presence(clean, model, severity**2, rng)
    seen = _visibility(weights, model, clean.fps, rng)
    found[..., :3] -= found[:, BOTH_HIPS, :3].mean(1, keepdims=True)
    keep = present[:, None, None]
    return PoseSequence(
        (found[..., :3] * keep).astype(np.float32)[:, None],
        (found[..., 3:] * scale * keep).astype(np.float32)[:, None],
        (seen * keep[..., 0]).astype(np.float32)[:, None],
        present[:, None],
        clean.fps,
    )


def _interpolated(values: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Values [F, ...] at places between frames [n]."""
    low = np.minimum(frames.astype(int), len(values) - 1)
    high = np.minimum(low + 1, len(values) - 1)
    share = (frames - low)[:, None, None]
    return values[low] * (1 - share) + values[high] * share


def _state_weights(visibility: np.ndarray) -> np.ndarray:
    """How much each joint is in each of `STATES`, [4, F, J], with MediaPipe's slow changes."""
    nearest = np.abs(visibility[None] - np.array(STATES)[:, None, None]).argmin(0)
    return np.stack(
        [low_passed((nearest == state).astype(np.float64), VISIBILITY_MEMORY) for state in range(len(STATES))]
    )


def _errors(
    true: np.ndarray,
    weights: np.ndarray,
    model: NoiseModel,
    severity: float,
    fps: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """What the networks add to the truth, metres [F, J, 5]."""
    frames = len(true)
    moved = around_hips(true)
    moved = moved - moved.mean(0)
    speed = np.linalg.norm(np.gradient(true[..., :3], axis=0), axis=-1) * fps  # [F, J]
    level = severity * np.exp(
        rng.normal(0, model.clip_spread) + rng.normal(0, model.joint_spread, len(GROUPS))[_GROUP_OF]
    )
    restless = remembering(rng.standard_normal((frames, len(GROUPS))), 0.3, fps)[:, _GROUP_OF]
    burst = np.exp(model.burst * restless - model.burst**2 / 2)
    worse = np.einsum("s,sfj->fj", model.worse, weights)
    size = level * worse * burst * (1.0 + model.speed_gain * speed)
    out = np.zeros_like(true)
    for band, memory_s in enumerate(MEMORY_S):
        noise = _shared_noise(frames, model, rng)
        if memory_s > 0:
            noise = remembering(noise, memory_s, fps)
        out += noise * model.levels[band]
    out *= size[..., None]
    constant = severity * model.bias_spread * _shared_noise(1, model, rng)[0]
    further_off = np.einsum("s,sfj->fj", model.further_off, weights)
    constant = model.bias_mean + constant * further_off[..., None]  # [F, J, 5]
    group = rng.standard_normal((len(GROUPS), 5))[_GROUP_OF]
    return out + constant + (model.gain_mean + model.gain_spread * group) * moved


def _shared_noise(frames: int, model: NoiseModel, rng: np.random.Generator) -> np.ndarray:
    """Unit noise [F, J, 5], white in time; joints and channels go together as they do."""
    rank = model.factors.shape[-1]
    common = rng.standard_normal((frames, 5, rank + LANDMARKS), np.float32)
    share = model.together
    for channel in (0, 1):
        own = common[:, 3 + channel]
        own *= np.sqrt(1 - share[channel] ** 2)
        own += share[channel] * common[:, channel]
    alone = np.sqrt(np.maximum(1 - (model.factors**2).sum(-1), 0.0))  # [5, J]
    noise = np.einsum("fcr,cjr->fjc", common[..., :rank], model.factors, optimize=True)
    return noise + (common[..., rank:] * alone).transpose(0, 2, 1)


def facing(true: np.ndarray) -> np.ndarray:
    """Index into `FACINGS` per frame [F] of somebody in metres [F, J, 5]."""
    across = true[:, 11, [0, 2]] - true[:, 12, [0, 2]]
    to_us = across[:, 0] / np.maximum(np.linalg.norm(across, axis=-1), 1e-6)
    return np.digitize(-to_us, [-0.5, 0.5])


def _swaps(
    true: np.ndarray, model: NoiseModel, often: float, fps: float, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Frames, bool [F], in which left and right of the limbs are taken for each other."""
    where = facing(true)
    return {
        limb: _runs(often * model.swap_rate[row][where], model.swap_s[row][where], fps, rng)
        for row, limb in enumerate(LIMBS)
    }


def _runs(rate: np.ndarray, length_s: np.ndarray, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Runs of True that start at `rate` [F] per second and last `length_s` [F] on average."""
    marks = np.zeros(len(rate), bool)
    lengths = rng.exponential(1.0, len(rate)) * length_s * fps
    for first in np.flatnonzero(rng.random(len(rate)) < rate / fps):
        marks[first : first + max(1, round(lengths[first]))] = True
    return marks


def partly_seen(visibility: np.ndarray) -> np.ndarray:
    """1 where the head and trunk, by which people are found, are not all in sight, else 0 [F]."""
    return ((visibility[:, _FOUND_BY] > 0.5).mean(-1) < _FULLY_SEEN).astype(int)


def _presence(clean: PoseSequence, model: NoiseModel, often: float, rng: np.random.Generator) -> np.ndarray:
    """Frames in which the person is found, bool [F]."""
    partly = partly_seen(clean.visibility[:, 0])
    lost = _runs(often * model.gap_rate[partly], model.gap_s[partly], clean.fps, rng)
    start = rng.exponential(model.late_start_s)
    if rng.random() < often * model.late_start:
        lost[: max(1, round(start * clean.fps))] = True
    found = clean.present[:, 0] & ~lost
    return found if found.any() else clean.present[:, 0]


def _visibility(weights: np.ndarray, model: NoiseModel, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Visibility [F, J] that MediaPipe gives joints in states [4, F, J]."""
    frames, joints = weights.shape[1:]
    clip = rng.standard_normal(len(GROUPS))[_GROUP_OF] * 0.7 + rng.standard_normal() * 0.714
    moving = remembering(rng.standard_normal((frames, joints)), model.visibility_memory_s, fps)
    score = np.sqrt(model.visibility_clip) * clip + np.sqrt(1 - model.visibility_clip) * moving
    rank = ndtr(score)
    out = np.zeros((frames, joints))
    for state in np.flatnonzero(weights.reshape(len(STATES), -1).max(1) > 1e-3):
        given = np.stack(
            [np.interp(rank[:, joint], QUANTILES, model.visibility[state, joint]) for joint in range(joints)],
            1,
        )
        out += weights[state] * given
    return np.clip(out, 0.001, 1.0)


__all__ = ["FACINGS", "FITTED", "facing", "mediapipe_like"]
