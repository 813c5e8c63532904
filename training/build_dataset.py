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
from dataclasses import fields
from pathlib import Path

from d2m_core.errors import D2MError
from training.builder.build import ENGINES, Order, Summary, build
from training.builder.settings import ClipSettings, Cutting, Encoding, Gates, Seeing
from training.builder.verify import faults
from training.run.flags import add_flags
from training.sources import SOURCES, SourceOptions
from training.sources.recording import SPLITS

_PARTS = {"cutting": Cutting, "seeing": Seeing, "gates": Gates, "encoding": Encoding}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m training.build_dataset",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the data set")
    add("--verify", action="store_true", help="only look through a finished data set")
    add("--quiet", action="store_true", help="no progress")
    _add_source(parser.add_argument_group("source"))
    for name, kind in _PARTS.items():
        add_flags(parser.add_argument_group(name), kind)  # type: ignore[arg-type]
    group = parser.add_argument_group("work")
    add = group.add_argument
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
    return parser


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
    add("--timeout", type=float, default=SourceOptions.timeout_s, help="s [%(default)g]")


def order_of(args: argparse.Namespace) -> Order:
    """What a command line asks for. Raises `SettingError`."""
    parts = {
        name: kind(**{field.name: getattr(args, field.name) for field in fields(kind)})
        for name, kind in _PARTS.items()
    }
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


def _verify(out: Path) -> int:
    count = 0
    for fault in faults(out):
        count += 1
        sys.stdout.write(f"{fault}\n")
    sys.stdout.write(f"{out}: {f'{count} faults' if count else 'no faults'}\n")
    return 1 if count else 0


def _told(summary: Summary, out: Path) -> str:
    steps = sorted(((wall, step) for step, (wall, _) in summary.seconds.items()), reverse=True)
    whole = sum(wall for wall, _ in steps)
    spent = ", ".join(f"{step} {wall / whole:.0%}" for wall, step in steps if whole)
    hours = summary.manifest.get("hours", 0.0)
    return (
        f"{summary.kept} clips, {hours:g} hours in {out}; {summary.dropped} dropped. See"
        f" {out / 'report.html'}\n" + (f"Where the time went: {spent}\n" if spent else "")
    )


def main(argv: list[str] | None = None) -> int:
    parser = _parser()
    args = parser.parse_args(argv)
    try:
        if args.verify:
            return _verify(args.out)
        if args.root is None:
            parser.error("--root is missing: where does the source lie?")
        summary = build(order_of(args), progress=not args.quiet)
    except D2MError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; nothing is lost, and the same command goes on from here.\n")
        return 130
    sys.stdout.write(_told(summary, args.out))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
