"""Readers that turn the data people have into recordings. `SOURCES` is the list of choices."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from d2m_core.errors import PoseError, SettingError
from d2m_core.types import PoseSequence

from .aist import read_aist
from .aist_poses import aist_poses
from .download import fetch
from .link_list import read_list
from .melody import dance_poses, read_dances
from .options import SourceOptions
from .own_folder import read_folder
from .recording import Recording, Unreadable
from .segment_poses import loris_poses, motion_poses
from .segments import CDCD, D2M_GAN, LORIS, read_segments
from .source import Source
from .textual_inversion import clip_poses, read_clips

SOURCES: dict[str, Source] = {
    "folder": Source("a folder of videos", read_folder),
    "list": Source("a CSV or TSV of links: url,start,end", read_list),
    "aist": Source("AIST Dance Video Database and AIST++", read_aist, aist_poses),
    "d2m_gan": Source("D2M-GAN's 2-s segments", partial(read_segments, D2M_GAN), motion_poses),
    "cdcd": Source("CDCD's 6-s segments", partial(read_segments, CDCD), motion_poses),
    "loris": Source("LORIS' 25-s dance clips", partial(read_segments, LORIS), loris_poses),
    "siggraph_asia_2024": Source(
        "5.12-s clips of the SIGGRAPH Asia 2024 textual inversion", read_clips, clip_poses
    ),
    "dance_with_melody": Source("captured dances of Dance with Melody", read_dances, dance_poses),
}

__all__ = [
    "SOURCES",
    "Recording",
    "Source",
    "SourceOptions",
    "Unreadable",
    "fetch",
    "given_poses",
    "recordings",
]


def recordings(source: str, options: SourceOptions) -> Iterator[Recording | Unreadable]:
    """Everything in a source, in an order that is the same each time, read as it is asked for.

    Names are unique. Raises `SettingError` for an unknown source or one that is not there.
    """
    if source not in SOURCES:
        raise SettingError(f"The source is {source!r}; choose {', '.join(SOURCES)}.")
    return SOURCES[source].read(options)


def given_poses(recording: Recording) -> PoseSequence:
    """The whole poses that a recording brings with it. Raises `PoseError` or `SettingError`."""
    reader = SOURCES[recording.source].poses
    if recording.poses is None or reader is None:
        raise PoseError(f"{recording.name} brings no poses; find them in its video.")
    return reader(recording)
