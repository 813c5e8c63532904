"""A dance and its band: what is seen goes in, blocks of sound come out. No threads, no clocks of its own.

Seconds count from the session's start, for what is seen and what is heard alike. `see`, `think` and `render`
may each belong to a thread; between them goes only what is replaced as a whole.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..band import Materials
from ..band.harmony import read_key
from ..band.styles import STYLE_TABLE, STYLES
from ..errors import SettingError, require
from ..pose.landmarker import Body
from ..rhythm import RhythmNet
from ..settings import ANY
from ..styles import metre_of_style
from ..types import METRE, MOTION_FPS
from .answering import Answers
from .band import LiveBand
from .clock import Clock, Pulse
from .conductor import Conductor, Start, clock_at
from .player import MakePlayer, Player
from .watching import STANDING, Watcher

_log = logging.getLogger(__name__)

RATE, BLOCK = 48_000, 1024
MOST_LATENCY_MS = 1000.0
_THIN_S, _END_S = 0.5, 1.3
"""A dancer who stands still for so long thins the band out; for so long, ends the piece on the next bar."""
_AGAIN_S = 1.5
"""After an end, music begins again when somebody has moved for so long."""
_RING_S, _LAST_RING_S = 3.0, 1.0
"""The last chord rings for so long, and for at least so long where the time of the end is known."""
_LEAST_PIECE_S = 4.0
"""A piece that would have to end sooner does not begin."""
_TOLD_S = 0.12
"""Beats are told to others so long before they are heard."""
_ENERGY_EVERY_S = 0.1
_LINE_BEATS = 0.12
"""The bar line of the end is at least so far ahead."""


@dataclass(frozen=True)
class LiveSettings:
    """What a live band plays."""

    style: str = ANY
    """One of `STYLES`, or `any`: one that suits the tempo found."""
    seed: int = 0
    key: str = ANY
    latency_ms: float = 0.0
    """So much later than told is sound heard: what a computer does not know of its own loudspeakers."""

    def __post_init__(self) -> None:
        if self.style not in (*STYLES, ANY):
            raise SettingError(f"Style is {self.style!r}; choose {ANY} or one of {', '.join(STYLES)}.")
        require(self.seed >= 0, f"seed is {self.seed}; use 0 or more.")
        require(
            abs(self.latency_ms) <= MOST_LATENCY_MS,
            f"latency_ms is {self.latency_ms:g}; use -{MOST_LATENCY_MS:g} to {MOST_LATENCY_MS:g}.",
        )
        if self.key != ANY:
            read_key(self.key)


@dataclass(frozen=True)
class Heard:
    """Something that is heard, told a little before."""

    kind: str
    """start, beat, hit, section, energy, end."""
    time_s: float
    """When, in seconds since the session's start."""
    beat: float
    """Which beat, counted from the piece's first bar line."""
    bpm: float
    value: float = 0.0
    """hit: its strength 0..1; beat: its place in the bar; energy: 0..1."""
    seen_s: float | None = None
    """hit: when the accent was seen that it answers; None where it was expected."""
    name: str = ""
    """section: what it is called."""


@dataclass(frozen=True)
class _Known:
    """What the thinking side last knew."""

    pulse: Pulse | None = None
    start: Start | None = None
    start_s: float = 0.0
    energy: float = 0.0
    still_s: float = 0.0
    moving_s: float = 0.0


class Session:
    """One dancer, one band.

    Args:
        net: Reads the rhythm.
        helper: Makes bars in the background; None: at once, so that a session repeats to the sample.
        tell: Is called with everything that will be heard, in order of time.
        player: Makes who plays; None: a `LiveBand`.
    """

    def __init__(
        self,
        net: RhythmNet,
        materials: Materials,
        settings: LiveSettings | None = None,
        *,
        helper: Executor | None = None,
        tell: Callable[[Heard], None] | None = None,
        player: MakePlayer | None = None,
    ) -> None:
        self.settings = settings or LiveSettings()
        self._net, self._watcher, self._materials = net, Watcher(net), materials
        self._player = player or self._live_band
        self._helper, self._tell = helper, tell
        self._conductor = Conductor(
            metre_of_style(self.settings.style) if self.settings.style != ANY else None
        )
        self._known = _Known()
        self._grid_s = 0.0
        self._band: Future[Player] | Player | None = None
        self._relief: Future[Player] | Player | None = None
        self._clock: Clock | None = None
        self._answers = Answers(METRE, self._struck)
        self.until_s = np.inf
        """When it will be over, where that is known: the last chord then comes in time to ring."""
        self._over_s = -np.inf
        self.played = False
        """Whether the band has begun at least once."""
        self._told_beat, self._told_energy_s, self._told_section = 0, 0.0, ""
        self.last_hit: Heard | None = None
        """The hit that is heard last or next."""

    def warm_up(self) -> None:
        """Loads and compiles what thinking needs, that nothing has to wait for it later."""
        frames = round(3 * MOTION_FPS)
        watcher = Watcher(self._net)
        for frame in range(frames):
            watcher.see(frame / MOTION_FPS, STANDING)
        watcher.read()

    # --- the side that sees ---

    def see(self, time_s: float, body: Body | None) -> None:
        """Who is seen at a moment, None for nobody; moments rise."""
        self._watcher.see(time_s, body)

    def think(self) -> None:
        """Makes of what was seen what the band goes by."""
        reading = self._watcher.read()
        if reading is None:
            return
        if reading.grid is not None and reading.grid_s > self._grid_s:
            self._grid_s = reading.grid_s
            if reading.still_s < _THIN_S:
                self._conductor.read(reading.grid, reading.grid_s, self.playing)
        now_s, known = reading.now_s, self._known
        ready = self._conductor.ready(now_s)
        start = self._conductor.start(now_s) if ready else None
        if self._band is None and self._conductor.pulse is not None:
            self._set_up(start or self._conductor.start(now_s))
        moving_s = 0.0 if reading.still_s > _THIN_S else known.moving_s + now_s - max(known.start_s, 0.0)
        self._answers.see(reading.accents)
        self._known = _Known(self._conductor.pulse, start, now_s, reading.energy, reading.still_s, moving_s)

    def _set_up(self, start: Start) -> None:
        style = suiting(start, self.settings.seed) if self.settings.style == ANY else self.settings.style
        make = partial(self._player, style, start)
        self._band = make() if self._helper is None else self._helper.submit(make)

    def _live_band(self, style: str, start: Start) -> LiveBand:
        key = None if self.settings.key == ANY else read_key(self.settings.key)
        return LiveBand(
            style, start.bpm, start.metre, self._materials, seed=self.settings.seed, key=key, rate=RATE,
            block=BLOCK, helper=self._helper,
        )  # fmt: skip

    # --- the side that sounds ---

    @property
    def _here(self) -> Player | None:
        """Who plays, once there."""
        return None if isinstance(self._band, Future) else self._band

    @property
    def player(self) -> Player | None:
        """Who plays, once there."""
        return self._here

    @property
    def playing(self) -> bool:
        """Whether the band plays."""
        return self._clock is not None

    @property
    def clock(self) -> Clock | None:
        """The band's clock while it plays."""
        return self._clock

    @property
    def metre(self) -> int:
        """Beats in a bar of what is played."""
        return METRE if self._here is None else self._here.metre

    @property
    def style(self) -> str:
        """The style of what is played; what was asked for until that is known."""
        return self.settings.style if self._here is None else self._here.style

    @property
    def section(self) -> str:
        """What the part of the piece is called that sounds now."""
        return "" if self._here is None else self._here.section

    @property
    def energy(self) -> float:
        """How much is going on in the dance, 0..1."""
        return self._known.energy

    def render(self, heard_s: float) -> np.ndarray:
        """The next block, float32 [2, BLOCK], which begins to be heard at a moment; moments rise."""
        known = self._known
        self._relieve()
        if self._clock is None and not self._begins(known, heard_s):
            return np.zeros((2, BLOCK), np.float32)
        assert self._clock is not None
        assert self._here is not None
        band, clock = self._here, self._clock
        clock.follow(known.pulse if known.still_s < _THIN_S else None)
        band.feel(known.energy, known.still_s > _THIN_S)
        self._answers.strike(band, clock)
        self._ends(band, clock, known)
        span = clock.advance(heard_s + band.delay_s + BLOCK / RATE)
        sound = band.render(span)
        self._tell_beats(clock)
        self._tell_mood(band, clock)
        if band.ends is not None and clock.beat >= band.ends and self._over_s == np.inf:
            self._over_s = heard_s + _RING_S
        if heard_s > self._over_s:
            band.rest()
            self._clock = None
        return sound

    def _begins(self, known: _Known, heard_s: float) -> bool:
        """Begins the piece when it is time."""
        if isinstance(self._band, Future) and self._band.done():
            self._band = self._band.result()
        band = self._here
        if heard_s > self.until_s - _LEAST_PIECE_S:
            return False
        waits = known.moving_s < (_AGAIN_S if self.played else 0.0) or known.still_s > _THIN_S
        if known.start is None or band is None or waits:
            return False
        metre, at_s = band.metre, heard_s + band.delay_s
        place = (known.start.place + (at_s - known.start_s) * known.start.bpm / 60) % metre
        self._clock = clock_at(replace(known.start, place=place, metre=metre), at_s)
        self._answers, self._over_s, self.played = Answers(metre, self._struck), np.inf, True
        self._told_beat = int(np.ceil(place)) - 1
        band.start_at(float(np.ceil(place - 0.02)))
        band.foresee(self._answers.foretold)
        self._say("start", at_s, place)
        return True

    def _relieve(self) -> None:
        """Lets a band go on from the next beat where who plays does not keep up."""
        tired, pulse = self._here, self._known.pulse
        if tired is None or pulse is None or not tired.behind:
            return
        if self._relief is None:
            _log.warning("The model writes music more slowly here than it is heard; a band plays on.")
            self._player = self._live_band
            make = partial(self._live_band, tired.style, Start(pulse.bpm, tired.metre, 0.0))
            self._relief = make() if self._helper is None else self._helper.submit(make)
        if isinstance(self._relief, Future):
            if not self._relief.done():
                return
            self._relief = self._relief.result()
        self._band, fresh = self._relief, self._relief
        if self._clock is not None:
            fresh.start_at(float(np.ceil(self._clock.beat)))
            fresh.foresee(self._answers.foretold)
            if tired.ends is not None:
                fresh.end_on(tired.ends)

    def _struck(self, beat: float, strength: float, seen_s: float | None) -> None:
        assert self._clock is not None
        at_s = self._when(self._clock, beat)
        self.last_hit = Heard("hit", at_s, beat, self._clock.bpm, strength, seen_s)
        self._say("hit", at_s, beat, strength, seen_s)

    def _ends(self, band: Player, clock: Clock, known: _Known) -> None:
        """Lets the piece end on the next bar line where nobody has danced for a while, or the time is up."""
        if band.ends is not None:
            return
        metre = band.metre
        line = float(np.ceil((clock.beat + _LINE_BEATS) / metre) * metre)
        after_s = self._when(clock, line + metre)
        if known.still_s > _END_S or after_s > self.until_s - _LAST_RING_S:
            band.end_on(line)
            self._say("end", self._when(clock, line), line)

    def _tell_beats(self, clock: Clock) -> None:
        while self._told_beat + 1 <= clock.beat + _TOLD_S * clock.rate:
            self._told_beat += 1
            number = self._told_beat
            self._say("beat", self._when(clock, number), number, number % self.metre)

    def _tell_mood(self, band: Player, clock: Clock) -> None:
        if band.section != self._told_section:
            self._told_section = band.section
            self._say("section", clock.time_s, clock.beat, name=band.section)
        if clock.time_s - self._told_energy_s >= _ENERGY_EVERY_S:
            self._told_energy_s = clock.time_s
            self._say("energy", clock.time_s, clock.beat, self._known.energy)

    @staticmethod
    def _when(clock: Clock, beat: float) -> float:
        """When a beat near now is heard."""
        return clock.time_s + (beat - clock.beat) / clock.rate

    def _say(
        self,
        kind: str,
        time_s: float,
        beat: float,
        value: float = 0.0,
        seen_s: float | None = None,
        name: str = "",
    ) -> None:
        if self._tell is not None and self._clock is not None:
            self._tell(Heard(kind, time_s, beat, self._clock.bpm, value, seen_s, name))


def suiting(start: Start, seed: int) -> str:
    """One of the three styles whose tempi are nearest; the seed says which."""
    if start.metre == 3:
        return "waltz"

    def misfit(name: str) -> float:
        low, high = STYLE_TABLE[name].tempo_bpm
        return max(0.0, float(np.log2(low / start.bpm)), float(np.log2(start.bpm / high)))

    near = sorted((name for name in STYLES if STYLE_TABLE[name].metre != 3), key=misfit)[:3]
    return near[int(np.random.default_rng([seed, 0x57]).integers(len(near)))]
