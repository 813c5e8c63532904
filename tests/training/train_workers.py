"""What each of two processes does in `test_train`: started with a file to write."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from tests.training.test_train import SHAPE, SHARED, gradients
from training.data import split
from training.synthetic_items import make_items
from training.trainer import Trainer


def main(out: Path) -> None:
    trainer = Trainer(SHARED, SHAPE, split(make_items(6)))
    assert trainer.workers.num_processes == 2
    found = gradients(trainer)
    if trainer.workers.is_main_process:
        torch.save(found, out)
    trainer.workers.end_training()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
