"""What a reader of one kind of data is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from d2m_core.types import PoseSequence

from .options import SourceOptions
from .recording import Recording, Unreadable


@dataclass(frozen=True)
class Source:
    """A reader and what is to be said of its data."""

    what: str
    """One line for the list of choices."""
    read: Callable[[SourceOptions], Iterator[Recording | Unreadable]]
    poses: Callable[[Recording], PoseSequence] | None = None
    """Reads what `Recording.poses` names; None where the source brings videos only."""
