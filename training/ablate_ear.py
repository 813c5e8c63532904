"""What each kind of music is worth to the ear: the same short training without it.

    python -m training.ablate_ear --steps 300 --groove DIR --samples DIR

Every variant trains alike (same seed, pieces, steps) and is scored on plain and on hard pieces that
neither train the ear nor score the shipped one. The music is kept in `--folder`, as for `train_ear`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from d2m_core.ear import EarNet, listen
from d2m_core.errors import require
from d2m_core.rhythm import beats_of_ear
from d2m_core.scores import beat_f
from training.ear.music import materials_of, studio_piece
from training.ear.piece import Piece
from training.ear.pool import studio_pool
from training.ear.trainer import LEFT_OUT, TrainEarConfig, Trainer
from training.ear.worn import worn
from training.figures.bootstrap import mean_interval
from training.figures.tables import table
from training.run.command import command_parser, run_command
from training.seeds import EAR_DEVELOPMENT_SEED, EAR_SEED

_FIRST = EAR_DEVELOPMENT_SEED + 1000
"""`training.fit_ear` takes those before."""


def measured(pieces: int, args: argparse.Namespace) -> dict[str, list[Piece]]:
    """Unseen music by kind: plain, hard, and hard music that was worn."""
    materials = materials_of(args.groove, args.samples, held_out=True)
    seeds = range(_FIRST, _FIRST + pieces)
    hard = [studio_piece(seed + 500, materials) for seed in seeds]
    return {
        "plain": [studio_piece(seed, materials, plain=True) for seed in seeds],
        "hard": hard,
        "worn": [worn(piece, np.random.default_rng([int(piece.name), 1])) for piece in hard],
    }


def row(name: str, net: EarNet, music: dict[str, list[Piece]]) -> dict[str, object]:
    """A line of the table: beat F by kind of music, and downbeat F of plain music."""
    line: dict[str, object] = {"learnt from": name}
    for kind, pieces in music.items():
        grids = [beats_of_ear(listen(piece.wave, net)) for piece in pieces]
        both = list(zip(pieces, grids, strict=True))
        f = mean_interval(np.array([beat_f(p.beats_s, g.beats_s) for p, g in both]))
        line[f"beat F, {kind}"] = f"{f.mean:.3f} ({f.low:.2f}..{f.high:.2f})"
        if kind == "plain":
            bars = [beat_f(p.beats_s[p.downbeats], g.beats_s[g.downbeats]) for p, g in both]
            line["downbeat F, plain"] = round(float(np.mean(bars)), 3)
    return line


def _work(words: list[str]) -> str:
    args = parser().parse_args(words)
    require(args.steps > 0, f"steps is {args.steps}; use 1 or more.")
    torch.set_num_threads(1)
    base = TrainEarConfig(folder=args.folder, steps=args.steps, pieces=args.pieces)
    seeds, materials = range(EAR_SEED, EAR_SEED + args.pieces), materials_of(args.groove, args.samples)
    pool = studio_pool(args.folder, seeds, materials, args.workers)
    music, rows = measured(args.scored, args), []
    for left_out in ((), *((name,) for name in LEFT_OUT)):
        trainer = Trainer(replace(base, leave_out=left_out), pool)
        name = f"no {left_out[0]} music" if left_out else "all"
        for _ in tqdm(range(args.steps), desc=name, unit="step"):
            trainer.train_step()
        rows.append(row(name, trainer.averaged_net(), music))
    return table(rows)


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("ablate_ear", __doc__)
    add = found.add_argument
    add("--steps", type=int, default=300, help="of each training [%(default)s]")
    add("--pieces", type=int, default=160, help="that are learnt from [%(default)s]")
    add("--scored", type=int, default=28, help="pieces of each kind that are scored [%(default)s]")
    add("--groove", type=Path, metavar="DIR", help="Groove MIDI Dataset")
    add("--samples", type=Path, metavar="DIR", help="CC0 one-shots and loops")
    add("--folder", type=Path, default=Path("runs/ear"), help="of the music [%(default)s]")
    add("--workers", type=int, default=0, help="processes that play music; 0 for one per core")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv)


if __name__ == "__main__":
    raise SystemExit(main())
