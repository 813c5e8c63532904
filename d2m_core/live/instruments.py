"""The sounds of a live band: one note at a time, made before it is needed and kept while there is room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import partial

import numpy as np

from ..band import Materials, Plan
from ..band.font_player import FontKit, font_library, play_font
from ..band.kit import Kit, make_kit
from ..band.music_book import MUSIC_BOOK
from ..band.notes import Note
from ..band.parts import font_of, voices_of
from ..band.patches import LENGTH_STEP_S, VELOCITY_STEPS, Patch, Played, one_note, steps_of, vary
from ..band.stems import GAINS, GROUPS, USUAL_GAIN
from ..band.voices import patch_of

_KEPT_VALUES = 16_000_000
"""Values of single notes that are kept: 64 MB."""
_COARSE = 4
"""Lengths of pitched notes are rounded to so many of the steps in which patches play: tempo drifts all the
time, and a note that was made is to serve again."""


class Instruments:
    """Everything that a live band plays on."""

    def __init__(self, plan: Plan, materials: Materials, rate: int) -> None:
        self.plan, self.rate = plan, rate
        self._font = font_of(plan, materials)
        self._patches: dict[str, Patch] = {}
        self._programs: dict[str, int] = {}
        for number, (role, voice) in enumerate(voices_of(plan).items()):
            if isinstance(voice, int) and self._font is not None:
                self._programs[role] = voice
            else:
                knobs = np.random.default_rng([plan.band_seed, 0x51, number])
                self._patches[role] = vary(patch_of(voice), knobs)
        self._materials = materials
        self._kit: Kit | None = None
        self._made: OrderedDict[tuple, np.ndarray] = OrderedDict()
        self._values = 0
        self._lock = threading.Lock()

    def with_kit(self, pieces: set[str]) -> None:
        """Makes the pieces of the kit that may be played; takes a while."""
        rng = np.random.default_rng([self.plan.band_seed, 0x4B])
        characters = MUSIC_BOOK[self.plan.style].kits
        character = characters[int(rng.integers(len(characters)))]
        player = None if font_library() is None else partial(FontKit, rate=self.rate)
        given = self._materials
        if player is None:
            given = Materials((), given.groove, given.samples)
        self._kit = make_kit(tuple(sorted(pieces)), character, given, rng, self.rate, player)

    def has(self, part: str) -> bool:
        """Whether there is something to play a part on."""
        return (
            part in self._patches
            or part in self._programs
            or (self._kit is not None and part in self._kit.pieces)
        )

    def sound(self, note: Note, held: int) -> np.ndarray:
        """The sound of a note that is held for so many samples, float32 [C, n]; not to be changed."""
        if not note.pitches:
            assert self._kit is not None
            struck = self._kit.sound(note.part, note.velocity)
            return struck[None] * np.float32(GAINS.get(note.part, USUAL_GAIN))
        step = round(_COARSE * LENGTH_STEP_S * self.rate)
        played = tuple(
            steps_of(Played(0, max(step, round(held / step) * step), pitch, note.velocity), self.rate)
            for pitch in note.pitches
        )
        key = (note.part, played)
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        made = self._play(note.part, played)
        with self._lock:
            if key not in self._made:
                self._made[key] = made
                self._values += made.size
            while self._values > _KEPT_VALUES and len(self._made) > 1:
                self._values -= self._made.popitem(last=False)[1].size
        return made

    def _play(self, role: str, played: tuple[tuple[int, int, int], ...]) -> np.ndarray:
        if role in self._patches:
            notes = [one_note(self._patches[role], *one, self.rate) for one in played]
            made = np.zeros(max(map(len, notes)), np.float32)
            for note in notes:
                made[: len(note)] += note
            return made[None]
        assert self._font is not None
        step = LENGTH_STEP_S * self.rate
        asked = [
            Played(0, round(length * step), pitch, loud / VELOCITY_STEPS) for pitch, length, loud in played
        ]
        return play_font(self._font, self._programs[role], False, asked, self.rate)


def strip_of(part: str, pitched: bool) -> str:
    """The strip of the desk that a part goes through."""
    return part if pitched else GROUPS.get(part, "perc")
