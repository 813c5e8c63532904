"""Writing music: `generate_tokens` draws codec tokens for a dance, window by window.

A clip longer than the model's window is written in windows that start from the last seconds of the
music before them. Beats and phases are computed from absolute times, so all windows share one grid.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from ..codec import Codec, decode_tokens
from ..errors import ModelError, SettingError
from ..scores.agreement import rhythm_agreement
from ..settings import SamplingConfig
from ..straight import StepGrid
from ..styles import metre_of_style
from ..types import AudioTokens, CodecSpec, MotionFeatures, Progress, Rhythm
from .copies import CopyReader
from .drawing import Lean
from .model import Conditions, DanceToMusic
from .patterns import apply_delay, undo_delay
from .stepping import Pen, Sheet
from .straightening import straighten
from .threads import threads_here
from .weights import LoadedModel, check_codec
from .windows import Window, guidance_sides, plan_windows, stack, steps_back, style_index, window_conditions

log = logging.getLogger(__name__)

UNKNOWN = -1
"""Stands for a token that is still to be drawn."""

SMALL_DIM = 512
"""Below this width one CPU thread is fastest: a step's products are too small to share out."""


def generate_tokens(
    model: LoadedModel,
    motion: MotionFeatures | None,
    rhythm: Rhythm | None,
    spec: CodecSpec,
    config: SamplingConfig,
    on_progress: Progress | None = None,
    *,
    duration_s: float | None = None,
    codec: Codec | None = None,
    known: AudioTokens | None = None,
    on_tokens: OnTokens | None = None,
) -> AudioTokens:
    """Tokens of music for a dance, B = 1, as long as the longer of `motion` and `rhythm`.

    A model that writes in straight time lays the dance on a straight grid first; its tokens carry the
    way back (`AudioTokens.bend`), which `decode_music` takes.

    Either may be None; with both None the model plays freely for `duration_s`. Runs where the
    model's weights are; on one device the same seed gives the same tokens, bit for bit. `spec` is
    that of the codec which is to decode them; with more than one of `config.candidates` that
    `codec` itself is needed, since the best is chosen by ear. `known` (B = 1) is music that is kept
    as it is from time 0 on, and gone on from. `on_progress` counts token steps. `on_tokens` is handed
    pieces as soon as they are sure, with one candidate. Raises `ModelError`
    where that codec cannot read them, or the motion features are not the model's own.
    """
    net = model.model
    check_codec(model, spec)
    motion = own_features(model, motion)
    _check_metre(rhythm, config.style)
    spec = model.spec
    style = style_index(config.style, net.config.styles)
    duration_s = _duration(motion, rhythm, duration_s)
    dance = in_music_time(net, motion, rhythm, duration_s, spec, known)
    total = spec.steps(dance.duration_s)
    device = net.null.device
    codes = torch.full((spec.codebooks, total), UNKNOWN, device=device)  # [K, T]
    if known is not None:
        _lay_known(codes, known, spec)
    if on_tokens is not None and config.candidates > 1:
        raise SettingError(
            f"candidates is {config.candidates}, and which is best is known when all are written; use 1 to "
            "hear music while it is written."
        )
    generator = torch.Generator(device).manual_seed(config.seed)
    choose = _chooser(dance.rhythm, codec, config)
    sure = None if on_tokens is None else _Sure(on_tokens, codes, spec, dance.bend)
    with torch.inference_mode(), few_threads(net):
        pen = Pen.of(net)
        for window in plan_windows(total, spec, net.config.window_s, config.overlap_s):
            part = codes[:, window.first : window.first + window.steps]
            if not (part == UNKNOWN).any():
                continue
            given = window_conditions(dance.motion, dance.rhythm, style, net, spec, window, dance.grid)
            given = stack(guidance_sides(given, config)).to(device)
            look = look_back(net, codes, dance.grid, window)
            takes, tick = part.expand(choose.candidates, -1, -1), _counter(on_progress, sure, window, total)
            part.copy_(choose(write_window(pen, given, takes, look, config, generator, tick), window, spec))
        if sure is not None:
            sure.tell(total)
    return AudioTokens(codes[None].clone(), spec, dance.bend)


@dataclass(frozen=True, eq=False)
class MusicDance:
    """What music follows, on the clock that it is written to."""

    motion: MotionFeatures | None
    rhythm: Rhythm | None
    duration_s: float
    grid: StepGrid | None = None
    """Of the beats, in straight time."""
    bend: np.ndarray | None = None
    """As `AudioTokens.bend`."""


def in_music_time(
    net: DanceToMusic,
    motion: MotionFeatures | None,
    rhythm: Rhythm | None,
    duration_s: float,
    spec: CodecSpec,
    known: AudioTokens | None,
) -> MusicDance:
    """The dance in straight time, where the model writes in that and there are beats; else as it is."""
    if not net.config.straight or rhythm is None or len(rhythm.beats_s) < 2:
        return MusicDance(motion, rhythm, duration_s)
    laid = straighten(motion, rhythm, duration_s, spec.token_rate, known)
    return MusicDance(laid.motion, laid.rhythm, laid.duration_s, laid.grid, laid.way.anchors)


Look = Callable[[torch.Tensor], CopyReader]
"""Makes the reader of what was said before, from the columns [C, K, S] of a window."""


def look_back(net: DanceToMusic, codes: torch.Tensor, grid: StepGrid | None, window: Window) -> Look | None:
    if net.copies is None:
        return None
    return partial(CopyReader, codes[:, : window.first], steps_back(grid, window))


def _lay_known(codes: torch.Tensor, known: AudioTokens, spec: CodecSpec) -> None:
    """Writes music that is there already over the start of `codes` [K, T]. Raises `ModelError`."""
    if not known.codec.reads(spec) or len(known.codes) != 1:
        raise ModelError(
            f"The music to go on from is {len(known.codes)} piece(s) in tokens of codec "
            f"{known.codec.name} ({known.codec.codebooks} x {known.codec.cardinality}), and the "
            f"model writes {spec.name} ({spec.codebooks} x {spec.cardinality}); give one piece of "
            "the model's own codec."
        )
    steps = min(known.codes.shape[-1], codes.shape[-1])
    codes[:, :steps] = known.codes[0, : spec.codebooks, :steps]


# --- drawing ---


def write_window(
    pen: Pen,
    given: Conditions,
    codes: torch.Tensor,
    look: Look | None,
    config: SamplingConfig,
    generator: torch.Generator,
    tick: Callable[[int, torch.Tensor], None],
    lean: Lean | None = None,
) -> torch.Tensor:
    """Candidates `codes` [C, K, T], all alike, with the unknown drawn; `given` holds one entry for
    each side of guidance, `look` makes the reader of a model that looks back at what was said, and `lean`
    draws towards other tokens. Calls `tick` with every delayed column done and the columns."""
    net, sides = pen.net, len(given.style)
    delayed = apply_delay(codes, net.pad)  # [C, K, S]
    unknown = delayed[0] == UNKNOWN
    first, last = unknown.any(0).nonzero()[[0, -1]].flatten().tolist()
    cache = net.start_cache(given)
    tokens = net.shift_right(delayed[:1])[:, :, : first + 1].repeat(sides, 1, 1)
    reader = None if look is None else look(delayed)
    copied = None if reader is None else reader.columns(0, first + 1)[:1].repeat(sides, 1, 1, 1)
    # So far all candidates are one.
    logits = net.decode(tokens, cache=cache, copied=copied)[:, :, -1].float()  # [sides, K, V]
    if not torch.isfinite(logits).all():
        raise ModelError("The model's weights give no finite numbers; get or train them again.")
    write = pen.on(Sheet(delayed, unknown, reader, lean), cache, logits, config, generator)
    for column in range(first, last + 1):
        write(column)
        tick(column, delayed)
    return undo_delay(delayed)


@dataclass(frozen=True, eq=False)
class Chooser:
    """Takes the candidate of a window whose sound agrees best with the rhythm asked for."""

    candidates: int = 1
    rhythm: Rhythm | None = None
    codec: Codec | None = None

    def __call__(self, codes: torch.Tensor, window: Window, spec: CodecSpec) -> torch.Tensor:
        """The best [K, T] of [C, K, T]; what earlier windows wrote is not judged again."""
        if self.codec is None or self.rhythm is None or len(codes) == 1:
            return codes[0]
        start_s, from_s = (n / spec.token_rate for n in (window.first, window.known))
        scores = [
            rhythm_agreement(
                decode_tokens(self.codec, AudioTokens(each[None].clone(), spec), finish=False),
                self.rhythm,
                start_s,
                from_s,
            )
            for each in codes
        ]
        return codes[int(np.argmax(scores))]


def _chooser(rhythm: Rhythm | None, codec: Codec | None, config: SamplingConfig) -> Chooser:
    """One candidate where there is no rhythm to agree with. Raises `SettingError`."""
    if config.candidates == 1 or rhythm is None:
        return Chooser()
    if codec is None:
        raise SettingError(
            f"candidates is {config.candidates}, and without the codec nobody can hear which is "
            "best; give the codec, or use 1."
        )
    return Chooser(config.candidates, rhythm, codec)


OnTokens = Callable[[AudioTokens], None]
"""Takes the next piece of music, B = 1; it may raise to cancel."""

_SURE_STEPS = 12
"""So many token steps make a piece for `OnTokens`: a quarter of a second."""


class _Sure:
    """Hands on tokens that no later step changes."""

    def __init__(
        self, on_tokens: OnTokens, codes: torch.Tensor, spec: CodecSpec, bend: np.ndarray | None
    ) -> None:
        self.on_tokens, self.codes, self.spec, self.bend = on_tokens, codes, spec, bend
        self.told = 0

    def see(self, window: Window, column: int, delayed: torch.Tensor) -> None:
        """Column `column` of a window's columns [1, K, S] was drawn."""
        books = len(self.codes)
        done = min(column - books + 2, window.steps)
        if window.first + done - self.told < _SURE_STEPS:
            return
        for book in range(books):
            self.codes[book, window.first : window.first + done] = delayed[0, book, book : book + done]
        self.tell(window.first + done)

    def tell(self, end: int) -> None:
        """Hands on all up to a step."""
        if end > self.told:
            piece = self.codes[None, :, self.told : end].clone()
            self.told = end
            self.on_tokens(AudioTokens(piece, self.spec, self.bend))


def _counter(
    on_progress: Progress | None, sure: _Sure | None, window: Window, total: int
) -> Callable[[int, torch.Tensor], None]:
    def tick(column: int, delayed: torch.Tensor) -> None:
        if on_progress is not None:
            on_progress(window.first + min(column + 1, window.steps), total)
        if sure is not None:
            sure.see(window, column, delayed)

    return tick


def few_threads(net: DanceToMusic) -> AbstractContextManager[None]:
    small = net.null.device.type == "cpu" and net.config.dim < SMALL_DIM
    return threads_here(1) if small else nullcontext()


# --- checks ---


def own_features(model: LoadedModel, motion: MotionFeatures | None) -> MotionFeatures | None:
    """The motion features that the model was trained with."""
    try:
        return motion and motion.only(model.motion_names)
    except ValueError as error:
        raise ModelError(
            f"The model was trained on features that this motion has not ({error}); use a model "
            "of this program's version."
        ) from error


def _check_metre(rhythm: Rhythm | None, style: str | None) -> None:
    """Says so where the music is to be in bars that its style does not have."""
    wanted = metre_of_style(style)
    if rhythm is None or wanted is None or rhythm.downbeats.sum() < 2:
        return
    if rhythm.metre != wanted:
        log.warning(
            "The style %s has bars of %d beats and this rhythm has bars of %d; set beats per bar "
            "to %d in Edit Rhythm, or choose another style.",
            style,
            wanted,
            rhythm.metre,
            wanted,
        )


def _duration(motion: MotionFeatures | None, rhythm: Rhythm | None, duration_s: float | None) -> float:
    if duration_s is None:
        known = [part.duration_s for part in (motion, rhythm) if part is not None]
        if not known:
            raise SettingError("Without motion and rhythm a duration is needed; give duration_s.")
        duration_s = max(known)
    if not duration_s > 0:
        raise SettingError(f"The duration is {duration_s:g} s; use more than 0.")
    return duration_s
