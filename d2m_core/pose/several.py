"""Several people: stills say who is who, then who is followed is read in every picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..settings import MAX_PEOPLE, Dancer
from ..types import PoseSequence
from .cuts import Cuts
from .dancer import followed, importance
from .landmarker import Body, Landmarkers, landmarkers
from .look import closer_parts, looker
from .readings import read_tracks
from .search import Search, cores
from .seldom import between
from .stills import STILLS_S, SURE, Stills
from .tracks import Track, tracks_of
from .usurped import without_usurpers
from .views import View

_CLOSER_EVERY, _CLOSER_FEWEST, _CLOSER_GAIN = 4, 2, 0.7
"""One still in so many is looked at closer; after so many, all are if that shows so many people more."""
_CLOSER_LATER = 32
"""And one in so many after these."""
_LATELY = 8
"""Closer parts that showed somebody in so many of the last stills are looked at in the next."""
_LONGEST_MISS_S = 0.8
"""Somebody whom the music does not follow may be out of sight for so long, as behind others."""
_PATCHY = (0.3, 0.85)
"""Who is known in so many of the frames by stills alone is followed from still to still as in a film, which
keeps hold of people whom stills lose."""

Choice = Callable[[PoseSequence], list[int]]
"""Numbers of those who are followed, of poses of everybody."""


def find_several(
    search: Search, bundle: Path, dancer: Dancer | Choice, people: int, only_followed: bool
) -> PoseSequence:
    """The poses of several people; with `only_followed` in every frame for those alone."""
    step = max(1, round(STILLS_S * search.fps))
    with landmarkers(bundle) as opens:  # closed before the next are opened: each takes memory
        stills, cuts = _looked(search, opens, step)
    cuts_s = [frame / search.fps for frame in cuts]
    tracks = tracks_of([frame / search.fps for frame in stills.frames], stills.seen, cuts_s)
    if not tracks:
        return search.poses([[None]] * search.total, cuts)
    of_stills = _of_stills(search, tracks, stills.frames, step)
    kept = _kept(of_stills, dancer, people)
    changes = tuple((place, s) for place, person in enumerate(kept) for s in tracks[person].changes_s)
    seen = of_stills.people_at(kept)
    chosen = set(_chosen(seen, dancer) if only_followed else range(len(kept)))
    patchy = _patchy(seen)
    columns: dict[int, list[Body | None]] = {}
    every: dict[int, int] = {}
    while True:
        wanted = dict.fromkeys(patchy, step) | dict.fromkeys(chosen, 1)
        due = {place: wanted[place] for place in sorted(wanted) if every.get(place) not in (1, wanted[place])}
        if due:
            with landmarkers(bundle) as opens:
                people_read = [kept[place] for place in due]
                rows = read_tracks(search, opens, tracks, people_read, cuts_s, cores(), list(due.values()))
            columns |= {place: [row[k] for row in rows] for k, place in enumerate(due)}
            every |= due
        others = [place for place in range(len(kept)) if every.get(place) != 1]
        poses = replace(_together(search, tracks, kept, columns, cuts), changes=changes, seldom=tuple(others))
        poses = between(poses, others, _LONGEST_MISS_S)
        # What every frame shows of somebody may change the choice: then who is chosen is read too.
        again = set(_chosen(poses, dancer)) if only_followed else chosen
        if again <= chosen:
            return poses
        chosen |= again


def _together(
    search: Search,
    tracks: list[Track],
    kept: list[int],
    columns: dict[int, list[Body | None]],
    cuts: list[int],
) -> PoseSequence:
    """The poses of the tracks `kept`: as they were read, by place in `columns`, else as stills know them.

    A reading that was of somebody else gives way to the still's.
    """
    stills = [_known(tracks[person], search.fps, search.total) for person in kept]
    bodies = [columns.get(place) or still for place, still in enumerate(stills)]
    poses = search.poses([list(row) for row in zip(*bodies, strict=True)], cuts)
    poses = without_usurpers(poses, tracks, kept)
    return _where_missing(poses, search.poses([list(row) for row in zip(*stills, strict=True)], cuts))


def _where_missing(poses: PoseSequence, others: PoseSequence) -> PoseSequence:
    """The poses, and where somebody is missing there those of `others`."""
    take = others.present & ~poses.present
    three, four = take[..., None], take[..., None, None]
    return replace(
        poses,
        world=np.where(four, others.world, poses.world),
        image=np.where(four, others.image, poses.image),
        visibility=np.where(three, others.visibility, poses.visibility),
        present=poses.present | take,
    )


def _patchy(seen: PoseSequence) -> list[int]:
    """Those whom stills lose for too long."""
    known = between(seen, range(seen.people), _LONGEST_MISS_S).present.mean(axis=0)
    return np.flatnonzero((known > _PATCHY[0]) & (known < _PATCHY[1])).tolist()


def _chosen(poses: PoseSequence, dancer: Dancer | Choice) -> list[int]:
    return dancer(poses) if callable(dancer) else followed(poses, dancer)


def _known(track: Track, fps: float, frames: int) -> list[Body | None]:
    """What the stills alone know of somebody, by frame."""
    bodies: list[Body | None] = [None] * frames
    for time_s, one in zip(track.times_s, track.seen, strict=True):
        if (frame := round(time_s * fps)) < frames:
            bodies[frame] = one.body
    return bodies


def _looked(search: Search, opens: Landmarkers, step: int) -> tuple[Stills, list[int]]:
    """Everybody in every `step`-th frame and in the last one, and the frames after cuts."""
    stills, cuts, closer, sizes = Stills(), Cuts(), False, search.sizes()
    with looker(opens, cores()) as eyes, search.frames() as frames:
        for index, shown in frames:
            cuts.see(sizes.draw(shown.frame, sizes.smallest))
            if index % step == 0 or index == search.total - 1:
                closer = closer or _closer_helps(stills)
                rgb = sizes.draw(shown.frame, sizes.largest)
                stills.add(index, eyes.look(rgb, _closer(stills, closer, rgb)))
            search.tell(0.4 * index)
        stills.wait(0)
    return stills, cuts.end()


def _closer(stills: Stills, helps: bool, rgb: np.ndarray) -> list[View]:
    """The closer parts to look at: now and then all; in between, if that `helps`, those that lately did."""
    count = len(stills.frames)
    if _tries_closer(count) or (helps and count % _CLOSER_EVERY == 0):
        return closer_parts(rgb)
    lately = stills.known[-_LATELY:] if helps else []
    return list(dict.fromkeys(one.part for seen in lately for one in seen if one.part and one.sure >= SURE))


def _tries_closer(still: int) -> bool:
    return still % (_CLOSER_EVERY if still < _CLOSER_FEWEST * _CLOSER_EVERY else _CLOSER_LATER) == 0


def _closer_helps(stills: Stills) -> bool:
    counts = np.array([sum(one.sure >= SURE for one in seen) for seen in stills.known])
    closer = np.array([_tries_closer(still) for still in range(len(counts))], np.bool_)
    if closer.sum() < _CLOSER_FEWEST:
        return False
    return bool(counts[closer].mean() > counts[~closer].mean() + _CLOSER_GAIN)


def _of_stills(search: Search, tracks: list[Track], frames: Sequence[int], step: int) -> PoseSequence:
    """What stills alone know of everybody; `frames` are their numbers, `step` apart."""
    rows: list[list[Body | None]] = [[None] * len(tracks) for _ in frames]
    still_of = {frame: still for still, frame in enumerate(frames)}
    for person, track in enumerate(tracks):
        for time_s, one in zip(track.times_s, track.seen, strict=True):
            rows[still_of[round(time_s * search.fps)]][person] = one.body
    return replace(search.poses(rows, []), fps=search.fps / step)


def _kept(seen: PoseSequence, dancer: Dancer | Choice, people: int) -> list[int]:
    """Which of those seen are read in every frame, in their order."""
    if people == 0 or people >= seen.people:
        by_size = np.argsort(-importance(seen))[:MAX_PEOPLE]
        return sorted(by_size.tolist())
    # A number counts those who are kept, and all of them blend.
    first = [] if dancer == "blend" or isinstance(dancer, int) else _chosen(seen, dancer)
    rest = [int(person) for person in np.argsort(-importance(seen)) if person not in first]
    return sorted((first + rest)[:people])
