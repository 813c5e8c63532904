"""Styles by name, and the metre that each brings.

How they sound lies in `band`, how one dances to them in the studio; CONTRIBUTING.md lists the files.
"""

from __future__ import annotations

from .types import METRE

STYLES = tuple(
    "house techno disco funk hiphop latin trap breakbeat dnb pop rock reggaeton swing waltz".split()
)
"""Styles that the band plays and the default model knows, in the order in which seeds take turns; a
checkpoint carries its own list."""

_METRE_OF = {"waltz": 3}
"""Beats in a bar of styles that do not have `METRE`."""


def metre_of_style(style: str | None) -> int | None:
    """Beats in a bar of one of `STYLES`; None for no style, or one that only its maker knows."""
    return _METRE_OF.get(style, METRE) if style in STYLES else None
