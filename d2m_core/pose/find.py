"""Finds the dancers of a clip, each in a place of their own from beginning to end.

Somebody alone is followed as a film by MediaPipe, in stretches side by side (`stretches`), while
stills are looked at. Where these show more people, everybody is looked for in stills (`look`), the
stills say who is who (`tracks`), and then each person is read in every frame in a moving part of the
picture (`read`), again in stretches side by side (`readings`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame

from ..errors import SettingError
from ..media.sizes import Sizes
from ..settings import MAX_PEOPLE, Dancer
from ..types import MOTION_FPS, PoseSequence, Progress, VideoClip
from .cuts import Cuts
from .dancer import followed, importance
from .estimate import MAX_HEIGHT, SHORT_GAP_S, require_somebody
from .landmarker import Body, Landmarker, Landmarkers, landmarkers
from .look import Looker, looker
from .model_file import pose_model
from .needed import Needed
from .readings import read_tracks
from .search import Search
from .seldom import between
from .sightings import Sighting
from .stretches import Stretch, plan_stretches, side_by_side, stretch_frames
from .track import fill_gaps
from .tracks import Track, tracks_of, unlike
from .usurped import without_usurpers

_STILLS_S = 0.2
"""One still in so many seconds is looked at where there are several people."""
_GLANCE_S = 1.0
"""And one in so many where somebody seems to be alone."""
_SEVERAL_STILLS = 2
"""So many stills with several people, and nobody is alone."""
_SURE = 0.6
_CLOSER_EVERY, _CLOSER_FEWEST, _CLOSER_GAIN = 8, 2, 0.7
"""One still in so many is looked at closer; after so many, all are if that shows so many people more."""
_CLOSER_LATER = 32
"""And one in so many after these."""
_LONGEST_MISS_S = 0.8
"""Somebody whom the music does not follow may be out of sight for so long, as behind others."""
_PATCHY = (0.3, 0.85)
"""Who is known in so many of the frames by stills alone is read in every frame all the same: a film keeps
hold of people whom stills lose."""
_MISSED = 0.8
"""A film that found its person in less than this share of what stills did is not believed."""
_WAITING = 4
"""Stills that may wait to be looked at: they are pictures in memory."""

Choice = Callable[[PoseSequence], list[int]]
"""Numbers of those who are followed, of poses of everybody."""


def find_dancers(
    clip: VideoClip,
    dancer: Dancer | Choice = "largest",
    model: str = "full",
    people: int = 0,
    fps: float = MOTION_FPS,
    model_folder: Path | None = None,
    on_progress: Progress | None = None,
    *,
    max_height: int = MAX_HEIGHT,
    max_gap_s: float = SHORT_GAP_S,
    only_followed: bool = False,
) -> PoseSequence:
    """Poses of everybody who dances in a clip, numbered from left to right at first sight.

    As many people are looked for as there are. `people` 0 gives all of them back, else at most so
    many: those whom `dancer` (as in `select_dancer`, or a function that chooses) follows and then the
    largest. Absent people are masked; gaps of up to `max_gap_s` are interpolated. `cuts_s` says when
    the picture changed. With `only_followed` the others are read in five pictures a second, with smooth
    curves in between (`seldom` names them), but for who is lost so: with five people half of the work.
    `on_progress(frame, frames)` may raise to cancel. Raises `PoseError` where hardly any frame
    shows a person, `ModelError` where the model is missing, `PoseModelError` where MediaPipe cannot
    run, and `SettingError`.
    """
    if not 0 <= people <= MAX_PEOPLE:
        raise SettingError(f"People to find is {people}; choose 1 to {MAX_PEOPLE}, or 0 for everybody.")
    search = Search(clip, fps, max_height, on_progress)
    bundle = pose_model(model, model_folder, lambda _done, _bytes: search.tell(0))
    with landmarkers(bundle) as opens:
        found = _alone(search, opens)
    if found is None:
        found = _several(search, bundle, dancer, people, only_followed)
    require_somebody(found.present)
    return fill_gaps(found, max_gap_s)


def _alone(search: Search, opens: Landmarkers) -> PoseSequence | None:
    """The poses of the only person there is; None where there are more, or a film is not enough."""
    stretches = plan_stretches(search.total, search.fps, _cores())
    rows: list[list[Body | None]] = [[None] for _ in range(search.total)]
    with looker(opens, 1) as eyes:
        parts = [_Film(search, lambda: opens.of_film(1), eyes, stretch, rows) for stretch in stretches]
        for part in parts:
            part.together, part.begun = parts, parts[0].begun
        side_by_side([part.follow for part in parts], search.tell)
        glances = _Stills()
        for part in parts:
            part.glances.wait(0)
            glances.frames += part.glances.frames
            glances.seen += part.glances.seen
    if glances.several():
        return None
    poses = search.poses(rows, [cut for part in parts for cut in part.cuts_found])
    missed = poses.present.mean() < _MISSED * glances.share_with_somebody()
    changes = tuple((0, time_s) for time_s in glances.changes_s(poses))
    return None if missed else replace(poses, changes=changes)


class _Film:
    """Follows one person through a stretch, and looks at stills on the side."""

    def __init__(
        self,
        search: Search,
        open_one: Callable[[], Landmarker],
        eyes: Looker,
        stretch: Stretch,
        rows: list[list[Body | None]],
    ) -> None:
        self.search, self.eyes, self.stretch, self.rows = search, eyes, stretch, rows
        self._open = open_one
        self._film: Landmarker | None = None
        self.glances = _Stills()
        self.cuts_found: list[int] = []
        self.crowded = 0
        self.together = [self]
        self.begun = threading.Event()
        """Set when the clip's first picture has shown somebody alone: before that nothing is read."""

    def follow(self) -> Iterator[None]:
        """Fills in the stretch's rows, a step for each; ends early where somebody is not alone."""
        try:
            yield from self._followed()
        finally:
            self.begun.set()  # else the others would wait for ever

    def _followed(self) -> Iterator[None]:
        search, stretch, cuts, sizes = self.search, self.stretch, Cuts(), self.search.sizes()
        needed = Needed(sizes)
        with closing(stretch_frames(search.clip, search.fps, stretch)) as frames:
            for number, shown in frames:
                rgb = sizes.draw(shown.frame, needed.height)
                cuts.see(rgb)
                if number >= stretch.end:
                    continue
                if stretch.has(number):
                    self._glance(number, rgb, sizes, shown.frame, needed.fills and not cuts.found)
                self.crowded = self.glances.crowded()
                self._begin(number)
                if sum(part.crowded for part in self.together) >= _SEVERAL_STILLS:
                    return
                # From the number, not from the frame: MediaPipe insists on rising whole milliseconds.
                self._film = self._film or self._open()
                found = self._film.find(rgb, round(number * 1000 / search.fps))
                body = found[0] if found else None
                needed.see(body)
                if stretch.has(number):
                    self.rows[number] = [body]
                    yield
        found_here = (cut + stretch.begin for cut in cuts.end())
        self.cuts_found = [cut for cut in found_here if stretch.has(cut)]

    def _begin(self, number: int) -> None:
        """Waits until the first pictures have shown somebody alone: what is read of a group here is lost."""
        if self.together[0] is not self:
            self.begun.wait()
        elif not self.begun.is_set() and number in (0, self._soon):
            self.glances.wait(0)
            self.crowded = self.glances.crowded()
            if number or not self.crowded:
                self.begun.set()

    @property
    def _soon(self) -> int:
        """The second still comes soon, so that groups are known at once."""
        return max(1, round(_STILLS_S * self.search.fps))

    def _glance(self, number: int, rgb: np.ndarray, sizes: Sizes, frame: VideoFrame, fills: bool) -> None:
        """Looks at the picture as a still where one is due.

        Beside somebody who `fills` it in one shot are few others and no small ones: half as often is enough.
        """
        every = max(1, round(min(_GLANCE_S, self.search.clip.duration_s / 4) * self.search.fps))
        due = number % every == 0 and not (fills and number // every % 2)
        if due or number == self._soon:
            closer = number in (self._soon, every) and not self.crowded
            self.glances.add(
                number, self.eyes.look(sizes.draw(frame, sizes.largest) if closer else rgb, closer)
            )


class _Stills:
    """What is seen in stills that are looked at in the background."""

    def __init__(self) -> None:
        self.frames: list[int] = []
        self.seen: list[list[Sighting]] = []
        self._waiting: list[Future[list[Sighting]]] = []

    def add(self, frame: int, looked: Future[list[Sighting]]) -> None:
        self.frames.append(frame)
        self._waiting.append(looked)
        self.wait(_WAITING)

    def wait(self, most: int) -> None:
        """Goes on when at most so many are still to be looked at."""
        while self._waiting and (len(self._waiting) > most or self._waiting[0].done()):
            self.seen.append(self._waiting.pop(0).result())

    def several(self) -> bool:
        """Whether somebody who was looked at is not alone."""
        return self.crowded() >= _SEVERAL_STILLS

    def crowded(self) -> int:
        """In how many of the stills that were looked at somebody is not alone."""
        self.wait(len(self._waiting))
        return sum(sum(one.sure >= _SURE for one in seen) > 1 for seen in self.seen)

    def changes_s(self, poses: PoseSequence) -> list[float]:
        """When somebody who looks otherwise is there, up to the next change at least for two stills."""
        met = [
            (frame / poses.fps, max(seen, key=lambda one: one.sure).look)
            for frame, seen in zip(self.frames, self.seen, strict=True)
            if any(one.sure >= _SURE for one in seen)
        ]
        changes, k = [], 0
        for i in range(1, len(met) - 1):
            if unlike(met[k][1], met[i][1]) and unlike(met[k][1], met[i + 1][1]):
                between = [cut_s for cut_s in poses.cuts_s if met[i - 1][0] < cut_s <= met[i][0]]
                changes.append(between[0] if between else met[i][0])
                k = i
        return changes

    def share_with_somebody(self) -> float:
        return float(np.mean([any(one.sure >= _SURE for one in seen) for seen in self.seen]))


def _several(
    search: Search, bundle: Path, dancer: Dancer | Choice, people: int, only_followed: bool
) -> PoseSequence:
    """The poses of several people; with `only_followed` in every frame for those alone."""
    step = max(1, round(_STILLS_S * search.fps))
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
    patchy = set(_patchy(seen))
    columns: dict[int, list[Body | None]] = {}
    while True:
        read = sorted((chosen | patchy) - columns.keys())
        if read:
            with landmarkers(bundle) as opens:
                people_read = [kept[place] for place in read]
                rows = read_tracks(search, opens, tracks, people_read, cuts_s, _cores())
            columns |= {place: [row[k] for row in rows] for k, place in enumerate(read)}
        poses = replace(_together(search, tracks, kept, columns, cuts), changes=changes)
        others = [place for place in range(len(kept)) if place not in chosen]
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
    seldom = tuple(place for place in range(len(kept)) if place not in columns)
    poses = replace(without_usurpers(poses, tracks, kept), seldom=seldom)
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


def _looked(search: Search, opens: Landmarkers, step: int) -> tuple[_Stills, list[int]]:
    """Everybody in every `step`-th frame and in the last one, and the frames after cuts."""
    stills, cuts, closer, sizes = _Stills(), Cuts(), False, search.sizes()
    with looker(opens, _cores()) as eyes, search.frames() as frames:
        for index, shown in frames:
            cuts.see(sizes.draw(shown.frame, sizes.smallest))
            if index % step == 0 or index == search.total - 1:
                closer = closer or _closer_helps(stills)
                rgb = sizes.draw(shown.frame, sizes.largest)
                stills.add(index, eyes.look(rgb, closer or _tries_closer(len(stills.frames))))
            search.tell(0.4 * index)
        stills.wait(0)
    return stills, cuts.end()


def _tries_closer(still: int) -> bool:
    return still % (_CLOSER_EVERY if still < _CLOSER_FEWEST * _CLOSER_EVERY else _CLOSER_LATER) == 0


def _closer_helps(stills: _Stills) -> bool:
    counts = np.array([sum(one.sure >= _SURE for one in seen) for seen in stills.seen])
    closer = np.array([_tries_closer(still) for still in range(len(counts))], np.bool_)
    if closer.sum() < _CLOSER_FEWEST:
        return False
    return bool(counts[closer].mean() > counts[~closer].mean() + _CLOSER_GAIN)


def _cores() -> int:
    """Cores that this process may use, but no more landmarkers than memory likes."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(count or 1, 8)


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
