"""What can be told about a node's settings: before a run of those that are typed, then of all.

ComfyUI hands a linked input to `validate_inputs` and `fingerprint_inputs` as None, and leaves out
one that is missing. Its value is known in the run alone, and nobody has looked at it by then.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from typing import Any

from ..d2m_core.errors import D2MError, SettingError


def not_offered(what: str, value: str | None, known: Collection[str]) -> str | None:
    """What is wrong with a choice; None if nothing, or if it is linked."""
    if value is None or value in known:
        return None
    return f"{what} is {value!r}; choose {', '.join(known)}."


def too_small(what: str, value: float, least: float) -> str | None:
    """What is wrong with a number in the run; ComfyUI holds only typed ones to their limits."""
    return f"{what} is {value:g}; use {least:g} or more." if value < least else None


def said_by(check: Callable[..., object], *values: Any) -> str | None:
    """What `check` says against the values; None if nothing, or if one of them is linked."""
    if any(value is None for value in values):
        return None
    try:
        check(*values)
    except D2MError as error:
        return str(error)
    return None


def answer(*wrong: str | None) -> bool | str:
    """For `validate_inputs`: the first thing that is wrong, else True."""
    return next((text for text in wrong if text is not None), True)


def refuse(found: bool | str) -> None:
    """In the run: raises `SettingError` with what `validate_inputs` finds in the real values."""
    if isinstance(found, str):
        raise SettingError(found)


def never_the_same() -> str:
    """For `fingerprint_inputs` where the file is linked: the node runs each time.

    Not NaN: ComfyUI keeps the fingerprint in the prompt, which nodes store in files as JSON.
    """
    return uuid.uuid4().hex
