"""Styles by name, and the metre that each brings."""

from __future__ import annotations

STYLES = (
    "house",
    "techno",
    "disco",
    "funk",
    "hiphop",
    "latin",
    "trap",
    "breakbeat",
    "dnb",
    "pop",
    "rock",
    "reggaeton",
    "swing",
    "waltz",
)
"""Styles the default model knows; a checkpoint carries its own list."""

STYLE_METRES = {"waltz": 3}
"""Beats in a bar of styles that do not have four."""


def metre_of_style(style: str | None) -> int | None:
    """Beats in a bar of one of `STYLES`; None for no style, or one that only its maker knows."""
    return STYLE_METRES.get(style, 4) if style in STYLES else None
