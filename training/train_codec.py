"""Trains the embedded codec, an EnCodec, from scratch.

    python -m training.train_codec --minutes 120                      # music made on the spot
    python -m training.train_codec --minutes 120 --data SHARDS        # music of studio shards
    torchrun --nproc-per-node 8 -m training.train_codec ...           # one process for each GPU

On a CPU, a process per core is faster than threads in one process: `torchrun --nproc-per-node 2`.
A stopped run goes on from its folder with the same command, and `--no-resume` begins anew;
`--stop-after` ends a call in good time where a machine is lent for minutes. What comes out can be seen
and heard with `tensorboard --logdir runs/codec/board`.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from training.codec.band_music import held_out_pieces, open_pool
from training.codec.figures import coded, measure
from training.codec.log import RunLog
from training.codec.music import Music, PoolMusic, open_shards
from training.codec.network import export, parameters_of, tame
from training.codec.settings import CodecTraining
from training.codec.straight_music import held_out_straight
from training.codec.trainer import CodecTrainer
from training.pairs.shards import INDEX
from training.run.command import GOES_ON, command_parser, run_command
from training.run.flags import add_flags, config_from
from training.run.provenance import file_sha256
from training.run.schedule import of_first
from training.run.state import digest_of

log = logging.getLogger(__name__)


def train(settings: CodecTraining) -> dict[str, Any]:
    """Runs until the time is spent; returns the figures of the exported codec (first process)."""
    began = time.monotonic()
    trainer = CodecTrainer(settings)
    music, trainer.music = open_music(trainer)
    if settings.resume and trainer.restore():
        log.info("going on at step %d, %.1f minutes in", trainer.step, trainer.spent_s / 60)
    watch = _Watch(trainer) if trainer.workers.is_main_process else None
    try:
        while trainer.progress < 1:
            with trainer.on_the_clock():
                batch = music.batch(trainer.step, *trainer.share, settings.segment_samples)
                trainer.train_step(batch.to(trainer.device, non_blocking=True))
            if watch is not None:
                watch.after_step()
            if settings.stop_after and _minutes_since(began, trainer) > settings.stop_after:
                break
    except KeyboardInterrupt:
        if watch is not None:
            trainer.save()
        raise
    return {} if watch is None else watch.finish()


def _minutes_since(began: float, trainer: CodecTrainer) -> float:
    return of_first(trainer.workers, time.monotonic() - began) / 60


def open_music(trainer: CodecTrainer) -> tuple[Music, str]:
    """The music that the settings name, and what it is known by; the first process makes what is
    missing."""
    settings, workers = trainer.settings, trainer.workers
    if settings.data == "band":
        with workers.main_process_first():
            pool = open_pool(trainer.run / "pool", settings.pool_minutes)
        return PoolMusic(pool, settings.seed), digest_of(pool)
    folder = Path(settings.data)
    hop = settings.hop if settings.straight else 0
    music = open_shards(folder, settings.seed, workers.process_index, workers.num_processes, hop=hop)
    return music, file_sha256(folder / INDEX)[:16]


def _held_out(run: Path, settings: CodecTraining) -> tuple[torch.Tensor, tuple[int, ...]]:
    """Music [B, 1, N] to measure on and, where it is straight, the token steps of each bar."""
    if not settings.straight:
        return held_out_pieces(run, settings.held_out_s), ()
    music = held_out_straight(run)
    return music.mono, music.bar_steps


class _Watch:
    """What the first process does beside training: reports, checkpoints, measurements."""

    def __init__(self, trainer: CodecTrainer) -> None:
        self.trainer, self.settings = trainer, trainer.settings
        self.log = RunLog(trainer.run)
        self.saved_s = trainer.spent_s
        self.audio, self.bars = _held_out(trainer.run, self.settings)
        size = parameters_of(trainer.net.model) / 1e6
        kbits = max(trainer.net.model.config.target_bandwidths)
        log.info(
            "%.2f M parameters, %g steps/s, %g kbit/s, %s on %d processes of %s",
            size,
            self.settings.token_rate,
            kbits,
            "bfloat16" if trainer.net.in_half else "float32",
            trainer.workers.num_processes,
            trainer.device.type,
        )

    def after_step(self) -> None:
        trainer, settings = self.trainer, self.settings
        if trainer.step % settings.report_every == 0:
            self.log.line(trainer.step, trainer.report())
        if trainer.spent_s - self.saved_s > settings.save_s:
            self.saved_s = trainer.spent_s
            trainer.save()
            if not trainer.net.started_books:
                return
            model, audio = trainer.averaged(), self.audio.to(trainer.device)
            self.log.line(trainer.step, measure(model, audio, self.bars), "held_out")
            self.log.sounds(trainer.step, audio, coded(model, audio)[0])

    def finish(self) -> dict[str, Any]:
        """Exports, reads the export back and measures that."""
        from transformers import EncodecModel

        trainer = self.trainer
        trainer.save()
        model = trainer.averaged()
        tame(model)
        out = Path(self.settings.out)
        export(model, out, self.settings.name or out.resolve().name)
        loaded = EncodecModel.from_pretrained(self.settings.out).to(trainer.device)
        audio = self.audio.to(trainer.device)
        line = {
            "s": round(trainer.spent_s),
            "parameters": parameters_of(loaded),
            "exported": measure(loaded, audio, self.bars),
            "settings": asdict(self.settings),
        }
        self.log.sounds(trainer.step, audio, coded(loaded, audio)[0])
        self.log.line(trainer.step, line)
        self.log.close()
        return {"step": trainer.step, **line}


def parser() -> argparse.ArgumentParser:
    """The flags, which are the fields of `CodecTraining`."""
    found = command_parser("train_codec", __doc__)
    add_flags(found, CodecTraining)
    return found


def _work(words: list[str]) -> None:
    settings = config_from(CodecTraining, parser().parse_args(words))
    torch.set_flush_denormal(True)
    torch.set_float32_matmul_precision("high")
    train(settings)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
