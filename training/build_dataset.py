"""Builds a data set to train on from dance videos: clips with poses, rhythm and tokens, in shards.

    python -m training.build_dataset --source folder --root DIR --out runs/my_set
    python -m training.train --data runs/my_set/train
    python -m training.build_dataset --out runs/my_set --verify

Stop it when you like: the same command goes on where it was. With more videos in the source it adds
them. What is kept and what is dropped, and why, stands in report.html.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from d2m_core.errors import SettingError
from training.builder.build import ENGINES, Order, Summary, build
from training.builder.settings import ClipSettings, Cutting, Encoding, Gates, Seeing
from training.builder.verify import faults
from training.run.command import GOES_ON, command_parser, run_command
from training.run.flags import add_flags, config_from
from training.sources import SOURCES, SourceOptions
from training.sources.recording import SPLITS

_PARTS = {"cutting": Cutting, "seeing": Seeing, "gates": Gates, "encoding": Encoding}


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("build_dataset", __doc__)
    add = found.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the data set")
    add("--verify", action="store_true", help="only look through a finished data set")
    add("--quiet", action="store_true", help="no progress")
    _add_source(found.add_argument_group("source"))
    for name, kind in _PARTS.items():
        add_flags(found.add_argument_group(name), kind)  # type: ignore[arg-type]
    add = found.add_argument_group("work").add_argument
    add("--engine", choices=ENGINES, default="local", help="this machine, or a Ray cluster")
    add("--workers", type=int, default=0, help="processes [one per core]")
    add("--ray-address", default="", help="of a running cluster [starts one on this machine]")
    add("--per-shard", type=int, default=Order.per_shard, help="clips in a file [%(default)s]")
    add(
        "--shares",
        type=float,
        nargs=3,
        default=Order.shares,
        metavar=SPLITS,
        help="of the splits [%(default)s]",
    )
    add("--split-seed", type=int, default=0, help="draws the splits anew [%(default)s]")
    add("--again", action="store_true", help="try once more what could not be fetched or read")
    return found


def _add_source(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    choices = "; ".join(f"{name}: {source.what}" for name, source in SOURCES.items())
    add("--source", choices=sorted(SOURCES), default="folder", help=f"{choices} [%(default)s]")
    add("--root", type=Path, metavar="PATH", help="where the source lies")
    add("--videos", type=Path, metavar="DIR", help="its videos, where they lie apart")
    add("--music", type=Path, metavar="DIR", help="music files of your own")
    add("--style", default="", help="style of recordings that state none")
    add("--official", default=SourceOptions.official, help="AIST++: official lists [%(default)s]")
    add("--cache", type=Path, metavar="DIR", help="downloads [OUT/downloads]")
    add("--cookies", type=Path, metavar="FILE", help="for links that want a login")
    add("--archive", type=Path, metavar="FILE", help="list of what was ever downloaded")
    add("--rate-limit", type=int, metavar="BYTES", help="per second, for one download")
    add("--retries", type=int, default=SourceOptions.retries, help="[%(default)s]")
    add(
        "--sections",
        action=argparse.BooleanOptionalAction,
        default=SourceOptions.sections,
        help="fetch only the stretches that rows name, else videos whole [on, where ffmpeg is there]",
    )
    add("--timeout", type=float, default=SourceOptions.timeout_s, help="s [%(default)g]")


def order_of(args: argparse.Namespace) -> Order:
    """What a command line asks for. Raises `SettingError`."""
    if args.root is None:
        raise SettingError("root is missing; say where the source lies with --root.")
    parts: dict[str, Any] = {name: config_from(kind, args) for name, kind in _PARTS.items()}
    options = SourceOptions(
        root=args.root.resolve(),
        videos=args.videos and args.videos.resolve(),
        music=args.music and args.music.resolve(),
        style=args.style,
        official=args.official,
        cookies=args.cookies,
        archive=args.archive,
        rate_limit=args.rate_limit,
        retries=args.retries,
        timeout_s=args.timeout,
        sections=args.sections,
    )
    return Order(
        args.source,
        options,
        args.out,
        ClipSettings(**parts),
        args.cache,
        tuple(args.shares),
        args.split_seed,
        args.per_shard,
        args.engine,
        args.workers,
        args.ray_address,
        args.again,
    )


def _verify(out: Path) -> str:
    """Tells every fault as it is found. Raises `SettingError` where there are any."""
    count = 0
    for fault in faults(out):
        count += 1
        sys.stdout.write(f"{fault}\n")
    if count:
        raise SettingError(f"{out} has {count} faults; build it again in another folder.")
    return f"{out}: no faults\n"


def _told(summary: Summary, out: Path) -> str:
    steps = sorted(((wall, step) for step, (wall, _) in summary.seconds.items()), reverse=True)
    whole = sum(wall for wall, _ in steps)
    spent = ", ".join(f"{step} {wall / whole:.0%}" for wall, step in steps if whole)
    hours = summary.manifest.get("hours", 0.0)
    return (
        f"{summary.kept} clips, {hours:g} hours in {out}; {summary.dropped} dropped. See"
        f" {out / 'report.html'}\n" + (f"Where the time went: {spent}\n" if spent else "")
    )


def _work(words: list[str]) -> str:
    args = parser().parse_args(words)
    if args.verify:
        return _verify(args.out)
    return _told(build(order_of(args), progress=not args.quiet), args.out)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
