"""Video and sound: files in and out, by PyAV. Whoever opens, writes or muxes a file asks here.

`video` and `sound` are what others call; `video_file` and `sound_file` read and write containers, `mux` puts
music under a clip, `limiter` holds peaks, `downmix` brings many channels to two.
"""

from .downmix import to_stereo
from .sound import fit_length, load_audio, own_sound, resample, save_audio, to_mono
from .video import Frame, iter_frames, open_clip, shown_frames

__all__ = [
    "Frame",
    "fit_length",
    "iter_frames",
    "load_audio",
    "open_clip",
    "own_sound",
    "resample",
    "save_audio",
    "shown_frames",
    "to_mono",
    "to_stereo",
]
