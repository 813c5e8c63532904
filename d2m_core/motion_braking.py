"""Motion features of hands, feet and trunk that keep their shape where pose estimators err.

They come from the same braking as accents do (`braking`): left and right are put in order and
outliers dropped before speeds are taken, so that they look alike in true landmarks and in noisy
ones.
"""

from __future__ import annotations

import numpy as np

from .accents import accent_curve, accents_of, strength_of
from .braking import PARTS, braking_of, parts_of
from .motion_body import Body
from .types import PoseSequence

_PARTS = ("wrist_{}_l", "wrist_{}_r", "ankle_{}_l", "ankle_{}_r", "trunk_{}")
"""Names of `braking.PARTS`, in their order."""

BRAKING_NAMES = (
    *(name.format("brake") for name in _PARTS),
    *(name.format(f"steady_v{axis}") for name in _PARTS for axis in "xy"),
    "brake", "accent",
)  # fmt: skip
"""`_brake`: how hard a part brakes, 0..1 as an accent's strength; `_steady_v`: its velocity, body
heights per second; `brake`: of all parts; `accent`: the visible accents (`accents`) as bumps."""


def braking_columns(
    poses: PoseSequence, person: int, body: Body
) -> dict[str, tuple[np.ndarray, tuple[int, ...]]]:
    """Columns [F] named as in `BRAKING_NAMES`, and the landmarks that each depends on.

    `body`: what `body_of` says of this person.
    """
    points, sure = parts_of(poses, person, body)
    braking, velocity = braking_of(points, sure)
    upward = velocity * np.array([1.0, -1.0])
    accents = accents_of(points, braking, velocity)
    columns = [
        *strength_of(braking).T,
        *upward.reshape(len(upward), -1).T,
        strength_of(np.sqrt((braking**2).sum(1))),
        accent_curve(accents, len(points)),
    ]
    joints = (*PARTS, *(part for part in PARTS for _ in "xy"), (), ())
    return dict(zip(BRAKING_NAMES, zip(columns, joints, strict=True), strict=True))
