"""Makes pairs of dance and music by program, as many as one asks for.

    python -m training.studio --hours 20 --out DIR --seed 100000

writes shards of pairs, an index, a manifest and a contact sheet into DIR; the format is at the top
of `shards.py`. Stop it when you like: the same command goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from d2m_core.band import find_materials
from d2m_core.styles import STYLES
from training.run.command import GOES_ON, command_parser, run_command
from training.seeds import PAIRS_SEED
from training.studio.sheets.contact_sheet import SHEET

from .factory import Order, make_data
from .origin import studio_code
from .settings import PairSettings


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("studio", __doc__)
    add = found.add_argument
    add("--hours", type=float, required=True, help="how much in all; more of it may be asked later")
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the data set")
    add("--seed", type=int, default=PAIRS_SEED, help="of the first pair [%(default)s]")
    _add_pair_flags(found)
    _add_music_flags(found)
    add("--workers", type=int, default=0, help="processes [one per core]")
    add("--per-shard", type=int, default=Order.per_shard, help="pairs in a shard [%(default)s]")
    add("--quiet", action="store_true", help="no progress")
    return found


def _add_pair_flags(parser: argparse.ArgumentParser) -> None:
    """What all pairs have in common: the fields of `PairSettings`."""
    add, plain, styles = parser.add_argument, PairSettings(), ", ".join(STYLES)
    add("--seconds", type=float, default=plain.seconds, help="length of a pair [%(default)g]")
    add("--style", nargs="+", choices=STYLES, default=STYLES, metavar="NAME", help=f"of {styles} [all]")
    loose = "0 dances to the letter, 1 hardly more than the beat [%(default)g]"
    add("--looseness", type=float, default=plain.looseness, help=loose)
    bands = "bands that a style has; 0: a new one plays every piece [%(default)s]"
    add("--bands", type=int, default=plain.bands, metavar="N", help=bands)
    shares = {
        "people": "of the pairs with two dancers and more",
        "any-tempo": "of the pairs at any tempo, not one of their style",
        "pixels": "of the pairs that are drawn as films too; slow",
    }
    straight = "beats last whole token steps of 20 ms, all onsets begin on one"
    add("--straight", action="store_true", help=straight)
    add("--answered", action="store_true", help="the band sees the dance, hits its accents, stops with it")
    for name, text in shares.items():
        default = getattr(plain, name.replace("-", "_"))
        add(f"--{name}", type=float, default=default, metavar="SHARE", help=f"{text} [%(default)g]")


def _add_music_flags(parser: argparse.ArgumentParser) -> None:
    """What sounds, and what the band plays it with."""
    add = parser.add_argument
    add("--mono", action="store_true", help="one channel of sound")
    add("--no-music", dest="music", action="store_false", help="dances alone")
    add("--no-dance", dest="dance", action="store_false", help="music alone")
    add("--groove", type=Path, metavar="DIR", help="Groove MIDI Dataset: real drummers")
    add("--samples", type=Path, metavar="DIR", help="CC0 one-shots and loops, as Sonic Pi's")
    fonts = "instruments [those that Debian's packages installed]"
    add("--soundfont", type=Path, nargs="+", default=(), metavar="FILE", help=fonts)
    add("--held-out", action="store_true", help="the raw material that is kept for measuring")


def make(args: argparse.Namespace) -> dict[str, Any]:
    """Carries out a command line; returns the manifest."""
    materials = find_materials(tuple(args.soundfont), args.groove, args.samples)
    if args.music and materials.missing:
        sys.stderr.write(f"The band plays without {', '.join(materials.missing)}; see --help.\n")
    settings = PairSettings(
        seconds=args.seconds,
        styles=tuple(args.style),
        looseness=args.looseness,
        people=args.people if args.dance else 0.0,
        bands=args.bands,
        any_tempo=args.any_tempo,
        pixels=args.pixels,
        music=args.music,
        straight=args.straight,
        answered=args.answered,
        dance=args.dance,
        mono=args.mono,
        materials=replace(materials, held_out=args.held_out),
        made_by=f"studio {studio_code()}",
    )
    order = Order(args.out, args.hours, args.seed, args.per_shard, args.workers)
    return make_data(order, settings, progress=not args.quiet)


def _work(words: list[str]) -> str:
    args = parser().parse_args(words)
    made = make(args)
    return (
        f"{made['pairs']} pairs, {made['hours']:g} hours in {len(made['shards'])} shards in"
        f" {args.out}; look at {args.out / SHEET}\n"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
