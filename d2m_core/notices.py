"""What a person should be told about a result that came out all the same, in one type for all who tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Notice:
    """One sentence that says what is doubtful and what to do about it."""

    at_s: float | None
    """Seconds from the clip's start; None where it holds for the whole clip."""
    text: str
    """A whole sentence, without its time: `in_words` puts that before it."""
    kind: str
    """What it is about, in a word or two with a dash, for programs: "default-beats", "few-frames"."""


def in_words(notices: Iterable[Notice]) -> str:
    """The notices for people, a line each, those with a time after it; empty without any."""
    return "\n".join(n.text if n.at_s is None else f"{n.at_s:.1f} s: {n.text}" for n in notices)


def as_json(notices: Iterable[Notice]) -> list[dict[str, Any]]:
    """The notices for programs: objects with `at_s` (null: the whole clip), `text` and `kind`."""
    return [
        {"at_s": None if n.at_s is None else round(n.at_s, 3), "text": n.text, "kind": n.kind}
        for n in notices
    ]
