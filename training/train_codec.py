"""Trains the embedded codec from scratch on music of the studio band.

`python -m training.train_codec --out weights/codec --minutes 45`; stopped runs `--resume`.
A process per core is faster on a CPU: `torchrun --nproc-per-node 2 -m training.train_codec`.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from d2m_core.files import replacing
from training.codec_losses import mel_scales
from training.codec_model import HOP, CodecTraining
from training.codec_music import draw_batch, held_out, open_pool
from training.codec_quantizer import perplexity
from training.codec_trainer import CodecTrainer
from training.codec_workers import join_workers, leaders, rank, wait_for_all, workers
from training.flags import add_flags
from training.studio.band.synth import SAMPLE_RATE

log = logging.getLogger(__name__)

CODEC_NAME = "d2m"
"""Name in the specification of checkpoints and tokens; a codec trained anew is another codec."""


def si_sdr(real: torch.Tensor, fake: torch.Tensor) -> float:
    """Scale-invariant signal-to-distortion ratio in dB, mean over [B, 1, N]."""
    target = (
        (fake * real).sum(-1, keepdim=True)
        / real.pow(2).sum(-1, keepdim=True).clamp_min(1e-8)
        * real
    )
    ratio = target.pow(2).sum(-1) / (fake - target).pow(2).sum(-1).clamp_min(1e-8)
    return float(10 * ratio.clamp_min(1e-8).log10().mean())


@torch.no_grad()
def measure(model: nn.Module, audio: torch.Tensor, scales: nn.ModuleList) -> dict[str, Any]:
    """Held-out figures of a codec through its own encode and decode."""
    model.eval()
    cardinality = int(model.config.codebook_size)  # type: ignore[union-attr, arg-type]
    codes = torch.cat([model.encode(x).audio_codes[0] for x in audio.split(1)])  # type: ignore[operator]  # [B, K, T]
    fake = torch.cat([model.decode(c[None], [None]).audio_values for c in codes.split(1)])  # type: ignore[operator]
    fake = fake[..., : audio.shape[-1]]
    model.train()
    distances = [scale(fake[:, 0], audio[:, 0]) for scale in scales]
    mean = {
        k: round(float(np.mean([float(getattr(d, k)) for d in distances])), 4)
        for k in ("mel", "linear", "balance")
    }
    return {
        **mean,
        "si_sdr_db": round(si_sdr(audio, fake), 2),
        "perplexity": [round(p) for p in perplexity(codes.transpose(0, 1).flatten(1), cardinality)],
    }


def save_checkpoint(trainer: CodecTrainer) -> None:
    with replacing(trainer.run / "checkpoint.pt") as partial:
        torch.save(trainer.state(), partial)


def write_log(run: Path, line: dict[str, Any]) -> None:
    text = json.dumps(line)
    log.info(text)
    with (run / "log.jsonl").open("a") as file:
        file.write(text + "\n")


@torch.no_grad()
def tame(model: Any) -> None:
    """Gives latents and codebooks a middle size without changing the sound: halves end at 65504."""
    books = [layer.codebook for layer in model.quantizer.layers]
    size = books[0].embed.std().clamp_min(1e-6)
    into, out = model.encoder.layers[-1].conv, model.decoder.layers[0].conv
    into.parametrizations.weight.original0.div_(size)
    into.bias.div_(size)
    out.parametrizations.weight.original0.mul_(size)
    for book in books:
        book.embed.div_(size)
        book.embed_avg.copy_(book.embed)
        book.cluster_size.fill_(1.0)


def export(model: Any, out: Path) -> None:
    """Writes the codec as transformers reads it: halves in the file, float32 once loaded."""
    model.config.dtype = "float32"
    model.config.codec_name = CODEC_NAME
    tensors = {name: _halved(tensor) for name, tensor in model.state_dict().items()}
    with replacing(out / "config.json") as config, replacing(out / "model.safetensors") as weights:
        model.config.to_json_file(config)
        save_file(tensors, weights, {"format": "pt"})


def _halved(tensor: torch.Tensor) -> torch.Tensor:
    """As float16 where that can hold it, else as it is."""
    half = tensor.detach().cpu().half() if tensor.is_floating_point() else tensor
    return (half if bool(torch.isfinite(half).all()) else tensor.detach().cpu()).contiguous()


def train(settings: CodecTraining) -> dict[str, Any]:
    """Runs until the time is spent; returns the figures of the exported codec (on rank 0)."""
    join_workers()
    trainer = CodecTrainer(settings)
    pool = prepare(trainer)
    audio, scales = held_out(settings.held_out_s), mel_scales(SAMPLE_RATE)
    samples = settings.segment_frames * HOP
    before, saved = time.monotonic(), trainer.elapsed_s
    while trainer.progress < 1:
        batch = draw_batch(pool, max(1, settings.batch // workers()), samples, trainer.rng)
        trainer.train_step(batch.to(trainer.device))
        now = time.monotonic()
        trainer.elapsed_s, before = leaders(trainer.elapsed_s + now - before), now
        if rank() != 0:
            continue
        if trainer.step % settings.report_every == 0:
            write_log(trainer.run, trainer.report())
        if trainer.started_books and trainer.elapsed_s - saved > settings.save_s:
            saved = trainer.elapsed_s
            save_checkpoint(trainer)
            write_log(
                trainer.run,
                {"step": trainer.step, "held_out": measure(trainer.averaged(), audio, scales)},
            )
    if rank() != 0:
        return {}
    save_checkpoint(trainer)
    return finish(trainer, audio, scales)


def prepare(trainer: CodecTrainer) -> list[np.ndarray]:
    """Music to train on, and weights to begin with: the checkpoint's or fresh ones."""
    settings, checkpoint = trainer.settings, trainer.run / "checkpoint.pt"
    if rank() != 0:
        wait_for_all()  # rank 0 makes the pool
    pool = open_pool(trainer.run / "pool", settings.pool_minutes)
    if rank() == 0:
        wait_for_all()
    if settings.resume and checkpoint.exists():
        trainer.restore(torch.load(checkpoint, map_location=trainer.device, weights_only=True))
    else:
        trainer.begin()
    return pool


def finish(trainer: CodecTrainer, audio: torch.Tensor, scales: nn.ModuleList) -> dict[str, Any]:
    """Exports, reads the export back and measures that."""
    from transformers import EncodecModel

    out = Path(trainer.settings.out)
    model = trainer.averaged()
    tame(model)
    export(model, out)
    figures = measure(EncodecModel.from_pretrained(out), audio, scales)
    line = {
        "step": trainer.step,
        "s": round(trainer.elapsed_s),
        "exported": figures,
        "settings": asdict(trainer.settings),
    }
    write_log(trainer.run, line)
    return line


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.train_codec",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_flags(parser, CodecTraining)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_flush_denormal(True)
    train(CodecTraining(**vars(parser.parse_args(argv))))


if __name__ == "__main__":
    main()
