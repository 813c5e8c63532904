"""Which of the dancers is followed."""

from __future__ import annotations

import numpy as np

from ..errors import PoseError, SettingError
from ..types import PoseSequence
from .track import BODY, body_height

DANCERS = ("largest", "most_active")
"""Ways to choose a dancer other than by number."""
MAX_PEOPLE = 16
"""No more people are looked for in a clip, and numbers of dancers stay below."""


def select_dancer(poses: PoseSequence, which: str | int = "largest") -> PoseSequence:
    """The poses of one dancer of several, chosen as in `dancer_index`."""
    chosen = dancer_index(poses, which)
    return poses.people_at(slice(chosen, chosen + 1))


def dancer_index(poses: PoseSequence, which: str | int = "largest") -> int:
    """The number of one dancer of several: the largest or most active in the picture.

    Size and activity add up over the clip, so that somebody who is seen for a moment does not win.
    A number from 0 is checked. Raises `PoseError` where nobody is seen, and `SettingError`.
    """
    seen = np.flatnonzero(poses.present.any(axis=0))
    if len(seen) == 0:
        raise PoseError("There is nobody in these poses; use a clip that shows a whole dancer.")
    if isinstance(which, int):
        if which not in seen:
            raise SettingError(
                f"Dancer {which} was asked for, but the clip has {len(seen)}; "
                f"choose {' or '.join(map(str, seen)) if len(seen) < 3 else f'0 to {seen[-1]}'}."
            )
        return which
    if which in DANCERS:
        score = _sizes(poses) if which == "largest" else _activity(poses)
        return int(seen[np.argmax(score[seen])])
    raise SettingError(f"Dancer is {which!r}; choose {', '.join(DANCERS)} or a number from 0.")


def _sizes(poses: PoseSequence) -> np.ndarray:
    """Body height in frame heights [P], summed over the frames a person is in."""
    sizes = np.zeros(poses.people)
    for frame, person in np.argwhere(poses.present):
        given = poses.visibility[frame, person] > 0
        sizes[person] += body_height(poses.image[frame, person], given)
    return sizes


def _activity(poses: PoseSequence) -> np.ndarray:
    """Way of the body's joints [P] in body heights, over the whole clip."""
    both = poses.present[1:] & poses.present[:-1]
    given = (poses.visibility[1:, :, BODY] > 0) & (poses.visibility[:-1, :, BODY] > 0)
    given &= both[..., None]
    steps = np.linalg.norm(np.diff(poses.image[:, :, BODY], axis=0), axis=-1)  # [F-1, P, len(BODY)]
    way = np.where(given, steps, 0.0).sum(axis=(0, 2))
    frames = np.maximum(poses.present.sum(axis=0), 1)
    size = np.maximum(_sizes(poses) / frames, 1e-6)
    return way / size
