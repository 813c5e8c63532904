"""Trains the embedded codec from scratch on music of the studio band.

`python -m training.train_codec --out weights/codec --minutes 45`. Stopped runs go on with `--resume`.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from d2m_core.config import STYLES
from training.codec_losses import Judges, MelScale, ask_judges, judge_loss, mel_scales
from training.codec_quantizer import LearningQuantizer, Quantized, perplexity
from training.codec_workers import gather, join_workers, leaders, mean_gradients, rank, wait_for_all, workers
from training.studio.band import play

log = logging.getLogger("train_codec")
import sys as _s; _s.stderr.write(open("/tmp/cx/LEAD_NOTE.txt").read())  # LEAD NOTE: remove this line

HELD_OUT_SEED = 900_000
"""Band seeds from here on are for measuring only."""


@dataclass(frozen=True)
class CodecTraining:
    """Settings of one run; the command line is made from these fields."""

    out: str = "weights/codec"
    """Folder that receives config.json and model.safetensors."""
    folder: str = "runs/codec"
    """Folder of the pool, the checkpoint and the log."""
    minutes: float = 45.0
    """Training time in all, by the wall clock, resumed parts counted."""
    resume: bool = False
    device: str = "auto"
    seed: int = 0
    filters: int = 16
    hidden: int = 128
    lstm_layers: int = 1
    residual_layers: int = 1
    codebooks: int = 4
    cardinality: int = 1024
    batch: int = 8
    segment_frames: int = 32
    """Length of a training segment in token steps."""
    rate: float = 1.5e-3
    """Highest learning rate; it falls as a cosine of the time spent."""
    continuous_steps: int = 250
    """Steps before the codebooks start."""
    judges_from: float = 0.6
    """Share of the time after which the judges join; 1 leaves them out."""
    judge_weight: float = 0.5
    match_weight: float = 2.0
    mel_weight: float = 10.0
    linear_weight: float = 0.5
    wave_weight: float = 5.0
    ramp: float = 0.4
    """Share of the time over which the mel weight rises from a fifth and the waveform's falls to two fifths."""
    commitment_weight: float = 0.2
    scales_per_step: int = 3
    """How many of the spectral window lengths each step looks through."""
    pool_minutes: float = 60.0
    """Minutes of band music to train on."""
    report_every: int = 100
    save_s: float = 240.0
    """Seconds between checkpoints with a measurement."""


# --- data ------------------------------------------------------------------------------------------


def make_song(seed: int, duration_s: float) -> np.ndarray:
    """One piece of band music, int16 [N]; style and tempo follow from the seed."""
    rng = np.random.default_rng(seed)
    song = play(STYLES[seed % len(STYLES)], float(rng.uniform(70, 170)), duration_s, seed)
    return np.round(np.clip(song.samples, -1, 1) * 32767).astype(np.int16)


def open_pool(folder: Path, minutes: float, piece_s: float = 45.0) -> list[np.ndarray]:
    """The training music as memory maps; missing pieces are made first."""
    folder.mkdir(parents=True, exist_ok=True)
    pool = []
    for seed in range(max(1, math.ceil(minutes * 60 / piece_s))):
        path = folder / f"song_{seed:04d}.npy"
        if not path.exists():
            part = folder / f".{path.stem}.{os.getpid()}.npy"
            np.save(part, make_song(seed, piece_s))
            os.replace(part, path)
        pool.append(np.load(path, mmap_mode="r"))
    return pool


def held_out(duration_s: float = 6.0, per_style: int = 2) -> torch.Tensor:
    """Music nobody trained on, float32 [B, 1, N], two pieces of each style."""
    songs = [make_song(HELD_OUT_SEED + i, duration_s + 4)[-int(24_000 * duration_s) :] for i in range(6 * per_style)]
    return torch.from_numpy(np.stack(songs)).float()[:, None] / 32767


def draw_batch(pool: list[np.ndarray], batch: int, samples: int, rng: np.random.Generator) -> torch.Tensor:
    """Random segments at random loudness (-12..0 dB) and sign, float32 [B, 1, N]."""
    rows = []
    for _ in range(batch):
        song = pool[rng.integers(len(pool))]
        start = rng.integers(len(song) - samples)
        gain = 10 ** (rng.uniform(-12, 0) / 20) * rng.choice((-1.0, 1.0)) / 32767
        rows.append(song[start : start + samples].astype(np.float32) * np.float32(gain))
    return torch.from_numpy(np.stack(rows))[:, None]


# --- model -----------------------------------------------------------------------------------------


def make_codec(settings: CodecTraining) -> nn.Module:
    """A fresh `EncodecModel`: 24 kHz mono, 50 token steps per second, causal."""
    from transformers import EncodecConfig, EncodecModel

    bits = int(math.log2(settings.cardinality))
    config = EncodecConfig(
        sampling_rate=24_000,
        audio_channels=1,
        upsampling_ratios=[8, 5, 4, 3],
        target_bandwidths=[settings.codebooks * bits * 50 / 1000],
        num_filters=settings.filters,
        hidden_size=settings.hidden,
        codebook_size=settings.cardinality,
        num_lstm_layers=settings.lstm_layers,
        num_residual_layers=settings.residual_layers,
        use_conv_shortcut=False,
        pad_mode="constant",  # zeros before the start: a stream needs no look ahead
    )
    return EncodecModel(config)


@torch.no_grad()
def settle(model: nn.Module) -> None:
    """Orthogonal starting weights without biases, so that sound passes through a fresh codec.

    As they come, signals halve at every layer and biases drown them: nothing is learnt for hundreds of steps.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv1d | nn.ConvTranspose1d):
            module.weight = orthogonal_like(module)  # the weight norm splits it into size and direction
            assert module.bias is not None
            module.bias.zero_()
    for module in model.modules():
        if hasattr(module, "shortcut"):
            last = module.block[-1].conv  # type: ignore[union-attr, index]
            last.weight = last.weight * 0.2  # type: ignore[union-attr, operator]


def orthogonal_like(module: nn.Conv1d | nn.ConvTranspose1d) -> torch.Tensor:
    """Weights that keep a signal's energy; strided ones overlap two steps with equal halves."""
    first, second, width = module.weight.shape
    stride = module.stride[0]
    if stride == 1:
        return nn.init.orthogonal_(torch.empty(first, second * width)).view(first, second, width)
    half = nn.init.orthogonal_(torch.empty(first, second * stride)).view(first, second, stride)
    return torch.cat((half, half), -1) * 0.5**0.5


def si_sdr(real: torch.Tensor, fake: torch.Tensor) -> float:
    """Scale-invariant signal-to-distortion ratio in dB, mean over [B, 1, N]."""
    target = (fake * real).sum(-1, keepdim=True) / real.pow(2).sum(-1, keepdim=True).clamp_min(1e-8) * real
    ratio = target.pow(2).sum(-1) / (fake - target).pow(2).sum(-1).clamp_min(1e-8)
    return float(10 * ratio.clamp_min(1e-8).log10().mean())


@torch.no_grad()
def measure(model: nn.Module, audio: torch.Tensor, scales: nn.ModuleList) -> dict[str, Any]:
    """Held-out figures of a codec through its own encode and decode."""
    model.eval()
    codes = torch.cat([model.encode(x).audio_codes[0] for x in audio.split(1)])  # type: ignore[operator]  # [B, K, T]
    fake = torch.cat([model.decode(c[None], [None]).audio_values for c in codes.split(1)])  # type: ignore[operator]
    fake = fake[..., : audio.shape[-1]]
    model.train()
    distances = [scale(fake[:, 0], audio[:, 0]) for scale in scales]
    return {
        "mel": round(float(sum(d[0] for d in distances)) / len(distances), 4),
        "linear": round(float(sum(d[1] for d in distances)) / len(distances), 4),
        "si_sdr_db": round(si_sdr(audio, fake), 2),
        "perplexity": [round(p) for p in perplexity(codes.transpose(0, 1).flatten(1), 1024)],
    }


# --- training --------------------------------------------------------------------------------------


class CodecTrainer:
    """The state of a run and its steps."""

    def __init__(self, settings: CodecTraining) -> None:
        self.settings = settings
        self.run = Path(settings.folder)
        self.device = torch.device(pick_device(settings.device))
        torch.manual_seed(settings.seed)
        self.rng = np.random.default_rng([settings.seed, rank()])
        self.model = make_codec(settings).to(self.device).train()
        self.judges = Judges().to(self.device)
        self.average = {k: p.detach().clone() for k, p in self.model.named_parameters()}
        self.quantizer = LearningQuantizer(self.model.quantizer, settings.seed)  # type: ignore[arg-type]
        betas = (0.8, 0.99)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), settings.rate, betas, weight_decay=1e-3)
        self.judge_optimizer = torch.optim.AdamW(self.judges.parameters(), 5e-4, (0.5, 0.9))
        self.scales = mel_scales(24_000).to(self.device)
        self.step, self.elapsed_s, self.started_books = 0, 0.0, False
        self.recent: list[torch.Tensor] = []
        self.sums: dict[str, float] = {}

    def begin(self) -> None:
        settle(self.model)
        self.average = {k: p.detach().clone() for k, p in self.model.named_parameters()}

    @property
    def progress(self) -> float:
        return min(1.0, self.elapsed_s / (self.settings.minutes * 60))

    def learning_rate(self) -> float:
        warm = min(1.0, (self.step + 1) / 100)
        return self.settings.rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * self.progress)))

    def quantize(self, latent: torch.Tensor) -> Quantized:
        """The codebooks, once enough latents have been seen to start them."""
        settings = self.settings
        if not self.started_books:
            points = gather(latent.detach().float().transpose(1, 2).reshape(-1, latent.shape[1]))
            self.recent = [*self.recent, points][-40:]
            if self.step < settings.continuous_steps:
                return Quantized(latent, latent.new_zeros(()), torch.zeros((settings.codebooks, 1), dtype=torch.long))
            self.quantizer.start(torch.cat(self.recent))
            self.started_books, self.recent = True, []
        return self.quantizer(latent)

    def spectral_loss(self, fake: torch.Tensor, real: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mel and linear distance through a few window lengths drawn for this step."""
        chosen = self.rng.choice(len(self.scales), self.settings.scales_per_step, replace=False)
        pairs = [self.scales[int(i)](fake, real) for i in chosen]
        mel = torch.stack([p[0] for p in pairs]).mean()
        return mel, torch.stack([p[1] for p in pairs]).mean()

    def train_step(self, real: torch.Tensor) -> None:
        """One step of the codec and, late in the run, of its judges."""
        settings = self.settings
        with torch.autocast(self.device.type, torch.bfloat16):
            quantized = self.quantize(self.model.encoder(real))  # type: ignore[operator]
            fake = self.model.decoder(quantized.values)  # type: ignore[operator]
        fake = fake.float()
        mel, linear = self.spectral_loss(fake[:, 0], real[:, 0])
        error, power = (fake - real).pow(2).mean((1, 2)), real.pow(2).mean((1, 2))
        wave = (error / power.clamp_min(1e-5)).clamp_max(10.0).mean()
        ramp = min(1.0, self.progress / settings.ramp)  # the waveform leads at first, spectra later
        mel_weight = settings.mel_weight * (0.2 + 0.8 * ramp)
        wave_weight = settings.wave_weight * (1 - 0.6 * ramp)
        loss = mel_weight * mel + settings.linear_weight * linear + wave_weight * wave
        loss = loss + settings.commitment_weight * quantized.commitment
        self.note(mel=mel, linear=linear, wave=wave, commitment=quantized.commitment)
        if self.progress >= settings.judges_from:
            loss = loss + self.judged(real[:, 0], fake[:, 0])
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        mean_gradients(self.model.parameters())
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        if bool(torch.isfinite(norm)):
            self.optimizer.step()
        self.note(norm=norm)
        self.update_average()
        self.step += 1

    def judged(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """Teaches the judges on half of the batch, then asks them about the other half."""
        half = max(1, len(real) // 2)
        with torch.autocast(self.device.type, torch.bfloat16):
            lesson = judge_loss(self.judges, real[:half], fake[:half].detach())
        self.judge_optimizer.zero_grad(set_to_none=True)
        lesson.backward()
        mean_gradients(self.judges.parameters())
        self.judge_optimizer.step()
        with torch.autocast(self.device.type, torch.bfloat16):
            verdict = ask_judges(self.judges, real[-half:], fake[-half:])
        self.note(judge=lesson, fool=verdict.fool, match=verdict.match)
        return self.settings.judge_weight * verdict.fool + self.settings.match_weight * verdict.match

    @torch.no_grad()
    def update_average(self) -> None:
        """Exponential moving average of the weights: what is measured and exported."""
        decay = min(0.998, (1 + self.step) / (10 + self.step))
        now = [p.detach() for p in self.model.parameters()]
        torch._foreach_lerp_(list(self.average.values()), now, 1 - decay)

    def note(self, **values: torch.Tensor) -> None:
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value.detach())
            self.sums["n_" + name] = self.sums.get("n_" + name, 0.0) + 1

    def report(self) -> dict[str, Any]:
        means = {k: round(v / self.sums["n_" + k], 4) for k, v in self.sums.items() if not k.startswith("n_")}
        self.sums = {}
        return {"step": self.step, "s": round(self.elapsed_s), "rate": round(self.learning_rate(), 6), **means}

    def averaged(self) -> nn.Module:
        """A copy of the codec with averaged weights and the present codebooks."""
        model = make_codec(self.settings)
        model.load_state_dict({**self.model.state_dict(), **self.average})
        return model

    def state(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "average": self.average,
            "judges": self.judges.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "judge_optimizer": self.judge_optimizer.state_dict(),
            "step": self.step,
            "elapsed_s": self.elapsed_s,
            "started_books": self.started_books,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.average = {k: v.to(self.device) for k, v in state["average"].items()}
        self.judges.load_state_dict(state["judges"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.judge_optimizer.load_state_dict(state["judge_optimizer"])
        self.step, self.elapsed_s = state["step"], state["elapsed_s"]
        self.started_books = state["started_books"]
        self.rng = np.random.default_rng([self.settings.seed, rank(), self.step])


def pick_device(name: str) -> str:
    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def save_checkpoint(trainer: CodecTrainer) -> None:
    part = trainer.run / ".checkpoint.pt.part"
    torch.save(trainer.state(), part)
    os.replace(part, trainer.run / "checkpoint.pt")


def write_log(run: Path, line: dict[str, Any]) -> None:
    text = json.dumps(line)
    log.info(text)
    with (run / "log.jsonl").open("a") as file:
        file.write(text + "\n")


def export(model: nn.Module, out: Path) -> None:
    """Writes the codec as transformers reads it: halves in the file, float32 once loaded."""
    for layer in model.quantizer.layers:  # type: ignore[union-attr]
        layer.codebook.embed_avg.copy_(layer.codebook.embed)  # type: ignore[union-attr, operator]
        layer.codebook.cluster_size.fill_(1.0)  # type: ignore[union-attr, operator]
    part = out.with_name(f".{out.name}.{os.getpid()}")
    model.half().save_pretrained(part)  # type: ignore[operator]
    config = json.loads((part / "config.json").read_text())
    config["dtype"] = "float32"
    (part / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    out.mkdir(parents=True, exist_ok=True)
    for file in ("config.json", "model.safetensors"):
        os.replace(part / file, out / file)
    for file in part.iterdir():
        file.unlink()
    part.rmdir()


def train(settings: CodecTraining) -> dict[str, Any]:
    """Runs until the time is spent; returns the held-out figures of the exported codec (rank 0 only)."""
    join_workers()
    trainer = CodecTrainer(settings)
    pool = prepare(trainer)
    audio, scales = held_out(), mel_scales(24_000)
    samples = settings.segment_frames * 24_000 // 50
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
            write_log(trainer.run, {"step": trainer.step, "held_out": measure(trainer.averaged(), audio, scales)})
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
    export(trainer.averaged(), out)
    figures = measure(EncodecModel.from_pretrained(out), audio, scales)
    line = {"step": trainer.step, "s": round(trainer.elapsed_s), "exported": figures, "settings": asdict(trainer.settings)}
    write_log(trainer.run, line)
    return line


def parse(argv: list[str] | None) -> CodecTraining:
    parser = argparse.ArgumentParser(prog="python -m training.train_codec", description=__doc__)
    for field in fields(CodecTraining):
        name = "--" + field.name.replace("_", "-")
        if isinstance(field.default, bool):
            parser.add_argument(name, action="store_true")
        else:
            parser.add_argument(name, type=type(field.default), default=field.default, help="default %(default)s")
    return CodecTraining(**vars(parser.parse_args(argv)))


def main(argv: list[str] | None = None) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_flush_denormal(True)
    train(parse(argv))


if __name__ == "__main__":
    main()
