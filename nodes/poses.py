"""Where a clip's poses come from: the pose model, or another node's keypoints."""

from __future__ import annotations

from ..d2m_core.assets import POSE_ADDRESS, pose_model
from ..d2m_core.errors import ModelError, PoseError
from ..d2m_core.pose import estimate_poses
from ..d2m_core.pose_keypoints import from_openpose
from ..d2m_core.types import PoseSequence, VideoClip
from . import host


def find_poses(
    clip: VideoClip, model: str, people: int, download: bool, keypoints: list[dict] | None
) -> PoseSequence:
    """Everyone in the clip. Raises `PoseError` when nobody is found."""
    if keypoints is None:
        folder = _pose_folder(model, download)
        return estimate_poses(clip, model, people, model_folder=folder, on_progress=host.progress())
    poses = from_openpose(keypoints, len(keypoints) / clip.duration_s)
    if not poses.present.any():
        raise PoseError("The keypoints hold nobody in any frame; check the node they come from.")
    return poses


def _pose_folder(model: str, download: bool):
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
    pose_model(model, folder, host.progress())
    return folder
