"""A band that is asked for one bar after the other, and plays on a clock that somebody else steers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace

import numpy as np

from ..band import Materials, Plan
from ..band.answers import backbeat_of, last_chord, struck_by, weighed
from ..band.arrange import Score, bar_notes, compose
from ..band.drummer import Drummer
from ..band.harmony import Key
from ..band.notes import Bar, Note
from ..band.plan import Hit
from ..band.players import chords_of
from .clock import Span
from .form import FLOOR, TOP, Form
from .instruments import Instruments, strip_of
from .setting_up import live_plan, score_of, set_up_live

_AHEAD_BEATS = 1.0
"""The next bar is asked for so long before it begins."""
_LATEST_BEATS = 0.25
"""So long before it begins it has to be there, for notes that come early."""
_LEAST_HELD_S = 0.03
_APART_BEATS = 0.9
"""Hits nearer than this are one."""
_STRENGTHS = (0.4, 0.55, 0.7, 0.9)
"""Hits are made in these strengths."""
_SOFTEST, _LOUDEST = 0.55, 1.2
"""Within a bar, notes are softer or louder than planned by at most so much, as the dance's energy says."""
_THIN = ("hat", "pedal", "shaker", "ride", "pad", "chords")
"""Who plays on while the dancer stands still."""
_ENDING_BEATS = 4.0


@dataclass(frozen=True, eq=False)
class _Made:
    """A bar that is ready to be played."""

    bar: Bar
    start: float
    """Its first beat on the clock."""
    notes: tuple[Note, ...]
    """In order; places in beats from the bar line."""
    score: Score
    """Its chords, for hits; places from the bar line too."""
    bpm: float
    """The tempo that lengths of notes were made for."""


class LiveBand:
    """Music for a dance that is going on.

    Args:
        style: One of `STYLES`.
        bpm, metre: How it begins; the metre stays.
        block: Samples of a block of sound.
        helper: Makes bars in the background; None: at once, so that equal calls give equal sound.
    """

    def __init__(
        self,
        style: str,
        bpm: float,
        metre: int,
        materials: Materials,
        *,
        seed: int = 0,
        key: Key | None = None,
        rate: int = 48_000,
        block: int = 1024,
        helper: Executor | None = None,
    ) -> None:
        self.plan = live_plan(style, bpm, metre, seed)
        self.rate, self._helper = rate, helper
        self._tune = compose(self.plan, key)
        self._drummer = Drummer(self.plan, materials)
        self._instruments = Instruments(self.plan, materials, rate)
        self._form = Form()
        self._desk = set_up_live(self.plan, self._tune, self._instruments, materials, block)
        self._bars: list[_Made] = []
        self._asked: Future[_Made] | _Made | None = None
        self._energy, self._thin = 0.5, False
        self._hits: list[Hit] = []
        self._end: float | None = None
        self._bpm, self._first, self._struck = bpm, -np.inf, -np.inf
        self.sounded: list[tuple[float, Note]] = []
        """(beat, note) of everything that the last block began."""

    @property
    def style(self) -> str:
        """One of `STYLES`."""
        return self.plan.style

    @property
    def metre(self) -> int:
        """Beats in a bar."""
        return self.plan.metre

    # --- what it is told ---

    def feel(self, energy: float, thin: bool) -> None:
        """How much is going on now, 0..1, and whether the dancer stands still."""
        self._energy, self._thin = energy, thin

    def foresee(self, expected: Callable[[float], float]) -> None:
        """Hits are told in time for a band."""

    def start_at(self, beat: float) -> None:
        """Nothing is played before a beat."""
        self._first = beat

    def place_after(self, beat: float, quick: bool = False) -> float:
        """The first half beat that it plays at a beat or later; `quick`: sixteenth, where there are some."""
        return place_after(self.plan, beat, quick)

    def played_at(self, place: float) -> float:
        """The beat at which a place is played: later, where it swings."""
        return float(self.plan.swung(place))

    def hit(self, beat: float, strength: float) -> bool:
        """Everybody strikes on a place that has not been played yet; False where they just did."""
        if self._end is not None or abs(beat - self._struck) < _APART_BEATS:
            return False
        self._struck = beat
        self._hits.append(Hit(beat, strength))
        return True

    def rest(self) -> None:
        """The piece is over; the next one begins with its first bar."""
        self._bars, self._asked, self._hits, self._end = [], None, [], None
        self._form, self._struck = Form(), -np.inf

    def end_on(self, beat: float) -> None:
        """The last chord falls on a beat that has not come yet."""
        self._end = beat if self._end is None else self._end

    @property
    def struck(self) -> float:
        """The beat of the last hit."""
        return self._struck

    @property
    def section(self) -> str:
        """What the part of the piece is called that sounds now; nothing before the first bar."""
        return self._bars[0].bar.kind if self._bars else ""

    @property
    def ends(self) -> float | None:
        """The beat of the last chord, once that is known."""
        return self._end

    @property
    def behind(self) -> bool:
        """A bar takes a band a fraction of its time."""
        return False

    @property
    def delay_s(self) -> float:
        """So much later sound comes out of `render` than its block began."""
        return self._desk.delay_s

    # --- sound ---

    def render(self, span: Span) -> np.ndarray:
        """The next block, float32 [2, block], heard in the time of `span`."""
        low, high = float(span.beats[0]), float(span.beats[-1])
        self._bpm = 60 * (high - low) / max(1e-6, float(span.times_s[-1] - span.times_s[0]))
        self._have(low, high)
        self.sounded = []
        for beat, note, bpm, gain in self._due(low, high):
            self._play(beat, note, bpm, gain, span)
        return self._desk.render()

    def _have(self, low: float, high: float) -> None:
        """Sees to it that the bars up to a beat are there, and that the next one is being made."""
        metre = self.plan.metre
        if not self._bars and self._asked is None:
            self._ask(metre * np.floor(low / metre + 1e-6))
        if self._asked is None and high + _AHEAD_BEATS >= self._bars[-1].start + metre:
            self._ask(self._bars[-1].start + metre)
        asked = self._asked
        due = not self._bars or high >= self._bars[-1].start + metre - _LATEST_BEATS
        if asked is not None and (due or not isinstance(asked, Future) or asked.done()):
            self._bars.append(asked.result() if isinstance(asked, Future) else asked)
            self._asked = None
        self._bars = [made for made in self._bars if made.start + 2 * metre > low]

    def _ask(self, start: float) -> None:
        bar = self._form.next(self._energy)
        if self._helper is None:
            self._asked = self._make(bar, start)
        else:
            self._asked = self._helper.submit(self._make, bar, start)

    def _make(self, bar: Bar, start: float) -> _Made:
        """Writes a bar and makes its sounds."""
        plan, first = self.plan, bar.index * self.plan.metre
        after = replace(bar, index=bar.index + 1, chord=bar.chord + 1)
        pitched = bar_notes(self._tune, bar, chords_of(self._tune, after)[0])
        notes = [replace(note, beat=float(plan.swung(note.beat))) for note in pitched]
        notes += self._drummer.bar(bar)
        notes = [replace(weighed(plan, note), beat=weighed(plan, note).beat - first) for note in notes]
        notes = sorted((n for n in notes if self._playable(n)), key=lambda n: (n.beat, n.part, n.pitches))
        made = _Made(bar, start, tuple(notes), score_of(self._tune, bar, tuple(notes)), self._bpm)
        chords = made.score.chords
        struck = [n for strength in _STRENGTHS for low, _, _ in chords for n in _strike(made, low, strength)]
        for note in (*notes, *struck):
            if self._playable(note):
                self._instruments.sound(note, self._samples(note, made.bpm))
        return made

    def _playable(self, note: Note) -> bool:
        return self._instruments.has(note.part) and self._desk.has(strip_of(note.part, bool(note.pitches)))

    def _samples(self, note: Note, bpm: float) -> int:
        return round(max(_LEAST_HELD_S, note.beats * 60 / bpm) * self.rate)

    def _due(self, low: float, high: float) -> Iterator[tuple[float, Note, float, float]]:
        """What begins from one beat to another: (beat, note, tempo it was made for, gain)."""
        struck = [hit for hit in self._hits if self.played_at(hit.beat) < high]
        self._hits = [hit for hit in self._hits if self.played_at(hit.beat) >= high]
        for made in self._bars:
            gain = self._gain(made.bar)
            for note in made.notes:
                beat = made.start + note.beat
                if low <= beat < high and self._plays(note, beat):
                    yield beat, note, made.bpm, gain
        made = next((m for m in reversed(self._bars) if m.start <= high), self._bars[0])
        for hit in struck:
            if self._end is None or hit.beat < self._end:
                for note in _strike(made, hit.beat - made.start, hit.strength):
                    yield max(low, self.played_at(made.start + note.beat)), note, made.bpm, 1.0
        if self._end is not None and low <= self._end < high:
            for note in last_chord(self._tune, 0.0, _ENDING_BEATS, backbeat_of(list(made.notes))):
                yield self._end, note, made.bpm, 1.0

    def _plays(self, note: Note, beat: float) -> bool:
        """Whether a note is played, as things stand."""
        if beat < self._first - 0.03 or (self._end is not None and beat > self._end - 0.04):
            return False
        return not self._thin or note.part in _THIN

    def _gain(self, bar: Bar) -> float:
        """How much louder than planned the dance is now."""
        planned = max(0.2, (bar.energy - FLOOR) / (TOP - FLOOR))
        return float(np.clip(0.5 + 0.5 * self._energy / planned, _SOFTEST, _LOUDEST))

    def _play(self, beat: float, note: Note, bpm: float, gain: float, span: Span) -> None:
        """Begins the sound of a note on its very sample."""
        if not self._playable(note):
            return
        share = (span.seconds(beat) - span.times_s[0]) / max(span.times_s[-1] - span.times_s[0], 1e-9)
        at = self._desk.at + min(self._desk.block - 1, max(0, round(share * self._desk.block)))
        strip = strip_of(note.part, bool(note.pitches))
        if note.part in ("hat", "pedal"):
            self._desk.choke(strip, at, "open")
        if note.part == "kick" and note.velocity > 0.4:
            self._desk.kick(at)
        sound = self._instruments.sound(note, self._samples(note, bpm)) * np.float32(gain)
        self._desk.add(strip, at, sound, note.part)
        self.sounded.append((beat, note))


def place_after(plan: Plan, beat: float, quick: bool) -> float:
    """`LiveBand.place_after` by a plan."""
    step = 0.25 if quick and plan.swing_step < 0.5 and plan.metre != 3 else 0.5
    first = float(np.floor(beat / step)) * step
    return next(place for place in (first, first + step) if plan.swung(place) >= beat - 1e-6)


def _strike(made: _Made, place: float, strength: float) -> list[Note]:
    """What everybody plays in a hit at a place of a bar; strengths are those that were made ready."""
    near = min(_STRENGTHS, key=lambda one: abs(one - strength))
    backbeat = backbeat_of(list(made.score.notes))
    return struck_by(made.score, Hit(place, near), place, made.bpm, backbeat, cymbal=False)
