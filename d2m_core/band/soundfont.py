"""Soundfonts played by FluidSynth: one fresh synthesiser per piece, one stem per part.

`pyfluidsynth` only offers 16-bit stereo; FluidSynth's own `fluid_synth_nwrite_float` gives every
audio group its own float stem in one pass. Notes start on FluidSynth's blocks of 64 samples.
"""

from __future__ import annotations

import ctypes
import importlib
import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .patches import Played
from .synth import SAMPLE_RATE

BLOCK = 64
GAIN = 0.4
DRUM_BANK = 128
_FLOATS = ctypes.POINTER(ctypes.c_float)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FontPart:
    """What one channel plays."""

    bank: int
    program: int
    notes: tuple[Played, ...]


@lru_cache(maxsize=1)
def library() -> Any | None:
    """The `fluidsynth` module, or None (said once) where it or its library is missing."""
    try:
        return importlib.import_module("fluidsynth")
    except (ImportError, AttributeError) as error:  # AttributeError: a library that is too old
        _log.warning("No FluidSynth (%s): the band plays its own synthesisers only.", error)
        return None


def render_font(font: Path, parts: list[FontPart], length: int) -> np.ndarray:
    """The parts through a soundfont, float32 [len(parts), length] mono."""
    synth = _new_synth(len(parts))
    number = synth.sfload(str(font))
    try:
        for channel, part in enumerate(parts):
            keep_decoded(font, part.bank, part.program)
            synth.program_select(channel, number, part.bank, part.program)
        return _run(synth, parts, length)
    finally:
        synth.delete()


@lru_cache(maxsize=8)
def _keeper(font: Path) -> tuple[Any, int]:
    """A synthesiser that never plays: what it has pinned stays decoded for the fresh ones."""
    synth = _new_synth(1)
    return synth, synth.sfload(str(font))


@lru_cache(maxsize=512)
def keep_decoded(font: Path, bank: int, program: int) -> None:
    """Decodes a sound once per process; compressed soundfonts take half a second for each."""
    synth, number = _keeper(font)
    _native().fluid_synth_pin_preset(synth.synth, number, bank, program)


def _new_synth(groups: int) -> Any:
    settings = {
        "synth.audio-groups": groups,
        "synth.audio-channels": groups,
        "synth.reverb.active": 0,
        "synth.chorus.active": 0,
        "synth.dynamic-sample-loading": 1,
        "synth.polyphony": 160,
        "synth.cpu-cores": 1,
    }
    module = library()
    assert module is not None, "ask `library` before playing soundfonts"
    return module.Synth(gain=GAIN, samplerate=SAMPLE_RATE, channels=max(16, groups), **settings)


@lru_cache(maxsize=1)
def _native() -> Any:
    native = library()._fl  # type: ignore[union-attr]
    native.fluid_synth_nwrite_float.argtypes = [
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.POINTER(_FLOATS),
        ctypes.POINTER(_FLOATS),
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    native.fluid_synth_pin_preset.argtypes = [ctypes.c_void_p] + [ctypes.c_int] * 3
    return native


def _run(synth: Any, parts: list[FontPart], length: int) -> np.ndarray:
    blocks = -(-length // BLOCK)
    left = np.zeros((len(parts), blocks * BLOCK), np.float32)
    right = np.zeros_like(left)
    events = _events(parts, blocks)
    at = 0
    for block, on, channel, pitch, velocity in [*events, (blocks, False, 0, 0, 0)]:
        if block > at:
            _write(synth, left, right, at * BLOCK, (block - at) * BLOCK)
            at = block
        if on:
            synth.noteon(channel, pitch, velocity)
        elif velocity or pitch:
            synth.noteoff(channel, pitch)
    return (0.5 * (left + right))[:, :length]


def _events(parts: list[FontPart], blocks: int) -> list[tuple[int, bool, int, int, int]]:
    """(block, on, channel, pitch, velocity) in order; a note ends before the next of its pitch."""
    events = []
    for channel, part in enumerate(parts):
        for note in part.notes:
            start = max(0, round(note.start / BLOCK))
            end = max(start + 1, round((note.start + note.held) / BLOCK))
            if start < blocks and note.start + note.held > 0:
                loud = int(np.clip(round(22 + 100 * note.velocity), 1, 127))
                events.append((start, True, channel, note.pitch, loud))
                events.append((min(end, blocks), False, channel, note.pitch, 1))
    return sorted(events)


def _write(synth: Any, left: np.ndarray, right: np.ndarray, start: int, samples: int) -> None:
    pointers = [
        (_FLOATS * len(side))(*(row[start:].ctypes.data_as(_FLOATS) for row in side))
        for side in (left, right)
    ]
    _native().fluid_synth_nwrite_float(synth.synth, samples, *pointers, None, None)
