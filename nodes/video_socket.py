"""Between ComfyUI's VIDEO and our clips, without ever holding a clip's frames in memory."""

from __future__ import annotations

import dataclasses
import io as streams
import shutil
from pathlib import Path
from typing import Any

import torch
from comfy_api.latest import Input, InputImpl

from ..d2m_core.errors import MediaError
from ..d2m_core.media import open_clip, to_stereo
from ..d2m_core.media.mux import mux
from ..d2m_core.types import VideoClip, Waveform
from . import host
from .sound_socket import each, is_plain, sound_in, to_audio
from .worker import in_worker

_SILENCE_RATE = 24000
_COLOURS = 3


def clip_of(video: Any) -> VideoClip:
    """Our clip from a VIDEO as it is shown, window and edits kept, or from a clip of ours."""
    if not hasattr(video, "get_stream_source"):
        if not hasattr(video, "duration_s"):
            kind = type(video).__name__
            raise MediaError(f"The video input is of type {kind}; connect a VIDEO, or a clip of this pack.")
        return video
    path = _file_of(video)
    if _is_edited(video) or not hasattr(video, "get_active_trim_window"):
        return open_clip(path)
    start_s, duration_s = video.get_active_trim_window()
    if not start_s and not duration_s:
        return open_clip(path)
    # As Trim Video means it: a start below 0 counts from the end, a duration of 0 stands for all that
    # follows, and one that is too long for what there is.
    length_s = open_clip(path).duration_s
    if start_s < 0:
        start_s = max(0.0, length_s + start_s)
    left_s = length_s - start_s
    return open_clip(path, start_s, duration_s if 0 < duration_s < left_s else None)


def video_of(clip: VideoClip) -> InputImpl.VideoFromFile:
    """ComfyUI's VIDEO of a clip; where VIDEO knows no windows, a window becomes a file."""
    if clip.start_s == 0 and clip.duration_s >= clip.file_s:
        return InputImpl.VideoFromFile(str(clip.path))
    if host.can_trim_video():
        return InputImpl.VideoFromFile(str(clip.path), start_time=clip.start_s, duration=clip.duration_s)
    path = host.temp_file(".mp4")
    silence = Waveform(torch.zeros(1, 1, round(clip.duration_s * _SILENCE_RATE)), _SILENCE_RATE)
    gain = 1.0 if clip.has_audio else 0.0
    in_worker(lambda tick: mux(clip, silence, path, original_gain=gain, on_progress=tick))
    return InputImpl.VideoFromFile(str(path))


def _is_edited(video: Any) -> bool:
    """Whether its frames are changed on the way (cropped, resized), as ComfyUI of 2026 can."""
    return getattr(video, "has_pending_frame_edits", bool)()


def _savable(video: Any) -> Any:
    """The same where `save_to` can write it: H.264 wants even sizes and colours, AAC a plain AUDIO.

    As in `mux`, a row or column that is too many is left out.
    """
    if not _is_made_of_frames(video) and not any(side % 2 for side in video.get_dimensions()):
        return video
    parts = video.get_components()
    height, width = parts.images.shape[1:3]
    images = parts.images[:, : height - height % 2, : width - width % 2, :_COLOURS]
    wave = sound_in(parts.audio)
    if images.shape == parts.images.shape and is_plain(parts.audio):
        return video
    audio = None if wave is None else to_audio(each(to_stereo(wave))[0])
    depth = {"bit_depth": video.get_bit_depth()} if hasattr(video, "get_bit_depth") else {}
    return InputImpl.VideoFromComponents(dataclasses.replace(parts, images=images, audio=audio), **depth)


def _is_made_of_frames(video: Any) -> bool:
    """Whether there is no file behind it."""
    return type(video).get_stream_source is Input.Video.get_stream_source


def _file_of(video: Any) -> Path:
    """The file behind a VIDEO; one that lives in memory is written to a temporary file."""
    path = host.temp_file(".mp4")
    if _is_made_of_frames(video) or _is_edited(video):
        # Of frames the inherited method saves to a buffer, where no format is known; of edited
        # videos it gives the file before the edit.
        in_worker(lambda _tick: _savable(video).save_to(str(path)))
        return path
    source = video.get_stream_source()
    if not isinstance(source, streams.BytesIO):
        path.unlink()
        return Path(source)
    with path.open("wb") as file:
        shutil.copyfileobj(source, file)
    return path
