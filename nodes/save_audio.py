"""Save Audio: music as a file, with a player on the node."""

from __future__ import annotations

import json
from typing import Any

from comfy_api.latest import io, ui

from ..d2m_core.media import save_audio, to_stereo
from ..d2m_core.media.kept import never_lost
from . import host
from .checks import answer, not_offered, refuse, said_by
from .sockets import CATEGORY, AudioPlayer
from .sound_socket import each, from_audio
from .worker import in_worker

FORMATS = ("flac", "wav", "mp3", "opus", "m4a")


class SaveAudio(io.ComfyNode):
    """Writes AUDIO to ComfyUI's output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_SaveAudio",
            display_name="Save Audio (Dance)",
            category=CATEGORY,
            **host.found_by("save music", "wav", "flac", "mp3", "opus", "export audio"),
            description="Saves music to ComfyUI's output folder and plays it.",
            inputs=[
                io.Audio.Input("audio", tooltip="Any sound; a batch gives several files."),
                io.String.Input(
                    "filename_prefix",
                    default="audio/dance",
                    tooltip="Name or subfolder/name in the output folder; a number is added.",
                ),
                io.Combo.Input(
                    "format",
                    options=list(FORMATS),
                    default="flac",
                    tooltip="flac and wav keep everything; mp3, opus and m4a are small.",
                ),
                AudioPlayer.Input("audioUI", optional=True, tooltip="The player; leave it open."),
            ],
            outputs=[
                io.Audio.Output("sound", display_name="audio", tooltip="The same sound, for what comes next.")
            ],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, audio: Any, filename_prefix: str, format: str, audioUI: Any = None) -> io.NodeOutput:
        refuse(cls.validate_inputs(filename_prefix, format))
        metadata = _tags(format, host.workflow_metadata(cls.hidden))
        results = []
        for one in each(to_stereo(from_audio(audio))):
            path, shown = host.output_file(filename_prefix, f".{format}")
            with never_lost(one, path):
                in_worker(lambda _tick, one=one, path=path: save_audio(one, path, metadata))
            results.append(shown)
        return io.NodeOutput(audio, ui=ui.SavedAudios(results))

    @classmethod
    def validate_inputs(cls, filename_prefix: str | None = None, format: str | None = None) -> bool | str:
        return answer(not_offered("Format", format, FORMATS), said_by(host.check_output, filename_prefix))


def _tags(suffix: str, metadata: dict[str, str]) -> dict[str, str]:
    """WAV files have a place for no other tag than a comment."""
    if suffix != "wav" or not metadata:
        return metadata
    return {"comment": json.dumps({name: json.loads(text) for name, text in metadata.items()})}
