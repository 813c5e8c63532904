"""Fits the rhythm network to dances that are still going on, for `d2m_core.rhythm.live`.

    python -m training.train_running --out runs/running.safetensors --minutes 25

Run again, it goes on from the state in `--folder`, which must be of the same settings and dances;
`--no-resume` begins anew. What came of it is measured with `benchmarks.look_ahead --weights FILE`.
"""

from __future__ import annotations

import argparse
import logging
import shlex
from collections.abc import Sequence

import torch

from d2m_core.motion import MOTION_NAMES
from d2m_core.rhythm import load_rhythm, save_rhythm
from training.rhythm.running import RunningConfig, RunningTrainer, kept_windows
from training.run.command import GOES_ON, command_parser, run_command
from training.run.flags import add_flags, config_from
from training.run.provenance import commit
from training.seeds import RUNNING_SEED

log = logging.getLogger("train_running")

STATE = "state.pt"
"""The resumable state in the folder of a run."""
SAVE_S = 60.0
"""Seconds of training between two saved states."""


def train(config: RunningConfig, command: str) -> None:
    """Trains until the time is spent and saves the averaged network."""
    torch.set_num_threads(config.threads)
    start = load_rhythm(config.start)
    config.folder.mkdir(parents=True, exist_ok=True)
    seeds = range(RUNNING_SEED, RUNNING_SEED + config.dances)
    pools = kept_windows(config.folder, seeds, config.threads)
    trainer = RunningTrainer(config, start, pools)
    state = config.folder / STATE
    if config.resume and trainer.restore(state):
        log.info("going on at step %d, %.1f minutes in", trainer.step, trainer.spent_s / 60)
    next_save_s = trainer.spent_s + SAVE_S
    while trainer.progress < 1:
        trainer.train_step()
        if trainer.spent_s >= next_save_s:
            next_save_s = trainer.spent_s + SAVE_S
            log.info("step %d, %.1f min: loss %.4f", trainer.step, trainer.spent_s / 60, trainer.loss)
            trainer.save(state)
    trainer.save(state)
    info = {
        "command": command,
        "commit": commit(),
        "licence": "MIT",
        "data": f"{config.dances} dances of the studio, streams of 4 to 12 s, on {config.start.name}",
        "steps": trainer.step,
        "minutes": round(trainer.spent_s / 60, 1),
        "loss": round(trainer.loss, 4),
    }
    config.out.parent.mkdir(parents=True, exist_ok=True)
    save_rhythm(config.out, trainer.averaged_net(), MOTION_NAMES, info)
    log.info("saved %s: %s", config.out, info)


def parser() -> argparse.ArgumentParser:
    """The flags, which are the fields of `RunningConfig`."""
    found = command_parser("train_running", __doc__)
    add_flags(found, RunningConfig)
    return found


def parse(words: Sequence[str]) -> RunningConfig:
    """The configuration a command line asks for."""
    return config_from(RunningConfig, parser().parse_args(words))


def _work(words: list[str]) -> str:
    train(parse(words), shlex.join(["python", "-m", "training.train_running", *words]))
    return ""


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
