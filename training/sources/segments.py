"""`d2m_gan`, `cdcd` and `loris`: lists of segments, each a line with the path of its sound.

    ROOT/                                              d2m_gan
        dataset/aist_audio_{train,test}_segment.txt        ./aistplus/audio_s2/train/NAME_seg3.wav
        dataset/tiktok_audio_{train,test}_segment.txt      ./tiktok/audio_s2/000007_7_188_seg3.wav
    ROOT/                                              cdcd: 6 s, else the 2-s lists
        data/aist_audio_{train,val,test}_segment_s6.txt    /any/aistplus/audio_s6/val/NAME_seg1.wav
    ROOT/                                              loris: 25 s, dance only
        data/dance/dance_audio_s25_{train,test}_segment.txt    any/dance/audio_s25/NAME.wav

NAME is a dance of AIST seen by one camera (`gPO_sBM_c01_d11_mPO1_ch02`), or a TikTok video, of
which the second number is the song. The lists may lie at any depth below ROOT. The files that they
name are found by the ends of their paths, below ROOT or beside the list, whatever folder the list's
author had: `.../audio_s2/X.wav` has its motion in `.../motion_s2/X.npy` (`pose2d_s25` for LORIS). A
segment whose sound or motion is not there is cut out of NAME's video in the videos folder: number n
of the S-second segments starts at (n - 1) S.

Motion is SMPL [60 S, 219] at 60 per second (AIST), BODY_25 [30 S, 75] at 30 (TikTok) or COCO-17
[F, 17, 3] over the 25 s (LORIS). Segments keep the split of their list, whose train shares no song
with the others; LORIS' do not, because all songs and dances of its test list are in its train list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from d2m_core.errors import SettingError

from .aist_names import parse_name
from .names import VIDEO_SUFFIXES, by_stem
from .options import SourceOptions
from .recording import Recording, Unreadable

_SEGMENT = re.compile(r"(?P<video>.+)_seg(?P<number>[1-9]\d*)")
_FOLDER = re.compile(r"audio_s\d+")
"""States the segments' length in seconds."""
_TIKTOK = re.compile(r"\d{6}_(?P<song>\d+)_(?P<video>\d+)")
"""Compilation, song, and number of the video."""
_SHORTEST_END = 2
"""A path is found by at least its folder and its name."""


@dataclass(frozen=True)
class Lists:
    """How one data set writes its lists."""

    source: str
    patterns: tuple[str, ...]
    """Names of its sound lists; the first of which there are any counts. `*` is the split."""
    motion: str
    """What the folder of motion is called where that of sound is called `audio`."""
    keeps_split: bool = True
    licence: str = ""


D2M_GAN = Lists(
    "d2m_gan",
    ("*_audio_*_segment.txt",),
    "motion",
    licence="none stated; AIST Dance Video Database terms of use",
)
CDCD = Lists(
    "cdcd",
    ("*_audio_*_segment_s6.txt", "*_audio_*_segment.txt"),
    "motion",
    licence="none stated; AIST Dance Video Database terms of use",
)
LORIS = Lists(
    "loris",
    ("dance_audio_s25_*_segment.txt",),
    "pose2d",
    keeps_split=False,
    licence="research purposes only; AIST Dance Video Database terms of use",
)


def read_segments(lists: Lists, options: SourceOptions) -> Iterator[Recording | Unreadable]:
    """The segments of all lists, list by list in their order. Raises `SettingError`."""
    found: list[Path] = []
    for pattern in lists.patterns:
        found = found or sorted(options.root.rglob(pattern))
    if not found:
        raise SettingError(
            f"{options.root} holds no list named {lists.patterns[0]}; name the folder with the "
            "lists of the repository."
        )
    videos = by_stem(options.videos, VIDEO_SUFFIXES) if options.videos else {}
    seen: set[str] = set()
    for path in found:
        split = next((s for s in ("train", "val", "test") if f"_{s}_" in path.name), "")
        split = split if lists.keeps_split else ""
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
            if not line.strip():
                continue
            where = f"{path.name}, line {number}"
            try:
                segment = _Segment.of(line.strip(), path.parent, lists)
                if segment.name in seen:
                    raise ValueError(f"{segment.name} stands in the lists twice")
                seen.add(segment.name)
                yield segment.recording(lists, options, videos, split)
            except ValueError as error:
                yield Unreadable(where, str(error))


@dataclass(frozen=True)
class _Segment:
    """One line of a list."""

    name: str
    video: str
    start_s: float
    end_s: float
    sound: PurePosixPath
    motion: PurePosixPath
    beside: Path

    @classmethod
    def of(cls, line: str, beside: Path, lists: Lists) -> _Segment:
        sound = PurePosixPath(line)
        folder = next((part for part in sound.parts[:-1] if _FOLDER.fullmatch(part)), "")
        if not folder or sound.suffix != ".wav":
            raise ValueError(f"{line!r} is no path like .../audio_s2/NAME_seg1.wav")
        seconds = float(folder.removeprefix("audio_s"))
        match = _SEGMENT.fullmatch(sound.stem)
        number = int(match["number"]) if match else 1
        kept = folder.replace("audio", lists.motion)
        parts = [kept if part == folder else part for part in sound.parts]
        return cls(
            name=sound.stem,
            video=match["video"] if match else sound.stem,
            start_s=(number - 1) * seconds,
            end_s=number * seconds,
            sound=sound,
            motion=PurePosixPath(*parts).with_suffix(".npy"),
            beside=beside,
        )

    def recording(
        self, lists: Lists, options: SourceOptions, videos: dict[str, Path], split: str
    ) -> Recording:
        song, performance, camera, style = _known(self.video)
        roots = (options.root, self.beside)
        sound, motion = (_found(path, roots) for path in (self.sound, self.motion))
        video = videos.get(self.video)
        given = sound is not None and motion is not None and (options.given or video is None)
        if not given and video is None:
            missing = self.sound if sound is None else self.motion
            raise ValueError(f"there is no {missing.name} and no video {self.video}")
        return Recording(
            name=self.name,
            source=lists.source,
            video=None if given else video,
            start_s=0.0 if given else self.start_s,
            end_s=None if given else self.end_s,
            song=song,
            performance=performance,
            camera=camera,
            style=style or options.style,
            music=sound if given else None,
            poses=motion if given else None,
            split=split,
            licence=lists.licence,
        )


def _known(video: str) -> tuple[str, str, str, str]:
    """Song, performance, camera and style by a video's name. Raises `ValueError`."""
    if match := _TIKTOK.fullmatch(video):
        return f"tiktok {match['song']}", f"tiktok {match['video']}", "", ""
    dance = parse_name(video)
    return dance.song, dance.performance, dance.camera, dance.style


def _found(path: PurePosixPath, roots: tuple[Path, ...]) -> Path | None:
    """The file with the longest end of `path` that lies below one of `roots`."""
    parts = [part for part in path.parts if part not in ("/", ".", "..")]
    for first in range(len(parts) - _SHORTEST_END + 1):
        for root in roots:
            if (found := root.joinpath(*parts[first:])).is_file():
                return found
    return None
