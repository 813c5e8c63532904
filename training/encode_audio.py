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
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from tqdm import tqdm

from d2m_core.codec import Codec, load_codec
from d2m_core.errors import D2MError, SettingError
from d2m_core.rhythm import RhythmNet, load_rhythm
from training.pairs.pair import MUSIC, POSES
from training.pairs.shards import PairFolder
from training.run.processes import run, step_done
from training.transformer.encoding import Encoding, encode_pair
from training.transformer.items import read_item, write_item

_PAIRS_PER_JOB = 16


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
        "python -m training.encode_audio",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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
