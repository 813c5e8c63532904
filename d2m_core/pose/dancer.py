"""Which of the dancers is followed."""

from __future__ import annotations

import numpy as np

from ..errors import PoseError, SettingError
from ..settings import DANCERS, At, Dancer, Region
from ..types import PoseSequence
from .landmarks import TORSO
from .track import BODY, body_distance

_FULL_SHARE = 0.5
"""Who is seen in less than this share of the frames counts for less, as much as it is less."""
_HIDDEN = 0.12
"""So much less of their size counts of who is never seen. Of two who are nearly of one size, the one who goes
behind the other for a second is not followed: music would be quiet there."""
_STEP_S = 0.2
_AT_FIRST_S = 1.0
_NEAR_S = 0.5


def select_dancer(poses: PoseSequence, which: Dancer = "largest") -> PoseSequence:
    """The poses of those whom the music follows, chosen as in `followed`."""
    return poses.people_at(followed(poses, which))


def followed(poses: PoseSequence, which: Dancer = "largest") -> list[int]:
    """The numbers of those whom the music follows: all who are seen for `blend`, else one."""
    if which == "blend":
        return _seen(poses).tolist()
    return [dancer_index(poses, which)]


def dancer_index(poses: PoseSequence, which: Dancer = "largest") -> int:
    """The number of one dancer of several.

    `largest` and `most_active` are so in the middle of the frames that show them, and `centre` is
    nearest to the middle of the picture there, so that nobody wins by being seen for longest;
    nor by being seen for a moment. A number from 0 is checked. `At` and `Region` need poses that
    know the shape of their picture. Raises `PoseError` where nobody is seen, and `SettingError`.
    """
    seen = _seen(poses)
    if isinstance(which, int):
        return _numbered(which, seen)
    if isinstance(which, At):
        return _at(poses, which, seen)
    if isinstance(which, Region):
        return _in_region(poses, which, seen)
    rules = {"largest": importance, "most_active": activity, "centre": _centrality}
    if which in rules:
        return int(seen[np.argmax(rules[which](poses)[seen])])
    raise SettingError(f"Dancer is {which!r}; choose {', '.join(DANCERS)} or a number from 0.")


def importance(poses: PoseSequence) -> np.ndarray:
    """Body height [P] in frame heights as it is in most frames, less for who is hardly there.

    Of people of one size, who is seen more counts a little more.
    """
    return _sizes(poses) * _weights(poses) * (1 - _HIDDEN + _HIDDEN * poses.present.mean(axis=0))


def activity(poses: PoseSequence) -> np.ndarray:
    """Way of the body's joints [P] in body heights per second seen, much less for who is hardly there.

    Between places 0.2 s apart, so that trembling of the finder hardly counts, and in the middle of
    the frames, so that its slips do not. Joints count by how visible they are: those it guesses tremble
    most. A body that is imagined for a moment leaps about more than anybody dances, so being seen
    seldom counts twice here.
    """
    lag = max(1, round(_STEP_S * poses.fps))
    if poses.frames <= lag:
        return np.zeros(poses.people)
    both = poses.present[lag:] & poses.present[:-lag]
    joints, seen = poses.image[:, :, BODY], poses.visibility[:, :, BODY]  # [F, P, len(BODY), ...]
    steps = body_distance(joints[lag:], joints[:-lag], (seen[lag:], seen[:-lag]))  # [F - lag, P]
    ways = np.zeros(poses.people)
    for person in range(poses.people):
        own = steps[both[:, person], person]
        if len(own):
            ways[person] = np.median(own)
    return ways * poses.fps / lag / np.maximum(_sizes(poses), 1e-6) * _weights(poses) ** 2


def _seen(poses: PoseSequence) -> np.ndarray:
    seen = np.flatnonzero(poses.present.any(axis=0))
    if len(seen) == 0:
        raise PoseError("There is nobody in these poses; use a clip that shows a whole dancer.")
    return seen


def _numbered(which: int, seen: np.ndarray) -> int:
    if which not in seen:
        raise SettingError(
            f"Dancer {which} was asked for, but the clip has {len(seen)}; "
            f"choose {' or '.join(map(str, seen)) if len(seen) < 3 else f'0 to {seen[-1]}'}."
        )
    return which


def _weights(poses: PoseSequence) -> np.ndarray:
    """1 for who is seen in a fair share of the frames [P], less below it."""
    return np.minimum(poses.present.mean(axis=0) / _FULL_SHARE, 1.0)


def _sizes(poses: PoseSequence) -> np.ndarray:
    """Median body height [P] in frame heights: the diagonal of the box around the body's joints."""
    sizes = np.zeros(poses.people)
    for person in range(poses.people):
        frames = np.flatnonzero(poses.present[:, person])
        if len(frames):
            given = poses.visibility[frames, person] > 0
            points = np.where(given[..., None], poses.image[frames, person], np.nan)
            low, high = np.nanmin(points, axis=1), np.nanmax(points, axis=1)
            sizes[person] = np.nanmedian(np.linalg.norm(high - low, axis=-1))
    return np.nan_to_num(sizes)


def _trunks(poses: PoseSequence) -> np.ndarray:
    """Middles [F, P, 2] of the trunks, of all joints where its are not given; NaN where absent."""
    given = (poses.visibility > 0)[..., None]
    trunk = np.zeros_like(given)
    trunk[:, :, list(TORSO)] = given[:, :, list(TORSO)]
    use = np.where(trunk.any(axis=2, keepdims=True), trunk, given)
    count = use.sum(axis=2)
    middle = np.where(use, poses.image, 0.0).sum(axis=2) / np.maximum(count, 1)
    return np.where(poses.present[..., None] & (count > 0), middle, np.nan)


def _aspect(poses: PoseSequence, what: str) -> float:
    if poses.aspect is None:
        raise SettingError(
            f"{what} needs the shape of the picture, which these poses do not know; choose by number."
        )
    return poses.aspect


def _centrality(poses: PoseSequence) -> np.ndarray:
    """Nearness [P] to the middle of the picture; of the middle of everybody where none is known."""
    trunks = _trunks(poses)
    across = np.nanmedian(trunks[..., 0]) if poses.aspect is None else poses.aspect / 2
    away = np.full(poses.people, np.inf)
    for person in _seen(poses):
        away[person] = np.nanmedian(np.linalg.norm(trunks[:, person] - (across, 0.5), axis=-1))
    return _weights(poses) / (0.1 + away)


def _at(poses: PoseSequence, point: At, seen: np.ndarray) -> int:
    spot = np.array([point.x * _aspect(poses, "A point"), point.y])
    away = np.full(poses.people, np.inf)
    first = int(np.flatnonzero(poses.present.any(axis=1))[0])
    for person in seen:
        frames = np.flatnonzero(poses.present[:, person])
        if point.time_s is None:
            frame, allowed = int(frames[0]), frames[0] <= first + _AT_FIRST_S * poses.fps
        else:
            frame = int(frames[np.argmin(np.abs(frames - point.time_s * poses.fps))])
            allowed = abs(frame - point.time_s * poses.fps) <= _NEAR_S * poses.fps
        if allowed:
            joints = poses.image[frame, person, BODY]
            near = np.linalg.norm(joints - spot, axis=-1).min()
            away[person] = near + 0.5 * np.linalg.norm(joints.mean(axis=0) - spot)
    if not np.isfinite(away).any():
        raise SettingError(f"Nobody is seen at {point.time_s:.2f} s; choose another moment.")
    return int(np.argmin(away))


def _in_region(poses: PoseSequence, region: Region, seen: np.ndarray) -> int:
    shape = np.array([_aspect(poses, "A region"), 1.0])
    low = np.array([region.x, region.y]) * shape
    high = low + np.array([region.width, region.height]) * shape
    trunks = np.nan_to_num(_trunks(poses), nan=-1e3)
    inside = ((trunks >= low) & (trunks <= high)).all(axis=-1).mean(axis=0)  # [P]
    if inside.max() == 0:
        raise SettingError(
            f"Nobody's trunk is ever in the region {region.x:g}, {region.y:g}, {region.width:g} x "
            f"{region.height:g}; look at the picture of who was found and give a larger one."
        )
    best = inside >= 0.9 * inside.max()
    return int(np.argmax(np.where(best, importance(poses) + 1e-9, 0.0)))
