"""What a run says about itself: lines of JSON, and TensorBoard with sound and spectrograms."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import torch

from .pictures import spectrogram_pair
from .settings import SAMPLE_RATE

log = logging.getLogger(__name__)

HEARD = 3
"""Pieces that TensorBoard gets as sound and picture."""


class RunLog:
    """Writes `log.jsonl` and `board/` in the folder of a run."""

    def __init__(self, run: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        run.mkdir(parents=True, exist_ok=True)
        self.run = run
        self.board: Any = SummaryWriter(str(run / "board"))

    def line(self, step: int, values: dict[str, Any], group: str = "train") -> None:
        """One line, and a curve in the board for each number in it."""
        text = json.dumps({"step": step, **values})
        log.info(text)
        with (self.run / "log.jsonl").open("a") as file:
            file.write(text + "\n")
        for name, value in values.items():
            if isinstance(value, int | float):
                self.board.add_scalar(f"{group}/{name}", value, step)
            elif isinstance(value, list):
                for place, each in enumerate(value):
                    self.board.add_scalar(f"{group}/{name}/{place}", each, step)

    def sounds(self, step: int, real: torch.Tensor, fake: torch.Tensor) -> None:
        """Original and decoded pieces [B, 1, N] to hear and to see."""
        for number in range(min(HEARD, len(real))):
            a, b = real[number, 0].cpu(), fake[number, 0].cpu()
            picture = spectrogram_pair(a, b)
            self.board.add_image(f"spectrogram/{number}", picture, step, dataformats="HWC")
            self.board.add_audio(f"decoded/{number}", b.clamp(-1, 1)[None], step, SAMPLE_RATE)
            self.board.add_audio(f"original/{number}", a.clamp(-1, 1)[None], step, SAMPLE_RATE)

    def close(self) -> None:
        """Writes what is still held back."""
        self.board.close()
