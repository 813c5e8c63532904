"""What each of two processes does in `test_train`: started with a file to write."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch

from tests.training.test_train import SHAPE, SHARED, gradients
from training.run.leaving import leave
from training.transformer.made_items import make_items
from training.transformer.trainer import Trainer
from training.transformer.windows import split


def main(out: Path) -> None:
    config = replace(SHARED, folder=str(out.parent / "run"))
    trainer = Trainer(config, SHAPE, split(make_items(6)))
    assert trainer.workers.num_processes == 2
    found = gradients(trainer)
    if trainer.workers.is_main_process:
        torch.save(found, out)
        trainer.save()
    trainer.workers.wait_for_everyone()
    assert trainer.restore()
    trainer.train_step(trainer.batch(trainer.step))
    leave()
    raise AssertionError("a process of two goes on")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
