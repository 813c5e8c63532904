"""`aist`: the AIST Dance Video Database and AIST++, its annotations.

    ROOT/
        keypoints3d/gBR_sBM_cAll_d04_mBR0_ch01.pkl     of AIST++, any of the two
        keypoints2d/gBR_sBM_cAll_d04_mBR0_ch01.pkl
        splits/crossmodal_{train,val,test}.txt         of AIST++
        ignore_list.txt                                of AIST++
        videos/gBR_sBM_c01_d04_mBR0_ch01.mp4           of AIST; or in the videos folder

and in the music folder the user's own `mBR0.wav` (or .mp3, .flac ...), one file per song: neither
set may be handed on with it, but the videos have it as their sound.

A dance whose keypoints are there gives one recording, 3D before 2D, with the music file or else a
video's sound; a dance with videos only gives one per camera. `given=False` leaves keypoints alone.
2D keypoints give a recording per camera, too. Keypoints on the ignore list, which AIST++ found
badly reconstructed, are not used; the dance's videos are. Dances that no list of the official split
names are left out, for AIST++ made it so that choreographies do not cross; `official="none"` takes
all. Its validation and test share songs; train has none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from .aist_names import CAMERAS, AistName, parse_name
from .names import SOUND_SUFFIXES, VIDEO_SUFFIXES, by_stem
from .options import SourceOptions
from .recording import SPLITS, Recording, Unreadable

LICENCE = "AIST Dance Video Database terms of use; AIST++ annotations CC BY 4.0"
_KINDS = ("keypoints3d", "keypoints2d")
_ODD_VIEWS = {
    "gBR_sBM_c05_d04_mBR0_ch01": "it is not in time with the other cameras",
    "gJB_sBM_c07_d07_mJB3_ch05": "its picture is smaller than the others",
}
"""2D keypoints that AIST++ itself leaves out of its 3D."""


@dataclass(frozen=True)
class _Files:
    """What there is, each by its name without ending."""

    videos: dict[str, Path]
    poses: dict[str, dict[str, Path]]
    music: dict[str, Path]
    ignored: frozenset[str]
    splits: dict[str, str] | None


def read_aist(options: SourceOptions) -> Iterator[Recording | Unreadable]:
    """The dances by name. Raises `SettingError` where there is no such folder."""
    files = _files(options)
    dances: dict[str, AistName] = {}
    for name in sorted({*files.videos, *(name for kind in files.poses.values() for name in kind)}):
        try:
            parsed = parse_name(name)
            dances[parsed.performance] = replace(parsed, camera="All")
        except ValueError as error:
            yield Unreadable(name, str(error))
    for performance, dance in sorted(dances.items()):
        if files.splits is not None and performance not in files.splits:
            yield Unreadable(performance, f"it is in none of the {options.official} lists")
        else:
            yield from _recordings(dance, files, options.given)


def _files(options: SourceOptions) -> _Files:
    root = options.root
    videos = options.videos or (root / "videos" if (root / "videos").is_dir() else root)
    ignored = root / "ignore_list.txt"
    return _Files(
        videos=by_stem(videos, VIDEO_SUFFIXES),
        poses={kind: by_stem(root / kind, (".pkl",)) if (root / kind).is_dir() else {} for kind in _KINDS},
        music=by_stem(options.music, SOUND_SUFFIXES) if options.music else {},
        ignored=frozenset(ignored.read_text().split() if ignored.exists() else ()),
        splits=_splits(root / "splits", options.official),
    )


def _splits(folder: Path, official: str) -> dict[str, str] | None:
    """Official split of each dance; None where there is none to keep."""
    if official == "none" or not folder.is_dir():
        return None
    lists = {split: folder / f"{official}_{split}.txt" for split in SPLITS}
    return {
        name: split
        for split, path in lists.items()
        for name in (path.read_text().split() if path.exists() else ())
    }


def _recordings(dance: AistName, files: _Files, given: bool) -> Iterator[Recording | Unreadable]:
    cameras = [f"{number:02d}" for number in range(1, CAMERAS + 1)]
    views = {c: path for c in cameras if (path := files.videos.get(dance.seen_by(c)))}
    music = files.music.get(dance.song)
    ignored = dance.performance in files.ignored
    kinds = [kind for kind in _KINDS if dance.performance in files.poses[kind]]
    base = Recording(
        name=dance.performance,
        source="aist",
        video=next(iter(views.values()), Path(".")),
        song=dance.song,
        performance=dance.performance,
        camera="All",
        style=dance.style,
        music=music,
        split=(files.splits or {}).get(dance.performance, ""),
        licence=LICENCE,
    )
    if given and kinds and not ignored and (music or views):
        poses = files.poses[kinds[0]][dance.performance]
        sound = base.video if views else None
        for camera in ("All",) if kinds[0] == "keypoints3d" else cameras:
            if odd := _ODD_VIEWS.get(name := dance.seen_by(camera)):
                yield Unreadable(name, odd)
            else:
                yield replace(base, name=name, video=sound, poses=poses, camera=camera)
    elif views:
        for camera, video in views.items():
            yield replace(base, name=dance.seen_by(camera), video=video, camera=camera)
    elif ignored:
        yield Unreadable(dance.performance, "it is on the ignore list and has no video")
    else:
        yield Unreadable(dance.performance, f"it has no sound; put {dance.song} into the music folder")
