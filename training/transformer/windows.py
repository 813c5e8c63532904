"""Training items in memory, and the random windows of them that the transformer trains on.

How items lie on disk, in files or in shards, is at the top of `items`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from d2m_core.errors import SettingError
from d2m_core.music import DanceToMusic
from d2m_core.music.copies import NONE, delayed_copies
from d2m_core.music.model import Conditions
from d2m_core.music.windows import Window, stack, steps_back, style_index, window_conditions
from d2m_core.straight import StepGrid
from d2m_core.styles import STYLES
from d2m_core.types import CodecSpec, MotionFeatures, Rhythm
from training.pairs.pair import FLOAT16_MAX, as_float16
from training.pairs.shards import shards_in
from training.sources.recording import SPLITS

from .extra_heads import sound_wanted
from .items import ITEM_FORMAT, TrainItem, items_in, read_item, write_item
from .settings import TrainConfig

__all__ = [
    "FLOAT16_MAX",
    "ITEM_FORMAT",
    "Batch",
    "DataSet",
    "TrainItem",
    "as_float16",
    "check_grids",
    "draw_batch",
    "motion_statistics",
    "read_folder",
    "read_item",
    "split",
    "write_item",
]

log = logging.getLogger("train")

TRAIN, VAL, _ = SPLITS

GRIDLESS = 0.5
"""Share of the windows with nothing to follow that have no grid either."""

BEGINNINGS = 0.5
"""Share of the windows that a model which looks back takes for the beginning of a piece: clips are short."""


@dataclass(frozen=True, eq=False)
class DataSet:
    """Items of one codec and one set of motion features, held in memory."""

    train: tuple[TrainItem, ...]
    held_out: tuple[TrainItem, ...]

    @property
    def codec(self) -> CodecSpec:
        return self.train[0].codec

    @property
    def motion_names(self) -> tuple[str, ...]:
        return self.train[0].motion_names

    @property
    def styles(self) -> tuple[str, ...]:
        """All styles that occur, in the studio's order; those that it does not know come last."""
        return _in_order({item.style for item in (*self.train, *self.held_out)} - {""})

    def with_motion(self, names: tuple[str, ...]) -> DataSet:
        """The same with these motion features alone, which all items must have."""
        train, held_out = (
            tuple(_with_motion(item, names) for item in part) for part in (self.train, self.held_out)
        )
        return DataSet(train, held_out)

    @property
    def hours(self) -> float:
        return sum(item.duration_s for item in self.train) / 3600


def _in_order(styles: set[str]) -> tuple[str, ...]:
    known = tuple(style for style in STYLES if style in styles)
    return (*known, *sorted(styles.difference(known)))


def _with_motion(item: TrainItem, names: tuple[str, ...]) -> TrainItem:
    if item.motion_names == names:
        return item
    columns = [item.motion_names.index(name) for name in names]
    motion = None if item.motion is None else item.motion[:, columns]
    return replace(item, motion=motion, motion_names=names)


@dataclass(frozen=True, eq=False)
class Batch:
    """Random windows of items."""

    codes: torch.Tensor
    """int64 [B, K, T], time-aligned."""
    given: Conditions
    copied: torch.Tensor | None = None
    """int64 [B, L, K, S]: what the columns of a model that looks back see (`d2m_core.music.copies`)."""
    sound: torch.Tensor | None = None
    """float32 [B, T, 13]: what sounds (`extra_heads.sound_wanted`), where heads learn to say so."""

    def part(self, first: int, count: int) -> Batch:
        """Some of the windows."""
        some = slice(first, first + count)
        copied, sound = (None if each is None else each[some] for each in (self.copied, self.sound))
        return Batch(self.codes[some], self.given.part(first, count), copied, sound)

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        copied, sound = (None if each is None else each.to(device) for each in (self.copied, self.sound))
        return Batch(self.codes.to(device), self.given.to(device), copied, sound)


def read_folder(folder: Path | str, hold_out: int = 0) -> DataSet:
    """All items below `folder`; every `hold_out`-th is set aside, as `split` says.

    The train folder of a data set in splits (`training.build_dataset`) is held against all of its
    val folder instead: neighbours of one song must not be on both sides. Raises `SettingError`.
    """
    folder = Path(folder)
    if any(shards_in(folder / name) for name in SPLITS):
        raise SettingError(
            f"{folder} is a whole data set, what is kept for measuring included; give {folder / TRAIN}."
        )
    items = tuple(items_in(folder))
    if not items:
        raise SettingError(f"There are no training items in {folder}; make some, or give another folder.")
    beside = folder.resolve().parent / VAL
    if hold_out and folder.resolve().name == TRAIN and shards_in(beside):
        aside = split(tuple(items_in(beside))).train
        split((*items, *aside))  # of one kind?
        return DataSet(items, aside)
    return split(items, hold_out)


def split(items: Sequence[TrainItem], hold_out: int = 0) -> DataSet:
    """A data set of `items`; every `hold_out`-th is set aside where there are that many.

    They are counted style by style: in a data set styles take turns, and one in 20 of 14 turns would
    never meet half of them. Every style with `hold_out` items or more is on both sides.
    """
    first = items[0]
    for item in items:
        if (item.codec, item.motion_names) != (first.codec, first.motion_names):
            raise SettingError("The items differ in codec or motion features; train on one kind at a time.")
    order = _in_order({item.style for item in items})
    by_style = sorted(range(len(items)), key=lambda i: order.index(items[i].style))  # turns stay turns
    aside = set(by_style[hold_out - 1 :: hold_out]) if hold_out else set()
    train = tuple(item for i, item in enumerate(items) if i not in aside)
    return DataSet(train, tuple(items[i] for i in sorted(aside)))


def check_grids(straight: bool, data: DataSet) -> None:
    """Raises `SettingError` for a network of straight time where no item is; warns of the reverse."""
    rate = data.codec.token_rate
    laid = [StepGrid.of(i.beats_s, i.downbeats, rate) is not None for i in data.train if len(i.beats_s) > 1]
    if straight and not any(laid):
        raise SettingError(
            "The network writes in straight time, and the beats of none of the items begin token steps; "
            "encode the music with --straight."
        )
    if laid and all(laid) and not straight:
        log.warning(
            "All items lie on straight grids, which this network makes no use of (--preset straight)."
        )


def motion_statistics(items: Sequence[TrainItem]) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation float32 [D] of the motion features; 0 and 1 without motion."""
    parts = [item.motion.astype(np.float64) for item in items if item.motion is not None]
    if not parts:
        width = len(items[0].motion_names)
        return torch.zeros(width), torch.ones(width)
    count = sum(len(part) for part in parts)
    mean = sum(part.sum(0) for part in parts) / count
    variance = sum(((part - mean) ** 2).sum(0) for part in parts) / count
    deviation = np.where(variance > 1e-10, np.sqrt(variance), 1.0)  # a constant feature stays as it is
    return torch.from_numpy(mean).float(), torch.from_numpy(deviation).float()


def draw_batch(
    items: Sequence[TrainItem],
    net: DanceToMusic,
    config: TrainConfig,
    rng: np.random.Generator,
    these: Sequence[int] | None = None,
) -> Batch:
    """Random windows of items, each as likely as it is long, some with conditions left out; of `these`
    items instead, one window each, where their numbers are given."""
    spec, window_s = items[0].codec, net.config.window_s
    if rng.random() < config.short_windows:
        window_s *= rng.uniform(1 / 3, 1)
    chosen, window_s = _chosen(items, window_s, config.batch, rng, these)
    steps = spec.steps(window_s)
    parts = [_draw_window(items[i], steps, net, config, rng) for i in chosen]
    codes = torch.stack([part.codes for part in parts])  # [B, K, T]
    given = _leave_out(stack([part.given for part in parts]), config, rng)
    sound = torch.stack([p.sound for p in parts if p.sound is not None]) if config.heads_weight else None
    if not net.config.straight:
        return Batch(codes, given, sound=sound)
    # Music without any dance is written without a grid, half of the time.
    free = torch.from_numpy(rng.random(len(codes)) < GRIDLESS) & ~given.has_rhythm & ~given.has_motion
    given = replace(given, place=torch.where(free[:, None, None], 0, given.place))
    if net.copies is None:
        return Batch(codes, given, sound=sound)
    copied = torch.cat([part.copied for part in parts if part.copied is not None])
    return Batch(codes, given, torch.where(free[:, None, None, None], NONE, copied), sound)


def _chosen(
    items: Sequence[TrainItem],
    window_s: float,
    count: int,
    rng: np.random.Generator,
    these: Sequence[int] | None,
) -> tuple[Sequence[int], float]:
    """Numbers of items to take a window of, and how long that may be."""
    durations = np.array([item.duration_s for item in items])
    if these is not None:
        return these, min(window_s, float(durations[list(these)].min()))
    if durations.min() < window_s:  # as short as the item it falls on; the others are longer
        window_s = min(window_s, float(rng.choice(durations, p=durations / durations.sum())))
    weights = np.where(durations >= window_s, durations, 0.0)
    return rng.choice(len(items), count, p=weights / weights.sum()).tolist(), window_s


def _draw_window(
    item: TrainItem, steps: int, net: DanceToMusic, config: TrainConfig, rng: np.random.Generator
) -> Batch:
    """One window of `item`, not yet batched: codes [K, T], conditions B = 1."""
    last = max(0, min(item.codec.steps(item.duration_s), item.codes.shape[1]) - steps)
    first = int(rng.integers(last + 1))
    motion = None
    if item.motion is not None:
        motion = MotionFeatures(item.motion.astype(np.float32), item.motion_names)
    grid = StepGrid.of(item.beats_s, item.downbeats, item.codec.token_rate) if net.config.straight else None
    rhythm = Rhythm(
        beats_s=item.beats_s + rng.normal(scale=config.jitter_s) * (grid is None),
        downbeats=item.downbeats,
        curves=_noisy(item.curves, config.curve_noise, rng),
        tempo_bpm=item.tempo_bpm,
    )
    window = Window(first, steps)
    style = style_index(item.style or None, net.config.styles)
    given = window_conditions(motion, rhythm, style, net, item.codec, window, grid)
    codes = torch.from_numpy(item.codes[:, : first + steps].astype(np.int64))
    copied = None
    if net.copies is not None:
        known = 0 if rng.random() < BEGINNINGS else first
        past, own = codes[None, :, first - known : first], codes[None, :, first:]
        copied = delayed_copies(own, past, steps_back(grid, window))
    sound = sound_wanted(item, first, steps) if config.heads_weight else None
    return Batch(codes[:, first:], given, copied, sound)


def _noisy(curves: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    bent = curves + rng.normal(scale=noise, size=curves.shape) if noise else curves
    return np.clip(bent, 0.0, 1.0).astype(np.float32)


def _leave_out(given: Conditions, config: TrainConfig, rng: np.random.Generator) -> Conditions:
    """Condition dropout, drawn per entry."""
    batch = len(given.style)

    def kept(share: float) -> torch.Tensor:
        return torch.from_numpy(rng.random(batch) >= share)

    everything = kept(config.drop_all)
    style = everything & kept(config.drop_style)
    return replace(
        given,
        has_motion=given.has_motion & everything & kept(config.drop_motion),
        has_rhythm=given.has_rhythm & everything & kept(config.drop_rhythm),
        style=torch.where(style, given.style, -1),
    )
