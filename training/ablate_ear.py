"""What each kind of music, of training and of size is worth to the ear: the same short training without it.

    python -m training.ablate_ear --steps 300 --groove DIR --samples DIR

Every variant trains alike (same seed, pieces, steps) and is scored on plain, hard and worn pieces that
neither train the ear nor score the shipped one. `another seed` tells how much chance alone changes.
Music and finished variants are kept in `--folder`, so a stopped run goes on.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from d2m_core.band import Materials
from d2m_core.ear import EarNet, listen
from d2m_core.errors import require
from d2m_core.rhythm import beats_of_ear
from d2m_core.scores import beat_f, meeting_of
from training.ear.music import materials_of, studio_piece
from training.ear.piece import Piece
from training.ear.pool import Pool, packed, read_pool, studio_pool, write_pool
from training.ear.trainer import TrainEarConfig, Trainer
from training.ear.worn import worn
from training.figures.bootstrap import mean_interval
from training.figures.tables import table
from training.run.command import GOES_ON, command_parser, run_command
from training.run.kept import kept, read_json, recipe, write_json
from training.seeds import EAR_DEVELOPMENT_SEED, EAR_SEED
from training.studio.materials import band_of

_FIRST = EAR_DEVELOPMENT_SEED + 1000
"""`training.fit_ear` takes those before."""
KINDS = ("plain", "hard", "worn")
"""Music that is scored: as the band plays it; any tempo, players missing, a singer; that once more, worn."""


@dataclass(frozen=True)
class Variant:
    """One way to train."""

    name: str
    changed: dict[str, Any]
    """Settings of `TrainEarConfig`."""


VARIANTS = (
    Variant("all", {}),
    Variant("all, another seed", {"seed": 1}),
    Variant("no worn music", {"leave_out": ("worn",)}),
    Variant("no music as it is", {"leave_out": ("plain",)}),
    Variant("unspoilt windows", {"leave_out": ("spoilt",)}),
    Variant("no other speeds", {"leave_out": ("speeds",)}),
    Variant("no onset loss", {"leave_out": ("onsets",)}),
    Variant("7 layers", {"layers": 7}),
    Variant("32 channels", {"channels": 32}),
)
"""The whole training, then one change at a time."""


def music_of(kind: str, args: argparse.Namespace) -> list[Piece]:
    """Unseen music of a kind, from `args.folder`; played and kept there where it is not."""
    materials = materials_of(args.groove, args.samples, held_out=True)
    seeds = range(_FIRST, _FIRST + args.scored)
    made_of = recipe(piece_of, kind=kind, seeds=seeds, band=band_of(materials))

    def write(path: Path) -> None:
        pieces = tqdm((piece_of(kind, seed, materials) for seed in seeds), kind, len(seeds), unit="piece")
        write_pool(packed(pieces), path)

    pool = kept(args.folder, f"{kind}.npz", made_of, write, read_pool)
    return [pool.piece(number) for number in range(len(pool))]


def piece_of(kind: str, seed: int, materials: Materials) -> Piece:
    """The piece of a seed, of one of `KINDS`."""
    if kind == "plain":
        return studio_piece(seed, materials, plain=True)
    hard = studio_piece(seed + 500, materials)
    return hard if kind == "hard" else worn(hard, np.random.default_rng([seed, 1]))


def row(name: str, net: EarNet, music: dict[str, list[Piece]]) -> dict[str, object]:
    """A line of the table: beat F and AMLt by kind of music, and downbeat F of plain music."""
    line: dict[str, object] = {"variant": name}
    for kind, pieces in music.items():
        grids = [beats_of_ear(listen(piece.wave, net)) for piece in pieces]
        met = [meeting_of(p.beats_s, g.beats_s) for p, g in zip(pieces, grids, strict=True)]
        f = mean_interval(np.array([one.f for one in met]))
        line[f"beat F, {kind}"] = f"{f.mean:.3f} ({f.low:.2f}..{f.high:.2f})"
        line[f"AMLt, {kind}"] = round(float(np.mean([one.amlt for one in met])), 3)
        if kind == "plain":
            both = zip(pieces, grids, strict=True)
            bars = [beat_f(p.beats_s[p.downbeats], g.beats_s[g.downbeats]) for p, g in both]
            line["downbeat F, plain"] = round(float(np.mean(bars)), 3)
    return line


def measured(variant: Variant, pool: Pool, args: argparse.Namespace) -> dict[str, object]:
    """The row of one variant, from `args.folder` where it is."""
    base = TrainEarConfig(folder=args.folder, steps=args.steps, pieces=args.pieces)
    config = replace(base, **variant.changed)

    def write(path: Path) -> None:
        trainer, start = Trainer(config, pool), time.process_time()
        for _ in tqdm(range(args.steps), desc=variant.name, unit="step"):
            trainer.train_step()
        minutes = (time.process_time() - start) / 60
        music = {kind: music_of(kind, args) for kind in KINDS}
        found = row(variant.name, trainer.averaged_net(), music) | {"CPU min": round(minutes, 1)}
        write_json(found)(path)

    settings = {"variant": variant, "steps": args.steps, "pieces": args.pieces, "scored": args.scored}
    name = f"{variant.name.replace(' ', '_')}.json"
    return dict(kept(args.folder, name, recipe(measured, **settings), write, read_json))


def _work(words: list[str]) -> str:
    args = parser().parse_args(words)
    require(args.steps > 0, f"steps is {args.steps}; use 1 or more.")
    torch.set_num_threads(1)
    seeds, materials = range(EAR_SEED, EAR_SEED + args.pieces), materials_of(args.groove, args.samples)
    pool = studio_pool(args.folder, seeds, materials, args.workers)
    chosen = [variant for variant in VARIANTS if not args.only or variant.name in args.only]
    return table([measured(variant, pool, args) for variant in chosen])


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("ablate_ear", __doc__)
    add, names = found.add_argument, [variant.name for variant in VARIANTS]
    add("--steps", type=int, default=300, help="of each training [%(default)s]")
    add("--pieces", type=int, default=160, help="that are learnt from [%(default)s]")
    add("--scored", type=int, default=28, help="pieces of each kind that are scored [%(default)s]")
    add("--only", nargs="+", choices=names, metavar="VARIANT", help=", ".join(names))
    add("--groove", type=Path, metavar="DIR", help="Groove MIDI Dataset")
    add("--samples", type=Path, metavar="DIR", help="CC0 one-shots and loops")
    add("--folder", type=Path, default=Path("runs/ear"), help="of the music [%(default)s]")
    add("--workers", type=int, default=0, help="processes that play music; 0 for one per core")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
