"""Finds the dancers of a clip, each in a place of their own from beginning to end.

Somebody alone is followed as a film by MediaPipe, in stretches side by side (`stretches`), while
stills are looked at. Where
these show more people, everybody is looked for in stills (`look`), the stills say who is who
(`tracks`), and then each person is read in every frame in a moving part of the picture (`read`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import SettingError
from ..media import Frame, iter_frames
from ..media.video import read_ahead
from ..settings import MAX_PEOPLE, Dancer
from ..types import LANDMARKS, MOTION_FPS, PoseSequence, Progress, VideoClip
from .cuts import Cuts
from .dancer import followed, importance
from .estimate import MAX_HEIGHT, SHORT_GAP_S, require_somebody
from .landmarker import Body, Landmarker, Landmarkers, landmarkers
from .look import Looker, looker
from .model_file import pose_model
from .read import Reader
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
_CLOSER_EVERY, _CLOSER_FEWEST, _CLOSER_GAIN = 8, 3, 0.7
"""One still in so many is looked at closer; after so many, all are if that shows so many people more."""
_CLOSER_LATER = 32
"""And one in so many after these."""
_MISSED_STILLS = 1
"""Somebody who is read in stills alone may be missed in so many of them in a row."""
_MISSED = 0.8
"""A film that found its person in less than this share of what stills did is not believed."""
_WAITING = 4
"""Stills that may wait to be looked at: they are pictures in memory."""


Choice = Callable[[PoseSequence], list[int]]
"""Numbers of those who are followed, of poses of everybody."""


@dataclass(frozen=True)
class _Search:
    """What is searched, and how."""

    clip: VideoClip
    fps: float
    max_height: int
    on_progress: Progress | None

    @property
    def total(self) -> int:
        return max(1, round(self.clip.duration_s * self.fps))

    @contextmanager
    def frames(self) -> Iterator[Iterator[tuple[int, Frame]]]:
        with closing(read_ahead(iter_frames(self.clip, self.fps, self.max_height))) as ahead:
            yield enumerate(ahead)

    def poses(self, rows: list[list[Body | None]], cuts: list[int]) -> PoseSequence:
        """Bodies by frame and person as arrays; `cuts` are numbers of frames."""
        made = as_poses(rows, self.fps)
        cuts_s = tuple(frame / self.fps for frame in cuts)
        return replace(made, cuts_s=cuts_s, aspect=self.clip.width / self.clip.height)

    def tell(self, done: float) -> None:
        if self.on_progress is not None:
            self.on_progress(min(int(done), self.total), self.total)


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
    curves in between (`seldom` names them): with five people that is less than half of the work.
    `on_progress(frame, frames)` may raise to cancel. Raises `PoseError` where hardly any frame
    shows a person, `ModelError` where the model is missing, `PoseModelError` where MediaPipe cannot
    run, and `SettingError`.
    """
    if not 0 <= people <= MAX_PEOPLE:
        raise SettingError(f"People to find is {people}; choose 1 to {MAX_PEOPLE}, or 0 for everybody.")
    search = _Search(clip, fps, max_height, on_progress)
    bundle = pose_model(model, model_folder, lambda _done, _bytes: search.tell(0))
    with landmarkers(bundle) as opens:
        found = _alone(search, opens)
    if found is None:
        found = _several(search, bundle, dancer, people, only_followed)
    require_somebody(found.present)
    return fill_gaps(found, max_gap_s)


def _alone(search: _Search, opens: Landmarkers) -> PoseSequence | None:
    """The poses of the only person there is; None where there are more, or a film is not enough."""
    stretches = plan_stretches(search.total, search.fps, _cores())
    rows: list[list[Body | None]] = [[None] for _ in range(search.total)]
    with looker(opens, 1) as eyes:
        parts = [_Film(search, opens.of_film(1), eyes, stretch, rows) for stretch in stretches]
        for part in parts:
            part.together = parts
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
        self, search: _Search, film: Landmarker, eyes: Looker, stretch: Stretch, rows: list[list[Body | None]]
    ) -> None:
        self.search, self.film, self.eyes, self.stretch, self.rows = search, film, eyes, stretch, rows
        self.glances = _Stills()
        self.cuts_found: list[int] = []
        self.crowded = 0
        self.together = [self]

    def follow(self) -> Iterator[None]:
        """Fills in the stretch's rows, a step for each; ends early where somebody is not alone."""
        search, stretch, cuts = self.search, self.stretch, Cuts()
        every = max(1, round(min(_GLANCE_S, search.clip.duration_s / 4) * search.fps))
        soon = max(1, round(_STILLS_S * search.fps))  # a second one, so that groups are known at once
        with closing(stretch_frames(search.clip, search.fps, search.max_height, stretch)) as frames:
            for number, frame in frames:
                cuts.see(frame.rgb)
                if number >= stretch.end:
                    continue
                if stretch.has(number) and (number % every == 0 or number == soon):
                    self.glances.add(number, self.eyes.look(frame.rgb, closer=number in (0, every)))
                    if number == 0 or (number == soon and self.crowded):
                        self.glances.wait(0)  # else much is read that a group has no use for
                self.crowded = self.glances.crowded()
                if sum(part.crowded for part in self.together) >= _SEVERAL_STILLS:
                    return
                # From the number, not from the frame: MediaPipe insists on rising whole milliseconds.
                found = self.film.find(frame.rgb, round(number * 1000 / search.fps))
                if stretch.has(number):
                    self.rows[number] = [found[0] if found else None]
                    yield
        found_here = (cut + stretch.begin for cut in cuts.end())
        self.cuts_found = [cut for cut in found_here if stretch.has(cut)]


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
    search: _Search, bundle: Path, dancer: Dancer | Choice, people: int, only_followed: bool
) -> PoseSequence:
    """The poses of several people; with `only_followed` in every frame for those alone."""
    step = max(1, round(_STILLS_S * search.fps))
    with landmarkers(bundle) as opens:  # closed before the next are opened: each takes memory
        stills, cuts = _looked(search, opens, step)
    cuts_s = [frame / search.fps for frame in cuts]
    tracks = tracks_of([frame / search.fps for frame in stills.frames], stills.seen, cuts_s)
    if not tracks:
        return search.poses([[None]] * search.total, cuts)
    of_stills = _of_stills(search, tracks, len(stills.frames), step)
    kept = _kept(of_stills, dancer, people)
    changes = tuple((place, s) for place, person in enumerate(kept) for s in tracks[person].changes_s)
    read = _chosen(of_stills.people_at(kept), dancer) if only_followed else list(range(len(kept)))
    columns: dict[int, list[Body | None]] = {}
    while True:
        with landmarkers(bundle) as opens:
            rows = _read(search, opens, tracks, [kept[place] for place in read], cuts_s)
        columns |= {place: [row[k] for row in rows] for k, place in enumerate(read)}
        known = [
            columns.get(place) or _known(tracks[kept[place]], search.fps, len(rows))
            for place in range(len(kept))
        ]
        poses = search.poses([list(row) for row in zip(*known, strict=True)], cuts)
        poses = without_usurpers(replace(poses, changes=changes), tracks, kept)
        seldom = tuple(place for place in range(len(kept)) if place not in columns)
        poses = between(replace(poses, seldom=seldom), seldom, (_MISSED_STILLS + 1) * _STILLS_S)
        if not seldom:
            return poses
        # What every frame shows of somebody may change the choice: then who is chosen is read too.
        read = [place for place in _chosen(poses, dancer) if place in seldom]
        if not read:
            return poses


def _chosen(poses: PoseSequence, dancer: Dancer | Choice) -> list[int]:
    return dancer(poses) if callable(dancer) else followed(poses, dancer)


def _known(track: Track, fps: float, frames: int) -> list[Body | None]:
    """What the stills alone know of somebody, by frame."""
    bodies: list[Body | None] = [None] * frames
    for time_s, one in zip(track.times_s, track.seen, strict=True):
        if (frame := round(time_s * fps)) < frames:
            bodies[frame] = one.body
    return bodies


def _looked(search: _Search, opens: Landmarkers, step: int) -> tuple[_Stills, list[int]]:
    """Everybody in every `step`-th frame, and the frames after cuts."""
    stills, cuts, closer = _Stills(), Cuts(), False
    workers = _cores()
    with looker(opens, workers) as eyes, search.frames() as frames:
        for index, frame in frames:
            cuts.see(frame.rgb)
            if index % step == 0:
                number = index // step
                closer = closer or _closer_helps(stills)
                stills.add(index, eyes.look(frame.rgb, closer or _tries_closer(number)))
            search.tell(0.4 * index)
        stills.wait(0)
    return stills, cuts.end()


def _tries_closer(number: int) -> bool:
    every = _CLOSER_EVERY if number < _CLOSER_FEWEST * _CLOSER_EVERY else _CLOSER_LATER
    return number % every == 0


def _closer_helps(stills: _Stills) -> bool:
    counts = np.array([len(seen) for seen in stills.seen])
    closer = np.array([_tries_closer(number) for number in range(len(counts))], bool)
    if closer.sum() < _CLOSER_FEWEST:
        return False
    return bool(counts[closer].mean() > counts[~closer].mean() + _CLOSER_GAIN)


def _cores() -> int:
    """Cores that this process may use, but no more landmarkers than memory likes."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(count or 1, 8)


def _of_stills(search: _Search, tracks: list[Track], count: int, step: int) -> PoseSequence:
    """What `count` stills alone know of everybody."""
    rows: list[list[Body | None]] = [[None] * len(tracks) for _ in range(count)]
    for person, track in enumerate(tracks):
        for time_s, one in zip(track.times_s, track.seen, strict=True):
            rows[round(time_s * search.fps / step)][person] = one.body
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


def _read(
    search: _Search, opens: Landmarkers, tracks: list[Track], kept: list[int], cuts_s: list[float]
) -> list[list[Body | None]]:
    """The bodies of those kept, frame by frame, several of them at a time."""
    readers = [
        Reader(
            tracks[person],
            lambda: opens.of_film(1),
            [track for track in tracks if track is not tracks[person]],
            cuts_s,
        )
        for person in kept
    ]
    rows: list[list[Body | None]] = []
    with ThreadPoolExecutor(_cores(), thread_name_prefix="d2m-read") as pool, search.frames() as frames:
        for index, frame in frames:
            time_ms = round(index * 1000 / search.fps)
            reads = [pool.submit(reader.read, frame.rgb, index / search.fps, time_ms) for reader in readers]
            rows.append([read.result() for read in reads])
            search.tell(0.4 * search.total + 0.6 * (index + 1))
    return rows


def as_poses(rows: list[list[Body | None]], fps: float) -> PoseSequence:
    """Bodies by frame and person as arrays."""
    frames, people = len(rows), len(rows[0])
    world = np.zeros((frames, people, LANDMARKS, 3), np.float32)
    image = np.zeros((frames, people, LANDMARKS, 2), np.float32)
    visibility = np.zeros((frames, people, LANDMARKS), np.float32)
    present = np.zeros((frames, people), np.bool_)
    for frame, row in enumerate(rows):
        for person, body in enumerate(row):
            if body is not None:
                world[frame, person], image[frame, person] = body.world, body.image
                visibility[frame, person], present[frame, person] = body.visibility, True
    return PoseSequence(world, image, visibility, present, fps)
