"""Notes to parts: which instrument plays each role, what the kit is made of, what the effects are."""

from __future__ import annotations

import itertools
from functools import partial
from pathlib import Path

import numpy as np

from .drum_book import DRUM_BOOK
from .drum_synth import crash, kick
from .drummer import MACHINES
from .effects import low_pass
from .font_player import FontKit, font_library
from .kit import Kit, make_kit
from .materials import Materials
from .music_book import MUSIC_BOOK
from .music_style import Voice
from .notes import Bar, Note
from .patches import vary
from .plan import Plan
from .sources import Part, font_part, stroke_part, synth_part
from .stems import GAINS, GROUPS, USUAL_GAIN, choked, riser
from .voices import choose_voices, patch_of, place

_STRONGEST = 0.9
"""Strength of a hit that gets a boom."""


def font_of(plan: Plan, materials: Materials) -> Path | None:
    """The soundfont of a piece, if there is one and something that plays it."""
    if not materials.soundfonts or font_library() is None:
        return None
    draw = int(np.random.default_rng([plan.band_seed, 0x52]).integers(1 << 16))
    return materials.soundfonts[draw % len(materials.soundfonts)]


def voices_of(plan: Plan) -> dict[str, Voice]:
    """The instrument of every role in a piece."""
    return choose_voices(plan, np.random.default_rng([plan.band_seed, 0x50]))


def role_parts(
    plan: Plan, notes: tuple[Note, ...], materials: Materials, rate: int
) -> tuple[dict[str, Part], set[str]]:
    """A part for each role that plays, and what they are made from."""
    font, parts, sources = font_of(plan, materials), {}, set()
    for number, (role, voice) in enumerate(voices_of(plan).items()):
        theirs = [note for note in notes if note.part == role]
        played = place(plan, theirs, role == "bass", rate) if theirs else []
        if not played:
            continue
        if isinstance(voice, int) and font is not None:
            parts[role] = font_part(font, voice, played, rate)
            sources.add(font.name)
        else:
            knobs = np.random.default_rng([plan.band_seed, 0x51, number])
            parts[role] = synth_part(vary(patch_of(voice), knobs), played, rate)
            sources.add("synth")
    return parts, sources


def drum_parts(
    plan: Plan, notes: tuple[Note, ...], materials: Materials, rate: int
) -> tuple[dict[str, Part], set[str]]:
    """Kick, snare, cymbals and percussion, those that play, and what they are made from."""
    strokes = [note for note in notes if not note.pitches]
    rng = np.random.default_rng([plan.band_seed, 0x4B])
    characters = MUSIC_BOOK[plan.style].kits
    character = characters[int(rng.integers(len(characters)))]
    font_player = None if font_library() is None else partial(FontKit, rate=rate)
    given = materials if font_player else Materials((), materials.groove, materials.samples)
    kit = make_kit(tuple({n.part for n in strokes}), character, given, rng, rate, font_player)
    starts = np.round(plan.seconds(np.array([n.beat for n in strokes])) * rate).astype(np.int64)
    closes = np.sort([s for s, n in zip(starts, strokes, strict=True) if n.part in ("hat", "pedal")])
    groups: dict[str, list[tuple[int, Note]]] = {}
    for start, note in sorted(zip(starts, strokes, strict=True), key=lambda pair: pair[0]):
        groups.setdefault(GROUPS.get(note.part, "perc"), []).append((int(start), note))
    parts = {name: _strokes(kit, rows, closes, rate) for name, rows in groups.items()}
    return parts, set(kit.sources.values())


def _strokes(kit: Kit, rows: list[tuple[int, Note]], closes: np.ndarray, rate: int) -> Part:
    def sound(k: int) -> np.ndarray:
        start, note = rows[k]
        struck = kit.sound(note.part, note.velocity) * np.float32(GAINS.get(note.part, USUAL_GAIN))
        if note.part == "open":
            after = int(np.searchsorted(closes, start + rate // 10))
            if after < len(closes) and closes[after] - start < len(struck):
                return choked(struck, int(closes[after] - start), rate)
        return struck

    return stroke_part(np.array([start for start, _ in rows]), sound)


def effect_part(plan: Plan, bars: tuple[Bar, ...], rate: int) -> Part | None:
    """Risers and cymbals backwards into what is new, booms under it and under the strongest hits."""
    rng = np.random.default_rng([plan.band_seed, 0xF1])
    machine = DRUM_BOOK[plan.style].fills in MACHINES
    reverse = crash(rng, rate)[::-1] * np.float32(0.1)
    boom = low_pass(kick(rng, rate, 3.5), 900, rate=rate) * np.float32(0.35)
    events: list[tuple[int, np.ndarray]] = []
    for before, bar in itertools.pairwise(bars):
        if bar.place or bar.kind not in ("drop", "verse") or before.section.bars < 2:
            continue
        start_s = float(plan.seconds(bar.index * plan.metre))
        new = round(start_s * rate)
        if before.kind == "build" and machine:
            first_s = float(plan.seconds((before.index + 1 - before.section.bars) * plan.metre))
            events.append((round(first_s * rate), riser(start_s - first_s, rng, rate)))
        elif rng.random() < 0.6:
            events.append((new - len(reverse), reverse))
        if bar.kind == "drop" and machine:
            events.append((new, boom))
    last = -np.inf
    for hit in plan.hits:
        if hit.strength >= _STRONGEST and hit.beat - last >= 2 * plan.metre:
            last = hit.beat
            events.append((round(float(plan.seconds(plan.swung(hit.beat))) * rate), boom))
    events = sorted((e for e in events if e[0] < plan.duration_s * rate), key=lambda e: e[0])
    if not events:
        return None
    return stroke_part(np.array([start for start, _ in events]), lambda k: events[k][1])
