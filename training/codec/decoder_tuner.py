"""Tunes a codec's decoder while its tokens stay valid: settings, steps, and what it learns from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from d2m_core.codec.loading import is_idle_lstm
from d2m_core.errors import SettingError
from d2m_core.pipeline import best_device
from training.run.average import Average
from training.run.provenance import digest
from training.run.schedule import Run, rate_factor
from training.run.state import save_state, settings_in, state_to_go_on_from

from .discriminators import CONTESTS, Discriminators, ask_discriminators, teach_discriminators
from .hum import LINE_PERIODS, added_lines, hum
from .learning_codec import in_bfloat16
from .settings import SAMPLE_RATE
from .spectra import mel_scales, some_distances

WARM_STEPS = 8
"""Token steps at a segment's start that do not count: the decoder has no past there."""

WARM_UPDATES = 100
CLIP_NORM = 10.0
SHUT = -4.0
"""Bias of an LSTM's output gate that lets nearly nothing out."""
DECAY = 0.996
"""Of the moving average of the decoder's weights, from the first step on."""

FREE = ("codec", "out", "run", "pool", "data", "minutes", "held_out_s", "resume", "device")
"""Settings that may differ when a run goes on. Codec and music are compared, not their places."""


@dataclass(frozen=True)
class TuningConfig:
    """Settings of one run; the command line is made from these fields."""

    codec: Path = Path("weights/codec_2")
    """Codec to begin with."""
    out: Path = Path("runs/codec/tuned")
    """Folder to write."""
    run: Path = Path("runs/decoder")
    """Folder of the state to go on from, and of the codes of the music."""
    pool: Path = Path("runs/codec/pool")
    """Training music, and what is read from `data`."""
    pool_minutes: float = 60.0
    """Band music in the pool; 0 for none of it."""
    data: tuple[Path, ...] = ()
    """Folders of studio shards whose music is learnt from as well."""
    data_minutes: float = 120.0
    """From each of them, at most."""
    minutes: float = 30.0
    """Wall-clock minutes of training, earlier parts of a resumed run included."""
    batch: int = 6
    steps: int = 32
    """Length of a training segment in token steps."""
    rate: float = 6e-4
    """Highest learning rate; it falls as a cosine of the time spent."""
    books: tuple[int, ...] = ()
    """Numbers of codebooks that a step's tokens may have; empty takes all."""
    memory: bool = False
    """Wake the decoder's LSTM where it is idle (zeros)."""
    scales_per_step: int = 8
    """Window lengths of the spectra that a step looks through, drawn for each."""
    balance_weight: float = 2.0
    """Weight of the bands' loudness."""
    hum_weight: float = 0.0
    """Weight of the tones that the decoder adds at every token."""
    line_weight: float = 0.0
    """Weight of what stands out in the spectrum at their frequencies."""
    judge_weight: float = 0.0
    """Weight of passing for real; 0 asks no discriminators ("judges" in flags)."""
    match_weight: float = 4.0
    """Weight of the discriminators' features, where there are any."""
    judge_windows: tuple[int, ...] = (1024, 256)
    """Window lengths of the spectrograms that discriminators look at."""
    judge_channels: int = 16
    judge_rate: float = 3e-4
    judge_steps: int = 0
    """Length in token steps of what discriminators hear of a segment, somewhere in it; 0 is all."""
    judges_from: int = 200
    """Steps in which discriminators only learn: what they say first is noise."""
    held_out_s: float = 6.0
    """Length of each piece that measures the codec, in seconds."""
    seed: int = 1
    device: str = "auto"
    """cpu, cuda, or auto."""
    resume: bool = True
    """Go on from the state in `run`, if there is one; it must be of the same settings, codec and
    music. Without, begin anew and replace it."""


@torch.no_grad()
def wake_memory(decoder: nn.Module) -> None:
    """Gives an idle LSTM small weights, its output nearly shut: the decoder starts as it was."""
    for layer in [each for each in decoder.layers if is_idle_lstm(each)]:  # type: ignore[union-attr]
        width = layer.lstm.hidden_size
        for name, parameter in layer.lstm.named_parameters():
            if name.startswith("weight"):
                nn.init.uniform_(parameter, -(width**-0.5), width**-0.5)
            elif name.startswith("bias_ih"):
                parameter[width : 2 * width] = 1.0  # keep what is remembered
                parameter[3 * width :] = SHUT


class DecoderTuner(Run):
    """The state of one run; `music` is what it hears, in short."""

    def __init__(self, config: TuningConfig, music: str = "") -> None:
        from transformers import EncodecModel

        super().__init__(config.minutes)
        if config.line_weight and config.steps < LINE_PERIODS:
            raise SettingError(
                f"steps is {config.steps}; lines show in {LINE_PERIODS} steps or more: give as "
                "many, or line_weight 0."
            )
        self.config, self.music = config, music
        self.device = best_device(config.device)
        self.model = EncodecModel.from_pretrained(config.codec).train()
        self.decoder = self.model.decoder
        torch.manual_seed(config.seed)
        if config.memory:
            wake_memory(self.decoder)
        self.model.to(self.device)
        self.hop = int(self.model.config.hop_length)
        self.average = Average(self.decoder, DECAY, rise=0.0)
        self.optimizer = torch.optim.AdamW(self.decoder.parameters(), config.rate, (0.8, 0.99))
        self.discriminators = Discriminators(config.judge_windows, (), config.judge_channels).to(self.device)
        self.judge_optimizer = torch.optim.AdamW(
            self.discriminators.parameters(), config.judge_rate, (0.5, 0.9)
        )
        self.scales = mel_scales(SAMPLE_RATE).to(self.device)
        self.rng = np.random.default_rng(config.seed)
        self.half = in_bfloat16("auto", self.device)

    def train_step(self, codes: torch.Tensor, real: torch.Tensor) -> float:
        """One step on codes [B, K, T] and sound [B, N]; returns the mel distance."""
        codes, real = codes.to(self.device), real.to(self.device)
        with torch.no_grad():
            latent = self.model.quantizer.decode(codes[:, : self._books()].transpose(0, 1))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            fake = self.decoder(latent)[:, 0]
        fake = fake.float()[:, WARM_STEPS * self.hop :]
        real = real[:, WARM_STEPS * self.hop :]
        seen = some_distances(self.scales, self.config.scales_per_step, fake, real, self.rng)
        mel = seen["mel"]
        wave = (fake - real).pow(2).mean() / real.pow(2).mean().clamp_min(1e-5)
        loss = 10 * mel + 0.5 * seen["linear"] + 0.5 * wave
        loss = loss + self.config.balance_weight * seen["balance"]
        if self.config.hum_weight:
            loss = loss + self.config.hum_weight * hum(fake, real, self.hop)
        if self.config.line_weight:
            loss = loss + self.config.line_weight * added_lines(fake, real, self.hop)
        if self.config.judge_weight:
            loss = loss + self._judged(real, fake)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.decoder.parameters(), CLIP_NORM)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.rate * rate_factor(self.step, WARM_UPDATES, self.progress)
        self.optimizer.step()
        self.step += 1
        self.average.follow(self.decoder, self.step)
        return float(mel.detach())

    def _books(self) -> int:
        """Codebooks that this step's tokens have."""
        return int(self.rng.choice(self.config.books or (self.model.config.num_quantizers,)))

    def _judged(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """Teaches the discriminators on sounds [B, N], then asks them."""
        contest = CONTESTS["hinge"]
        if self.config.judge_steps:
            length = self.config.judge_steps * self.hop
            start = int(self.rng.integers(max(0, real.shape[1] - length) + 1))
            real, fake = (x[:, start : start + length] for x in (real, fake))
        teach_discriminators(self.discriminators, self.judge_optimizer, real, fake, contest, 10 * CLIP_NORM)
        if self.step < self.config.judges_from:
            return torch.zeros((), device=self.device)
        verdict = ask_discriminators(self.discriminators, real, fake, contest)
        return self.config.judge_weight * verdict.fool + self.config.match_weight * verdict.match

    def averaged(self) -> nn.Module:
        """A fresh copy of the codec with the averaged decoder, where the run is."""
        from transformers import EncodecModel

        model: Any = EncodecModel.from_pretrained(self.config.codec)
        model.decoder.load_state_dict({**model.decoder.state_dict(), **self.average.values})
        return model.to(self.device)

    def made_of(self) -> dict[str, Any]:
        """What decides the result of this run, for its state."""
        settings = settings_in(self.config, FREE)
        return {"settings": settings, "codec": digest(self.config.codec)[:16], "music": self.music}

    def save(self, path: Path) -> None:
        """The run's whole state."""
        state = {
            "decoder": self.decoder.state_dict(),
            "average": self.average.values,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "spent_s": self.spent_s,
            "judges": self.discriminators.state_dict(),
            "judge_optimizer": self.judge_optimizer.state_dict(),
            "chance": self.rng.bit_generator.state,
        }
        save_state(path, self.made_of(), state)

    def restore(self, path: Path) -> bool:
        """Goes on from the saved state; False where there is none.

        Raises `SettingError` where it is of something else.
        """
        state = state_to_go_on_from(path, self.made_of())
        if state is None:
            return False
        self.decoder.load_state_dict(state["decoder"])
        self.average.restore(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.discriminators.load_state_dict(state["judges"])
        self.judge_optimizer.load_state_dict(state["judge_optimizer"])
        self.rng.bit_generator.state = state["chance"]
        self.step, self.spent_s = state["step"], state["spent_s"]
        return True
