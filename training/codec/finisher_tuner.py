"""The state of a finisher's training and its steps; `training.tune_finisher` runs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from d2m_core.codec import Codec
from d2m_core.codec.finish import FinishConfig, Finisher
from d2m_core.pipeline import best_device
from training.run.average import Average
from training.run.provenance import tensors_sha256
from training.run.schedule import Run, rate_factor
from training.run.state import save_state, settings_in, state_to_go_on_from

from .band_music import FULL_SCALE
from .spectra import mel_scales, some_distances
from .tones import lost_tones

FREE = ("codec", "out", "run", "data", "minutes", "stop_after", "resume", "device")
"""Settings that may differ when a run goes on. Codec and music themselves are compared."""

WARM_UPDATES = 100
CLIP_NORM = 5.0
DECAY = 0.998
MEL, LINEAR, BALANCE = 20.0, 1.0, 3.0
"""Weights of the distances."""


@dataclass(frozen=True)
class FinishTraining:
    """Settings of one run; the command line is made from these fields."""

    codec: Path = Path("weights/codec_3")
    """Codec whose tokens are finished."""
    out: Path = Path("runs/finisher.safetensors")
    """File to write; beside the codec's own files `load_codec` finds it as `finisher.safetensors`."""
    run: Path = Path("runs/finisher")
    """State to resume from, and what the codec says of the music."""
    data: tuple[Path, ...] = ()
    """Folders of studio shards with stereo music."""
    data_minutes: float = 120.0
    """From each of them, at most."""
    minutes: float = 60.0
    """Minutes of training in all, resumed parts counted."""
    stop_after: float = 0.0
    """Minutes of training after which this call saves, writes and ends, to be gone on with; 0 for never."""
    books: int = 4
    """Codebooks that the tokens have, as the transformer writes them."""
    batch: int = 4
    steps: int = 48
    """Length of a training segment in token steps."""
    up: int = 1
    """Times the codec's rate that comes out: 2 makes 48 kHz of 24, for music that has as much."""
    dim: int = FinishConfig.dim
    """Width at token steps."""
    fine_dim: int = FinishConfig.fine_dim
    """Width at frames."""
    rate: float = 1e-3
    """Highest learning rate; it falls as a cosine of the time spent."""
    tone_weight: float = 2.0
    """Weight of tones that stand out less than they should."""
    scales_per_step: int = 3
    """Window lengths of the spectra that a step looks through, drawn for each."""
    seed: int = 1
    device: str = "auto"
    resume: bool = True
    """Go on from the state in `run`, if there is one of the same settings, codec and music."""


@dataclass(frozen=True, eq=False)
class Piece:
    """One piece of music, what the codec says of it, and how its decoder puts that."""

    codes: torch.Tensor
    """int64 [K, T]."""
    decoded: np.ndarray
    """int16 [T * hop]."""
    stereo: np.ndarray
    """int16 [2, T * hop] at the finisher's rate, or a little more."""


class FinisherTuner(Run):
    """The state of one run; `music` is what it hears, in short."""

    def __init__(
        self, config: FinishTraining, codec: Codec, music: str = "", shape: FinishConfig | None = None
    ) -> None:
        super().__init__(config.minutes)
        self.config, self.music = config, music
        self.device = best_device(config.device)
        self.codec = codec.to(self.device)
        self.codec_weights = tensors_sha256(codec.model.state_dict())
        torch.manual_seed(config.seed)
        latent = int(codec.model.config.codebook_dim or codec.model.config.hidden_size)
        usual = FinishConfig(
            hop=codec.hop, latent=latent, dim=config.dim, fine_dim=config.fine_dim, up=config.up
        )
        self.net = Finisher(shape or usual).to(self.device)
        self.average = Average(self.net, DECAY)
        self.optimizer = torch.optim.AdamW(self.net.parameters(), config.rate, (0.8, 0.99))
        self.scales = mel_scales(self.net.config.out_rate).to(self.device)
        self.rng = np.random.default_rng(config.seed)

    def draw(self, pieces: list[Piece]) -> tuple[torch.Tensor, ...]:
        """Segments: codes [B, K, steps], the decoder's sound [B, N], stereo [B, 2, N * up]."""
        steps, hop = self.config.steps, self.codec.hop
        parts = []
        for number in self.rng.integers(len(pieces), size=self.config.batch):
            piece = pieces[int(number)]
            first = int(self.rng.integers(piece.codes.shape[1] - steps + 1))
            places = ((piece.decoded, hop), (piece.stereo, self.net.config.out_hop))
            sounds = [
                sound[..., first * size : (first + steps) * size].astype(np.float32) / FULL_SCALE
                for sound, size in places
            ]
            parts.append((piece.codes[:, first : first + steps], *map(torch.from_numpy, sounds)))
        return tuple(torch.stack(each).to(self.device) for each in zip(*parts, strict=True))

    def train_step(self, codes: torch.Tensor, decoded: torch.Tensor, real: torch.Tensor) -> dict[str, float]:
        """One step; returns its distances."""
        with torch.no_grad():
            latent = self.codec.model.quantizer.decode(codes.transpose(0, 1))
        fake = self.net(latent, decoded, int(self.rng.integers(1000))).flatten(0, 1)
        real = real.flatten(0, 1)
        seen = some_distances(self.scales, self.config.scales_per_step, fake, real, self.rng)
        tones = lost_tones(fake, real, self.net.config.out_rate)
        loss = MEL * seen["mel"] + LINEAR * seen["linear"] + BALANCE * seen["balance"]
        loss = loss + self.config.tone_weight * tones
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), CLIP_NORM)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.rate * rate_factor(self.step, WARM_UPDATES, self.progress)
        self.optimizer.step()
        self.step += 1
        self.average.follow(self.net, self.step)
        return {"mel": float(seen["mel"].detach()), "tones": float(tones.detach())}

    def averaged(self) -> Finisher:
        """A copy with averaged weights."""
        net = Finisher(self.net.config)
        net.load_state_dict(self.average.state_of(self.net))
        return net.eval().to(self.device)

    def made_of(self) -> dict[str, Any]:
        """What decides the result of this run, for its state."""
        settings = settings_in(self.config, FREE)
        return {"settings": settings, "codec": self.codec_weights[:16], "music": self.music}

    def save(self, path: Path) -> None:
        """The run's whole state."""
        state = {
            "net": self.net.state_dict(),
            "average": self.average.values,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "spent_s": self.spent_s,
            "chance": self.rng.bit_generator.state,
        }
        save_state(path, self.made_of(), state)

    def restore(self, path: Path) -> bool:
        """Goes on from the saved state; False where there is none. Raises `SettingError` for another's."""
        state = state_to_go_on_from(path, self.made_of())
        if state is None:
            return False
        self.net.load_state_dict(state["net"])
        self.average.restore(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.bit_generator.state = state["chance"]
        self.step, self.spent_s = state["step"], state["spent_s"]
        return True
