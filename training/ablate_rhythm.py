"""What each part of the rhythm network's training is worth: the same short training without it.

    python -m training.ablate_rhythm --minutes 3

Every variant trains alike (same seed, dances, minutes) and is scored on dances that neither
choose the network nor score the shipped one. `unseen families` leaves families of moves out of the
training and is scored on dances of these families only, beside the full network. Finished variants
are kept in `--folder`, so a stopped run goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from d2m_core.grid import tempo_of
from d2m_core.rhythm import RhythmNet, load_rhythm, rhythm_from_motion
from d2m_core.scores import beat_f, tempo_correct
from training.figures.bootstrap import mean_interval
from training.figures.tables import table
from training.rhythm.losses import CUES, LOSSES
from training.rhythm.pool import cached_pool, example_scene
from training.rhythm.trainer import Trainer, TrainRhythmConfig
from training.run.command import GOES_ON, command_parser, run_command
from training.run.kept import kept, read_json, recipe, write_json
from training.seeds import ABLATION_SEED, RHYTHM_SEED
from training.studio.dancer.choreography import FAMILIES

UNSEEN = ("arms_swing", "arms_flow", "swing", "waves", "trunk_waves", "latin", "jumps", "club")
"""Families for `unseen families`: a third of all, of every kind."""


@dataclass(frozen=True)
class Variant:
    """One way to train."""

    name: str
    leave_out: tuple[str, ...] = ()
    channels: int = TrainRhythmConfig.channels
    spoil: float = TrainRhythmConfig.spoil


def variants() -> list[Variant]:
    """The full network, then everything that can be left out of it, one at a time."""
    losses = [Variant(f"no {name} loss", (name,)) for name in LOSSES]
    cues = [Variant(f"no {name}", (name,)) for name in CUES]
    others = [Variant("96 channels", channels=96), Variant("unspoilt windows", spoil=0.0)]
    return [Variant("all"), *losses, *cues, *others, Variant("unseen families", UNSEEN)]


def trained(variant: Variant, args: argparse.Namespace) -> RhythmNet:
    """The network of a variant after its training time."""
    config = TrainRhythmConfig(
        folder=args.folder, minutes=args.minutes, dances=args.dances, leave_out=variant.leave_out
    )
    config = replace(config, channels=variant.channels, spoil=variant.spoil)
    families = frozenset(variant.leave_out) & frozenset(FAMILIES)
    seeds = range(RHYTHM_SEED, RHYTHM_SEED + config.dances)
    pool = cached_pool(args.pool, seeds, 12.0, families)
    trainer = Trainer(config, pool)
    with tqdm(total=60 * config.minutes, desc=variant.name, unit="s") as bar:
        while trainer.spent_s < 60 * config.minutes:
            before = trainer.spent_s
            trainer.train_step(pool)
            bar.update(trainer.spent_s - before)
    return trainer.averaged_net()


def scores(net: RhythmNet, dances: int, without: frozenset[str]) -> np.ndarray:
    """Beat F, tempo right and downbeat F of dances without some families, [N, 3]."""
    rows = []
    for seed in range(ABLATION_SEED, ABLATION_SEED + dances):
        scene, motion = example_scene(seed, 10.0, without)
        truth, found = scene.dances[0], rhythm_from_motion(motion, net)
        right = tempo_correct(tempo_of(truth.beats_s), found.tempo_bpm)
        bars = beat_f(truth.beats_s[truth.downbeats], found.beats_s[found.downbeats])
        rows.append((beat_f(truth.beats_s, found.beats_s), right, bars))
    return np.array(rows, float)


def row_of(name: str, found: np.ndarray) -> dict[str, object]:
    """One line of the table."""
    beat = mean_interval(found[:, 0])
    return {
        "variant": name,
        "beat F": round(beat.mean, 3),
        "95 %": f"{beat.low:.3f}..{beat.high:.3f}",
        "tempo": round(float(found[:, 1].mean()), 3),
        "downbeat F": round(float(found[:, 2].mean()), 3),
    }


def rows_of(name: str, net: RhythmNet, dances: int, families: bool) -> list[dict[str, object]]:
    """A network's score, and with `families` also that on dances of `UNSEEN` only."""
    rows = [row_of(name, scores(net, dances, frozenset()))]
    if families:
        known = frozenset(FAMILIES) - frozenset(UNSEEN)
        rows.append(row_of(f"{name}, on these", scores(net, dances, known)))
    return rows


def measured(variant: Variant, args: argparse.Namespace) -> list[dict[str, object]]:
    """The rows of one variant, from `args.folder` where they are."""
    families = variant.name in ("all", "unseen families")

    def write(path: Path) -> None:
        write_json(rows_of(variant.name, trained(variant, args), args.scored, families))(path)

    made_of = recipe(
        measured,
        variant=variant,
        minutes=args.minutes,
        dances=args.dances,
        scored=args.scored,
        families=families,
    )
    return kept(args.folder, f"{variant.name.replace(' ', '_')}.json", made_of, write, read_json)


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("ablate_rhythm", __doc__)
    add, names = found.add_argument, [variant.name for variant in variants()]
    add("--minutes", type=float, default=3.0, help="wall-clock minutes of training for each [%(default)s]")
    add("--dances", type=int, default=1000, help="to train on [%(default)s]")
    add("--scored", type=int, default=100, help="dances scored [%(default)s]")
    add("--folder", type=Path, default=Path("runs/ablate_rhythm"))
    add("--pool", type=Path, default=Path("runs/rhythm"), help="folder of dances")
    add("--only", nargs="+", choices=names, metavar="VARIANT", help=", ".join(names))
    add("--weights", type=Path, nargs="+", help="score these files instead")
    return found


def _work(words: list[str]) -> str:
    args = parser().parse_args(words)
    torch.set_num_threads(1)
    if args.weights:
        nets = [(path.stem, load_rhythm(path)) for path in args.weights]
        return table([row for name, net in nets for row in rows_of(name, net, args.scored, True)])
    args.folder.mkdir(parents=True, exist_ok=True)
    chosen = [v for v in variants() if not args.only or v.name in args.only]
    return table([row for variant in chosen for row in measured(variant, args)])


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
