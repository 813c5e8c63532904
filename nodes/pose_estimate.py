"""Pose Estimate: where the dancer's joints are, frame by frame."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import InputImpl, io, ui

from ..d2m_core.pictures import overlay_video
from ..d2m_core.pose import POSE_MODELS, select_dancer, to_openpose
from ..d2m_core.types import MOTION_FPS
from . import host
from .checks import answer, not_offered, refuse
from .pose_source import DANCERS, MAX_PEOPLE, find_poses, poses_of_keypoints
from .sockets import CATEGORY, Clip, ClipPoses, PoseKeypoints, Poses
from .video_socket import clip_of
from .worker import in_worker

RATE = MOTION_FPS
"""Poses per second where no rate is given."""


def _people_inputs() -> list[Any]:
    """How people are looked for, and who is followed."""
    return [
        io.Combo.Input(
            "model", options=list(POSE_MODELS), default="full", tooltip="lite is fastest, heavy most exact."
        ),
        io.Int.Input("people", default=1, min=1, max=MAX_PEOPLE, tooltip="How many people to look for."),
        io.Combo.Input(
            "dancer", options=list(DANCERS), default="largest", tooltip="Whose dance the music follows."
        ),
    ]


def _later_inputs() -> list[Any]:
    """What came later stands at the end."""
    return [
        PoseKeypoints.Input(
            "keypoints",
            optional=True,
            tooltip="Poses of this clip from another node (DWPose, SDPose) to use instead.",
        ),
        io.Float.Input(
            "rate",
            default=RATE,
            min=10.0,
            max=60.0,
            step=1.0,
            optional=True,
            tooltip="Poses per second. 25 is what the music follows; more take longer.",
        ),
    ]


def _outputs() -> list[Any]:
    return [
        Poses.Output(
            "poses", display_name="poses", tooltip="The chosen dancer; Select Dancer can choose another."
        ),
        PoseKeypoints.Output(
            "pose_keypoint", display_name="POSE_KEYPOINT", tooltip="Everyone, as OpenPose dictionaries."
        ),
        io.Video.Output("overlay", display_name="overlay", tooltip="The clip with the skeletons."),
    ]


class PoseEstimate(io.ComfyNode):
    """Follows people through a clip and picks the dancer to make music for."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_PoseEstimate",
            display_name="Pose Estimate",
            category=CATEGORY,
            **host.keeps_preview(),
            description="Finds the joints of everyone in a clip and picks the dancer to follow.",
            inputs=[
                io.MultiType.Input(
                    "video", types=[io.Video, Clip], tooltip="A VIDEO, or a clip of Load Dance Video."
                ),
                *_people_inputs(),
                io.Boolean.Input(
                    "draw",
                    default=True,
                    label_on="draw skeletons",
                    label_off="no picture",
                    tooltip="Draws what was found over the clip, to be looked at.",
                ),
                io.Boolean.Input(
                    "download",
                    default=False,
                    tooltip="If the pose model is not in models/dance2music, fetch it from its "
                    "official address (6 to 30 MB, once).",
                ),
                *_later_inputs(),
            ],
            outputs=_outputs(),
        )

    @classmethod
    def execute(
        cls,
        video: Any,
        model: str,
        people: int,
        dancer: str,
        draw: bool,
        download: bool,
        keypoints: list[dict] | None = None,
        rate: float = RATE,
    ) -> io.NodeOutput:
        refuse(cls.validate_inputs(model, dancer))
        clip = clip_of(video)
        notice = ""
        if keypoints is None:
            everyone = in_worker(lambda tick: find_poses(clip, model, people, rate, download, tick))
        else:
            given, notice = in_worker(lambda tick: poses_of_keypoints(keypoints, clip, 0.0, tick))
            everyone = given.everyone
        told = ui.PreviewText(notice).as_dict() if notice else {}
        size = (clip.width, clip.height)
        chosen = select_dancer(everyone, DANCERS[dancer])
        poses = ClipPoses(chosen, clip.duration_s, everyone, size, clip)
        openpose = to_openpose(everyone, *size)
        if not draw:
            no_overlay = host.blocked("Switch on 'draw' in Pose Estimate to get its overlay.")
            return io.NodeOutput(poses, openpose, no_overlay, ui=told or None)
        path = host.temp_file(".mp4")
        in_worker(lambda tick: overlay_video(clip, everyone, path, on_progress=tick))
        shown = ui.PreviewVideo([host.saved_in_temp(path)]).as_dict() | told
        return io.NodeOutput(poses, openpose, InputImpl.VideoFromFile(str(path)), ui=shown)

    @classmethod
    def validate_inputs(cls, model: str | None = None, dancer: str | None = None) -> bool | str:
        return answer(not_offered("Pose model", model, POSE_MODELS), not_offered("Dancer", dancer, DANCERS))
