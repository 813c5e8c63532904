"""Load Dance Video: a clip, and a window of it, from ComfyUI's folders."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..d2m_core.media import open_clip
from . import host
from .checks import answer, never_the_same, said_by
from .sockets import CATEGORY, Clip
from .video_socket import video_of


def _window_inputs() -> list[Any]:
    """Which part of the video."""
    return [
        io.Float.Input(
            "start_s", default=0.0, min=0.0, max=86400.0, step=0.01, tooltip="Where to start, in seconds."
        ),
        io.Float.Input(
            "duration_s",
            default=0.0,
            min=0.0,
            max=86400.0,
            step=0.01,
            tooltip="How many seconds to take; 0 takes all that follows.",
        ),
    ]


class LoadVideo(io.ComfyNode):
    """Opens a clip and gives it as ours and as ComfyUI's VIDEO."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_LoadVideo",
            display_name="Load Dance Video",
            category=CATEGORY,
            **host.found_by("load video", "upload", "clip", "choreography"),
            description="Opens a dance clip, or a part of it. Frames are read only when needed.",
            inputs=[
                io.Combo.Input(
                    "file",
                    options=host.input_videos() or [""],
                    upload=io.UploadType.video,
                    tooltip="A video in ComfyUI's input folder.",
                ),
                *_window_inputs(),
                # Required, though it may stay empty: the page puts its upload button after the last
                # required input, and saved workflows list widgets in order.
                io.String.Input(
                    "path",
                    default="",
                    tooltip="Instead of an upload (for files over 100 MB): a path inside ComfyUI's "
                    "input, output or temp folder.",
                ),
            ],
            outputs=[
                Clip.Output("clip", display_name="clip", tooltip="For this pack's nodes."),
                io.Video.Output("video", display_name="video", tooltip="The same as VIDEO, for any node."),
                io.Float.Output("seconds", display_name="seconds", tooltip="Length of the window."),
            ],
        )

    @classmethod
    def execute(cls, file: str, start_s: float, duration_s: float, path: str) -> io.NodeOutput:
        clip = open_clip(host.media_path(path or file), start_s, duration_s or None)
        return io.NodeOutput(clip, video_of(clip), clip.duration_s)

    @classmethod
    def validate_inputs(cls, file: str | None = None, path: str | None = None) -> bool | str:
        return answer(said_by(host.media_path, _chosen(file, path)))

    @classmethod
    def fingerprint_inputs(cls, file: str | None = None, path: str | None = None, **_window: object) -> str:
        chosen = _chosen(file, path)
        return never_the_same() if chosen is None else host.file_stamp(host.media_path(chosen))


def _chosen(file: str | None, path: str | None) -> str | None:
    """What is opened; None while it is not known."""
    return path if path != "" else file
