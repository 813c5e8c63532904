"""Turns pairs of dance and music (studio shards) into the items that the transformer trains on.

    python -m training.encode_audio --data DIR --codec weights/codec_2 --out runs/items

The music becomes tokens of a codec, mixed down to one channel; the seen poses of the lead dancer
become motion features. With `--rhythm`, the rhythm curves of half of the items are those that the
rhythm network reads from the dance, as in use; the others are the music's own. Items that are there
are not made again, so a stopped run goes on where it was.
"""

from __future__ import annotations

import argparse
import os
import sys
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from tqdm import tqdm

from d2m_core.audio import to_mono
from d2m_core.checkpoint import load_rhythm
from d2m_core.codec import Codec, encode_audio, load_codec
from d2m_core.errors import D2MError, SettingError
from d2m_core.motion import MOTION_NAMES, extract_motion
from d2m_core.rhythm import RhythmNet, rhythm_from_motion
from d2m_core.types import MotionFeatures
from training.data import TrainItem, as_float16, read_item, write_item
from training.studio.members import MUSIC, POSES, Pair
from training.studio.pool import run, step_done
from training.studio.shards import PairFolder

_PAIRS_PER_JOB = 16


@dataclass(frozen=True)
class Encoding:
    """How pairs become items."""

    data: Path
    out: Path
    codec: str
    rhythm: str | None = None
    """Rhythm network whose curves stand in for the music's own in half of the items."""
    bandwidth: float | None = None
    """kbit/s where the codec offers several; its highest otherwise."""


def encode_pair(pair: Pair, codec: Codec, rhythm: RhythmNet | None = None) -> TrainItem:
    """The training item of a pair with music, beats and curves; `rhythm` as in `Encoding`."""
    facts = pair.facts
    if pair.music is None or pair.curves is None or facts.tempo_bpm is None:
        raise SettingError(
            f"Pair {pair.name} has no music with beats; make pairs with both, or leave it out."
        )
    codes = encode_audio(codec, to_mono(pair.music)).codes
    motion = None if pair.seen is None else extract_motion(pair.seen)
    curves = _curves(pair.name, pair.curves, motion, rhythm)
    return TrainItem(
        codes=codes[0].numpy().astype(np.int16),
        curves=curves.astype(np.float16),
        beats_s=np.array(facts.beats_s, np.float64),
        downbeats=np.array(facts.downbeats, np.bool_),
        codec=codec.spec,
        tempo_bpm=facts.tempo_bpm,
        motion=None if motion is None else _fitted(as_float16(motion.values), len(curves)),
        motion_names=MOTION_NAMES,
        style=facts.style,
    )


def _curves(
    name: str, own: np.ndarray, motion: MotionFeatures | None, net: RhythmNet | None
) -> np.ndarray:
    """Rhythm curves [F, R]: the music's own, or those read from the dance."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), 77])
    if net is None or motion is None or rng.random() < 0.5:
        return own
    return _fitted(rhythm_from_motion(motion, net).curves, len(own))


def _fitted(values: np.ndarray, frames: int) -> np.ndarray:
    """Exactly `frames` rows; poses and music may differ by one."""
    short = max(0, frames - len(values))
    return np.pad(values, ((0, short), (0, 0)), mode="edge")[:frames]


@lru_cache(maxsize=1)
def _codec(name: str, bandwidth: float | None) -> Codec:
    return load_codec(name, bandwidth=bandwidth)


@lru_cache(maxsize=1)
def _rhythm_net(path: str) -> RhythmNet:
    return load_rhythm(path)


def item_path(out: Path, name: str) -> Path:
    """Where the item of a pair lies."""
    return out / f"{name}.safetensors"


def _encode(encoding: Encoding, names: Sequence[str]) -> None:
    folder = PairFolder(encoding.data)
    codec = _codec(encoding.codec, encoding.bandwidth)
    net = None if encoding.rhythm is None else _rhythm_net(encoding.rhythm)
    for name in names:
        pair = folder.read(name, kinds=(MUSIC, POSES))
        write_item(item_path(encoding.out, name), encode_pair(pair, codec, net))
        step_done()


def encode_all(encoding: Encoding, workers: int) -> int:
    """Makes all items that are missing; returns how many there are."""
    names = [entry.name for entry in PairFolder(encoding.data).entries]
    missing = [name for name in names if not item_path(encoding.out, name).exists()]
    _same_kind(encoding, set(names) - set(missing))
    for left in encoding.out.glob(".*.safetensors"):
        left.unlink()
    jobs = [
        (encoding, missing[first : first + _PAIRS_PER_JOB])
        for first in range(0, len(missing), _PAIRS_PER_JOB)
    ]
    done = len(names) - len(missing)
    with tqdm(total=len(names), initial=done, desc="items", unit="item", smoothing=0.05) as bar:
        for _ in run(_encode, jobs, workers or os.cpu_count() or 1, lambda n: bar.update(n)):
            continue
    return len(names)


def _same_kind(encoding: Encoding, there: Iterable[str]) -> None:
    """Refuses to add to items of another codec."""
    first = min(there, default=None)
    if first is not None:
        found = read_item(item_path(encoding.out, first)).codec
        spec = _codec(encoding.codec, encoding.bandwidth).spec
        if found != spec:
            raise SettingError(
                f"{encoding.out} holds items of codec {found.name} ({found.codebooks} codebooks,"
                f" {found.cardinality} entries) and this is another; give another folder."
            )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m training.encode_audio", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--data", type=Path, required=True, help="folder of shards")
    parser.add_argument("--out", type=Path, default=Path("runs/items"), help="[%(default)s]")
    parser.add_argument("--codec", default="weights/codec_2", help="name or folder [%(default)s]")
    parser.add_argument(
        "--bandwidth", type=float, help="kbit/s: fewer codebooks to learn [the codec's highest]"
    )
    parser.add_argument("--rhythm", help="rhythm network for the curves of half of the items")
    parser.add_argument("--workers", type=int, default=0, help="processes [one per core]")
    args = parser.parse_args(argv)
    try:
        encoding = Encoding(args.data, args.out, args.codec, args.rhythm, args.bandwidth)
        count = encode_all(encoding, args.workers)
    except D2MError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; the same command goes on from here.\n")
        return 130
    sys.stdout.write(f"{count} items in {args.out}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
