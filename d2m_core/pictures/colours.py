"""Colours that mean the same in all pictures, red, green and blue in 0..255."""

from __future__ import annotations

Colour = tuple[int, int, int]

DARK: Colour = (16, 18, 24)
"""Outlines, and strips behind what has to be read."""
PAPER: Colour = (20, 22, 28)
BEAT: Colour = (240, 240, 240)
DOWNBEAT: Colour = (255, 190, 60)
ACCENT: Colour = (90, 170, 255)
"""`Rhythm.accent`."""


def css(colour: Colour) -> str:
    """A colour as plots take it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
