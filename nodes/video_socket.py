"""Between ComfyUI's VIDEO and our clips, without ever holding a clip's frames in memory."""

from __future__ import annotations

import io as streams
import shutil
from pathlib import Path
from typing import Any

import torch
from comfy_api.latest import Input, InputImpl

from ..d2m_core.media import open_clip
from ..d2m_core.media.mux import mux
from ..d2m_core.types import VideoClip, Waveform
from . import host
from .worker import in_worker

_SILENCE_RATE = 24000


def clip_of(video: Any) -> VideoClip:
    """Our clip from a VIDEO as it is shown, window and edits kept, or from a clip of ours."""
    if not hasattr(video, "get_stream_source"):
        return video
    path = _file_of(video)
    if _is_edited(video) or not hasattr(video, "get_active_trim_window"):
        return open_clip(path)
    start_s, duration_s = video.get_active_trim_window()
    if start_s < 0:  # counted from the end
        start_s = max(0.0, open_clip(path).duration_s + start_s)
    return open_clip(path, start_s, duration_s or None)  # a duration of 0 stands for all that follows


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


def _file_of(video: Any) -> Path:
    """The file behind a VIDEO; one that lives in memory is written to a temporary file."""
    path = host.temp_file(".mp4")
    made_of_frames = type(video).get_stream_source is Input.Video.get_stream_source
    if made_of_frames or _is_edited(video):
        # Of frames the inherited method saves to a buffer, where no format is known; of edited
        # videos it gives the file before the edit.
        in_worker(lambda _tick: video.save_to(str(path)))
        return path
    source = video.get_stream_source()
    if not isinstance(source, streams.BytesIO):
        path.unlink()
        return Path(source)
    with path.open("wb") as file:
        shutil.copyfileobj(source, file)
    return path
