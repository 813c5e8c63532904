"""How often and how long: visibility, left-right swaps and drop-outs of sightings."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from d2m_core.pose.landmarks import ANKLES, FEET, INDEX_FINGERS, LITTLE_FINGERS, WRISTS
from d2m_core.types import LANDMARKS

from .measure import GROUPS, LIMBS, Errors, Sighting, in_metres, picture_scale, runs
from .noise import facing, partly_seen
from .noise_model import FACINGS, QUANTILES, STATES

_ENOUGH = 60
"""Frames from which a group of joints has quantiles of its own."""


def visibilities(sightings: list[Sighting]) -> tuple[np.ndarray, float, float]:
    """Quantiles [4, J, Q] by state, the share that is constant in a clip, and the memory in s."""
    out = np.zeros((len(STATES), LANDMARKS, len(QUANTILES)))
    for row, state in enumerate(STATES):
        pooled = []
        for joints in GROUPS.values():
            values = np.concatenate([_seen_as(p, list(joints), state) for p in sightings])
            pooled.append(values)
            if len(values) >= _ENOUGH:
                out[row, list(joints)] = np.quantile(values, QUANTILES)
        if sum(map(len, pooled[1:])) < _ENOUGH:
            out[row] = out[max(row - 1, 0)]  # never seen: like the state before
            continue
        rest = np.quantile(np.concatenate(pooled[1:]), QUANTILES)  # faces are always seen
        for joints, values in zip(GROUPS.values(), pooled, strict=True):
            if len(values) < _ENOUGH:
                out[row, list(joints)] = rest
    return out, *_visibility_course(sightings)


def _seen_as(pair: Sighting, joints: list[int], state: float) -> np.ndarray:
    near = np.abs(pair.truth.visibility[:, 0, joints] - state) < 0.01
    return pair.found.visibility[:, 0, joints][near & pair.followed[:, None]]


def _visibility_course(sightings: list[Sighting]) -> tuple[float, float]:
    """Share of a joint's visibility (normal score) that a clip keeps; memory of the rest in s."""
    shares, memories = [], []
    for joints in (WRISTS, (*LITTLE_FINGERS, *INDEX_FINGERS), ANKLES, FEET):
        parts = [p.found.visibility[p.followed, 0][:, list(joints)].mean(1) for p in sightings]
        flat = np.concatenate(parts)
        score = ndtri((rankdata(flat) - 0.5) / len(flat))
        ends = np.cumsum([len(p) for p in parts])[:-1]
        clips = [c - c.mean() for c in np.split(score, ends) if len(c) > 50]
        inside = np.mean([np.mean(c**2) for c in clips])
        shares.append(1.0 - inside)
        kept = np.mean([np.mean(c[10:] * c[:-10]) for c in clips]) / inside
        memories.append(-0.4 / np.log(np.clip(kept, 0.05, 0.95)))
    return float(np.clip(np.mean(shares), 0.0, 0.9)), float(np.mean(memories))


def swap_rates(
    sightings: list[Sighting], pairs: list[tuple[Sighting, Errors]]
) -> tuple[np.ndarray, np.ndarray]:
    """Swaps per second [2, 3] of arms and legs by `FACINGS`, and how long they last, in s."""
    counts, spans, seconds = np.zeros((2, 3)), np.zeros((2, 3)), np.zeros(3)
    for pair, e in pairs:
        where = facing(in_metres(pair.truth, picture_scale(pair.truth)))
        seconds += np.bincount(where, minlength=len(FACINGS)) / pair.truth.fps
        for row, limb in enumerate(LIMBS):
            starts = np.flatnonzero(np.diff(e.swapped[limb].astype(int), prepend=0) == 1)
            lengths = runs(e.swapped[limb]) / pair.truth.fps
            np.add.at(counts[row], where[starts], 1)
            np.add.at(spans[row], where[starts], lengths)
    mean_s = (spans + 0.08) / (counts + 1)
    return counts / np.maximum(seconds, 1.0), mean_s


def drop_outs(sightings: list[Sighting]) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Drop-outs per second and their seconds, fully seen and partly; late starts."""
    counts, spans, seconds = np.zeros(2), np.zeros(2), np.zeros(2)
    late = []
    for pair in sightings:
        partly = partly_seen(pair.truth.visibility[:, 0])
        missing = ~pair.found.present[:, 0]
        first = int(np.argmin(missing)) if not missing.all() else len(missing)
        late.append(first / pair.truth.fps)
        missing = missing[first:]
        seconds += np.bincount(partly, minlength=2) / pair.truth.fps
        starts = np.flatnonzero(np.diff(missing.astype(int), prepend=0) == 1)
        np.add.at(counts, partly[first:][starts], 1)
        np.add.at(spans, partly[first:][starts], runs(missing) / pair.truth.fps)
    starts_late = np.array(late) > 0
    late_s = float(np.array(late)[starts_late].mean()) if starts_late.any() else 0.1
    mean_s = (spans + 0.1) / (counts + 1)
    return counts / np.maximum(seconds, 1.0), mean_s, float(starts_late.mean()), late_s
