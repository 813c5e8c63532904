"""What artists see: the list of our nodes."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from . import host, preview
from .align_audio import AlignAudio
from .continue_music import ContinueMusic
from .dance_band import DanceBand
from .edit_music import EditMusic
from .edit_rhythm import EditRhythm
from .encodec import EnCodecDecode, EnCodecEncode, LoadCodec
from .export_beats import ExportBeats
from .keypoints import PoseFromKeypoints, PoseToKeypoints
from .load_video import LoadVideo
from .midi_files import LoadMidi, SaveMidi
from .pose_estimate import PoseEstimate
from .repair_poses import RepairPoses
from .rhythm import DanceRhythm, RhythmFromAudio
from .rhythm_curves import RhythmCurves
from .sampler import LoadModel, Sampler
from .save_audio import SaveAudio
from .save_video import SaveVideo
from .score_music import ScoreMusic
from .select_dancer import SelectDancer


class DanceToMusicExtension(ComfyExtension):
    """Everything this pack offers."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [
            LoadVideo,
            PoseEstimate,
            PoseFromKeypoints,
            PoseToKeypoints,
            SelectDancer,
            DanceRhythm,
            EditRhythm,
            RhythmFromAudio,
            LoadModel,
            Sampler,
            ContinueMusic,
            LoadCodec,
            EnCodecDecode,
            EnCodecEncode,
            AlignAudio,
            ScoreMusic,
            SaveAudio,
            SaveVideo,
            DanceBand,
            SaveMidi,
            LoadMidi,
            ExportBeats,
            EditMusic,
            RepairPoses,
            RhythmCurves,
        ]


async def comfy_entrypoint() -> DanceToMusicExtension:
    preview.offer_listening()
    host.register_folder()  # not in on_load(), which ComfyUI 0.3.64 to 0.3.75 never calls
    return DanceToMusicExtension()
