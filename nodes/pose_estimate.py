"""Pose Estimate: where the dancer's joints are, frame by frame."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import InputImpl, io, ui

from ..d2m_core.pictures import dancer_picture, overlay_video
from ..d2m_core.pose import POSE_MODELS, to_openpose
from ..d2m_core.types import MOTION_FPS, PoseSequence
from . import host
from .checks import answer, not_offered, refuse
from .pose_source import (
    DANCERS,
    MAX_PEOPLE,
    PLACES,
    PoseLook,
    find_poses,
    followed_of,
    place_inputs,
    poses_of_keypoints,
    told_of,
)
from .sockets import CATEGORY, Clip, ClipPoses, PoseKeypoints, Poses, to_image
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
        io.Int.Input(
            "people",
            default=0,
            min=0,
            max=MAX_PEOPLE,
            tooltip="How many people to keep at most, those who are followed first; 0 keeps everybody.",
        ),
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
            **host.advanced(io.Float),
            default=RATE,
            min=10.0,
            max=60.0,
            step=1.0,
            optional=True,
            tooltip="Poses per second. 25 is what the music follows; more take longer.",
        ),
        *place_inputs(),
        io.Boolean.Input(
            "everybody",
            **host.advanced(io.Boolean),
            default=False,
            label_on="in every picture",
            label_off="five times a second",
            optional=True,
            tooltip="How those are read whom the music does not follow. In every picture takes about twice "
            "as long in a group; switch it on for their exact skeletons, or to choose one in Select Dancer.",
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
        io.Image.Output(
            "picture",
            display_name="picture",
            tooltip="Who was found, with numbers; who is followed in yellow.",
        ),
    ]


class PoseEstimate(io.ComfyNode):
    """Follows people through a clip and picks the dancer to make music for."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_PoseEstimate",
            display_name="Pose Estimate",
            category=CATEGORY,
            **host.found_by(
                "pose", "skeleton", "mediapipe", "openpose", "landmarks", "body tracking", "dancer"
            ),
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
        x: float = 0.5,
        y: float = 0.5,
        width: float = 0.3,
        height: float = 1.0,
        everybody: bool = False,
    ) -> io.NodeOutput:
        refuse(cls.validate_inputs(model, dancer))
        clip, rule = clip_of(video), DANCERS[dancer]

        def choose(everyone: PoseSequence) -> list[int]:
            return followed_of(everyone, rule, x, y, width, height)

        notice = ""
        if keypoints is None:
            whom = choose if rule in PLACES else rule
            look = PoseLook(model, people, rate, download, everybody)
            everyone = in_worker(lambda tick: find_poses(clip, whom, look, tick))
        else:
            given, notice = in_worker(lambda tick: poses_of_keypoints(keypoints, clip, 0.0, tick))
            everyone = given.everyone
        size = (clip.width, clip.height)
        chosen = choose(everyone)
        poses = ClipPoses(everyone.people_at(chosen), clip.duration_s, everyone, size, clip)
        openpose = to_openpose(everyone, *size)
        picture = to_image(in_worker(lambda _tick: dancer_picture(everyone, chosen, size, clip)))
        shown = ui.PreviewText(told_of(everyone, chosen, notice)).as_dict()
        if not draw:
            no_overlay = host.blocked("Switch on 'draw' in Pose Estimate to get its overlay.")
            return io.NodeOutput(poses, openpose, no_overlay, picture, ui=shown)
        path = host.temp_file(".mp4")
        in_worker(lambda tick: overlay_video(clip, everyone, path, on_progress=tick))
        shown = ui.PreviewVideo([host.saved_in_temp(path)]).as_dict() | shown
        overlay = InputImpl.VideoFromFile(str(path))
        return io.NodeOutput(poses, openpose, overlay, picture, ui=shown)

    @classmethod
    def validate_inputs(cls, model: str | None = None, dancer: str | None = None) -> bool | str:
        return answer(not_offered("Pose model", model, POSE_MODELS), not_offered("Dancer", dancer, DANCERS))
