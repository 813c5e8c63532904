"""Training items on disk, and the random windows of them that the transformer trains on.

An item is one piece of music with its rhythm and, where there is one, its dance. On disk it is one
`.safetensors` file:

    codes      int16   [K, T]  codec tokens at the codec's token rate
    curves     float16 [F, R]  rhythm curves at 25 frames per second (`types.RHYTHM_CURVES`)
    beats_s    float64 [M]     beat times from the item's start
    downbeats  uint8   [M]     1 where a beat starts a bar
    motion     float16 [F, D]  motion features at 25 frames per second; absent: nobody dances

Its text metadata holds `format_version`, `codec` (JSON of `CodecSpec`), `motion` (JSON list of the
feature names), `style` (its name, empty if unknown) and `tempo_bpm`. A data set is a folder of such
files, at any depth; all must share codec and feature names. In format 1 `style` was an index into
`FIRST_STYLES`, -1 if unknown; such files are read as well.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from d2m_core.config import TrainConfig
from d2m_core.errors import SettingError
from d2m_core.files import replacing
from d2m_core.model import Conditions, DanceToMusic
from d2m_core.sampling import Window, stack, style_index, window_conditions
from d2m_core.types import MOTION_FPS, RHYTHM_CURVES, CodecSpec, MotionFeatures, Rhythm
from training.studio.styles import STYLES

ITEM_FORMAT = "2"
"""Version of the layout described above."""

_FORMATS = ("1", ITEM_FORMAT)

FIRST_STYLES = ("house", "techno", "disco", "funk", "hiphop", "latin")
"""Those that format 1 counts."""

FLOAT16_MAX = 6e4


@dataclass(frozen=True, eq=False)
class TrainItem:
    """One piece of music with its rhythm and, where known, its dance."""

    codes: np.ndarray
    """int16 [K, T]."""
    curves: np.ndarray
    """float16 [F, R], columns `RHYTHM_CURVES`."""
    beats_s: np.ndarray
    """float64 [M], rising."""
    downbeats: np.ndarray
    """bool [M]."""
    codec: CodecSpec
    tempo_bpm: float
    motion: np.ndarray | None = None
    """float16 [F, D]; None where nobody dances."""
    motion_names: tuple[str, ...] = ()
    """Names of the motion columns; given even where `motion` is None."""
    style: str = ""
    """Empty where unknown."""

    def __post_init__(self) -> None:
        frames = self.curves.shape[0]
        _check("codes", self.codes, np.int16, (self.codec.codebooks, self.codes.shape[-1]))
        _check("curves", self.curves, np.float16, (frames, len(RHYTHM_CURVES)))
        _check("beats_s", self.beats_s, np.float64, (len(self.downbeats),))
        _check("downbeats", self.downbeats, np.bool_, (len(self.downbeats),))
        if self.motion is not None:
            _check("motion", self.motion, np.float16, (frames, len(self.motion_names)))
            if not np.isfinite(self.motion).all():
                raise ValueError("motion must be finite; make it with as_float16")
        low, high = int(self.codes.min()), int(self.codes.max())
        if low < 0 or high >= self.codec.cardinality:
            raise ValueError(f"codes {low}..{high} leave 0..{self.codec.cardinality - 1}")

    @property
    def duration_s(self) -> float:
        """Seconds for which both tokens and curves are there."""
        return min(self.codes.shape[1] / self.codec.token_rate, len(self.curves) / MOTION_FPS)


def as_float16(values: np.ndarray) -> np.ndarray:
    """`values` as float16, clipped so that all stay finite."""
    return np.clip(values, -FLOAT16_MAX, FLOAT16_MAX).astype(np.float16)


def _check(name: str, value: np.ndarray, dtype: type, shape: tuple[int, ...]) -> None:
    if value.dtype != np.dtype(dtype) or value.shape != shape:
        want = f"{np.dtype(dtype).name} {shape}"
        raise ValueError(f"{name} must be {want}, got {value.dtype} {value.shape}")


def write_item(path: Path | str, item: TrainItem) -> Path:
    """Writes `item` to `path` (.safetensors); a file is there whole or not at all."""
    path = Path(path)
    tensors = {
        "codes": item.codes,
        "curves": item.curves,
        "beats_s": item.beats_s,
        "downbeats": item.downbeats.astype(np.uint8),
    }
    if item.motion is not None:
        tensors["motion"] = item.motion
    metadata = {
        "format_version": ITEM_FORMAT,
        "codec": json.dumps(asdict(item.codec)),
        "motion": json.dumps(item.motion_names),
        "style": item.style,
        "tempo_bpm": repr(float(item.tempo_bpm)),
    }
    with replacing(path) as partial:
        save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, partial, metadata)
    return path


def read_item(path: Path | str) -> TrainItem:
    """Reads what `write_item` wrote. Raises `SettingError` for any other file."""
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise SettingError(f"Cannot read the training item {path}: {error}.") from error
    if metadata.get("format_version") not in _FORMATS or "codes" not in tensors:
        raise SettingError(f"{path} is no training item; make items with training.encode_audio.")
    return TrainItem(
        codes=tensors["codes"],
        curves=tensors["curves"],
        beats_s=tensors["beats_s"],
        downbeats=tensors["downbeats"].astype(np.bool_),
        codec=CodecSpec(**json.loads(metadata["codec"])),
        tempo_bpm=float(metadata["tempo_bpm"]),
        motion=tensors.get("motion"),
        motion_names=tuple(json.loads(metadata["motion"])),
        style=_style(metadata),
    )


def _style(metadata: dict[str, str]) -> str:
    if metadata["format_version"] != "1":
        return metadata["style"]
    index = int(metadata["style"])
    return FIRST_STYLES[index] if index >= 0 else ""


# --- data sets and windows ---


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
        found = {item.style for item in (*self.train, *self.held_out)} - {""}
        known = tuple(style for style in STYLES if style in found)
        return (*known, *sorted(found.difference(known)))

    @property
    def hours(self) -> float:
        return sum(item.duration_s for item in self.train) / 3600


@dataclass(frozen=True, eq=False)
class Batch:
    """Random windows of items."""

    codes: torch.Tensor
    """int64 [B, K, T], time-aligned."""
    given: Conditions

    def part(self, first: int, count: int) -> Batch:
        """Some of the windows."""
        return Batch(self.codes[first : first + count], self.given.part(first, count))

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return Batch(self.codes.to(device), self.given.to(device))


def read_folder(folder: Path | str, hold_out: int = 0) -> DataSet:
    """All items below `folder`; every `hold_out`-th is set aside. Raises `SettingError`."""
    paths = sorted(Path(folder).rglob("*.safetensors"))
    paths = [path for path in paths if not path.name.startswith(".")]  # half-written by a maker
    if not paths:
        raise SettingError(
            f"There are no training items in {folder}; make some, or give another folder."
        )
    return split([read_item(path) for path in paths], hold_out)


def split(items: Sequence[TrainItem], hold_out: int = 0) -> DataSet:
    """A data set of `items`; every `hold_out`-th is set aside where there are that many."""
    first = items[0]
    for item in items:
        if (item.codec, item.motion_names) != (first.codec, first.motion_names):
            raise SettingError(
                "The items differ in codec or motion features; train on one kind at a time."
            )
    aside = [hold_out > 0 and i % hold_out == hold_out - 1 for i in range(len(items))]
    train = tuple(item for item, out in zip(items, aside, strict=True) if not out)
    return DataSet(train, tuple(item for item, out in zip(items, aside, strict=True) if out))


def motion_statistics(items: Sequence[TrainItem]) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation float32 [D] of the motion features; 0 and 1 without motion."""
    parts = [item.motion.astype(np.float64) for item in items if item.motion is not None]
    if not parts:
        width = len(items[0].motion_names)
        return torch.zeros(width), torch.ones(width)
    count = sum(len(part) for part in parts)
    mean = sum(part.sum(0) for part in parts) / count
    variance = sum(((part - mean) ** 2).sum(0) for part in parts) / count
    deviation = np.where(
        variance > 1e-10, np.sqrt(variance), 1.0
    )  # a constant feature stays as it is
    return torch.from_numpy(mean).float(), torch.from_numpy(deviation).float()


def draw_batch(
    items: Sequence[TrainItem], net: DanceToMusic, config: TrainConfig, rng: np.random.Generator
) -> Batch:
    """Random windows of items, each as likely as it is long, some with conditions left out."""
    spec, window_s = items[0].codec, net.config.window_s
    if rng.random() < config.short_windows:
        window_s *= rng.uniform(1 / 3, 1)
    steps = spec.steps(min(window_s, min(item.duration_s for item in items)))
    durations = np.array([item.duration_s for item in items])
    chosen = rng.choice(len(items), config.batch, p=durations / durations.sum())
    parts = [_draw_window(items[i], steps, net, config, rng) for i in chosen]
    codes = torch.stack([part.codes for part in parts])  # [B, K, T]
    return Batch(codes, _leave_out(stack([part.given for part in parts]), config, rng))


def _draw_window(
    item: TrainItem, steps: int, net: DanceToMusic, config: TrainConfig, rng: np.random.Generator
) -> Batch:
    """One window of `item`, not yet batched: codes [K, T], conditions B = 1."""
    last = max(0, min(item.codec.steps(item.duration_s), item.codes.shape[1]) - steps)
    first = int(rng.integers(last + 1))
    motion = None
    if item.motion is not None:
        motion = MotionFeatures(item.motion.astype(np.float32), item.motion_names)
    rhythm = Rhythm(
        beats_s=item.beats_s + rng.normal(scale=config.jitter_s),
        downbeats=item.downbeats,
        curves=_noisy(item.curves, config.curve_noise, rng),
        tempo_bpm=item.tempo_bpm,
    )
    window = Window(first, steps)
    style = style_index(item.style or None, net.config.styles)
    given = window_conditions(motion, rhythm, style, net, item.codec, window)
    codes = torch.from_numpy(item.codes[:, first : first + steps].astype(np.int64))
    return Batch(codes, given)


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
