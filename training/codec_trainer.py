"""The state of a codec training and its steps; `train_codec` runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from d2m_core.pipeline import best_device
from training.codec_losses import Judges, ask_judges, judge_loss, mel_scales
from training.codec_model import CodecTraining, make_codec, settle
from training.codec_quantizer import LearningQuantizer, Quantized
from training.codec_workers import gather, mean_gradients, rank
from training.schedule import rate_factor
from training.studio.band.synth import SAMPLE_RATE

WARM_STEPS = 100


class CodecTrainer:
    """The state of a run and its steps."""

    def __init__(self, settings: CodecTraining) -> None:
        self.settings = settings
        self.run = Path(settings.folder)
        self.device = best_device(settings.device)
        torch.manual_seed(settings.seed)
        self.rng = np.random.default_rng([settings.seed, rank()])
        self.model = make_codec(settings).to(self.device).train()
        self.judges = Judges().to(self.device)
        self.average = {k: p.detach().clone() for k, p in self.model.named_parameters()}
        self.quantizer = LearningQuantizer(self.model.quantizer, settings.seed)  # type: ignore[arg-type]
        betas = (0.8, 0.99)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), settings.rate, betas, weight_decay=1e-3
        )
        self.judge_optimizer = torch.optim.AdamW(self.judges.parameters(), 5e-4, (0.5, 0.9))
        self.scales = mel_scales(SAMPLE_RATE).to(self.device)
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
        return self.settings.rate * rate_factor(self.step, WARM_STEPS, self.progress)

    def quantize(self, latent: torch.Tensor) -> Quantized:
        """The codebooks, once enough latents have been seen to start them."""
        settings = self.settings
        if not self.started_books:
            points = gather(latent.detach().float().transpose(1, 2).reshape(-1, latent.shape[1]))
            self.recent = [*self.recent, points][-40:]
            if self.step < settings.continuous_steps:
                return Quantized(
                    latent,
                    latent.new_zeros(()),
                    torch.zeros((settings.codebooks, 1), dtype=torch.long),
                )
            self.quantizer.start(torch.cat(self.recent))
            self.started_books, self.recent = True, []
        return self.quantizer(latent)

    def spectral_loss(self, fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Distances through a few window lengths drawn for this step."""
        settings = self.settings
        chosen = self.rng.choice(len(self.scales), settings.scales_per_step, replace=False)
        distances = [self.scales[int(i)](fake, real) for i in chosen]
        mel = torch.stack([d.mel for d in distances]).mean()
        linear = torch.stack([d.linear for d in distances]).mean()
        balance = torch.stack([d.balance for d in distances]).mean()
        self.note(mel=mel, linear=linear, balance=balance)
        mel_weight = settings.mel_weight * (0.2 + 0.8 * self.ramp)
        return (
            mel_weight * mel + settings.linear_weight * linear + settings.balance_weight * balance
        )

    @property
    def ramp(self) -> float:
        """0..1 over the first part of the run: the waveform leads at first, spectra later."""
        return min(1.0, self.progress / self.settings.ramp)

    def train_step(self, real: torch.Tensor) -> None:
        """One step of the codec and, late in the run, of its judges."""
        settings = self.settings
        with torch.autocast(self.device.type, torch.bfloat16):
            quantized = self.quantize(self.model.encoder(real))  # type: ignore[operator]
            fake = self.model.decoder(quantized.values)  # type: ignore[operator]
        fake = fake.float()
        error, power = (fake - real).pow(2).mean((1, 2)), real.pow(2).mean((1, 2))
        wave = (error / power.clamp_min(1e-5)).clamp_max(10.0).mean()
        wave_weight = settings.wave_weight * (1 - 0.8 * self.ramp)
        loss = self.spectral_loss(fake[:, 0], real[:, 0]) + wave_weight * wave
        loss = loss + settings.commitment_weight * quantized.commitment
        self.note(wave=wave, commitment=quantized.commitment)
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
        return (
            self.settings.judge_weight * verdict.fool + self.settings.match_weight * verdict.match
        )

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
        means = {
            k: round(v / self.sums["n_" + k], 4)
            for k, v in self.sums.items()
            if not k.startswith("n_")
        }
        self.sums = {}
        return {
            "step": self.step,
            "s": round(self.elapsed_s),
            "rate": round(self.learning_rate(), 6),
            **means,
        }

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
