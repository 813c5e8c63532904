"""Music for a dance that is still going on: beat by beat, each as the dance is when it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from ..codec import Codec
from ..errors import SettingError
from ..motion.accents import BUMP_S, bumps_at
from ..settings import SamplingConfig
from ..straight import StepGrid
from ..types import MOTION_FPS, RHYTHM_CURVES, AudioTokens, Rhythm, Waveform
from .sampling import UNKNOWN, few_threads, look_back, write_window
from .stepping import Pen
from .streaming import decoded, limited_on
from .weights import LoadedModel, check_codec
from .windows import Window, guidance_sides, stack, style_index, window_conditions

AHEAD_STEPS = 16
"""A finisher hears so many steps after a moment: more changes its sound by less than -50 dB."""
_KEPT_BARS = 8
"""So much of what was written is remembered, in bars, and at most twice as much: more than the model looks
back."""
_FRAME_STEPS = 2
"""Token steps of a frame of the curves; beats last whole frames."""


@dataclass(frozen=True)
class Coming:
    """What the next beat is to follow."""

    steps: int
    """Token steps that it lasts, as `beat_steps` gives them."""
    energy: float = 0.5
    """0..1."""
    accents: tuple[tuple[float, float], ...] = ()
    """(place in the beat 0..1, strength 0..1) of those that are expected."""


class Unfolding:
    """A piece (B = 1) that goes on as long as somebody wants more of it.

    Args:
        config: Its `overlap_s` is how much of what is there is heard again for every beat.
        metre: Beats in a bar; the piece begins with a bar.
        ask: Says what the next beat is to follow, when it is about to be written.

    Raises `SettingError` where the codec cannot be decoded piece by piece, or the model's steps are not those
    that beats are counted in.
    """

    def __init__(
        self, model: LoadedModel, codec: Codec, config: SamplingConfig, metre: int, ask: Callable[[], Coming]
    ) -> None:
        check_codec(model, codec.spec)
        if not codec.streams or model.spec.token_rate != _FRAME_STEPS * MOTION_FPS:
            raise SettingError(
                f"Music of codec {model.spec.name} cannot be written beat by beat; use a model of a codec "
                f"that is causal and has {_FRAME_STEPS * MOTION_FPS:g} steps a second."
            )
        self._model, self._config, self._metre, self._ask = model, config, metre, ask
        self._style = style_index(config.style, model.model.config.styles)
        self._pen = Pen.of(model.model)
        self._generator = torch.Generator(model.model.null.device).manual_seed(config.seed)
        most = model.spec.steps(model.model.config.window_s) // 2
        self._heard = min(model.spec.steps(config.overlap_s), most)
        self._codes = torch.zeros(model.spec.codebooks, 0, dtype=torch.long)  # [K, T] from `_first` on
        self._curves = np.zeros((0, len(RHYTHM_CURVES)), np.float32)
        self._beats: list[int] = []  # steps of `_codes` at which beats begin
        self._sounds = limited_on(decoded(codec, self._pieces(), AHEAD_STEPS))
        self.ends = [0]
        """Token steps, from the piece's start, after each beat that is written; the first is 0."""

    def more(self) -> Waveform:
        """The sound that goes on where the last one ended; writes a beat, or as many as that takes."""
        return next(self._sounds)

    def _pieces(self) -> Iterator[AudioTokens]:
        while True:
            yield AudioTokens(self._written(self._ask())[None], self._model.spec)

    def _written(self, coming: Coming) -> torch.Tensor:
        """The next beat's tokens [K, steps]."""
        assert coming.steps % _FRAME_STEPS == 0
        known = self._codes.shape[1]
        self._beats.append(known)
        empty = torch.full((len(self._codes), coming.steps), UNKNOWN)
        self._codes = torch.cat([self._codes, empty], 1)
        self._curves = np.concatenate([self._curves, _curves(coming)])
        first = max(0, known - self._heard) // _FRAME_STEPS * _FRAME_STEPS
        self._write(Window(first, known + coming.steps - first, known - first))
        new = self._codes[:, known:].clone()
        self.ends.append(self.ends[-1] + coming.steps)
        self._forget()
        return new

    def _write(self, window: Window) -> None:
        net, config = self._model.model, self._config
        grid = self._grid()
        rate = self._model.spec.token_rate
        bpm = 60 * rate / float(np.diff(grid.beats)[-1])
        rhythm = Rhythm(grid.beats / rate, grid.downbeats, self._curves, bpm)
        straight = grid if net.config.straight else None
        device = net.null.device
        with torch.inference_mode(), few_threads(net):
            given = window_conditions(None, rhythm, self._style, net, self._model.spec, window, straight)
            given = stack(guidance_sides(given, config)).to(device)
            codes = self._codes.to(device)
            look = look_back(net, codes, straight, window)
            part = codes[None, :, window.first :]
            out = write_window(self._pen, given, part, look, config, self._generator, _tick)
        self._codes[:, window.first :] = out[0].cpu()

    def _grid(self) -> StepGrid:
        """Beats so far; one more at their end."""
        beats = np.array([*self._beats, self._codes.shape[1]])
        return StepGrid(beats, np.arange(len(beats)) % self._metre == 0)

    def _forget(self) -> None:
        """Leaves out whole bars that nobody looks back at any more."""
        beats = _KEPT_BARS * self._metre
        if len(self._beats) <= 2 * beats:
            return
        cut = self._beats[beats]
        self._beats = [beat - cut for beat in self._beats[beats:]]
        self._codes = self._codes[:, cut:].clone()
        self._curves = self._curves[cut // _FRAME_STEPS :].copy()


def _tick(_column: int, _columns: torch.Tensor) -> None:
    pass


def _curves(coming: Coming) -> np.ndarray:
    """`RHYTHM_CURVES` of a beat, float32 [F, R]."""
    frames = coming.steps // _FRAME_STEPS
    places, strengths = np.array(coming.accents, np.float64).reshape(-1, 2).T
    accent = bumps_at(places * frames / MOTION_FPS, strengths, frames, MOTION_FPS, BUMP_S)
    return np.stack([accent, np.full(frames, coming.energy)], 1).astype(np.float32)
