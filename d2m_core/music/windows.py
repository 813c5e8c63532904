"""Stretches of a clip, and what the transformer is told in each; training builds its own with these."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from ..errors import SettingError
from ..grid import phase_features
from ..settings import SamplingConfig
from ..straight import LAGS, NO_STEP, StepGrid
from ..types import MOTION_FPS, RHYTHM_CURVES, CodecSpec, MotionFeatures, Rhythm
from .model import Conditions, DanceToMusic


@dataclass(frozen=True)
class Window:
    """A stretch of a clip, in token steps."""

    first: int
    steps: int
    known: int = 0
    """Steps at its start that an earlier window has written."""


def plan_windows(total: int, spec: CodecSpec, window_s: float, overlap_s: float) -> list[Window]:
    """Windows that cover `total` steps, each full where the clip is long enough.

    They overlap by `overlap_s`, at most half a window; the last one by as much as fills it.
    """
    size = spec.steps(window_s)
    overlap = min(spec.steps(overlap_s), size // 2)
    windows = [Window(0, min(size, total))]
    while (end := windows[-1].first + windows[-1].steps) < total:
        first = min(end - overlap, total - size)
        windows.append(Window(first, size, end - first))
    return windows


# --- conditions: training builds its windows with these very functions ---


def window_conditions(
    motion: MotionFeatures | None,
    rhythm: Rhythm | None,
    style: int,
    net: DanceToMusic,
    spec: CodecSpec,
    window: Window,
    grid: StepGrid | None = None,
) -> Conditions:
    """What `window` is to follow (B = 1). `style` -1 lets the model choose; `grid` is the rhythm's where
    music is written in straight time."""
    start_s = window.first / spec.token_rate
    first_frame = math.floor(start_s * MOTION_FPS + 1e-6)
    frames = np.arange(first_frame, first_frame + _frames_for(window.steps / spec.token_rate))
    columns = window.steps + spec.codebooks - 1
    times_s = (window.first + np.arange(columns)) / spec.token_rate
    values = np.zeros((1, net.config.features), np.float32) if motion is None else motion.values
    curves = np.zeros((1, len(RHYTHM_CURVES)), np.float32) if rhythm is None else rhythm.curves
    beats_s = np.zeros(0) if rhythm is None else rhythm.beats_s
    downbeats = np.zeros(0, np.bool_) if rhythm is None else rhythm.downbeats
    place = np.zeros((columns, 4), np.int64)
    if grid is not None:
        place = grid.places(window.first + np.arange(columns))
    return Conditions(
        motion=torch.from_numpy(_rows(values, frames))[None],
        curves=torch.from_numpy(_rows(curves, frames))[None],
        phases=torch.from_numpy(phase_features(beats_s, downbeats, frames / MOTION_FPS))[None],
        step_phases=torch.from_numpy(phase_features(beats_s, downbeats, times_s))[None],
        frame_at=torch.from_numpy(times_s * MOTION_FPS - first_frame).float()[None],
        place=torch.from_numpy(place)[None],
        style=torch.tensor([style]),
        tempo_bpm=torch.tensor([1.0 if rhythm is None else rhythm.tempo_bpm], dtype=torch.float32),
        has_motion=torch.tensor([motion is not None]),
        has_rhythm=torch.tensor([rhythm is not None]),
    )


def steps_back(grid: StepGrid | None, window: Window) -> torch.Tensor:
    """Where each step of `window` looks back to, in steps after its first, int64 [1, L, T]; `NO_STEP`
    without a grid."""
    if grid is None:
        return torch.full((1, len(LAGS), window.steps), NO_STEP)
    steps = window.first + np.arange(window.steps)
    return torch.from_numpy(grid.sources(steps) - window.first)[None]


def without_conditions(given: Conditions) -> Conditions:
    """The same window with nothing to follow: the other side of classifier-free guidance."""
    nothing = torch.zeros_like(given.has_motion)
    return replace(given, has_motion=nothing, has_rhythm=nothing, style=torch.full_like(given.style, -1))


def guidance_sides(given: Conditions, config: SamplingConfig) -> list[Conditions]:
    """The window as `config` wants it guided: as asked for, then free, then in any style."""
    sides = [given]
    if config.guidance != 1:
        sides.append(without_conditions(given))
    if config.guides_style:
        sides.append(replace(given, style=torch.full_like(given.style, -1)))
    return sides


def stack(parts: Sequence[Conditions]) -> Conditions:
    """One batch of windows of equal length."""
    return Conditions(
        **{f.name: torch.cat([getattr(part, f.name) for part in parts]) for f in fields(Conditions)}
    )


def _rows(values: np.ndarray, frames: np.ndarray) -> np.ndarray:
    return values[np.minimum(frames, len(values) - 1)]


def _frames_for(duration_s: float) -> int:
    return max(1, math.ceil(duration_s * MOTION_FPS - 1e-6))


def style_index(style: str | None, styles: tuple[str, ...]) -> int:
    """Place of `style` among a model's; -1 lets the model choose. Raises `SettingError`."""
    if style is None:
        return -1
    if style not in styles:
        raise SettingError(f"Style is {style!r}; this model knows {', '.join(styles)}.")
    return styles.index(style)
