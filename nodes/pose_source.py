"""Where a clip's poses come from: the pose model, or another node's keypoints."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from comfy_api.latest import io

from ..d2m_core.errors import ModelError
from ..d2m_core.pictures import picture_moment
from ..d2m_core.pose import (
    MAX_PEOPLE,
    At,
    Dancer,
    Region,
    events,
    find_dancers,
    followed,
    from_openpose,
    pose_model,
    rate_of_keypoints,
    select_dancer,
)
from ..d2m_core.pose.model_file import POSE_ADDRESS
from ..d2m_core.types import PoseSequence, Progress, VideoClip
from . import host
from .sockets import ClipPoses

_log = logging.getLogger(__name__)

_MOST_TOLD = 12

AT_POINT, IN_REGION = "at the point", "in the region"
PLACES = (AT_POINT, IN_REGION)
RULES: dict[str, str] = {
    "largest": "largest",
    "most active": "most_active",
    "centre": "centre",
    "blend of all": "blend",
    AT_POINT: AT_POINT,
    IN_REGION: IN_REGION,
}
"""What both nodes offer, and what `select_dancer` takes; points and regions come by numbers."""
DANCERS: dict[str, str | int] = RULES | {f"person {number}": number for number in range(MAX_PEOPLE)}
"""What Pose Estimate offers; `select_dancer` counts from 0."""


def place_inputs() -> list[Any]:
    """A point or region of the picture, in shares of its width and height."""

    def share(name: str, default: float, tooltip: str) -> Any:
        return io.Float.Input(
            name, default=default, min=0.0, max=1.0, step=0.01, optional=True, tooltip=tooltip
        )

    return [
        share("x", 0.5, "Of the point, or of the region's left edge: 0 left to 1 right, as in the picture."),
        share("y", 0.5, "Of the point, or of the region's upper edge: 0 top to 1 bottom, as in the picture."),
        share("width", 0.3, "Of the region, 1 is all of the picture."),
        share("height", 1.0, "Of the region, 1 is all of the picture."),
    ]


def followed_of(
    everyone: PoseSequence, dancer: str | int, x: float, y: float, width: float, height: float
) -> list[int]:
    """Numbers of those whom a choice of `RULES`, or a number, follows.

    A point is looked at in the moment that the picture of who was found shows.
    """
    which: Dancer = dancer
    if dancer == AT_POINT:
        which = At(x, y, picture_moment(everyone))
    elif dancer == IN_REGION:
        which = Region(x, y, width, height)
    return followed(everyone, which)


@dataclass(frozen=True)
class PoseLook:
    """How people are looked for."""

    model: str
    people: int
    """At most so many; 0: everybody."""
    rate: float
    download: bool
    everybody: bool
    """Whether those who are not followed are read in every picture too."""


def find_poses(
    clip: VideoClip, dancer: str | int | Callable[[PoseSequence], list[int]], look: PoseLook, tick: Progress
) -> PoseSequence:
    """Everyone in the clip by the pose model, or at most so many, those who are followed first.

    Where a function chooses, as by a place, everybody is kept: it counts them. Raises `PoseError` when
    nobody is found.
    """
    return find_dancers(
        clip,
        dancer,
        look.model,
        0 if callable(dancer) else look.people,
        look.rate,
        model_folder=_pose_folder(look.model, look.download, tick),
        on_progress=tick,
        only_followed=not look.everybody,
    )


def told_of(everyone: PoseSequence, chosen: list[int], notice: str = "") -> str:
    """What to say under the node: a notice, and what happens to those who are followed."""
    found = everyone.present[:, chosen].any(axis=1).mean()
    numbers = ", ".join(map(str, chosen))
    who = f"{everyone.people} found, following {numbers}, seen in {found:.0%} of the frames."
    happened = [event.text for event in events(everyone, chosen)]
    if len(happened) > _MOST_TOLD:
        happened = [*happened[:_MOST_TOLD], f"And {len(happened) - _MOST_TOLD} more."]
    return "\n".join([*filter(None, [notice]), who, *happened])


def poses_of_keypoints(
    keypoints: list[dict], clip: VideoClip | None, fps: float, tick: Progress
) -> tuple[ClipPoses, str]:
    """The poses in another node's keypoints, and what to say of their rate ("" if nothing).

    Those of the largest are chosen. Raises `PoseError` and `SettingError`.
    """
    fps, notice = rate_of_keypoints(keypoints, clip, fps, tick)
    if notice:
        _log.warning("%s", notice)
    everyone = from_openpose(keypoints, fps)
    if clip is not None:
        everyone = replace(everyone, aspect=clip.width / clip.height)
        size, duration_s = (clip.width, clip.height), clip.duration_s
    else:
        first = keypoints[0]
        size = (int(first["canvas_width"]), int(first["canvas_height"]))
        everyone = replace(everyone, aspect=size[0] / size[1])
        duration_s = everyone.duration_s
    return ClipPoses(select_dancer(everyone, "largest"), duration_s, everyone, size, clip), notice


def _pose_folder(model: str, download: bool, tick: Progress) -> Path:
    """The folder that holds the pose model; fetches it only if the user asked for that."""
    name = f"pose_landmarker_{model}.task"
    for folder in host.model_folders():
        if (folder / name).is_file():
            return folder
    folder = host.model_folders()[0]
    if not download:
        raise ModelError(
            f"{name} is not in {folder}; switch on 'download' in Pose Estimate, or put "
            f"{POSE_ADDRESS.format(variant=model)} there."
        )
    pose_model(model, folder, tick)
    return folder
