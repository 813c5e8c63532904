"""What happens to those the music follows: lost, changed, cut away, nobody there; each with its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..types import PoseSequence

EVENTS = ("cut", "change", "lost", "nobody", "seldom")
"""cut: another shot. change: another person is followed. lost: who is followed is not seen, though
others are. nobody: no person is in the picture, as on an end card. seldom: who is followed was read in few
pictures, as those are whom nobody asked for."""

_LEAST_S = 0.4
"""Shorter absences are not told."""


@dataclass(frozen=True)
class Event:
    """Something that happens to whom the music follows."""

    kind: str
    """One of `EVENTS`."""
    start_s: float
    end_s: float
    """The same as `start_s` for what happens in a moment."""
    text: str
    """One sentence for the user."""


def events(poses: PoseSequence, chosen: Sequence[int] | None = None) -> tuple[Event, ...]:
    """What happens to the people `chosen` of `poses` (None: all of them), in the order of time.

    Give everybody who was found, and the numbers of those followed (`followed`): then it can be told
    whether others are there while these are not. Absences under 0.4 s are left out.
    """
    chosen = range(poses.people) if chosen is None else chosen
    there = np.any(poses.present[:, list(chosen)], axis=1)
    any_there = np.any(poses.present, axis=1)
    told = [_cut(time_s) for time_s in poses.cuts_s]
    told += [_change(person, time_s) for person, time_s in poses.changes if person in chosen]
    told += [_gone("nobody", *span, poses) for span in _spans(np.logical_not(any_there), poses.fps)]
    told += [
        _gone("lost", *span, poses)
        for span in _spans(np.logical_and(any_there, np.logical_not(there)), poses.fps)
    ]
    told += [_seldom(person, poses) for person in chosen if person in poses.seldom]
    return tuple(sorted(told, key=lambda event: (event.start_s, event.kind)))


def _cut(time_s: float) -> Event:
    return Event("cut", time_s, time_s, f"The picture changes to another shot at {time_s:.1f} s.")


def _change(person: int, time_s: float) -> Event:
    text = f"From {time_s:.1f} s on another person is followed as dancer {person}."
    return Event("change", time_s, time_s, text)


def _seldom(person: int, poses: PoseSequence) -> Event:
    text = (
        f"Dancer {person} was read in five pictures a second only, which blurs accents; find the poses again "
        "with this dancer followed, or with everybody in every picture."
    )
    return Event("seldom", 0.0, poses.duration_s, text)


def _gone(kind: str, first: int, end: int, poses: PoseSequence) -> Event:
    start_s, end_s = first / poses.fps, end / poses.fps
    who = "Nobody is" if kind == "nobody" else "The dancer is not"
    if first == 0 and end == poses.frames:
        when = "in the whole clip"
    elif end == poses.frames:
        when = f"from {start_s:.1f} s to the end at {end_s:.1f} s"
    else:
        when = f"from {start_s:.1f} s to {end_s:.1f} s"
    return Event(kind, start_s, end_s, f"{who} seen {when}; the music is quiet there.")


def _spans(gone: np.ndarray, fps: float) -> list[tuple[int, int]]:
    """First frames and ends of the runs of True in [F] that are long enough to be told."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], gone.astype(int), [0]])))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(first, end) for first, end in runs if end - first >= _LEAST_S * fps]
