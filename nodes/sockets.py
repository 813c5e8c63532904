"""Our socket types, and what passes along them; AUDIO and VIDEO have files of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from comfy_api.latest import io

from ..d2m_core.types import AudioTokens, PoseSequence, Rhythm, VideoClip

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
Midi = io.Custom("MIDI")
"""A file of mido's, as the MIDI nodes of RyanOnTheInside give and take it; others pass paths."""
Curve = io.Custom("CURVE")
"""A curve of the stock Curve Editor, which ComfyUI has since 2026; see `host.curve_of`."""
Choice = io.Custom("COMBO")
"""Fits inputs of other nodes that offer a list."""

# Poses and rhythms come in whole frames and tokens in whole steps, so the length of the clip they
# belong to travels beside them: music must last exactly as long as its clip.


@dataclass(frozen=True, eq=False)
class ClipPoses:
    """The dancers of a clip."""

    poses: PoseSequence
    """Whom the music follows: one dancer, or several as one."""
    duration_s: float
    everyone: PoseSequence
    """All who were found, for Select Dancer."""
    size: tuple[int, int]
    """Width and height of the picture in pixels."""
    clip: VideoClip | None = None
    """Where they were seen; None for keypoints without a video."""


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
    rhythm: Rhythm | None = None
    """What it was written on; None for sound that was encoded."""


def to_image(rgb: np.ndarray) -> torch.Tensor:
    """ComfyUI's IMAGE, float32 [1, H, W, 3], from a uint8 picture [H, W, 3]."""
    return torch.from_numpy(rgb.astype(np.float32) / 255.0)[None]
