"""The state of a codec training and its steps; `training.train_codec` runs it.

accelerate spreads it over processes: every one holds the whole state, gradients are averaged, and
codebooks see the latents of all, so that any number of processes takes the same step.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import gather
from torch import nn

from d2m_core.errors import SettingError
from training.run.average import Average
from training.run.schedule import Run, rate_factor
from training.run.state import save_state, settings_in, state_to_go_on_from

from .balancer import Balancer
from .discriminators import CONTESTS, ask_discriminators, make_discriminators, teach_discriminators
from .hum import added_lines, hum
from .learning_codec import CodecNet, Passed, in_bfloat16
from .network import settle
from .settings import FREE, SAMPLE_RATE, CodecTraining
from .spectra import mel_scales, some_distances, wave_distance
from .tones import lost_tones

STATE = "checkpoint.pt"
"""The resumable state in the folder of a run."""

KEPT_STEPS = 40
"""Steps whose latents start the codebooks."""

_SCALES, _BOOKS, _LESSON = 61, 62, 63
"""Which chance is drawn."""


class CodecTrainer(Run):
    """The state of a run and its steps."""

    def __init__(self, settings: CodecTraining) -> None:
        self.settings = settings
        self.run = Path(settings.folder)
        self.music = ""
        """What it hears, in short, once that is open: part of what a state is made of."""
        buffers = DistributedDataParallelKwargs(broadcast_buffers=False)
        self.workers = Accelerator(cpu=settings.device == "cpu", kwargs_handlers=[buffers])
        super().__init__(settings.minutes, settings.steps, self.workers)
        self.device = self.workers.device
        if settings.batch % self.workers.num_processes:
            raise SettingError(
                f"batch is {settings.batch}, which {self.workers.num_processes} processes cannot "
                "share evenly; choose a multiple."
            )
        torch.manual_seed(settings.seed)
        self.net = CodecNet(settings)
        if not settings.init:
            settle(self.net.model)
        self.net.in_half = in_bfloat16(settings.precision, self.device)
        self.discriminators, self.contest = make_discriminators(settings), CONTESTS[settings.contest]
        self.net_of_all = self.workers.prepare_model(self.net.to(self.device).train())
        self.average = Average(self.net, settings.average_decay)
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(), settings.rate, (0.8, 0.99), weight_decay=1e-3
        )
        if self.discriminators is not None:
            self.discriminators_of_all = self.workers.prepare_model(self.discriminators.to(self.device))
            self.judge_optimizer = torch.optim.AdamW(
                self.discriminators.parameters(), settings.judge_rate, (0.5, 0.9)
            )
        self.balancer = Balancer()
        self.scales = mel_scales(SAMPLE_RATE).to(self.device)
        self.recent: list[torch.Tensor] = []
        """Latents of the last steps before the codebooks start."""
        self.sums: dict[str, torch.Tensor] = {}
        self.counts: dict[str, int] = {}

    # --- where in the run ---

    @property
    def ramp(self) -> float:
        """0..1 over the first part of the run: the waveform leads at first, spectra later."""
        return min(1.0, self.progress / self.settings.ramp)

    def learning_rate(self) -> float:
        """Of this step."""
        return self.settings.rate * rate_factor(self.step, self.settings.warm_steps, self.progress)

    def chance(self, what: int) -> np.random.Generator:
        """Chance of this step, the same in every process."""
        return np.random.default_rng([self.settings.seed, what, self.step])

    @property
    def share(self) -> tuple[int, int]:
        """First entry and number of entries of the batch that this process takes."""
        count = self.settings.batch // self.workers.num_processes
        return self.workers.process_index * count, count

    # --- one step ---

    def train_step(self, real: torch.Tensor) -> None:
        """One step of the codec and, once they have joined, of its discriminators; `real` is [B, 1, N]."""
        net, settings = self.net, self.settings
        if not net.started_books and self.step >= settings.continuous_steps and self.recent:
            self.start_books()
        passed = self.net_of_all(real, self.books_used(len(real)), self.step)
        if not net.started_books:
            self.recent = [*self.recent, gather(passed.latent)][-KEPT_STEPS:]
        skipped = settings.skipped_steps * settings.hop
        fake, real = passed.fake[:, 0, skipped:], real[:, 0, skipped:]
        losses = self.spectral_losses(fake, real) | self.tonal_losses(fake, real)
        losses["wave"] = wave_distance(fake[:, None], real[:, None])
        if self.discriminators is not None and self.step >= settings.judges_from:
            losses |= self.judged(real, fake)
        self.note(**losses, commitment=passed.commitment)
        self.update(passed, losses)
        self.step += 1

    def update(self, passed: Passed, losses: dict[str, torch.Tensor]) -> None:
        """From losses on the sound to new weights."""
        self.optimizer.zero_grad(set_to_none=True)
        ends, gradients = [passed.fake], [self.gradient(losses, passed.fake)]
        if passed.commitment.requires_grad:
            ends.append(self.settings.commitment_weight * passed.commitment)
            gradients.append(torch.ones_like(passed.commitment))
        torch.autograd.backward(ends, gradients)
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), self.settings.clip_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        if bool(torch.isfinite(norm)):
            self.optimizer.step()
        self.note(norm=norm)
        self.average.follow(self.net, self.step + 1)

    def gradient(self, losses: dict[str, torch.Tensor], fake: torch.Tensor) -> torch.Tensor:
        """Where the sound should go: balanced, or the plain weighted sum.

        Taken at the sound, so that nothing flows into the discriminators on the way.
        """
        weights = self.weights()
        losses = {name: loss for name, loss in losses.items() if weights[name] > 0}
        if self.settings.balancer:
            return self.balancer.gradient(losses, weights, fake, lambda x: self.workers.reduce(x, "mean"))
        total = torch.stack([weights[name] * loss for name, loss in losses.items()]).sum()
        return torch.autograd.grad(total, fake)[0]

    def weights(self) -> dict[str, float]:
        """Weight of each loss at this point of the run."""
        settings = self.settings
        return {
            "mel": settings.mel_weight * (0.2 + 0.8 * self.ramp),
            "linear": settings.linear_weight,
            "log": settings.log_weight,
            "balance": settings.balance_weight,
            "wave": settings.wave_weight * (1 - 0.8 * self.ramp),
            "tones": settings.tone_weight,
            "hum": settings.hum_weight,
            "lines": settings.line_weight,
            "fool": settings.judge_weight,
            "match": settings.match_weight,
        }

    def books_used(self, entries: int) -> torch.Tensor | None:
        """How many codebooks each entry of the batch sounds by; None means all."""
        settings = self.settings
        if settings.quantizer_dropout <= 0:
            return None
        rng, (first, count) = self.chance(_BOOKS), self.share
        assert count == entries
        fewer = rng.random(settings.batch) < settings.quantizer_dropout
        choices = settings.book_choices or tuple(range(1, settings.codebooks + 1))
        drawn = np.array(choices)[rng.integers(0, len(choices), settings.batch)]
        books = np.where(fewer, drawn, settings.codebooks)
        return torch.from_numpy(books[first : first + count]).to(self.device)

    def start_books(self) -> None:
        """Codebooks from what the last steps encoded."""
        self.net.start_books(torch.cat(self.recent))
        self.recent = []
        for name, parameter in self.net.named_parameters():
            if name.startswith("factored."):
                self.average.values[name].copy_(parameter.detach())

    def spectral_losses(self, fake: torch.Tensor, real: torch.Tensor) -> dict[str, torch.Tensor]:
        """Distances through a few window lengths drawn for this step."""
        return some_distances(self.scales, self.settings.scales_per_step, fake, real, self.chance(_SCALES))

    def tonal_losses(self, fake: torch.Tensor, real: torch.Tensor) -> dict[str, torch.Tensor]:
        """Tones that are missing, and those that the codec adds, of [B, N]: what is asked for."""
        settings, losses = self.settings, {}
        if settings.tone_weight:
            losses["tones"] = lost_tones(fake, real, SAMPLE_RATE)
        if settings.hum_weight:
            losses["hum"] = hum(fake, real, settings.hop)
        if settings.line_weight:
            losses["lines"] = added_lines(fake, real, settings.hop)
        return losses

    def judged(self, real: torch.Tensor, fake: torch.Tensor) -> dict[str, torch.Tensor]:
        """Teaches the discriminators, then asks them."""
        assert self.discriminators is not None
        if self.chance(_LESSON).random() < self.settings.judge_updates:
            lesson = teach_discriminators(
                self.discriminators_of_all,
                self.judge_optimizer,
                real,
                fake,
                self.contest,
                10 * self.settings.clip_norm,
                self.net.in_half,
            )
            self.note(judge=lesson)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.net.in_half):
            verdict = ask_discriminators(self.discriminators, real, fake, self.contest)
        return {"fool": verdict.fool, "match": verdict.match}

    # --- what it says and keeps ---

    def note(self, **values: torch.Tensor) -> None:
        """Adds to the means of the next report, without waiting for the device."""
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, torch.zeros(())) + value.detach()
            self.counts[name] = self.counts.get(name, 0) + 1

    def report(self) -> dict[str, Any]:
        """Means since the last report."""
        means: dict[str, Any] = {k: round(float(v) / self.counts[k], 5) for k, v in self.sums.items()}
        self.sums, self.counts = {}, {}
        if self.net.started_books and self.net.factored is None:
            means["perplexity"] = [round(p, 1) for p in self.net.following.perplexities()]
        return {"s": round(self.spent_s, 1), "rate": round(self.learning_rate(), 7), **means}

    def averaged(self) -> Any:
        """A copy of the codec with averaged weights and the present codebooks."""
        net = CodecNet(self.settings).to(self.device)
        net.load_state_dict(self.average.state_of(self.net))
        if net.factored is not None:
            net.factored.fold(net.model.quantizer)
        return net.model

    def made_of(self) -> dict[str, Any]:
        """What decides the result of this run, for its state (`training.run.state`)."""
        return {"settings": settings_in(self.settings, FREE), "music": self.music}

    def save(self) -> None:
        """All that a stopped run needs to go on as if it had not stopped."""
        taught = self.discriminators is not None
        state = {
            "net": self.net.state_dict(),
            "average": self.average.values,
            "optimizer": self.optimizer.state_dict(),
            "judges": self.discriminators.state_dict() if self.discriminators is not None else None,
            "judge_optimizer": self.judge_optimizer.state_dict() if taught else None,
            "balancer": self.balancer.state(),
            "step": self.step,
            "spent_s": self.spent_s,
            "started_books": self.net.started_books,
            "recent": self.recent,
        }
        save_state(self.run / STATE, self.made_of(), state)

    def restore(self) -> bool:
        """Goes on from the saved state; False where there is none.

        Raises `SettingError` where it is of something else.
        """
        state = state_to_go_on_from(self.run / STATE, self.made_of())
        if state is None:
            return False
        self.net.load_state_dict(state["net"])
        self.average.restore(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.discriminators is not None:
            self.discriminators.load_state_dict(state["judges"])
            self.judge_optimizer.load_state_dict(state["judge_optimizer"])
        self.balancer.restore(state["balancer"], self.device)
        self.step, self.spent_s = state["step"], state["spent_s"]
        self.net.started_books = state["started_books"]
        self.recent = [points.to(self.device) for points in state["recent"]]
        return True
