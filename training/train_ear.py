"""Trains the ear, which hears beats in music, on music by the studio's band.

    python -m training.train_ear --out runs/ear.safetensors --groove DIR --samples DIR

Run again, it goes on from the state in `--folder`, which must be of the same settings and music;
`--no-resume` begins anew.
"""

from __future__ import annotations

import argparse
import logging
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from d2m_core.band import Materials
from d2m_core.ear import EarNet, listen, save_ear
from d2m_core.errors import require
from d2m_core.rhythm import beats_of_ear
from d2m_core.scores import beat_f, meeting_of
from training.ear.music import materials_of, studio_piece
from training.ear.piece import Piece
from training.ear.pool import Pool, joined, pairs_pool, studio_pool
from training.ear.trainer import TrainEarConfig, Trainer
from training.run.command import GOES_ON, command_parser, run_command
from training.run.flags import add_flags, config_from
from training.run.provenance import commit
from training.seeds import EAR_HELD_OUT_SEED, EAR_SEED

log = logging.getLogger("train_ear")

STATE = "state.pt"
"""The resumable state in the folder of a run."""
REPORT_S = 240.0
"""Seconds of training between two reports."""


@dataclass(frozen=True)
class Score:
    """Means over held-out pieces."""

    beat_f: float
    amlt: float
    downbeat_f: float


def score(net: EarNet, pieces: Sequence[Piece]) -> Score:
    """Beat F, AMLt and downbeat F on pieces that the network has not heard."""
    rows = []
    for piece in pieces:
        found = beats_of_ear(listen(piece.wave, net))
        bars = beat_f(piece.beats_s[piece.downbeats], found.beats_s[found.downbeats])
        met = meeting_of(piece.beats_s, found.beats_s)
        rows.append((met.f, met.amlt, bars))
    return Score(*(float(x) for x in np.mean(rows, 0)))


def train(config: TrainEarConfig, command: str) -> Score:
    """Trains until the time is spent, saves the averaged network and gives its score."""
    torch.set_num_threads(config.threads)
    config.folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(config, _music(config))
    state = config.folder / STATE
    if config.resume and trainer.restore(state):
        log.info("going on at step %d, %.1f minutes in", trainer.step, trainer.spent_s / 60)
    seeds = range(EAR_HELD_OUT_SEED, EAR_HELD_OUT_SEED + config.validation)
    reserved = _materials(config, held_out=True)
    held_out = [studio_piece(seed, reserved, plain=True) for seed in seeds]
    next_report_s = trainer.spent_s + REPORT_S
    while trainer.progress < 1:
        trainer.train_step()
        if trainer.spent_s >= next_report_s:
            next_report_s = trainer.spent_s + REPORT_S
            trainer.save(state)
            now = score(trainer.averaged_net(), held_out)
            log.info(
                "step %d, %.1f min: loss %.4f, beat F %.3f, AMLt %.3f, downbeat F %.3f",
                trainer.step,
                trainer.spent_s / 60,
                trainer.loss,
                now.beat_f,
                now.amlt,
                now.downbeat_f,
            )
    trainer.save(state)
    return _finish(config, trainer, score(trainer.averaged_net(), held_out), command)


def _materials(config: TrainEarConfig, held_out: bool = False) -> Materials:
    groove, samples = (Path(folder) if folder else None for folder in (config.groove, config.samples))
    return materials_of(groove, samples, held_out)


def _music(config: TrainEarConfig) -> Pool:
    """All that is learnt from."""
    pools = [pairs_pool(Path(folder), config.folder) for folder in config.pairs]
    if config.pieces:
        seeds = range(EAR_SEED, EAR_SEED + config.pieces)
        pools.append(studio_pool(config.folder, seeds, _materials(config), config.workers))
    require(bool(pools), "There is no music to learn from; give pieces, or pairs.")
    return joined(pools)


def _finish(config: TrainEarConfig, trainer: Trainer, final: Score, command: str) -> Score:
    info = {
        "command": command,
        "commit": commit(),
        "licence": "MIT",
        "data": f"{len(trainer.pool)} pieces of 30 s by the studio's band",
        "steps": trainer.step,
        "minutes": round(trainer.spent_s / 60, 1),
        "loss": round(trainer.loss, 4),
        "beat_f": round(final.beat_f, 3),
        "amlt": round(final.amlt, 3),
        "downbeat_f": round(final.downbeat_f, 3),
    }
    config.out.parent.mkdir(parents=True, exist_ok=True)
    save_ear(config.out, trainer.averaged_net(), info)
    log.info("saved %s: %s", config.out, info)
    return final


def parser() -> argparse.ArgumentParser:
    """The flags, which are the fields of `TrainEarConfig`."""
    found = command_parser("train_ear", __doc__)
    add_flags(found, TrainEarConfig)
    return found


def parse(words: Sequence[str]) -> TrainEarConfig:
    """The configuration a command line asks for."""
    return config_from(TrainEarConfig, parser().parse_args(words))


def _work(words: list[str]) -> str:
    train(parse(words), shlex.join(["python", "-m", "training.train_ear", *words]))
    return ""


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
