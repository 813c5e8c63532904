"""What a user can do wrong, one class per thing they would have to change.

Every message is one sentence: what is wrong, the value found, what to do next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class D2MError(Exception):
    """Base of all errors that a user can mend. Its text is shown as it is."""


class MediaError(D2MError):
    """A video or audio file that cannot be read or written."""


class PoseError(D2MError):
    """Poses that are missing, empty, or not in a known format: another clip may do."""


class ModelError(D2MError):
    """A weight file that is missing, broken, or made for something else."""


class PoseModelError(ModelError):
    """A MediaPipe that cannot run on this machine: no clip will do until that is mended."""


class SettingError(D2MError):
    """A setting outside what it may be."""


class Cancelled(D2MError):
    """The user asked to stop; raised by an `on_progress` callback, never by the core itself."""


def require(condition: bool, sentence: str) -> None:
    """Raises `SettingError` with the sentence unless the condition holds."""
    if not condition:
        raise SettingError(sentence)


def require_all(*conditions: tuple[bool, str]) -> None:
    """Raises one `SettingError` with the sentences, a line each, of all conditions that do not hold."""
    said = [sentence for holds, sentence in conditions if not holds]
    if said:
        raise SettingError("\n".join(said))


class Mistakes:
    """Several errors told at once: work that may fail is done with `of`, and `end` raises what was said."""

    def __init__(self) -> None:
        self.said: list[D2MError] = []

    def of(self, work: Callable[..., T], *given: Any, **named: Any) -> T | None:
        """What `work` gives; None where it raises a `D2MError`, which is kept."""
        try:
            return work(*given, **named)
        except D2MError as error:
            self.said.append(error)
            return None

    def end(self) -> None:
        """Raises what was said, if anything was: a line for each, of the first one's class."""
        if self.said:
            lines = dict.fromkeys(line for error in self.said for line in str(error).split("\n"))
            raise type(self.said[0])("\n".join(lines)) from self.said[0]
