"""Takes out readings that are of somebody else: two people are never read off one body."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..types import PoseSequence
from .landmarks import TORSO
from .track import BODY, body_distance
from .tracks import Track

_ONE_BODY = 0.15
"""A reading so near to somebody's way (mean over joints, in body heights) is of them."""
_AWAY = 0.35
"""A reading so far from its own way is of nobody known."""
_TRUNK_REACH, _TRUNK_REACH_PER_S = 0.2, 1.0
"""Where no way is known, a reading may be so far from the nearest sighting, in body heights."""
_NEAR_OTHERS = 0.12
"""Where no way is known, joints so near to others' (mean, in body heights) are theirs."""
_KNOWN_S = 0.45
"""A way is known between sightings that are no further apart."""


def without_usurpers(poses: PoseSequence, tracks: list[Track], kept: list[int]) -> PoseSequence:
    """The poses of tracks `kept`, without the frames in which they were read off another's body."""
    ways = [_way(track, poses) for track in tracks]
    present = poses.present.copy()
    for slot, person in enumerate(kept):
        own = _distance(poses, slot, ways[person])
        others = [_distance(poses, slot, ways[other]) for other in range(len(tracks)) if other != person]
        other = np.min(others, axis=0) if others else np.full(poses.frames, np.inf)
        unknown = np.isinf(own)
        usurped = (other < _ONE_BODY) & ((own > other) | unknown)
        astray = np.where(unknown, _out_of_reach(poses, slot, tracks[person]), own > _AWAY)
        patched = unknown & _made_of(poses, slot, [ways[k] for k in range(len(tracks)) if k != person])
        present[:, slot] &= ~(usurped | astray | patched)
    _apart(poses, present)
    return replace(poses, present=present)


def _made_of(poses: PoseSequence, slot: int, ways: list[np.ndarray]) -> np.ndarray:
    """Frames [F] in which somebody's joints all lie near joints of others: a body between bodies."""
    if not ways:
        return np.zeros(poses.frames, np.bool_)
    others = np.nan_to_num(np.concatenate(ways, axis=1), nan=1e3)  # [F, n, 2]
    joints = poses.image[:, slot][:, BODY]
    near = np.linalg.norm(joints[:, :, None] - others[:, None], axis=-1).min(axis=2).mean(axis=1)
    return near < _NEAR_OTHERS * _sizes(poses)[:, slot]


def _out_of_reach(poses: PoseSequence, slot: int, track: Track) -> np.ndarray:
    """Frames [F] in which somebody cannot be where they are read, by their nearest sighting."""
    times = np.arange(poses.frames) / poses.fps
    nearest = np.abs(times[:, None] - np.array(track.times_s)).argmin(axis=1)
    gap_s = np.abs(times - np.array(track.times_s)[nearest])
    centres = np.array([one.centre for one in track.seen])[nearest]
    sizes = np.array([one.size for one in track.seen])[nearest]
    trunks = poses.image[:, slot][:, list(TORSO)].mean(axis=1)
    return np.linalg.norm(trunks - centres, axis=-1) > (_TRUNK_REACH + _TRUNK_REACH_PER_S * gap_s) * sizes


def _apart(poses: PoseSequence, present: np.ndarray) -> None:
    """Where two are read off one body, in place: only who was there longer without break stays."""
    size = _sizes(poses)
    for one in range(poses.people):
        for other in range(one + 1, poses.people):
            both = present[:, one] & present[:, other]
            joints = poses.image[:, [one, other]][:, :, BODY]
            apart = body_distance(joints[:, 0], joints[:, 1])
            same = both & (apart < 0.5 * _ONE_BODY * np.maximum(size[:, one], size[:, other]))
            for frame in np.flatnonzero(same).tolist():
                loser = one if _since(present[:, one], frame) < _since(present[:, other], frame) else other
                present[frame, loser] = False


def _since(present: np.ndarray, frame: int) -> int:
    """Frames for which somebody has been there without break."""
    gone = np.flatnonzero(~present[:frame])
    return int(frame - (gone[-1] if len(gone) else -1))


def _sizes(poses: PoseSequence) -> np.ndarray:
    """Diagonals of the boxes around everybody's joints [F, P]."""
    return np.maximum(np.linalg.norm(np.ptp(poses.image[:, :, BODY], axis=2), axis=-1), 1e-3)


def _way(track: Track, poses: PoseSequence) -> np.ndarray:
    """Joints [F, len(BODY), 2] between a track's sightings; NaN where they are too far apart."""
    times = np.arange(poses.frames) / poses.fps
    known = np.array(track.times_s)
    joints = np.stack([one.body.image[BODY] for one in track.seen])
    after = np.clip(np.searchsorted(known, times - 1e-6), 0, len(known) - 1)
    before = np.maximum(after - 1, 0)
    exact = np.abs(known[after] - times) < 1e-3
    gap = known[after] - known[before]
    share = np.clip((times - known[before]) / np.maximum(gap, 1e-6), 0.0, 1.0)
    way = joints[before] + share[:, None, None] * (joints[after] - joints[before])
    way[exact] = joints[after[exact]]
    inside = (times >= known[0] - 1e-6) & (times <= known[-1] + 1e-6)
    way[~exact & ((gap > _KNOWN_S) | ~inside)] = np.nan
    return way


def _distance(poses: PoseSequence, slot: int, way: np.ndarray) -> np.ndarray:
    """Mean distance [F] of somebody's joints from a way, in body heights; infinite if unknown."""
    apart = body_distance(poses.image[:, slot][:, BODY], way)
    apart = apart / _sizes(poses)[:, slot]
    return np.where(np.isnan(apart), np.inf, apart)
