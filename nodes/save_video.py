"""Save Dance Video: the clip with its music, the picture untouched."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import InputImpl, io, ui

from ..d2m_core.errors import MediaError
from ..d2m_core.media.mux import VIDEO_FORMATS, best_suffix, mux
from . import host
from .checks import answer, not_offered, refuse, said_by
from .sockets import CATEGORY, Clip, each, from_audio
from .video_socket import clip_of
from .worker import in_worker

AUTO = "auto"
FORMATS = (AUTO, *(suffix[1:] for suffix in VIDEO_FORMATS if suffix != ".m4v"))


class SaveVideo(io.ComfyNode):
    """Writes a clip with AUDIO to ComfyUI's output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_SaveVideo",
            display_name="Save Dance Video",
            category=CATEGORY,
            description="Saves the clip with its music and plays it. The picture of a whole clip "
            "is copied as it is; nothing is held in memory.",
            inputs=[
                io.MultiType.Input(
                    "video", types=[io.Video, Clip], tooltip="A VIDEO, or a clip of Load Dance Video."
                ),
                io.Audio.Input(
                    "audio",
                    tooltip="The music; a batch gives several files. It is cut or filled "
                    "to the clip's length.",
                ),
                io.String.Input(
                    "filename_prefix",
                    default="video/dance",
                    tooltip="Name or subfolder/name in the output folder; a number is added.",
                ),
                io.Combo.Input(
                    "format",
                    options=list(FORMATS),
                    default=AUTO,
                    tooltip="auto takes mp4 wherever the picture fits into it, else mkv.",
                ),
                io.Float.Input(
                    "original_level",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="How loud the clip's own sound stays under the music; 0 leaves it out.",
                ),
            ],
            outputs=[
                io.Video.Output("saved", display_name="video", tooltip="The file as VIDEO, for other nodes.")
            ],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls, video: Any, audio: Any, filename_prefix: str, format: str, original_level: float
    ) -> io.NodeOutput:
        refuse(cls.validate_inputs(filename_prefix, format))
        clip = clip_of(video)
        if original_level and not clip.has_audio:
            raise MediaError(
                f"{clip.path.name} has no sound to keep, and original_level is "
                f"{original_level:g}; set it to 0."
            )
        metadata = host.workflow_metadata(cls.hidden)
        suffix = best_suffix(clip) if format == AUTO else f".{format}"
        paths, results = [], []
        for one in each(from_audio(audio)):
            path, shown = host.output_file(filename_prefix, suffix)
            in_worker(
                lambda tick, one=one, path=path: mux(
                    clip, one, path, original_level, metadata=metadata, on_progress=tick
                )
            )
            paths.append(path)
            results.append(shown)
        video = InputImpl.VideoFromFile(str(paths[0]))
        return io.NodeOutput(video, ui=ui.PreviewVideo(results))

    @classmethod
    def validate_inputs(cls, filename_prefix: str | None = None, format: str | None = None) -> bool | str:
        return answer(not_offered("Format", format, FORMATS), said_by(host.check_prefix, filename_prefix))
