"""Writing into music that is there on both sides.

The model cannot look ahead, so nothing it writes knows what comes after. Several are written for the same
place instead, and the one after which the model finds the music that is kept most likely is taken: that is
the loss of its next bar, as in training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ..codec import Codec
from ..settings import SamplingConfig
from ..types import Progress
from .copies import delayed_copies
from .drawing import MOST_LEAN, Lean
from .model import Conditions
from .patterns import apply_delay
from .sampling import UNKNOWN, Chooser, MusicDance, few_threads, look_back, write_window
from .stepping import Pen
from .weights import LoadedModel
from .windows import Window, guidance_sides, stack, steps_back, window_conditions

_PULL = 8.0
"""What is added to the logit of what was there at a likeness of nearly 1: hardly anything else is drawn."""


@dataclass(frozen=True)
class Gap:
    """Token steps `first` to before `end` that are to be written; the next `after` judge them."""

    first: int
    end: int
    after: int = 0


@dataclass(frozen=True)
class Fit:
    """How well what was written leads on to what comes after it."""

    losses: tuple[float, ...] = ()
    """Nats a token of the next bar that is kept, after each candidate; empty where none is kept."""
    before: float | None = None
    """The same after what stood there before, where something did."""

    @property
    def chosen(self) -> int:
        """The number of the candidate that was taken."""
        return min(range(len(self.losses)), key=self.losses.__getitem__, default=0)


@dataclass(frozen=True, eq=False)
class Filler:
    """Writes into gaps of one piece with one model."""

    model: LoadedModel
    dance: MusicDance
    style: int
    config: SamplingConfig
    likeness: float = 0.0
    """0 writes freely, 1 copies what is leant on."""
    codec: Codec | None = None
    """Hears which candidate meets the rhythm best where nothing is kept after the gap."""

    def fill(
        self,
        codes: torch.Tensor,
        gap: Gap,
        near: torch.Tensor | None,
        generator: torch.Generator,
        on_progress: Progress | None = None,
    ) -> Fit:
        """Writes over a gap of `codes` [K, T], in place, leaning on `near` [K, T] (below 0: on nothing)."""
        net, spec = self.model.model, self.model.spec
        old = codes.clone()
        codes[:, gap.first : gap.end] = UNKNOWN
        size, overlap = spec.steps(net.config.window_s), spec.steps(self.config.overlap_s)
        windows, fit = plan_fill(gap, codes.shape[1], size, overlap), Fit()
        heard = Chooser(self.config.candidates, self.dance.rhythm, self.codec)
        chooser = Chooser() if gap.after or self.codec is None else heard
        with torch.inference_mode(), few_threads(net):
            pen = Pen.of(net)
            for window in windows:
                part = codes[:, window.first : window.first + window.steps]
                judged = gap.after > 0 and window is windows[-1]
                count = self.config.candidates if judged else chooser.candidates
                tick = _tick(on_progress, window, gap)
                written = self._write(pen, codes, window, count, near, generator, tick)
                if judged:
                    fit = self._fit(codes, old, window, gap, written)
                    part.copy_(written[fit.chosen])
                else:
                    part.copy_(chooser(written, window, spec))
        return fit

    def _write(
        self,
        pen: Pen,
        codes: torch.Tensor,
        window: Window,
        takes: int,
        near: torch.Tensor | None,
        generator: torch.Generator,
        tick: Callable[[int, torch.Tensor], None],
    ) -> torch.Tensor:
        """Candidates [C, K, T] of a window."""
        stretch = slice(window.first, window.first + window.steps)
        given = stack(guidance_sides(self._given(window), self.config)).to(codes.device)
        lean = None
        if near is not None and self.likeness > 0:
            pull = MOST_LEAN if self.likeness >= 1 else _PULL * self.likeness
            lean = Lean(apply_delay(near[None, :, stretch], UNKNOWN)[0], pull)
        look = look_back(pen.net, codes, self.dance.grid, window)
        part = codes[:, stretch].expand(takes, -1, -1)
        return write_window(pen, given, part, look, self.config, generator, tick, lean)

    def _given(self, window: Window) -> Conditions:
        dance, net = self.dance, self.model.model
        return window_conditions(
            dance.motion, dance.rhythm, self.style, net, self.model.spec, window, dance.grid
        )

    def _fit(
        self, codes: torch.Tensor, old: torch.Tensor, window: Window, gap: Gap, written: torch.Tensor
    ) -> Fit:
        """How well each of `written` [C, K, T] leads on, and what was there."""
        stretch = slice(window.first, window.first + window.steps)
        there = bool((old[:, gap.first : gap.end] >= 0).all())
        judged = torch.cat([written, old[None, :, stretch]]) if there else written
        given = self._given(window).to(codes.device)
        back = steps_back(self.dance.grid, window).to(codes.device)
        ahead = Gap(gap.end - window.first, min(gap.end + gap.after - window.first, window.steps))
        losses = [self._loss(each, given, codes[:, : window.first], back, ahead) for each in judged]
        return Fit(tuple(losses[: len(written)]), losses[-1] if there else None)

    def _loss(
        self, codes: torch.Tensor, given: Conditions, past: torch.Tensor, back: torch.Tensor, ahead: Gap
    ) -> float:
        """Nats a token of the steps `ahead` in a window's `codes` [K, T], as the model sees them come."""
        net = self.model.model
        delayed = apply_delay(codes[None], net.pad)
        copied = None if net.copies is None else delayed_copies(codes[None], past[None], back)
        hidden = net.window(net.shift_right(delayed), given, copied)
        some = slice(ahead.first, ahead.end + len(codes) - 1)
        seen = None if copied is None else copied[..., some]
        logits = net.said(hidden[:, some], seen).float()[0]  # [K, S, V]
        wanted = apply_delay(codes[None, :, ahead.first : ahead.end], -1)[0]  # [K, S]
        return float(F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=-1))


def plan_fill(gap: Gap, total: int, size: int, overlap: int) -> list[Window]:
    """Windows of `size` steps that cover a gap, each with `overlap` steps before what it writes where there
    are so many; the last one reaches over what judges it, and as far back as it can."""
    size = min(size, total)
    overlap, quarter = min(overlap, size // 2), size // 4
    stop = min(total, gap.end + min(gap.after, quarter))
    windows, known = [], gap.first
    while True:
        first = max(0, known - overlap)
        if first + size >= stop:
            first = max(0, stop - size)
            windows.append(Window(first, size, known - first))
            return windows
        end = min(first + size, gap.end - quarter)  # something is left for the one that is judged
        windows.append(Window(first, end - first, known - first))
        known = end


def _tick(on_progress: Progress | None, window: Window, gap: Gap) -> Callable[[int, torch.Tensor], None]:
    total = gap.end - gap.first

    def tick(column: int, _delayed: torch.Tensor) -> None:
        if on_progress is not None:
            on_progress(min(max(window.first + column + 1 - gap.first, 0), total), total)

    return tick
