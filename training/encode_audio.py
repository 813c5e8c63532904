"""Turns pairs of dance and music (studio shards) into the items that the transformer trains on.

    python -m training.encode_audio --data DIR --bandwidth 2 --out runs/items

The music becomes tokens of a codec, mixed down to one channel; the seen poses of the lead dancer
become motion features. For a codec of straight music (or with `--straight`) both are laid on the
straight grid of the music's tempo, where they are not on one. With `--rhythm`, the rhythm curves of half
of the items are those that the rhythm network reads from the dance, as in use; the others are the
music's own. Items that are there are not made again, so a stopped run goes on where it was; a folder
with items of another codec, rhythm network or data set is refused.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from tqdm import tqdm

from d2m_core.codec import Codec, load_codec
from d2m_core.files import replacing
from d2m_core.motion import MOTION_NAMES
from d2m_core.rhythm import RhythmNet, load_rhythm
from training.pairs.pair import MUSIC, POSES
from training.pairs.shards import Entry, PairFolder
from training.run.command import GOES_ON, command_parser, run_command
from training.run.processes import run, step_done
from training.run.provenance import code_of, file_sha256, tensors_sha256
from training.run.state import refuse_another
from training.transformer.encoding import Encoding, encode_pair, in_straight_time
from training.transformer.items import item_facts, write_item

NOTE = "made_of.json"
"""Beside the items: what they were made of."""

_OR_ELSE = "give the same flags and pairs as before, or another folder"
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
        write_item(item_path(encoding.out, name), encode_pair(pair, codec, net, encoding.straight))
        step_done()


def encode_all(encoding: Encoding, workers: int) -> int:
    """Makes all items that are missing; returns how many there are."""
    entries = PairFolder(encoding.data).entries
    there = [entry for entry in entries if item_path(encoding.out, entry.name).exists()]
    missing = [entry.name for entry in entries if not item_path(encoding.out, entry.name).exists()]
    _refuse_others(encoding, there)
    for left in encoding.out.glob(".*.safetensors"):
        left.unlink()
    jobs = [
        (encoding, missing[first : first + _PAIRS_PER_JOB])
        for first in range(0, len(missing), _PAIRS_PER_JOB)
    ]
    with tqdm(total=len(entries), initial=len(there), desc="items", unit="item", smoothing=0.05) as bar:
        for _ in run(_encode, jobs, workers or os.cpu_count() or 1, lambda n: bar.update(n)):
            continue
    return len(entries)


def _refuse_others(encoding: Encoding, there: Sequence[Entry]) -> None:
    """Notes what the items are made of, or refuses to add to those of another making."""
    note, wanted = encoding.out / NOTE, _made_of(encoding)
    if note.exists():
        refuse_another(note, json.loads(note.read_text(encoding="utf-8")), wanted, _OR_ELSE)
    for number, entry in enumerate(there):
        path = item_path(encoding.out, entry.name)
        about = item_facts(path)
        pair = {"style": entry.style, "tempo_bpm": entry.tempo_bpm}
        refuse_another(path, {name: about[name] for name in pair}, pair, _OR_ELSE)
        if not number and not note.exists():
            kind = {name: wanted[name] for name in ("codec", "motion_names")}
            refuse_another(path, {name: about[name] for name in kind}, kind, _OR_ELSE)
    with replacing(note) as partial:
        partial.write_text(json.dumps(wanted, indent=1), encoding="utf-8")


def _made_of(encoding: Encoding) -> dict[str, Any]:
    """What decides the items of a pair. A codec's decoder does not: it writes no tokens."""
    codec = _codec(encoding.codec, encoding.bandwidth)
    weights = {n: w for n, w in codec.model.state_dict().items() if not n.startswith("decoder.")}
    return {
        "codec": asdict(codec.spec),
        "codec_weights": tensors_sha256(weights)[:16],
        "rhythm": None if encoding.rhythm is None else file_sha256(Path(encoding.rhythm))[:16],
        "motion_names": list(MOTION_NAMES),
        "straight": in_straight_time(encoding.straight, codec.spec.name),
        "code": code_of(encode_pair),
    }


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("encode_audio", __doc__)
    add = found.add_argument
    add("--data", type=Path, required=True, help="folder of shards")
    add("--out", type=Path, default=Path("runs/items"), help="[%(default)s]")
    add("--codec", default="weights/codec_3", help="name or folder [%(default)s]")
    add("--bandwidth", type=float, help="kbit/s: fewer codebooks to learn [the codec's highest]")
    add("--rhythm", help="rhythm network for the curves of half of the items")
    add(
        "--straight",
        action=argparse.BooleanOptionalAction,
        help="lay music and dance on the straight grid of their tempo [where the codec is for that: d2m-3]",
    )
    add("--workers", type=int, default=0, help="processes [one per core]")
    return found


def _work(words: list[str]) -> str:
    args = parser().parse_args(words)
    encoding = Encoding(args.data, args.out, args.codec, args.rhythm, args.bandwidth, args.straight)
    return f"{encode_all(encoding, args.workers)} items in {args.out}\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
