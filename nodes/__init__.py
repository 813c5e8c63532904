"""What artists see: the list of our nodes."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from . import host
from .align_audio import AlignAudio
from .encodec import EnCodecDecode, LoadCodec
from .load_video import LoadVideo
from .pose_estimate import PoseEstimate
from .rhythm import DanceRhythm
from .sampler import LoadModel, Sampler
from .save_audio import SaveAudio


class DanceToMusicExtension(ComfyExtension):
    """Everything this pack offers."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [
            LoadVideo,
            PoseEstimate,
            DanceRhythm,
            LoadModel,
            Sampler,
            LoadCodec,
            EnCodecDecode,
            AlignAudio,
            SaveAudio,
        ]


async def comfy_entrypoint() -> DanceToMusicExtension:
    host.register_folder()  # not in on_load(), which ComfyUI 0.3.64 to 0.3.75 never calls
    return DanceToMusicExtension()
