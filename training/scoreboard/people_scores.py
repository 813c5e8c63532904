"""How well identities are kept, and whether the right person is followed, against the truth.

A person counts in the frames that show at least half of their joints. A found body is a person's where
the joints lie within a fourth of a body height of theirs on average. IDF1: the assignment of found
people to true ones that shares most frames over the whole clip (`scipy`) is taken;
2 shared / (frames of the true + frames of the found). Bodies found on somebody who is mostly hidden
count neither way. `kept` is the share of the true people's frames that their own found person holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from d2m_core.errors import D2MError
from d2m_core.pose import At, Dancer, dancer_index
from d2m_core.pose.dancer import activity, importance
from d2m_core.pose.landmarks import ANKLES, ELBOWS, HIPS, KNEES, NOSE, SHOULDERS
from d2m_core.types import PoseSequence

_BODY = [NOSE, *SHOULDERS, *ELBOWS, *HIPS, *KNEES, *ANKLES]
_WITHIN = 0.25
_IN_SIGHT, _HALF = 0.7, 0.5
_AS_GOOD = 0.9
"""Whoever is so near to the best by a rule is right, too."""
RULES = ("largest", "most_active", "centre", "at")


@dataclass(frozen=True, eq=False)
class Matching:
    """Which found person is which true one, frame by frame and over the clip."""

    shared: np.ndarray
    """bool [F, true, found]: the bodies agree, and the true one counts."""
    counts: np.ndarray
    """bool [F, true]."""
    found: np.ndarray
    """bool [F, found], without what lies on somebody mostly hidden."""
    pairs: tuple[tuple[int, int], ...]
    """(true, found) of the best assignment."""

    @property
    def held(self) -> int:
        return int(sum(self.shared[:, true, found].sum() for true, found in self.pairs))

    @property
    def idf1(self) -> float:
        return 2 * self.held / max(int(self.counts.sum() + self.found.sum()), 1)

    @property
    def kept(self) -> float:
        return self.held / max(int(self.counts.sum()), 1)


def matched(truth: PoseSequence, found: PoseSequence) -> Matching:
    """The matching of found people to true ones; both at one rate."""
    frames = min(truth.frames, found.frames)
    true_joints, joints = truth.image[:frames][:, :, _BODY], found.image[:frames][:, :, _BODY]
    apart = np.linalg.norm(true_joints[:, :, None] - joints[:, None], axis=-1).mean(-1)
    size = np.linalg.norm(np.ptp(true_joints, axis=2), axis=-1)[:, :, None]
    near = (apart < _WITHIN * size) & found.present[:frames, None]
    in_sight = (truth.visibility[:frames][:, :, _BODY] >= _IN_SIGHT).mean(-1) >= _HALF
    counts = in_sight & truth.present[:frames]
    shared = near & counts[..., None]
    hidden = (near & ~counts[..., None]).any(axis=1) & ~shared.any(axis=1)
    total = shared.sum(axis=0)
    rows, columns = linear_sum_assignment(-total)
    pairs = tuple((int(r), int(c)) for r, c in zip(rows, columns, strict=True) if total[r, c])
    return Matching(shared, counts, found.present[:frames] & ~hidden, pairs)


def right_ones(truth: PoseSequence, rule: str) -> tuple[list[int], Dancer]:
    """The true people that a rule may follow, and the rule as `select_dancer` takes it."""
    if rule == "at":
        person = truth.people - 1
        spot = truth.image[0, person, _BODY].mean(axis=0) / (truth.aspect or 1.0, 1.0)
        x, y = np.clip(spot, 0, 1).tolist()
        return [person], At(x, y, 0.0)
    if rule == "centre":
        across = np.abs(
            np.median(truth.image[:, :, _BODY].mean(axis=2), axis=0) - ((truth.aspect or 1.0) / 2, 0.5)
        )
        away = np.linalg.norm(across, axis=-1)
        return np.flatnonzero(away <= away.min() + 0.05).tolist(), rule
    score = importance(truth) if rule == "largest" else activity(truth)
    return np.flatnonzero(score >= _AS_GOOD * score.max()).tolist(), rule


def followed_right(truth: PoseSequence, found: PoseSequence, rule: str) -> tuple[bool, float]:
    """Whether the person followed most is right by a rule, and the share of frames that are on them.

    The share is of the frames in which the right person counts.
    """
    right, dancer = right_ones(truth, rule)
    matching = matched(truth, found)
    try:
        chosen = dancer_index(found, dancer)
    except D2MError:
        return False, 0.0
    on = matching.shared[:, :, chosen].sum(axis=0)
    person = int(np.argmax(on))
    shares = [on[one] / max(int(matching.counts[:, one].sum()), 1) for one in right]
    return bool(person in right and on[person] > 0), float(max(shares))
