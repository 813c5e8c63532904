"""The desk: a score's notes through instruments, strips and rooms to stereo stems, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .arrange import Score
from .breaths import breaths_of, sunk
from .effects import make_room
from .materials import Materials
from .mix import DUCKED, HALL, KICK_RMS, LEVELS_DB, LOWEST_HZ, ROOM, WIDTH
from .music_book import MUSIC_BOOK
from .parts import drum_parts, effect_part, role_parts
from .plan import Plan
from .sources import Part, usual_level
from .strip import Echo, Room, Strip

STEMS = ("drums", "bass", "harmony", "melody", "effects")
STEM_OF = {
    "bass": "bass", "chords": "harmony", "pad": "harmony", "horns": "harmony", "arp": "melody",
    "lead": "melody", "fx": "effects",
}  # fmt: skip
"""Stem of every part that is no drum."""
DRUMS = 1.3
"""Gain of drums and effects beside the pitched parts' levels."""
BLOCK_S = 4.0
_FADE_IN_S, _STOP_FADE_S, _STOP_EARLY_S = 0.002, 0.5, 0.008
_STOP_LEAVES = 0.6
"""Share of what rings on in a stop: a room, no hole."""


@dataclass(eq=False)
class Desk:
    """A desk that is set up for one piece: `blocks` plays it once."""

    rate: int
    length: int
    strips: dict[str, list[tuple[str, Strip]]]
    """(part, strip) of each stem."""
    rooms: dict[str, tuple[Room, Room]]
    """Short and long, of each stem."""
    echo: Echo | None
    kicks: np.ndarray
    """int64 [n]: samples at which the kick strikes."""
    duck: float
    hold: int
    """Samples until ducked sound is back."""
    stops: tuple[tuple[int, int], ...]
    """Samples between which nothing is played."""
    breaths: np.ndarray
    """int64 [n, 2], rising: samples from which everything sinks, and of the hit before which it does."""
    fade: int
    """Samples in which the end rings out."""
    sources: frozenset[str]

    def blocks(self) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
        """(first sample, stems [2, n] by name) from start to end."""
        size = round(BLOCK_S * self.rate)
        for low in range(0, self.length, size):
            high = min(self.length, low + size)
            dip, gate = self._dip(low, high), self._gate(low, high)
            yield low, {name: self._stem(name, low, high, dip) * gate for name in STEMS}

    def _stem(self, name: str, low: int, high: int, dip: np.ndarray) -> np.ndarray:
        out = np.zeros((2, high - low), np.float32)
        if not self.strips[name]:
            return out
        near, far = np.zeros((2, high - low), np.float32)
        for part, strip in self.strips[name]:
            stereo, mono = strip.render(low, high)
            if part in DUCKED and self.duck:
                gain = 1 - np.float32(DUCKED[part]) * (1 - dip)
                stereo, mono = stereo * gain, mono * gain
            out += stereo
            near += np.float32(ROOM.get(part, 0.0)) * mono
            far += np.float32(HALL.get(part, 0.0)) * mono
            if part == "lead" and self.echo is not None:
                out += self.echo(mono)
        for room, send in zip(self.rooms[name], (near, far), strict=True):
            if send.any() or room.rings:
                out += room(send)
        return out

    def _dip(self, low: int, high: int) -> np.ndarray:
        """Gain float32 [n] that falls at every kick and swells back."""
        gain = np.ones(high - low, np.float32)
        t = np.arange(self.hold) / self.hold
        rise = np.minimum(np.arange(self.hold) / (0.004 * self.rate), 1)
        shape = (1 - self.duck * (1 - t) ** 1.6 * rise).astype(np.float32)
        for kick in self.kicks[(self.kicks > low - self.hold) & (self.kicks < high)]:
            first, last = max(0, kick - low), min(high - low, kick - low + self.hold)
            gain[first:last] = np.minimum(gain[first:last], shape[first + low - kick : last + low - kick])
        return gain

    def _gate(self, low: int, high: int) -> np.ndarray:
        """Gain float32 [n]: only the room rings in stops, and the end rings out."""
        at = np.arange(low, high)
        gain = np.minimum(1.0, (at + 1) / (_FADE_IN_S * self.rate))
        for start, end in self.stops:
            if start < high and end > low:
                closed = np.clip((at - start) / (_STOP_FADE_S * self.rate), 0, 1)
                opened = np.clip((at - end) / (_STOP_EARLY_S * self.rate) + 1, 0, 1)
                gain = gain * np.maximum(1 - (1 - _STOP_LEAVES) * closed, opened)
        gain = np.minimum(gain, sunk(self.breaths, low, high, self.rate))
        left = np.clip((self.length - 1 - at) / max(1, self.fade), 0, 1)
        return (gain * left * (2 - left)).astype(np.float32)


def set_up_desk(plan: Plan, score: Score, materials: Materials, rate: int, ring_s: float = 0.5) -> Desk:
    """The desk of a piece: instruments chosen, levels, rooms and places drawn from the plan's seed.

    `ring_s`: how long the last hit has until the end.
    """
    rng = np.random.default_rng([plan.band_seed, 0x33])
    book = MUSIC_BOOK[plan.style]
    levels = {
        name: level + book.levels_db.get(name, 0.0) + float(rng.uniform(-1.0, 1.0))
        for name, level in LEVELS_DB.items()
    }
    side = float(rng.choice([-1.0, 1.0]))
    pans = {"arp": 0.35, "chords": -0.2, "horns": 0.2, "perc": -0.3, "cymbals": 0.15, "pad": 0.1}
    parts, sources = _parts(plan, score, materials, rate)
    strips: dict[str, list[tuple[str, Strip]]] = {name: [] for name in STEMS}
    for name, part in parts.items():
        gain = _gain(part, levels[name], rate) if name in levels else DRUMS
        strip = Strip(part, LOWEST_HZ[name], gain, side * pans.get(name, 0.0), WIDTH.get(name, 0.0), rate)
        strips[STEM_OF.get(name, "drums")].append((name, strip))
    echo_s = float(rng.choice([0.5, 0.75])) * 60.0 / plan.tempo_bpm
    feedback = float(rng.uniform(0.2, 0.35)) if rng.random() < 0.6 else 0.0
    room = make_room(float(rng.uniform(0.25, 0.5)), 6_500, rng, rate)
    hall = make_room(float(rng.uniform(*book.hall_s)), float(rng.uniform(4_500, 9_000)), rng, rate)
    kicks = [n.beat for n in score.notes if n.part == "kick" and n.velocity > 0.4]
    return Desk(
        rate=rate,
        length=round(plan.duration_s * rate),
        strips=strips,
        rooms={name: (Room(room), Room(hall)) for name in STEMS},
        echo=Echo(echo_s, feedback, rate) if feedback else None,
        kicks=np.round(plan.seconds(np.array(kicks)) * rate).astype(np.int64),
        duck=float(rng.uniform(*book.duck)),
        hold=round(min(0.3, 0.8 * 60.0 / plan.tempo_bpm) * rate),
        stops=tuple((_sample(plan, s.beat, rate), _sample(plan, s.beat + s.beats, rate)) for s in plan.stops),
        breaths=breaths_of(plan, score, rate),
        fade=round(0.8 * ring_s * rate),
        sources=frozenset(sources),
    )


def _parts(plan: Plan, score: Score, materials: Materials, rate: int) -> tuple[dict[str, Part], set[str]]:
    """Every part that has something to play, by name, and what they are made from."""
    drums, sources = drum_parts(plan, score.notes, materials, rate)
    roles, others = role_parts(plan, score.notes, materials, rate)
    effects = effect_part(plan, score.bars, rate)
    parts = {**drums, **roles}
    return parts if effects is None else {**parts, "fx": effects}, sources | others


def _gain(part: Part, level_db: float, rate: int) -> float:
    """What brings a part to its level beside a full kick, whatever the instrument."""
    usual = usual_level(part, rate)
    return KICK_RMS * 10 ** (level_db / 20) / usual if usual > 1e-6 else 1.0


def _sample(plan: Plan, beat: float, rate: int) -> int:
    return round(float(plan.seconds(plan.swung(beat))) * rate)


def stems_and_mix(
    desk: Desk, keep_stems: bool, tick: Callable[[], None]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """All stems, float32 [2, N], if they are wanted, and their sum."""
    mix = np.zeros((2, desk.length), np.float32)
    stems = {name: np.zeros_like(mix) for name in STEMS} if keep_stems else {}
    for low, block in desk.blocks():
        for name, sound in block.items():
            mix[:, low : low + sound.shape[1]] += sound
            if keep_stems:
                stems[name][:, low : low + sound.shape[1]] = sound
        tick()
    return stems, mix
