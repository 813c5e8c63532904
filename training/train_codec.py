"""Trains the embedded codec, an EnCodec, from scratch.

    python -m training.train_codec --minutes 120                      # music made on the spot
    python -m training.train_codec --minutes 120 --data SHARDS        # music of studio shards
    torchrun --nproc-per-node 8 -m training.train_codec ...           # one process for each GPU

On a CPU, a process per core is faster than threads in one process: `torchrun --nproc-per-node 2`.
A stopped run goes on with `--resume` and the same flags; `--stop-after` ends a call in good time
where a machine is lent for minutes. `tensorboard --logdir runs/codec/board` shows and plays it all.
"""

from __future__ import annotations

import argparse
import logging
import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from d2m_core.errors import SettingError
from d2m_core.files import replacing
from training.codec.figures import coded, measure
from training.codec.log import RunLog
from training.codec.music import Music, PoolMusic, band_pieces, held_out_pieces, open_shards
from training.codec.network import export, parameters_of, tame
from training.codec.settings import CodecTraining
from training.codec.straight_music import held_out_straight
from training.codec.trainer import CodecTrainer
from training.run.flags import add_flags

log = logging.getLogger(__name__)


def train(settings: CodecTraining) -> dict[str, Any]:
    """Runs until the time is spent; returns the figures of the exported codec (first process)."""
    trainer = CodecTrainer(settings)
    music, first = open_music(trainer), trainer.workers.is_main_process
    if settings.resume:
        resume(trainer)
    watch = _Watch(trainer) if first else None
    before = time.monotonic()
    stop_s = trainer.elapsed_s + 60 * settings.stop_after if settings.stop_after else math.inf
    while trainer.progress < 1 and trainer.elapsed_s < stop_s:
        batch = music.batch(trainer.step, *trainer.share, settings.segment_samples)
        trainer.train_step(batch.to(trainer.device, non_blocking=True))
        now = time.monotonic()
        trainer.agree_on_time(trainer.elapsed_s + now - before)
        before = now
        if watch is not None:
            watch.after_step()
    return {} if watch is None else watch.finish()


def open_music(trainer: CodecTrainer) -> Music:
    """The music that the settings name; the first process makes what is missing."""
    settings, workers = trainer.settings, trainer.workers
    if settings.data == "band":
        with workers.main_process_first():
            pool = band_pieces(trainer.run / "pool", settings.pool_minutes)
        return PoolMusic(pool, settings.seed)
    hop = settings.hop if settings.straight else 0
    return open_shards(
        Path(settings.data), settings.seed, workers.process_index, workers.num_processes, hop=hop
    )


def resume(trainer: CodecTrainer) -> None:
    """Goes on from the checkpoint in the run's folder, where there is one."""
    path = trainer.run / "checkpoint.pt"
    if path.exists():
        state = torch.load(path, map_location="cpu", weights_only=True)
        try:
            trainer.restore(state)
        except RuntimeError as error:
            raise SettingError(
                f"{path} is of a codec of another shape; give the same flags as before."
            ) from error


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
        self.saved_s = trainer.elapsed_s
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
        if trainer.elapsed_s - self.saved_s > settings.save_s:
            self.saved_s = trainer.elapsed_s
            save_checkpoint(trainer)
            if not trainer.net.started_books:
                return
            model, audio = trainer.averaged(), self.audio.to(trainer.device)
            self.log.line(trainer.step, measure(model, audio, self.bars), "held_out")
            self.log.sounds(trainer.step, audio, coded(model, audio)[0])

    def finish(self) -> dict[str, Any]:
        """Exports, reads the export back and measures that."""
        from transformers import EncodecModel

        trainer = self.trainer
        save_checkpoint(trainer)
        model = trainer.averaged()
        tame(model)
        out = Path(self.settings.out)
        export(model, out, self.settings.name or out.resolve().name)
        loaded = EncodecModel.from_pretrained(self.settings.out).to(trainer.device)
        audio = self.audio.to(trainer.device)
        line = {
            "s": round(trainer.elapsed_s),
            "parameters": parameters_of(loaded),
            "exported": measure(loaded, audio, self.bars),
            "settings": asdict(self.settings),
        }
        self.log.sounds(trainer.step, audio, coded(loaded, audio)[0])
        self.log.line(trainer.step, line)
        self.log.close()
        return {"step": trainer.step, **line}


def save_checkpoint(trainer: CodecTrainer) -> None:
    """The run's whole state, in its folder."""
    with replacing(trainer.run / "checkpoint.pt") as partial:
        torch.save(trainer.state(), partial)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.train_codec",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_flags(parser, CodecTraining)
    flags: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in vars(parser.parse_args(argv)).items()
    }
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_flush_denormal(True)
    torch.set_float32_matmul_precision("high")
    train(CodecTraining(**flags))


if __name__ == "__main__":
    main()
