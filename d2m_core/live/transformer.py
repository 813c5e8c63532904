"""The transformer as a live player: it writes a beat or two ahead, and is read as the clock goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future

import numpy as np

from ..codec import Codec
from ..errors import SettingError
from ..music import LoadedModel
from ..music.unfolding import Coming, Unfolding
from ..settings import ANY, SamplingConfig
from ..straight import NEW_TEMPO, TOKEN_RATE, beat_steps
from .band import place_after
from .clock import Span
from .conductor import Start
from .desk import Limiter
from .glide import Glide
from .levels import Levels
from .player import MakePlayer, nothing_expected
from .session import BLOCK, RATE, LiveSettings
from .setting_up import live_plan
from .written import Written

_WRITTEN_S, _WRITTEN_MORE_S, _MOST_WRITTEN_S = 0.35, 0.15, 0.8
"""So much sound beyond what is played is to be there: longer than the next beat takes to write. After every
lack so much more, up to a limit: what is written follows the dance that much later."""
_OPENING = 3
"""So many times something is written before anybody wants to hear it: some beats."""
_TEMPO_OFF = np.log2(1.05)
"""Octaves by which a tempo must leave that of the beats before for another number of steps: while music goes
on, less than where all of a dance is known, since every tempo is a pitch."""
_PLACES = 2
"""Places in a beat where accents may be expected."""
_APART_BEATS = 0.9
"""Hits nearer than this are one."""
_FADE_S = 0.005
"""Sound comes and goes in this time where there is none on the other side."""
_MOST_LACKS, _MOST_LACKED_S, _FORGIVEN_S = 2.5, 1.0, 20.0
"""Who lacks sound more often than this, or for longer, does not keep up; it is forgotten in about so long."""
_SLOW = 0.7
"""Nor who takes more than this share of a beat's time to write it, while nothing else is to be done."""


class LiveTransformer:
    """Music of a model for a dance that is going on.

    Args:
        style: One of the model's.
        bpm, metre: How it begins; the metre stays.
        block: Samples of a block of sound.
        helper: Writes in the background; None: at once, so that equal calls give equal sound.
        now_s: The clock by which is judged whether writing keeps up.

    Raises `SettingError` for a style or codec that will not do.
    """

    def __init__(
        self,
        model: LoadedModel,
        codec: Codec,
        style: str,
        bpm: float,
        metre: int,
        *,
        seed: int = 0,
        rate: int = RATE,
        block: int = BLOCK,
        helper: Executor | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model, self._codec, self._plan = model, codec, live_plan(style, bpm, metre, seed)
        self._rate, self._block, self._helper = rate, block, helper
        self._seed, self._pieces = seed, 0
        self.bpm, self.energy = bpm, 0.5
        """As they are now."""
        self._limiter = Limiter(rate)
        self._asked: Future[np.ndarray] | None = None
        self._piece = self._new_piece()
        self._slow = False
        for _ in range(_OPENING):
            began_s = now_s()
            self._piece.written.take(self._piece.written.make())
            self._slow = now_s() - began_s > _SLOW * self._piece.steps / TOKEN_RATE  # of the last one

    # --- what it is ---

    @property
    def style(self) -> str:
        """One of `STYLES`."""
        return self._plan.style

    @property
    def metre(self) -> int:
        """Beats in a bar."""
        return self._plan.metre

    @property
    def section(self) -> str:
        """Nobody knows what the model makes of the form."""
        return ""

    @property
    def delay_s(self) -> float:
        """So much later sound comes out of `render` than its block began."""
        return self._limiter.delay / self._rate

    @property
    def struck(self) -> float:
        """The beat of the last hit."""
        return self._piece.struck

    @property
    def ends(self) -> float | None:
        """The beat of the end, once that is known."""
        return self._piece.end

    @property
    def behind(self) -> bool:
        """Whether music is written more slowly than it is heard."""
        piece = self._piece
        lacked = piece.lacks > _MOST_LACKS or piece.lacked_s > _MOST_LACKED_S
        return self._helper is not None and (self._slow or lacked)

    # --- what it is told ---

    def start_at(self, beat: float) -> None:
        """Nothing is played before a beat."""
        self._piece.first = beat
        self._piece.levels.start_at(beat)

    def feel(self, energy: float, thin: bool) -> None:
        """How much is going on now, 0..1, and whether the dancer stands still."""
        self.energy = energy
        self._piece.levels.feel(energy, thin)

    def foresee(self, expected: Callable[[float], float]) -> None:
        """Is told by what accents are expected."""
        self._piece.expected = expected

    def place_after(self, beat: float, quick: bool = False) -> float:
        """The first place for a hit that is played at a beat or later; `quick`: sixteenth."""
        return place_after(self._plan, beat, quick)

    def played_at(self, place: float) -> float:
        """The beat at which a place is played: later, where it swings."""
        return float(self._plan.swung(place))

    def hit(self, beat: float, strength: float) -> bool:
        """Swells there, whatever was written; False where it just did."""
        piece = self._piece
        if piece.end is not None or abs(beat - piece.struck) < _APART_BEATS:
            return False
        piece.struck = beat
        piece.levels.hit(self.played_at(beat), strength)
        return True

    def end_on(self, beat: float) -> None:
        """What begins on a beat that has not come yet still rings."""
        if self._piece.end is None:
            self._piece.end = beat
            self._piece.levels.end_on(beat)

    def rest(self) -> None:
        """The piece is over; the next one is begun at once, in the tempo of this one."""
        self._piece = self._new_piece()
        self._ask(_OPENING)

    # --- writing ---

    def _new_piece(self) -> _Piece:
        config = SamplingConfig(self._seed + self._pieces, style=self.style)
        self._pieces += 1
        piece = _Piece(self)
        piece.written = Written(Unfolding(self._model, self._codec, config, self.metre, piece.coming))
        return piece

    def _ask(self, times: int) -> None:
        """Has more written, now or in the background."""
        if self._helper is None:
            self._piece.written.take(_made(self._piece.written, times))
        else:  # what is still written of another piece is nobody's
            self._asked = self._helper.submit(_made, self._piece.written, times)

    def _have(self, beat: float) -> None:
        """Sees to it that there is sound up to a beat, and a while beyond."""
        written = self._piece.written
        if self._asked is not None and self._asked.done():
            written.take(self._asked.result())
            self._asked = None
        wanted = float(written.at(np.array([beat + self._piece.ready_s * self.bpm / 60]))[0])
        while self._asked is None and written.high < wanted:
            self._ask(1)

    # --- sound ---

    def render(self, span: Span) -> np.ndarray:
        """The next block, float32 [2, block], heard in the time of `span`."""
        lasts_s = max(1e-6, float(span.times_s[-1] - span.times_s[0]))
        self.bpm = 60 * float(span.beats[-1] - span.beats[0]) / lasts_s
        if not self._piece.played and _off(self.bpm, self._piece.steps) > NEW_TEMPO:
            self._begin_anew()
        self._piece.played = True
        beats = np.linspace(*self._piece.glide.follow(span), self._block, endpoint=False)
        self._have(float(beats[-1]))
        steps = self._piece.written.at(beats)
        gains = self._piece.there(steps, lasts_s) * self._piece.levels.gains(beats)
        return self._limiter(self._piece.written.read(steps) * gains)

    def _begin_anew(self) -> None:
        """The tempo is no longer the one that the beginning was written for."""
        before, self._piece = self._piece, self._new_piece()
        self._piece.expected = before.expected
        self.start_at(before.first)
        self._ask(_OPENING)


class _Piece:
    """One piece: what is written of it, how loud it is, and what its next beat is to follow."""

    written: Written

    def __init__(self, player: LiveTransformer) -> None:
        self._player, self.steps = player, beat_steps(player.bpm)
        self.levels, self.glide = Levels(), Glide()
        self.expected: Callable[[float], float] = nothing_expected
        self.first, self.struck, self.end = -np.inf, -np.inf, None  # type: float, float, float | None
        self.played, self.lacks, self.lacked_s = False, 0.0, 0.0
        self.ready_s, self._lacking = _WRITTEN_S, False

    def coming(self) -> Coming:
        """What the next beat is to follow, as things stand."""
        beat, energy = self.written.beats, self._player.energy
        if _off(self._player.bpm, self.steps) > _TEMPO_OFF:
            self.steps = beat_steps(self._player.bpm)
        found = [(place / _PLACES, self.expected(beat + place / _PLACES)) for place in range(_PLACES)]
        self.levels.planned(beat, energy)
        return Coming(self.steps, energy, tuple(one for one in found if one[1]))

    def there(self, steps: np.ndarray, lasts_s: float) -> np.ndarray:
        """Of a block 1 where there is sound, 0 where none is written yet, float32 [n]; counts what lacks."""
        left_s = (self.written.high - steps) / TOKEN_RATE
        gains = np.clip(left_s / _FADE_S, 0.0, 1.0)
        kept = np.exp(-lasts_s / _FORGIVEN_S)
        self.lacks, self.lacked_s = self.lacks * kept, self.lacked_s * kept
        if self._lacking:
            rises = np.clip(np.arange(len(steps)) / len(steps) * lasts_s / _FADE_S, 0.0, 1.0)
            gains = gains * rises if left_s[-1] > _WRITTEN_S / 2 else np.zeros(len(steps))
        elif gains[-1] < 1:
            self.lacks += 1
            self.ready_s = min(_MOST_WRITTEN_S, self.ready_s + _WRITTEN_MORE_S)
        self._lacking = bool(gains[-1] < 1)
        self.lacked_s += lasts_s * self._lacking
        return gains.astype(np.float32)


def _made(written: Written, times: int) -> np.ndarray:
    return np.concatenate([written.make() for _ in range(times)], 1)


def _off(bpm: float, steps: int) -> float:
    """How far a tempo is from that of beats of so many steps, in octaves."""
    return abs(float(np.log2(60 * TOKEN_RATE / bpm / steps)))


def transformer(
    model: LoadedModel, codec: Codec, settings: LiveSettings, helper: Executor | None
) -> MakePlayer:
    """Makes players of a model. Raises `SettingError` where it cannot play what is asked for."""
    styles = model.model.config.styles
    if settings.style not in (*styles, ANY):
        raise SettingError(f"Style is {settings.style!r}; this model knows {', '.join(styles)}.")
    if settings.key != ANY:
        raise SettingError(
            f"The model chooses the key itself; leave out {settings.key!r}, or let the band play."
        )

    def make(style: str, start: Start) -> LiveTransformer:
        return LiveTransformer(model, codec, style, start.bpm, start.metre, seed=settings.seed, helper=helper)

    return make
