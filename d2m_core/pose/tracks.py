"""Who is who from still to still: sightings become tracks, by place, size and look.

As ByteTrack has it, sure sightings choose first and unsure ones may only go on with a track; a lost
track waits, and is taken up again where somebody of its look turns up within reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .sightings import Sighting

_SURE = 0.6
"""Mean visibility from which a sighting may begin a track."""
_REACH, _REACH_PER_S = 0.3, 1.5
"""How far from where they are expected somebody may be, in body heights, at once and per second."""
_BENT, _BENT_PER_S = 0.7, 0.5
"""How much larger or smaller (natural logarithm) a body may become, at once and per second."""
_OTHER_LOOK = 0.22
"""Looks that differ by more (mean over colours of 0..1) are never the same person's."""
_SAME_LOOK = 0.1
"""After a cut only looks alone can tell: nearer than this is the same person."""
_LOOK_WEIGHT, _SIZE_WEIGHT = 2.0, 0.3
_LOOK_MEMORY, _SPEED_MEMORY = 0.9, 0.5
_WALKS_ON_S = 0.4
"""Somebody out of sight is expected to go on for so long, then to stand."""
_JUST_NOW_S = 0.45
_REFUSED = 1e6
_PRICE = 0.7
"""What it costs to go on with nothing: nobody changes places so that somebody else finds one."""
_FEWEST, _BRIEFEST_S = 3, 0.5
"""Tracks with fewer sightings, or over a shorter time, are noise."""


@dataclass(eq=False)
class Track:
    """One person: the stills that show them."""

    times_s: list[float] = field(default_factory=list)
    seen: list[Sighting] = field(default_factory=list)
    look: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    changes_s: list[float] = field(default_factory=list)
    """When somebody else took this one's place, after a cut."""
    speed: np.ndarray = field(default_factory=lambda: np.zeros(2))
    """Frame heights per second [2], smoothed."""

    def add(self, time_s: float, one: Sighting, new_shot: bool = False) -> None:
        """Goes on with a sighting."""
        if not self.seen:
            self.look = one.look
        else:
            gap_s = time_s - self.times_s[-1]
            moved = (one.centre - self.seen[-1].centre) / gap_s
            kept = 0.0 if new_shot else _SPEED_MEMORY
            self.speed = np.zeros(2) if new_shot else kept * self.speed + (1 - kept) * moved
            share = _LOOK_MEMORY if one.sure >= _SURE else 1.0
            self.look = share * self.look + (1 - share) * one.look
        self.times_s.append(time_s)
        self.seen.append(one)

    @property
    def size(self) -> float:
        """Body height in frame heights, of late."""
        return float(np.median([one.size for one in self.seen[-5:]]))

    def cost(self, time_s: float, one: Sighting, cut_s: float) -> float:
        """What it costs to go on with a sighting; `_REFUSED` where that cannot be."""
        unlike = float(np.abs(self.look - one.look).mean())
        if self.times_s[-1] < cut_s:  # another shot: places and sizes say nothing
            return 1.0 + unlike if unlike < _SAME_LOOK else _REFUSED
        gap_s = time_s - self.times_s[-1]
        expected = self.seen[-1].centre + self.speed * min(gap_s, _WALKS_ON_S)
        size = max(self.size, one.size)
        distance = float(np.linalg.norm(expected - one.centre)) / size
        bent = abs(float(np.log(one.size / self.size)))
        far = distance > _REACH + _REACH_PER_S * gap_s
        if far or unlike > _OTHER_LOOK or bent > _BENT + _BENT_PER_S * gap_s:
            return _REFUSED
        return distance + _LOOK_WEIGHT * unlike + _SIZE_WEIGHT * bent


def unlike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two looks cannot be the same person's."""
    return float(np.abs(one - other).mean()) > _OTHER_LOOK


def tracks_of(
    times_s: Sequence[float], stills: Sequence[Sequence[Sighting]], cuts_s: Sequence[float] = ()
) -> list[Track]:
    """The people of a clip, from the sightings of its stills at rising times.

    `cuts_s`: when the picture changes at once. Numbered from left to right at first sight.
    """
    tracks: list[Track] = []
    for time_s, seen in zip(times_s, stills, strict=True):
        cut_s = max((cut for cut in cuts_s if cut <= time_s), default=-1.0)
        sure = [one for one in seen if one.sure >= _SURE]
        unsure = [one for one in seen if one.sure < _SURE]
        # Who was there just now chooses before those who were lost: else an assignment of as many as
        # possible hands somebody's place to one who is not there, and everybody moves up.
        now = [track for track in tracks if time_s - track.times_s[-1] < _JUST_NOW_S]
        lost = [track for track in tracks if track not in now]
        waiting, left = _matched(now, time_s, sure, cut_s)
        lost, left = _matched(lost, time_s, left, cut_s)
        _matched(waiting + lost, time_s, unsure, cut_s)
        for one in left:
            track = Track()
            track.add(time_s, one)
            tracks.append(track)
    uncross(tracks)
    for track in tracks:
        _leave_out_slips(track, cuts_s)
    tracks = without_doubles(_joined([track for track in tracks if _lasting(track)], cuts_s))
    return in_order(_linked(tracks, cuts_s))


def _matched(
    tracks: list[Track], time_s: float, seen: list[Sighting], cut_s: float
) -> tuple[list[Track], list[Sighting]]:
    """Lets tracks go on with the sightings that fit best; the tracks and sightings left over."""
    from scipy.optimize import linear_sum_assignment

    cost = np.array([[track.cost(time_s, one, cut_s) for one in seen] for track in tracks])
    cost = cost.reshape(len(tracks), len(seen))
    taken, gone_on = set(), set()
    priced = np.where(cost < _PRICE, cost, _PRICE + 0.01 * np.minimum(cost, 10.0))
    for row, column in zip(*linear_sum_assignment(priced), strict=True):
        if cost[row, column] < _REFUSED:
            tracks[row].add(time_s, seen[column], tracks[row].times_s[-1] < cut_s)
            taken.add(column)
            gone_on.add(row)
    return (
        [track for row, track in enumerate(tracks) if row not in gone_on],
        [one for column, one in enumerate(seen) if column not in taken],
    )


def _lasting(track: Track) -> bool:
    return len(track.seen) >= _FEWEST and track.times_s[-1] - track.times_s[0] >= _BRIEFEST_S


_SLIP = 0.22
"""Somebody so far (body heights) from between where they are before and after was mistaken."""


def _leave_out_slips(track: Track, cuts_s: Sequence[float]) -> None:
    """Takes single sightings out that leap away and back, as bodies found between bodies do."""
    slips: list[int] = []
    for k in range(1, len(track.seen) - 1):
        start_s, end_s = track.times_s[k - 1], track.times_s[k + 1]
        cut = any(start_s < cut_s <= end_s for cut_s in cuts_s)
        if cut or end_s - start_s > _JUST_NOW_S or (slips and slips[-1] == k - 1):
            continue
        before, after = track.seen[k - 1].centre, track.seen[k + 1].centre
        share = (track.times_s[k] - start_s) / (end_s - start_s)
        leapt = float(np.linalg.norm(track.seen[k].centre - before - share * (after - before)))
        if leapt > _SLIP * track.seen[k].size:
            slips.append(k)
    for k in reversed(slips):
        del track.times_s[k], track.seen[k]


_SAME_PLACE = 0.25
"""Where a track ends, one that begins at once so near (body heights) is of the same person."""


def _joined(tracks: list[Track], cuts_s: Sequence[float]) -> list[Track]:
    """Lets tracks go on that broke because somebody turned and looks otherwise from that side."""
    joined: list[Track] = []
    for track in sorted(tracks, key=lambda one: one.times_s[0]):
        ends = [one for one in joined if _goes_on(one, track, cuts_s)]
        if len(ends) == 1:
            ends[0].times_s += track.times_s
            ends[0].seen += track.seen
        else:
            joined.append(track)
    return joined


def _goes_on(one: Track, other: Track, cuts_s: Sequence[float]) -> bool:
    end_s, start_s = one.times_s[-1], other.times_s[0]
    cut = any(end_s < cut_s <= start_s for cut_s in cuts_s)
    away = float(np.linalg.norm(one.seen[-1].centre - other.seen[0].centre))
    return not cut and 0 < start_s - end_s <= _JUST_NOW_S and away < _SAME_PLACE * max(one.size, other.size)


_DOUBLE = 0.2
"""Tracks nearer than this all the time, in body heights, are of one person."""


def without_doubles(tracks: list[Track]) -> list[Track]:
    """The tracks without those that only show a person who has a longer one."""
    kept: list[Track] = []
    for track in sorted(tracks, key=lambda one: -len(one.seen)):
        if not any(_doubles(track, other) for other in kept):
            kept.append(track)
    return [track for track in tracks if track in kept]


def _doubles(track: Track, other: Track) -> bool:
    near = [_alive(other, time_s) and _apart(track, other, time_s) < _DOUBLE for time_s in track.times_s]
    return float(np.mean(near)) > 0.7


_TOUCH = 0.5
"""Tracks nearer than this, in body heights, may have changed people."""
_CLEARLY = 0.04
"""Looks must fit the other way round better by so much."""
_TELLING = 0.08
"""And must have differed by so much before: people dressed alike are told apart by their ways alone."""


def uncross(tracks: list[Track]) -> None:
    """Where two tracks met and their looks fit the other way round afterwards, changes their ends."""
    for index, one in enumerate(tracks):
        for other in tracks[index + 1 :]:
            for time_s in _meetings(one, other):
                _uncross_at(one, other, time_s)


def _meetings(one: Track, other: Track) -> list[float]:
    """When two tracks are nearest to each other, once for every time that they meet."""
    shared = sorted(set(one.times_s) | set(other.times_s))
    times = [time_s for time_s in shared if _alive(one, time_s) and _alive(other, time_s)]
    apart = [_apart(one, other, time_s) for time_s in times]
    met: list[float] = []
    for k, distance in enumerate(apart):
        near = apart[max(0, k - 3) : k + 4]
        if distance < _TOUCH and distance == min(near):
            met.append(times[k])
    return met


def _alive(track: Track, time_s: float) -> bool:
    return track.times_s[0] <= time_s <= track.times_s[-1]


def _apart(one: Track, other: Track, time_s: float) -> float:
    places = [_place(track, time_s) for track in (one, other)]
    return float(np.linalg.norm(places[0] - places[1])) / max(one.size, other.size)


def _place(track: Track, time_s: float) -> np.ndarray:
    centres = np.array([one.centre for one in track.seen])
    return np.array([np.interp(time_s, track.times_s, column) for column in centres.T])


def _uncross_at(one: Track, other: Track, time_s: float) -> None:
    looks = []
    for track in (one, other):
        before = [
            s.look for t, s in zip(track.times_s, track.seen, strict=True) if time_s - 1.5 <= t < time_s
        ]
        after = [s.look for t, s in zip(track.times_s, track.seen, strict=True) if time_s < t <= time_s + 1.5]
        if not before or not after:
            return
        looks.append((np.median(before, axis=0), np.median(after, axis=0)))
    (a0, a1), (b0, b1) = looks
    straight = np.abs(a0 - a1).mean() + np.abs(b0 - b1).mean()
    crossed = np.abs(a0 - b1).mean() + np.abs(b0 - a1).mean()
    if crossed + _CLEARLY < straight and np.abs(a0 - b0).mean() > _TELLING:
        _change_ends(one, other, time_s)


def _change_ends(one: Track, other: Track, time_s: float) -> None:
    ends = []
    for track in (one, other):
        split = sum(t <= time_s for t in track.times_s)
        ends.append((track.times_s[split:], track.seen[split:]))
        del track.times_s[split:], track.seen[split:]
    for track, (times, seen) in zip((one, other), reversed(ends), strict=True):
        track.times_s += times
        track.seen += seen


_NEAR_CUT_S = 1.0


def _linked(tracks: list[Track], cuts_s: Sequence[float]) -> list[Track]:
    """Lets those who are there up to a cut go on as those who begin after it, the largest first."""
    for cut_s in cuts_s:
        ends = [t for t in tracks if cut_s - _NEAR_CUT_S < t.times_s[-1] < cut_s]
        begins = [t for t in tracks if cut_s <= t.times_s[0] < cut_s + _NEAR_CUT_S]
        ends, begins = (sorted(some, key=lambda t: -t.size) for some in (ends, begins))
        for end, begin in zip(ends, begins, strict=False):
            end.times_s += begin.times_s
            end.seen += begin.seen
            end.changes_s += [begin.times_s[0], *begin.changes_s]
            tracks.remove(begin)
    return tracks


_AT_FIRST_S = 1.0


def in_order(tracks: list[Track]) -> list[Track]:
    """Those seen in the first second from left to right, then the others as they come."""
    if not tracks:
        return []
    first_s = min(track.times_s[0] for track in tracks)

    def key(track: Track) -> tuple[float, float]:
        early = track.times_s[0] < first_s + _AT_FIRST_S
        return (first_s if early else track.times_s[0], float(track.seen[0].centre[0]))

    return sorted(tracks, key=key)
