"""Where a clip's poses come from: the pose model, or another node's keypoints."""

from __future__ import annotations

import logging
from pathlib import Path

from ..d2m_core.errors import ModelError
from ..d2m_core.pose import (
    MAX_PEOPLE,
    estimate_poses,
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

DANCERS: dict[str, str | int] = {"largest": "largest", "most active": "most_active"} | {
    f"person {number}": number for number in range(MAX_PEOPLE)
}
"""What the page offers, and what `select_dancer` takes, which counts from 0."""


def find_poses(
    clip: VideoClip, model: str, people: int, rate: float, download: bool, tick: Progress
) -> PoseSequence:
    """Everyone in the clip by the pose model. Raises `PoseError` when nobody is found."""
    folder = _pose_folder(model, download, tick)
    return estimate_poses(clip, model, people, rate, model_folder=folder, on_progress=tick)


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
        size, duration_s = (clip.width, clip.height), clip.duration_s
    else:
        first = keypoints[0]
        size = (int(first["canvas_width"]), int(first["canvas_height"]))
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
