"""A constant's name means one thing in a room, however many files it has."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import d2m_core

CORE = Path(d2m_core.__file__).resolve().parent
ROOMS = sorted({path.parent for path in CORE.rglob("*.py")})


def constants(path: Path) -> Iterator[tuple[str, str]]:
    """Name and value, as they are written, of all constants of a file."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = zip(target.elts, value.elts, strict=False)
            else:
                pairs = zip([target], [value], strict=True)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            pairs = zip([node.target], [node.value], strict=True)
        else:
            continue
        yield from (
            (name.id, ast.unparse(value))
            for name, value in pairs
            if isinstance(name, ast.Name) and name.id.isupper()
        )


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_constants_of_one_name_have_one_value(room: Path) -> None:
    values: dict[str, dict[str, str]] = defaultdict(dict)
    for path in sorted(room.glob("*.py")):
        for name, value in constants(path):
            values[name].setdefault(value, path.name)
    twice = {name: sorted(found.values()) for name, found in values.items() if len(found) > 1}
    assert not twice, f"in d2m_core/{room.name} these are two things each: {twice}"
