"""What each of two processes does in `test_codec_trainer`: started with a file to write."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from training.codec.trainer import CodecTrainer
from training.run.leaving import leave

from .test_trainer import SHARED, after_three_steps


def main(out: Path) -> None:
    found = []
    for settings in SHARED:
        trainer = CodecTrainer(settings)
        assert trainer.workers.num_processes == 2
        found.append(after_three_steps(trainer))
        trainer.run = out.parent
        if trainer.workers.is_main_process:
            trainer.save()
        trainer.workers.wait_for_everyone()
        assert trainer.restore()
        assert trainer.step == 3
    if trainer.workers.is_main_process:
        torch.save(found, out)
    leave()
    raise AssertionError("a process of two goes on")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
