"""Changing music that is there: a span of it anew, or bars more in front or behind.

Tokens outside of what is written stay as they are, bit for bit. A codec that is causal sounds the same up
to the span; after it, its memory fades (see `docs/questions.md`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..codec import Codec
from ..errors import ModelError, SettingError, require
from ..rhythm import beat_length, led_in, lengthened, rows_led_in
from ..settings import MOST_BARS, SamplingConfig
from ..spans import Span
from ..straight import StraightMap
from ..types import AudioTokens, MotionFeatures, Progress, Rhythm
from .filling import Filler, Fit, Gap
from .sampling import UNKNOWN, in_music_time, own_features
from .straightening import beginning, way_of
from .weights import LoadedModel, check_codec
from .windows import style_index


@dataclass(frozen=True, eq=False)
class Edited:
    """Music after an edit."""

    tokens: AudioTokens
    rhythm: Rhythm
    """What it is played on: longer where bars were added."""
    duration_s: float
    changed: tuple[Span, ...]
    """What was written, on the steps of the tokens, in seconds of the edited piece."""
    fits: tuple[Fit, ...]
    """One for each of `changed`."""
    added_s: float = 0.0
    """Seconds that came in front."""


def repaint(
    model: LoadedModel,
    tokens: AudioTokens,
    spans: Sequence[Span],
    rhythm: Rhythm,
    config: SamplingConfig | None = None,
    on_progress: Progress | None = None,
    *,
    motion: MotionFeatures | None = None,
    duration_s: float | None = None,
    likeness: float = 0.0,
    codec: Codec | None = None,
) -> Edited:
    """Music [1, K, T] with new tokens within `spans`, one after the other, and the old ones elsewhere.

    Of `config.candidates` the one is taken that leads on best to the bar after the span. A span that
    reaches the end has nothing after it: with `codec` it is then chosen by ear, as when music is written
    first. `likeness` above 0 leans on what was there (a variation); 1 copies it. Raises `ModelError` and
    `SettingError`.
    """
    duration_s = _duration(tokens) if duration_s is None else duration_s
    piece = _Piece.of(model, tokens, rhythm, motion, duration_s, config, likeness, codec)
    gaps = [piece.gap(span) for span in spans]
    require(len(gaps) > 0, "There is no span to write anew; give one, such as 4-8.")
    old = piece.codes.clone()
    return piece.filled(gaps, old, on_progress)


def extend_left(
    model: LoadedModel,
    tokens: AudioTokens,
    bars: int,
    rhythm: Rhythm,
    config: SamplingConfig | None = None,
    on_progress: Progress | None = None,
    *,
    motion: MotionFeatures | None = None,
    duration_s: float | None = None,
    likeness: float = 0.0,
) -> Edited:
    """Music with `bars` in front of it, at the tempo of its first beats; all that was there comes later.

    Written without knowing what follows; of `config.candidates` that is taken after which the old first bar
    is likeliest. `likeness` leans on the old first bars, 1 copies them. Raises as `repaint`.
    """
    _check_bars(bars)
    duration_s = _duration(tokens) if duration_s is None else duration_s
    steps, added_s, bend = _in_front(tokens, rhythm, bars)
    longer = led_in(rhythm, added_s)
    if motion is not None:
        rows = rows_led_in(rhythm, added_s).clip(0, len(motion.values) - 1)
        motion = replace(motion, values=motion.values[rows])
    front = tokens.codes.new_full((*tokens.codes.shape[:2], steps), UNKNOWN)
    wider = AudioTokens(torch.cat([front, tokens.codes], dim=-1), tokens.codec, bend)
    piece = _Piece.of(model, wider, longer, motion, duration_s + added_s, config, likeness, None)
    near = torch.full_like(piece.codes, UNKNOWN)
    loop = _loop(piece.codes.shape[1] - steps, steps, bars)
    at = steps + (np.arange(steps) - steps) % loop if loop else np.zeros(0, np.int64)
    near[:, : len(at)] = piece.codes[:, torch.from_numpy(at)]
    return replace(piece.filled([Gap(0, steps, piece.bar_after(steps))], near, on_progress), added_s=added_s)


def extend_right(
    model: LoadedModel,
    tokens: AudioTokens,
    bars: int,
    rhythm: Rhythm,
    config: SamplingConfig | None = None,
    on_progress: Progress | None = None,
    *,
    motion: MotionFeatures | None = None,
    duration_s: float | None = None,
    likeness: float = 0.0,
    codec: Codec | None = None,
) -> Edited:
    """Music with `bars` more at its end, at the tempo of its last beats.

    `likeness` leans on the old last bars, 1 copies them; with `codec` the best of `config.candidates` is
    chosen by ear. Raises as `repaint`.
    """
    _check_bars(bars)
    duration_s = _duration(tokens) if duration_s is None else duration_s
    kept = beginning(tokens, duration_s)
    added_s = bars * rhythm.metre * beat_length(rhythm, at_end=True)
    longer = lengthened(rhythm, duration_s + added_s)
    piece = _Piece.of(model, kept, longer, motion, duration_s + added_s, config, likeness, codec, True)
    known, total = kept.codes.shape[-1], piece.codes.shape[1]
    near = torch.full_like(piece.codes, UNKNOWN)
    loop = _loop(known, total - known, bars)
    if loop:
        at = known - loop + np.arange(total - known) % loop
        near[:, known:] = piece.codes[:, torch.from_numpy(at)]
    return piece.filled([Gap(known, total)], near, on_progress)


@dataclass(frozen=True, eq=False)
class _Piece:
    """Music that is being changed."""

    codes: torch.Tensor
    """int64 [K, T] on the model's device, `UNKNOWN` where nothing was written yet."""
    filler: Filler
    rhythm: Rhythm
    duration_s: float
    bend: np.ndarray | None

    @classmethod
    def of(
        cls,
        model: LoadedModel,
        tokens: AudioTokens,
        rhythm: Rhythm,
        motion: MotionFeatures | None,
        duration_s: float,
        config: SamplingConfig | None,
        likeness: float,
        codec: Codec | None,
        to_end: bool = False,
    ) -> _Piece:
        """As long as the tokens, or `to_end` of the rhythm. Raises `ModelError` for tokens of others."""
        config, net, spec = config or SamplingConfig(), model.model, model.spec
        require(0 <= likeness <= 1, f"likeness is {likeness:g}; use 0 (free) to 1 (a copy).")
        _check_tokens(model, tokens)
        style = style_index(config.style, net.config.styles)
        dance = in_music_time(net, own_features(model, motion), rhythm, duration_s, spec, tokens)
        known = tokens.codes.shape[-1]
        total = max(spec.steps(dance.duration_s), known + 1) if to_end else known
        codes = torch.full((spec.codebooks, total), UNKNOWN, device=net.null.device)
        codes[:, :known] = tokens.codes[0, : spec.codebooks]
        filler = Filler(model, dance, style, config, likeness, codec)
        bend = tokens.bend if dance.bend is None else dance.bend
        return cls(codes, filler, rhythm, duration_s, bend)

    def gap(self, span: Span) -> Gap:
        """The steps of a span. Raises `SettingError` where it is none of the piece's."""
        rate, known = self.filler.model.spec.token_rate, self.codes.shape[1]
        ends = self._way().to_straight(np.array([span.start_s, span.end_s])) * rate
        first, end = (round(float(at)) for at in ends)
        if not 0 <= first < known:
            raise SettingError(
                f"The span begins at {span.start_s:g} s and the music lasts {self.duration_s:g} s; choose an "
                "earlier one."
            )
        end = min(max(end, first + 1), known)
        return Gap(first, end, self.bar_after(end))

    def bar_after(self, step: int) -> int:
        """Steps of the bar after a step, as far as the piece goes."""
        rate = self.filler.model.spec.token_rate
        laid = self.filler.dance.rhythm or self.rhythm
        bar = round(laid.metre * rate * 60.0 / laid.tempo_bpm)
        return min(bar, self.codes.shape[1] - step)

    def filled(self, gaps: Sequence[Gap], near: torch.Tensor, on_progress: Progress | None) -> Edited:
        """Writes over gaps, leaning on `near` [K, T]."""
        spec, filler = self.filler.model.spec, self.filler
        generator = torch.Generator(self.codes.device).manual_seed(filler.config.seed)
        total, done, fits = sum(gap.end - gap.first for gap in gaps), 0, []
        for gap in gaps:
            tick = None if on_progress is None else _offset(on_progress, done, total)
            fits.append(filler.fill(self.codes, gap, near, generator, tick))
            done += gap.end - gap.first
        tokens = AudioTokens(self.codes[None].clone(), spec, self.bend)
        ends = np.array([[gap.first, gap.end] for gap in gaps]) / spec.token_rate
        changed = self._way().to_dance(ends).clip(0, self.duration_s)
        spans = tuple(Span(float(start_s), float(end_s)) for start_s, end_s in changed)
        return Edited(tokens, self.rhythm, self.duration_s, spans, tuple(fits))

    def _way(self) -> StraightMap:
        codes = self.codes.new_zeros(1, *self.codes.shape)
        return way_of(AudioTokens(codes, self.filler.model.spec, self.bend))


def _offset(on_progress: Progress, before: int, total: int) -> Progress:
    return lambda done, _part: on_progress(before + done, total)


def _check_bars(bars: int) -> None:
    require(1 <= bars <= MOST_BARS, f"{bars} bars are to be added; use 1 to {MOST_BARS}.")


def _check_tokens(model: LoadedModel, tokens: AudioTokens) -> None:
    check_codec(model, tokens.codec)
    if len(tokens.codes) != 1:
        raise ModelError(f"The music to edit is {len(tokens.codes)} pieces; give them one by one.")
    if tokens.bend is not None and not model.model.config.straight:
        raise ModelError(
            "The music was written in straight time and this model does not write in that; edit it with the "
            "model that wrote it."
        )


def _duration(tokens: AudioTokens) -> float:
    """Seconds that tokens sound in the time of their dance."""
    return float(way_of(tokens).to_dance(tokens.duration_s))


def _in_front(tokens: AudioTokens, rhythm: Rhythm, bars: int) -> tuple[int, float, np.ndarray | None]:
    """Steps and seconds of bars in front of music, and its bend then. Old tokens keep their own steps."""
    rate, beat_s = tokens.codec.token_rate, beat_length(rhythm, at_end=False)
    beats = bars * rhythm.metre
    if tokens.bend is None:
        steps = int(np.ceil(beats * beat_s * rate - 1e-6))
        return steps, steps / rate, None
    way = way_of(tokens)
    pair = rhythm.beats_s[:2] if len(rhythm.beats_s) > 1 else np.array([0.0, beat_s])
    first = way.to_straight(pair) * rate
    steps = beats * round(float(first[1] - first[0]))
    added_s = beats * beat_s
    moved = tokens.bend + np.array([steps / rate, added_s])
    start = np.array([[first[0] / rate, float(way.to_dance(first[0] / rate))]])
    return steps, added_s, np.concatenate([start, moved[moved[:, 0] > start[0, 0] + 1e-6]])


def _loop(known: int, added: int, bars: int) -> int:
    """Steps of as many whole bars as are there, at most those that are added."""
    bar = added / bars
    return round(min(bars, int(known / bar + 1e-6)) * bar)
