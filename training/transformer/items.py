"""Training items on disk.

An item is one piece of music with its rhythm and, where there is one, its dance. On disk it is one
`.safetensors` file:

    codes      int16   [K, T]  codec tokens at the codec's token rate
    curves     float16 [F, R]  rhythm curves at 25 frames per second (`types.RHYTHM_CURVES`)
    beats_s    float64 [M]     beat times from the item's start
    downbeats  uint8   [M]     1 where a beat starts a bar
    motion     float16 [F, D]  motion features at 25 frames per second; absent: nobody dances
    sound      float16 [T, 13] chroma (its sum is 1, or 0 in silence) and level in dB of each token step; may
                               be absent

Its text metadata holds `format_version`, `codec` (JSON of `CodecSpec`), `motion` (JSON list of the
feature names), `style` (its name, empty if unknown) and `tempo_bpm`.

A data set is a folder of such files, at any depth, or of shards (`training.pairs.shards`) whose
pairs hold them as `NAME.item.safetensors`, or both; all must share codec and feature names. Equal
items make equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from d2m_core.errors import SettingError
from d2m_core.files import replacing
from d2m_core.types import MOTION_FPS, RHYTHM_CURVES, CodecSpec
from training.pairs.pair import ITEM
from training.pairs.shards import read_pairs

ITEM_FORMAT = "2"
"""Version of the layout described above."""

SOUND = 13
"""Numbers that `TrainItem.sound` has for each step: twelve of chroma, and the level."""

_SAID = {"codec", "motion", "style", "tempo_bpm"}


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
    sound: np.ndarray | None = None
    """float16 [T, 13]: chroma and level in dB of each token step; None where unknown."""

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
        if self.sound is not None:
            _check("sound", self.sound, np.float16, (self.codes.shape[-1], SOUND))
        low, high = int(self.codes.min()), int(self.codes.max())
        if low < 0 or high >= self.codec.cardinality:
            raise ValueError(f"codes {low}..{high} leave 0..{self.codec.cardinality - 1}")

    @property
    def duration_s(self) -> float:
        """Seconds for which both tokens and curves are there."""
        return min(self.codes.shape[1] / self.codec.token_rate, len(self.curves) / MOTION_FPS)


def _check(name: str, value: np.ndarray, dtype: type, shape: tuple[int, ...]) -> None:
    if value.dtype != np.dtype(dtype) or value.shape != shape:
        want = f"{np.dtype(dtype).name} {shape}"
        raise ValueError(f"{name} must be {want}, got {value.dtype} {value.shape}")


def write_item(path: Path | str, item: TrainItem) -> Path:
    """Writes `item` to `path` (.safetensors); a file is there whole or not at all."""
    path = Path(path)
    with replacing(path) as partial:
        partial.write_bytes(item_bytes(item))
    return path


def item_bytes(item: TrainItem) -> bytes:
    """The file of an item."""
    tensors = {
        "codes": item.codes,
        "curves": item.curves,
        "beats_s": item.beats_s,
        "downbeats": item.downbeats.astype(np.uint8),
    }
    if item.motion is not None:
        tensors["motion"] = item.motion
    if item.sound is not None:
        tensors["sound"] = item.sound
    metadata = {
        "format_version": ITEM_FORMAT,
        "codec": json.dumps(asdict(item.codec)),
        "motion": json.dumps(item.motion_names),
        "style": item.style,
        "tempo_bpm": repr(float(item.tempo_bpm)),
    }
    return _sorted(save({k: np.ascontiguousarray(v) for k, v in tensors.items()}, metadata))


def _sorted(data: bytes) -> bytes:
    """The same safetensors file, its header in order: the library shuffles the metadata."""
    size = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True, ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[8 + size :]


def read_item(path: Path | str) -> TrainItem:
    """Reads what `write_item` wrote. Raises `SettingError` for any other file."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise SettingError(f"Cannot read the training item {path}: {error}.") from error
    return item_from(data, str(path))


def item_from(data: bytes, where: str) -> TrainItem:
    """The item of which `data` is the file; `where` names it in errors. Raises `SettingError`."""
    try:
        tensors = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    except (ValueError, SafetensorError) as error:
        raise SettingError(f"Cannot read the training item {where}: {error}.") from error
    facts = _facts(header.get("__metadata__", {}), where)
    return TrainItem(
        codes=tensors["codes"],
        curves=tensors["curves"],
        beats_s=tensors["beats_s"],
        downbeats=tensors["downbeats"].astype(np.bool_),
        codec=CodecSpec(**facts["codec"]),
        tempo_bpm=facts["tempo_bpm"],
        motion=tensors.get("motion"),
        motion_names=tuple(facts["motion_names"]),
        style=facts["style"],
        sound=tensors.get("sound"),
    )


def item_facts(path: Path | str) -> dict[str, Any]:
    """What an item's file says of it (`codec`, `motion_names`, `style`, `tempo_bpm`), without its
    arrays. Raises `SettingError` for any other file."""
    try:
        with safe_open(path, framework="np") as file:
            return _facts(file.metadata() or {}, str(path))
    except (OSError, SafetensorError) as error:
        raise SettingError(f"Cannot read the training item {path}: {error}.") from error


def _facts(metadata: dict[str, str], where: str) -> dict[str, Any]:
    if metadata.get("format_version") != ITEM_FORMAT or not metadata.keys() >= _SAID:
        raise SettingError(f"{where} is no training item; make items with training.encode_audio.")
    return {
        "codec": json.loads(metadata["codec"]),
        "motion_names": json.loads(metadata["motion"]),
        "style": metadata["style"],
        "tempo_bpm": float(metadata["tempo_bpm"]),
    }


def items_in(folder: Path) -> Iterator[TrainItem]:
    """All items below `folder`: those in files of their own, then those in shards."""
    for path in sorted(folder.rglob("*.safetensors")):
        if not path.name.startswith("."):  # half-written by a maker
            yield read_item(path)
    for shard in sorted(folder.rglob("shard-[0-9]*.tar")):
        for pair in read_pairs(shard, kinds=(ITEM,)):
            if pair.item is not None:
                yield item_from(pair.item, f"{shard.name}: {pair.name}.{ITEM}")
