"""States of trainings that know what they were made of.

Every command that trains goes on where it was stopped when its folder holds a state of the same
making, and refuses with a sentence when that is of something else. What may differ is what does not
change the result: how long, where to, on which device.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from d2m_core.errors import ModelError, SettingError
from d2m_core.files import replacing

from .provenance import array_sha256

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MadeOf = Mapping[str, Any]
"""What something was made of, by name: whatever JSON holds."""

_MADE_OF = "made_of"
_OR_ELSE = "give the same flags and data as before, another folder, or --no-resume to begin anew"
_TOLD, _LONG = 3, 100
"""So many differences are told, each in no more characters than this."""


def settings_in(config: DataclassInstance, free: Collection[str] = ()) -> dict[str, Any]:
    """The settings that decide the result: all fields but the `free` ones."""
    return {name: value for name, value in asdict(config).items() if name not in free}


def digest_of(arrays: Iterable[np.ndarray]) -> str:
    """What arrays are known by: equal ones, and no others, have the same digest."""
    return hashlib.sha256("".join(map(array_sha256, arrays)).encode()).hexdigest()[:16]


def save_state(path: Path, made_of: MadeOf, state: Mapping[str, Any]) -> None:
    """Writes tensors and numbers and what they were made of; whole or not at all."""
    with replacing(path) as partial:
        torch.save({**state, _MADE_OF: _text(made_of)}, partial)


def load_state(path: Path) -> dict[str, Any]:
    """What `save_state` wrote, on the CPU. Raises `ModelError` for any other file."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch names its errors for broken files in many ways
        raise ModelError(
            f"{path} is no state of a training, or it is damaged ({type(error).__name__}); remove it."
        ) from error
    if not isinstance(state, dict) or _MADE_OF not in state:
        raise ModelError(f"{path} does not say what it was made of, as states before 0.2.0; remove it.")
    return state


def making_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """What a loaded state was made of."""
    found: dict[str, Any] = json.loads(state[_MADE_OF])
    return found


def state_to_go_on_from(path: Path, wanted: MadeOf) -> dict[str, Any] | None:
    """The state at `path`, None where there is none.

    Raises `SettingError` where it was made of something else than `wanted`, `ModelError` where it is
    no state.
    """
    if not path.exists():
        return None
    state = load_state(path)
    refuse_another(path, making_of(state), wanted)
    return state


def refuse_another(path: Path, found: MadeOf, wanted: MadeOf, or_else: str = _OR_ELSE) -> None:
    """Raises `SettingError`, which names the first differences and what to do, unless both are the
    same."""
    told = list(_differences(json.loads(_text(found)), json.loads(_text(wanted))))
    if told:
        more = f" and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
        raise SettingError(f"{path} is of something else: {', '.join(told[:_TOLD])}{more}; {or_else}.")


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys((*found, *wanted)):
        before, now = found.get(name), wanted.get(name)
        if isinstance(before, dict) and isinstance(now, dict):
            yield from _differences(before, now)
        elif before != now:
            told = f"{name} was {before} and is {now}"
            yield told if len(told) <= _LONG else f"{name} was another"


def _text(made_of: MadeOf) -> str:
    return json.dumps(made_of, default=str)
