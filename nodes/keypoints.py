"""Pose from Keypoints and Pose to Keypoints: to and from the OpenPose dictionaries of others."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from ..d2m_core.pose import to_openpose
from ..d2m_core.pose.openpose import LAYOUTS
from . import host
from .checks import answer, not_offered, refuse, too_small
from .pose_source import poses_of_keypoints
from .sockets import CATEGORY, Clip, ClipPoses, PoseKeypoints, Poses
from .video_socket import clip_of
from .worker import in_worker

PEOPLE = ("chosen dancer", "everyone")
LARGEST_SIDE = 16384


class PoseFromKeypoints(io.ComfyNode):
    """Takes the poses that another node found."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_PoseFromKeypoints",
            display_name="Pose from Keypoints",
            category=CATEGORY,
            **host.found_by("openpose", "dwpose", "sdpose", "keypoints", "skeleton"),
            **host.keeps_preview(),
            description="Takes the poses that DWPose, SDPose or OpenPose nodes found, so that no "
            "pose model of this pack is needed.",
            inputs=[
                PoseKeypoints.Input("keypoints", tooltip="OpenPose dictionaries, one per frame of the clip."),
                io.Float.Input(
                    "fps",
                    default=0.0,
                    min=0.0,
                    max=240.0,
                    step=0.01,
                    tooltip="Frames of keypoints per second; 0 takes one for each picture of the video.",
                ),
                io.MultiType.Input(
                    "video",
                    types=[io.Video, Clip],
                    optional=True,
                    tooltip="The video they come from: gives their rate, and the music's length.",
                ),
            ],
            outputs=[
                Poses.Output(
                    "poses",
                    display_name="poses",
                    tooltip="The largest dancer; Select Dancer can choose another.",
                )
            ],
        )

    @classmethod
    def execute(cls, keypoints: list[dict], fps: float, video: Any = None) -> io.NodeOutput:
        host.check_interrupt()
        refuse(answer(too_small("fps", fps, 0)))
        clip = None if video is None else clip_of(video)
        poses, notice = in_worker(lambda tick: poses_of_keypoints(keypoints, clip, fps, tick))
        return io.NodeOutput(poses, ui=ui.PreviewText(notice) if notice else None)


def _canvas_inputs() -> list[Any]:
    """How large the picture is that the joints lie in."""
    return [
        io.Int.Input(
            "width",
            default=0,
            min=0,
            max=LARGEST_SIDE,
            tooltip="Width of the canvas in pixels; 0 takes the clip's.",
        ),
        io.Int.Input(
            "height",
            default=0,
            min=0,
            max=LARGEST_SIDE,
            tooltip="Height of the canvas in pixels; 0 takes the clip's.",
        ),
    ]


class PoseToKeypoints(io.ComfyNode):
    """Gives poses to other nodes."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_PoseToKeypoints",
            display_name="Pose to Keypoints",
            category=CATEGORY,
            **host.found_by("openpose", "dwpose", "sdpose", "keypoints", "skeleton"),
            description="Gives poses to nodes that read OpenPose keypoints.",
            inputs=[
                Poses.Input("poses", tooltip="The poses to give on."),
                io.Combo.Input(
                    "people",
                    options=list(PEOPLE),
                    default=PEOPLE[0],
                    tooltip="Only the dancer that was chosen, or all who were found.",
                ),
                io.Combo.Input(
                    "layout",
                    options=list(LAYOUTS),
                    default="coco18",
                    tooltip="coco18 is what most nodes read, with feet in a list of their own; body25 has "
                    "them among its joints.",
                ),
                *_canvas_inputs(),
            ],
            outputs=[
                PoseKeypoints.Output(
                    "pose_keypoint",
                    display_name="POSE_KEYPOINT",
                    tooltip="OpenPose dictionaries, one per frame.",
                ),
                io.Float.Output("fps", display_name="fps", tooltip="Frames per second."),
            ],
        )

    @classmethod
    def execute(cls, poses: ClipPoses, people: str, layout: str, width: int, height: int) -> io.NodeOutput:
        host.check_interrupt()
        refuse(cls.validate_inputs(people, layout))
        refuse(answer(too_small("width", width, 0), too_small("height", height, 0)))
        shown = poses.poses if people == PEOPLE[0] else poses.everyone
        wide, high = poses.size
        height = height or (round(width * high / wide) if width else high)
        width = width or round(height * wide / high)
        # Image points are in heights of the picture: a canvas of another shape leaves a margin.
        return io.NodeOutput(to_openpose(shown, width, height, layout=layout), float(shown.fps))

    @classmethod
    def validate_inputs(cls, people: str | None = None, layout: str | None = None) -> bool | str:
        return answer(not_offered("People", people, PEOPLE), not_offered("Layout", layout, LAYOUTS))
