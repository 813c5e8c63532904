"""`siggraph_asia_2024`: the clips of "Dance-to-Music Generation with Encoder-based Textual
Inversion" (Li et al., SIGGRAPH Asia 2024).

    ROOT/
        audio_clips/[GENRE/]NAME.wav           5.12 s
        keypoints_clips/[GENRE/]NAME.pkl       [F, 17, 3] at 60 per second, a bare array

AIST++ clips are named `gBR_sBM_c01_d04_mBR0_ch01` and whatever tells the clips of one video apart;
their song and dance are read off the name. In the authors' own set a folder (Ancient, Ballet,
Waacking, Latin) is the style, and clips that differ only in their last number are one performance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from d2m_core.types import PoseSequence

from .aist_names import parse_name
from .joints import AIST_FPS, coco_picture
from .names import files_under, safe_name
from .options import SourceOptions
from .pickles import load_arrays
from .recording import Recording, Unreadable

SOUND, POSES = "audio_clips", "keypoints_clips"

_AIST = re.compile(r"(g[A-Z]{2}_s[A-Z]{2}_c\w{2}_d\d{2}_m[A-Z]{2}\d_ch\d{2})(?:[_-].*)?")


def read_clips(options: SourceOptions) -> Iterator[Recording | Unreadable]:
    """The clips by path. Raises `SettingError` where there is no folder of sound."""
    for sound in files_under(options.root / SOUND, (".wav",)):
        relative = sound.relative_to(options.root / SOUND).with_suffix("")
        poses = (options.root / POSES / relative).with_suffix(".pkl")
        if not poses.is_file():
            yield Unreadable(relative.as_posix(), f"there is no {POSES}/{relative.as_posix()}.pkl")
            continue
        try:
            song, performance, camera, style = _known(relative)
        except ValueError as error:
            yield Unreadable(relative.as_posix(), str(error))
            continue
        yield Recording(
            name=safe_name(relative.as_posix()),
            source="siggraph_asia_2024",
            song=song,
            performance=performance,
            camera=camera,
            style=style or options.style,
            music=sound,
            poses=poses,
            licence="none stated; AIST Dance Video Database terms of use",
        )


def clip_poses(recording: Recording) -> PoseSequence:
    """Keypoints in pixels, 60 per second. Raises `PoseError`, `SettingError`."""
    assert recording.poses is not None
    return coco_picture(load_arrays(recording.poses), AIST_FPS)


def _known(relative: Path) -> tuple[str, str, str, str]:
    if match := _AIST.fullmatch(relative.name):
        dance = parse_name(match[1])
        return dance.song, dance.performance, dance.camera, dance.style
    performance = re.sub(r"[_-]?\d+$", "", relative.as_posix()) or relative.as_posix()
    style = relative.parts[0].casefold() if len(relative.parts) > 1 else ""
    return "", performance, "", style
