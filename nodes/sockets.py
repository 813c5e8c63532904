"""Our socket types, and the turns between what ComfyUI passes around and what the core works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from comfy_api.latest import io

from ..d2m_core.types import AudioTokens, PoseSequence, Rhythm, Waveform

CATEGORY = "Dance to Music"

Clip = io.Custom("D2M_CLIP")
"""A `VideoClip`: which file, and which window of it."""
Poses = io.Custom("D2M_POSES")
"""A `ClipPoses`."""
RhythmSocket = io.Custom("D2M_RHYTHM")
"""A `ClipRhythm`."""
Model = io.Custom("D2M_MODEL")
"""A `host.Held` around a `LoadedModel`."""
CodecSocket = io.Custom("D2M_CODEC")
"""A `host.Held` around a `Codec`."""
Tokens = io.Custom("D2M_TOKENS")
"""A `ClipTokens`."""
PoseKeypoints = io.Custom("POSE_KEYPOINT")
"""OpenPose dictionaries, one per frame, as DWPose and SDPose nodes speak them."""
AudioPlayer = io.Custom("AUDIO_UI")
"""The page shows its audio player on a node that has an input of this type."""

# Poses and rhythms come in whole frames and tokens in whole steps, so the length of the clip they
# belong to travels beside them: music must last exactly as long as its clip.


@dataclass(frozen=True, eq=False)
class ClipPoses:
    """The chosen dancer of a clip."""

    poses: PoseSequence
    duration_s: float


@dataclass(frozen=True, eq=False)
class ClipRhythm:
    """The rhythm of a clip."""

    rhythm: Rhythm
    duration_s: float


@dataclass(frozen=True, eq=False)
class ClipTokens:
    """Music for a clip, as codec tokens."""

    tokens: AudioTokens
    duration_s: float


def to_audio(wave: Waveform) -> dict[str, Any]:
    """ComfyUI's AUDIO from a waveform."""
    return {"waveform": wave.samples.cpu(), "sample_rate": wave.sample_rate}


def from_audio(audio: dict[str, Any]) -> Waveform:
    """A waveform from ComfyUI's AUDIO."""
    return Waveform(audio["waveform"].float().cpu(), int(audio["sample_rate"]))


def each(wave: Waveform) -> list[Waveform]:
    """The sounds of a batch, one by one."""
    return [Waveform(one[None], wave.sample_rate) for one in wave.samples]


def to_image(rgb: np.ndarray) -> torch.Tensor:
    """ComfyUI's IMAGE, float32 [1, H, W, 3], from a uint8 picture [H, W, 3]."""
    return torch.from_numpy(rgb.astype(np.float32) / 255.0)[None]
