"""Save Audio: music as a file, with a player on the node."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from ..d2m_core.audio import save_audio
from ..d2m_core.errors import D2MError
from . import host
from .sockets import CATEGORY, AudioPlayer, each, from_audio

FORMATS = ("flac", "wav", "mp3", "opus", "m4a")


class SaveAudio(io.ComfyNode):
    """Writes AUDIO to ComfyUI's output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_SaveAudio",
            display_name="Save Audio (Dance)",
            category=CATEGORY,
            description="Saves music to ComfyUI's output folder and plays it.",
            inputs=[
                io.Audio.Input("audio"),
                io.String.Input(
                    "filename_prefix", default="audio/dance",
                    tooltip="Name or subfolder/name in the output folder; a number is added.",
                ),
                io.Combo.Input("format", options=list(FORMATS), default="flac"),
                AudioPlayer.Input("audioUI", optional=True),
            ],
            outputs=[],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )  # fmt: skip

    @classmethod
    def execute(
        cls, audio: Any, filename_prefix: str, format: str, audioUI: Any = None
    ) -> io.NodeOutput:
        host.check_interrupt()
        metadata = host.workflow_metadata(cls.hidden)
        results = []
        for one in each(from_audio(audio)):
            path, shown = host.output_file(filename_prefix, f".{format}")
            save_audio(one, path, metadata)
            results.append(shown)
        return io.NodeOutput(ui=ui.SavedAudios(results))

    @classmethod
    def validate_inputs(
        cls, filename_prefix: str = "audio/dance", format: str = "flac"
    ) -> bool | str:
        if format not in FORMATS:
            return f"Format is {format!r}; choose {', '.join(FORMATS)}."
        try:
            host.check_prefix(filename_prefix)
        except D2MError as error:
            return str(error)
        return True
