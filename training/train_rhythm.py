"""Trains the rhythm network on the studio's dances, or fits a trained one to dances of one's own.

    python -m training.train_rhythm --out runs/rhythm.safetensors
    python -m training.train_rhythm --data MY_SET --out mine.safetensors

The first, run again, goes on from the state in `--folder`, which must be of the same settings and
dances; `--no-resume` begins anew. The second starts from `--start` and
needs a few minutes (`training.rhythm.adapt`); with `--folds 3` it writes nothing and shows instead
what fitting does to dances that were not fitted to.
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

from d2m_core.errors import require
from d2m_core.grid import tempo_of
from d2m_core.motion import MOTION_NAMES
from d2m_core.rhythm import RhythmNet, load_rhythm, rhythm_from_motion, save_rhythm
from d2m_core.scores import beat_f, tempo_correct
from training.rhythm.adapt import AdaptSettings, adapt, read_dances
from training.rhythm.cross_validation import cross_validated
from training.rhythm.drawn import drawn_pool, joined
from training.rhythm.losses import left_out_moves
from training.rhythm.pool import Pool, cached_pool, example
from training.rhythm.trainer import Trainer, TrainRhythmConfig
from training.run.command import GOES_ON, command_parser, run_command
from training.run.flags import add_flags, config_from
from training.run.provenance import commit
from training.seeds import DRAWN_SEED, RHYTHM_HELD_OUT_SEED, RHYTHM_SEED

log = logging.getLogger("train_rhythm")

STATE = "state.pt"
"""The resumable state in the folder of a run."""
DANCE_S = 12.0
"""Length of the training dances."""
REPORT_S = 120.0
"""Seconds of training between two reports."""
FITTING_DANCES = 1000
"""Studio dances that keep a network from forgetting while it is fitted to others."""


@dataclass(frozen=True)
class Score:
    """Means over validation dances."""

    beat_f: float
    tempo_right: float
    downbeat_f: float


def score(net: RhythmNet, seeds: range, duration_s: float = 10.0) -> Score:
    """Beat F, share of right tempi and downbeat F on dances the network has not seen."""
    rows = []
    for seed in seeds:
        truth, motion = example(seed, duration_s)
        found = rhythm_from_motion(motion, net)
        right = tempo_correct(tempo_of(truth.beats_s), found.tempo_bpm)
        bars = beat_f(truth.beats_s[truth.downbeats], found.beats_s[found.downbeats])
        rows.append((beat_f(truth.beats_s, found.beats_s), right, bars))
    return Score(*(float(x) for x in np.mean(rows, 0)))


def train(config: TrainRhythmConfig, command: str) -> Score:
    """Trains until the time is spent, saves the averaged network and gives its score."""
    torch.set_num_threads(config.threads)
    config.folder.mkdir(parents=True, exist_ok=True)
    pool, odds = _dances(config)
    trainer = Trainer(config, pool)
    state = config.folder / STATE
    if config.resume and trainer.restore(state):
        log.info("going on at step %d, %.1f minutes in", trainer.step, trainer.spent_s / 60)
    held_out = range(RHYTHM_HELD_OUT_SEED, RHYTHM_HELD_OUT_SEED + config.validation)
    next_report_s = trainer.spent_s + REPORT_S
    while trainer.progress < 1:
        trainer.train_step(pool, odds)
        if trainer.spent_s >= next_report_s:
            next_report_s = trainer.spent_s + REPORT_S
            now = score(trainer.averaged_net(), held_out)
            log.info(
                "step %d, %.1f min: loss %.4f, beat F %.3f, tempo %.2f, downbeat F %.3f",
                trainer.step,
                trainer.spent_s / 60,
                trainer.loss,
                *vars(now).values(),
            )
            trainer.save(state)
    return _finish(config, trainer, held_out, command)


def _dances(config: TrainRhythmConfig) -> tuple[Pool, np.ndarray | None]:
    """What is trained on, and how likely each of the dances is drawn."""
    seeds = range(RHYTHM_SEED, RHYTHM_SEED + config.dances)
    without = left_out_moves(config.leave_out)
    pool = cached_pool(config.folder, seeds, DANCE_S, without)
    if not config.drawn:
        return pool, None
    require(not without, "Drawn dances have every move; use drawn 0 to leave some out.")
    seeds = range(DRAWN_SEED, DRAWN_SEED + config.drawn)
    drawn = drawn_pool(config.folder / "drawn", seeds, DANCE_S)
    return joined([pool, drawn], [1 - config.drawn_share, config.drawn_share])


def _finish(config: TrainRhythmConfig, trainer: Trainer, held_out: range, command: str) -> Score:
    trainer.save(config.folder / STATE)
    net = trainer.averaged_net()
    final = score(net, held_out)
    info = {
        "command": command,
        "commit": commit(),
        "licence": "MIT",
        "data": f"{config.dances} dances of the studio of {DANCE_S:g} s, {config.drawn} drawn",
        "steps": trainer.step,
        "minutes": round(trainer.spent_s / 60, 1),
        "loss": round(trainer.loss, 4),
        "beat_f": round(final.beat_f, 3),
        "tempo_right": round(final.tempo_right, 3),
        "downbeat_f": round(final.downbeat_f, 3),
    }
    config.out.parent.mkdir(parents=True, exist_ok=True)
    save_rhythm(config.out, net, MOTION_NAMES, info)
    log.info("saved %s: %s", config.out, info)
    return final


def fit_to(config: TrainRhythmConfig) -> str:
    """Fits a trained network to own dances and saves it, or cross-validates that; what to tell."""
    torch.set_num_threads(config.threads)
    config.folder.mkdir(parents=True, exist_ok=True)
    dances = read_dances(Path(config.data), config.folder / "songs")
    seeds = range(RHYTHM_SEED, RHYTHM_SEED + min(config.dances, FITTING_DANCES))
    pool = cached_pool(config.folder, seeds, DANCE_S)
    settings = AdaptSettings(config.minutes, seed=config.seed)
    if config.folds:
        return cross_validated(config.start, dances, pool, settings, config.folds)
    net = load_rhythm(config.start)
    clocks = adapt(net, dances, pool, settings)
    offsets = [clock.offset_s for clock in clocks]
    info = {
        "data": f"{len(dances)} own dances on {config.start.name}",
        "minutes": config.minutes,
        "offset_s": [round(float(np.mean(offsets)), 3), round(float(np.std(offsets)), 3)],
    }
    save_rhythm(config.out, net, net.names or MOTION_NAMES, info)
    log.info("saved %s: %s", config.out, info)
    return ""


def parser() -> argparse.ArgumentParser:
    """The flags, which are the fields of `TrainRhythmConfig`."""
    found = command_parser("train_rhythm", __doc__)
    add_flags(found, TrainRhythmConfig)
    return found


def parse(words: Sequence[str]) -> TrainRhythmConfig:
    """The configuration a command line asks for."""
    return config_from(TrainRhythmConfig, parser().parse_args(words))


def _work(words: list[str]) -> str:
    config = parse(words)
    if config.data:
        return fit_to(config)
    train(config, shlex.join(["python", "-m", "training.train_rhythm", *words]))
    return ""


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
