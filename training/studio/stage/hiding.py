"""What a camera cannot see: joints outside the picture, behind someone, behind something."""

from __future__ import annotations

import numpy as np

from d2m_core.pose.landmarks import ANKLES, EARS, ELBOWS, FACE, HIPS, KNEES, SHOULDERS, TORSO, WRISTS

from .camera import NEAREST_M, CameraPath

SEEN, BEHIND_OWN_BODY, HIDDEN, OUTSIDE = 1.0, 0.7, 0.4, 0.1
"""Visibility of a joint in the truth: in sight, behind the own body, behind another or a thing,
outside the picture. None is 0, which would say that a source lacks the joint."""

Bones = tuple[tuple[int, int, float], ...]
"""Two landmarks of each, and a radius in metres."""


def both_sides(starts: tuple[int, int], ends: tuple[int, int], radius: float) -> Bones:
    """A bone of the left side and one of the right."""
    return ((starts[0], ends[0], radius), (starts[1], ends[1], radius))


_TRUNK: Bones = (*both_sides(SHOULDERS, HIPS, 0.13), (*SHOULDERS, 0.08), (*EARS, 0.11))
_LIMBS: Bones = (
    *both_sides(HIPS, KNEES, 0.09),
    *both_sides(KNEES, ANKLES, 0.06),
    *both_sides(SHOULDERS, ELBOWS, 0.055),
    *both_sides(ELBOWS, WRISTS, 0.045),
)
"""Both hide what is behind them."""
_SEE_AT_LEAST = 4
"""Someone with fewer joints in sight is not seen at all."""


def visibility(camera: CameraPath, people: np.ndarray, passers: np.ndarray, things: np.ndarray) -> np.ndarray:
    """Visibility float32 [F, P, J] of `people` [P, F, J, 3], the landmarks in the scene.

    `passers` [N, F, J, 3] only hide; `things` [K, F, 5] are upright boards: the middle of their
    foot in the scene, width and height in metres.
    """
    views = [camera.to_view(joints) for joints in people]
    others = views + [camera.to_view(joints) for joints in passers]
    boards = [_board(camera, thing) for thing in things]
    out = np.full((camera.frames, len(people), people.shape[2]), SEEN, np.float32)
    for person, view in enumerate(views):
        flat, depth = view[..., :2] / np.maximum(view[..., 2:], NEAREST_M), view[..., 2]
        seen = out[:, person]
        seen[_behind_self(view, flat)] = BEHIND_OWN_BODY
        for other, nearer in enumerate(others):
            if other != person and _touch(flat, depth, nearer):
                seen[_behind(flat, depth, nearer, _TRUNK + _LIMBS, 0.2)] = HIDDEN
        for low, high, away in boards:
            inside = (flat > low[:, None]).all(-1) & (flat < high[:, None]).all(-1)
            seen[inside & (depth > away[:, None])] = HIDDEN
        at = camera.in_picture(view)
        out_of_it = (at < 0).any(-1) | (at[..., 0] > camera.aspect) | (at[..., 1] > 1)
        seen[out_of_it | (depth < NEAREST_M)] = OUTSIDE
    return out


def present(seen: np.ndarray) -> np.ndarray:
    """Whether anybody could find the person, bool [F, P], from visibility [F, P, J]."""
    return (seen > HIDDEN + 0.01).sum(-1) >= _SEE_AT_LEAST


def _board(camera: CameraPath, thing: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners [F, 2] over depth of a board [F, 5] that faces the camera, and its depth [F]."""
    ends = np.stack([thing[:, :3], thing[:, :3] - [0, 1, 0] * thing[:, 4:]], 1)
    view = camera.to_view(ends)  # [F, 2, 3]
    away = np.maximum(view[..., 2], NEAREST_M)
    flat = view[..., :2] / away[..., None]
    half = np.stack([thing[:, 3] / 2 / away.mean(1), np.zeros(len(thing))], -1)
    inside = view[..., 2].min(1) > NEAREST_M
    low, high = flat.min(1) - half, flat.max(1) + half
    return low, high, np.where(inside, away.mean(1), np.inf)


def _touch(flat: np.ndarray, depth: np.ndarray, nearer: np.ndarray) -> bool:
    """Whether the other body [F, J, 3] is ever in front of any of these joints."""
    other = nearer[..., :2] / np.maximum(nearer[..., 2:], NEAREST_M)
    apart = (other.min(1) > flat.max(1) + 0.05) | (other.max(1) < flat.min(1) - 0.05)
    return bool((~apart.any(-1) & (nearer[..., 2].min(1) < depth.max(1))).any())


def _behind_self(view: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """Joints [F, J] behind the own trunk or head; the face when it looks away."""
    hidden = _behind(flat, view[..., 2], view, _TRUNK, 0.12)
    ears = view[:, EARS, 2].mean(1)
    hidden[:, TORSO] = False
    hidden[:, FACE] = view[:, FACE, 2] > ears[:, None] + 0.02
    return hidden


def _behind(
    flat: np.ndarray, depth: np.ndarray, nearer: np.ndarray, bones: Bones, margin_m: float
) -> np.ndarray:
    """Joints [F, J] (places over depth, depths) behind bones of a body [F, J, 3]."""
    hidden = np.zeros(depth.shape, bool)
    for start, end, radius in bones:
        a, b = nearer[:, None, start], nearer[:, None, end]
        away = np.maximum((a[..., 2] + b[..., 2]) / 2, NEAREST_M)
        a2, b2 = (
            a[..., :2] / np.maximum(a[..., 2:], NEAREST_M),
            b[..., :2] / np.maximum(b[..., 2:], NEAREST_M),
        )
        along = b2 - a2
        gap = flat - a2
        share = (gap * along).sum(-1) / np.maximum((along * along).sum(-1), 1e-9)
        gap = gap - np.clip(share, 0.0, 1.0)[..., None] * along
        near = (gap * gap).sum(-1) < (radius / away) ** 2
        in_front = (a[..., 2] + b[..., 2]) / 2 > NEAREST_M
        hidden |= near & in_front & (depth > away + margin_m)
    return hidden
