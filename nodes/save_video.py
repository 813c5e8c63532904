"""Save Dance Video: the clip with its music, the picture untouched."""

from __future__ import annotations

import logging
from typing import Any

from comfy_api.latest import InputImpl, io, ui

from ..d2m_core.errors import MediaError
from ..d2m_core.media import to_stereo
from ..d2m_core.media.kept import never_lost
from ..d2m_core.media.mux import VIDEO_FORMATS, best_suffix, mux
from ..d2m_core.media.plan import plan_film
from . import host
from .checks import answer, not_offered, refuse, said_by
from .sockets import CATEGORY, Clip
from .sound_socket import each, from_audio
from .video_socket import clip_of
from .worker import in_worker

AUTO = "auto"
FORMATS = (AUTO, *(suffix[1:] for suffix in VIDEO_FORMATS if suffix != ".m4v"))

RECODE = {AUTO: "auto", "copy": "copy", "code again": "always"}
"""The node's words for what `mux` calls `recode`."""

_log = logging.getLogger(__name__)


class SaveVideo(io.ComfyNode):
    """Writes a clip with AUDIO to ComfyUI's output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_SaveVideo",
            display_name="Save Dance Video",
            category=CATEGORY,
            **host.found_by("save video", "mux", "soundtrack", "video with audio"),
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
                    tooltip="auto takes mp4 wherever the picture fits into it, else mov or mkv.",
                ),
                io.Float.Input(
                    "original_level",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="How loud the clip's own sound stays under the music; 0 leaves it out.",
                ),
                io.Combo.Input(
                    "recode",
                    options=list(RECODE),
                    default=AUTO,
                    optional=True,  # workflows saved before it was there run on
                    tooltip="auto codes the picture again only where it cannot be copied (a trimmed "
                    "clip, a format that fits no film); copy refuses instead.",
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
        cls,
        video: Any,
        audio: Any,
        filename_prefix: str,
        format: str,
        original_level: float,
        recode: str = AUTO,
    ) -> io.NodeOutput:
        refuse(cls.validate_inputs(filename_prefix, format, recode))
        clip = clip_of(video)
        if original_level and not clip.has_audio:
            raise MediaError(
                f"{clip.path.name} has no sound to keep, and original_level is "
                f"{original_level:g}; set it to 0."
            )
        metadata = host.workflow_metadata(cls.hidden)
        suffix = best_suffix(clip, RECODE[recode]) if format == AUTO else f".{format}"
        paths, results = [], []
        for number, one in enumerate(each(to_stereo(from_audio(audio)))):
            path, shown = host.output_file(filename_prefix, suffix)
            with never_lost(one, path):
                plan = plan_film(clip, path, RECODE[recode])
                _tell(plan.notices if number == 0 else ())
                in_worker(
                    lambda tick, one=one, plan=plan: mux(
                        clip,
                        one,
                        plan.path,
                        original_level,
                        recode=plan.recode,
                        metadata=metadata,
                        on_progress=tick,
                    )
                )
            paths.append(path)
            results.append(shown)
        video = InputImpl.VideoFromFile(str(paths[0]))
        return io.NodeOutput(video, ui=ui.PreviewVideo(results))

    @classmethod
    def validate_inputs(
        cls, filename_prefix: str | None = None, format: str | None = None, recode: str | None = None
    ) -> bool | str:
        return answer(
            not_offered("Format", format, FORMATS),
            not_offered("Recode", recode, RECODE),
            said_by(host.check_output, filename_prefix),
        )


def _tell(notices: tuple[str, ...]) -> None:
    for notice in notices:
        _log.warning("%s", notice)
