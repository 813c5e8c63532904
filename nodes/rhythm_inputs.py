"""Edits of a rhythm that several nodes offer: each looks the same wherever it stands."""

from __future__ import annotations

from comfy_api.latest import io


def shift_input(name: str) -> io.Float.Input:
    """Moves the beats. Its id differs from node to node, as saved workflows know it."""
    return io.Float.Input(
        name,
        display_name="shift (ms)",
        default=0.0,
        min=-2000.0,
        max=2000.0,
        step=1.0,
        tooltip="Moves every beat, in milliseconds: above zero the music comes later.",
    )


def energy_input() -> io.Float.Input:
    """How busy the rhythm is."""
    return io.Float.Input(
        "energy",
        default=1.0,
        min=0.0,
        max=4.0,
        step=0.05,
        tooltip="Multiplies how much is going on: below 1 calmer, above 1 busier.",
    )
