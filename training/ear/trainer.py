"""The state of an ear's training and its steps; `train_ear` runs it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from d2m_core.ear import EAR_FPS, EAR_RATE, HEADS, EarConfig, EarNet, load_ear
from d2m_core.ear.spectrum import HOP, band_levels, compressed, level_of
from d2m_core.errors import require
from training.run.average import Average
from training.run.fitted import Fitted
from training.run.schedule import rate_factor
from training.run.state import digest_of, settings_in

from .clicks import click_piece
from .piece import Piece
from .pool import Pool

WARM_STEPS = 100
FREE = (
    "out",
    "folder",
    "minutes",
    "steps",
    "validation",
    "groove",
    "samples",
    "pairs",
    "threads",
    "resume",
    "workers",
)
"""Settings that may differ when a run goes on. The music itself is compared as well."""

_BUMP_S = {"beat": 0.02, "downbeat": 0.02, "onset": 0.012}
"""Deviations of the bumps that are learnt around each event."""
_WEIGHTS = {"beat": 1.0, "downbeat": 1.0, "onset": 0.3}
"""How much each head counts."""
_CLICKS = 0.05
"""Share of the windows that hold bare clicks."""
_NOTHING = 0.04
"""Share of the windows in which there is no music."""
_FAVOURED = {"beat": 2.0, "downbeat": 4.0, "onset": 1.0}
"""How much more a bump counts than its absence, since it is rare."""


LEFT_OUT = ("worn", "plain", "spoilt", "speeds", "onsets")
"""What an ablation may do without: music that was worn, or was not; windows that are spoilt, or heard at
another speed; the onsets' part of the loss."""


@dataclass(frozen=True)
class TrainEarConfig:
    """Settings of a run."""

    out: Path = Path("runs/ear.safetensors")
    """File to write."""
    folder: Path = Path("runs/ear")
    """Where the music and the state to go on from are kept."""
    resume: bool = True
    """Go on from the state in `folder`, if there is one; it must be of the same settings and music.
    Without, begin anew and replace it."""
    minutes: float = 60.0
    """Wall-clock minutes of training, earlier parts of a resumed run included."""
    steps: int = 0
    """Steps of training instead of minutes, where above 0: the same on any machine."""
    pieces: int = 600
    """Pieces of 30 s by the studio's band; each is heard as it is, and worn; a core plays one in 2.5 s."""
    groove: str = ""
    """Folder of the Groove MIDI Dataset: real drummers."""
    samples: str = ""
    """Folder of CC0 one-shots and loops, as Sonic Pi's."""
    pairs: tuple[str, ...] = ()
    """Folders of pairs with beats, whose music is learnt as well."""
    validation: int = 28
    """Held-out pieces scored from time to time."""
    batch: int = 4
    """Windows in a step."""
    window_s: float = 24.0
    """Length of a window."""
    rate: float = 2e-3
    """Peak learning rate."""
    weight_decay: float = 0.02
    average: float = 0.998
    """Decay of the moving average of the weights, which is what is saved."""
    start: str = ""
    """An ear to begin from; else with random weights."""
    channels: int = 64
    layers: int = 9
    leave_out: tuple[str, ...] = ()
    """For ablations: which of `LEFT_OUT` not to learn from; of the studio's pieces alone."""
    seed: int = 0
    threads: int = 1
    """CPU threads."""
    workers: int = 0
    """Processes that play music; 0 for one per core."""

    def __post_init__(self) -> None:
        odd = [name for name in self.leave_out if name not in LEFT_OUT]
        require(not odd, f"leave_out has {', '.join(odd)}; choose of {', '.join(LEFT_OUT)}.")


class Trainer(Fitted[EarNet]):
    """Network, optimiser and their averaged copy, with what is needed to go on later."""

    def __init__(self, config: TrainEarConfig, pool: Pool) -> None:
        super().__init__(config.minutes, config.steps)
        self.config, self.pool = config, pool
        torch.manual_seed(config.seed)
        self.net = EarNet(EarConfig(channels=config.channels, layers=config.layers))
        self._measure(pool)
        if config.start:
            self.net.load_state_dict(load_ear(config.start).state_dict())
        self.average = Average(self.net, config.average)
        self.optimiser = torch.optim.AdamW(
            self.net.parameters(), lr=config.rate, weight_decay=config.weight_decay
        )

    def _measure(self, pool: Pool) -> None:
        """Mean and deviation of every band, over some pieces."""
        some = [pool.piece(k) for k in range(0, len(pool), max(1, len(pool) // 40))]
        levels = torch.cat([mel_of(piece.samples, self.net.config.bands) for piece in some])
        self.net.mean.copy_(levels.mean(0))
        self.net.std.copy_(levels.std(0).clamp(min=1e-2))

    def rate(self) -> float:
        """Learning rate now: a short rise, then a cosine down to nearly nothing."""
        return self.config.rate * rate_factor(self.step, WARM_STEPS, self.progress)

    def train_step(self) -> float:
        """One batch, on the clock; gives its loss."""
        with self.on_the_clock():
            return self._train_step()

    def _train_step(self) -> float:
        rng = np.random.default_rng([self.config.seed, self.step])
        mel, wanted = batch_of(self.pool, self.config, rng)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        self.net.train()
        torch.manual_seed(hash((self.config.seed, self.step)))  # a run that goes on drops out the same
        without = ("onset",) if "onsets" in self.config.leave_out else ()
        return self.learn(loss_of(self.net(mel), wanted, without))

    def averaged_net(self) -> EarNet:
        """The network with averaged weights."""
        net = EarNet(self.net.config)
        net.load_state_dict(self.average.state_of(self.net))
        return net.eval()

    @cached_property
    def made_of(self) -> dict[str, Any]:
        """What decides the result of this run, for its state (`training.run.state`)."""
        pool = self.pool
        digest = digest_of((pool.lengths, pool.beats_s, pool.samples[::1000]))
        return {"settings": settings_in(self.config, FREE), "data": f"{len(pool)} pieces {digest}"}


def loss_of(logits: torch.Tensor, wanted: torch.Tensor, without: tuple[str, ...] = ()) -> torch.Tensor:
    """Cross entropy of logits and bumps, both [B, S, heads]; heads `without` do not count."""
    favoured = torch.tensor([_FAVOURED[head] for head in HEADS])
    weights = torch.tensor([0.0 if head in without else _WEIGHTS[head] for head in HEADS])
    return binary_cross_entropy_with_logits(logits, wanted, weight=weights, pos_weight=favoured)


def mel_of(samples: np.ndarray, bands: int) -> torch.Tensor:
    """What the network reads of samples [N], [S, bands]."""
    sound = torch.from_numpy(np.ascontiguousarray(samples, np.float32))[None]
    return compressed(band_levels(sound * level_of(sound), bands))[0]


def batch_of(
    pool: Pool, config: TrainEarConfig, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Windows of random pieces, spoilt in random ways: mel [B, S, bands] and bumps [B, S, heads]."""
    frames, spoil = round(config.window_s * EAR_FPS), "spoilt" not in config.leave_out
    speeds = spoil and "speeds" not in config.leave_out
    first, step = 0, 1
    if "worn" in config.leave_out or "plain" in config.leave_out:  # they take turns in the pool
        first, step = ("plain" in config.leave_out) * 1, 2
    picks = first + step * rng.integers(len(pool) // step, size=config.batch)
    mels, wanted = [], []
    for pick in picks:
        if spoil and rng.random() < _NOTHING:
            mels.append(compressed(no_music(frames, rng)))
            wanted.append(np.zeros((frames, len(HEADS)), np.float32))
            continue
        bare = spoil and rng.random() < _CLICKS
        piece = click_piece(config.window_s * 1.4, rng) if bare else pool.piece(int(pick))
        hop = round(HOP * np.exp(rng.uniform(-0.28, 0.28))) if speeds and rng.random() < 0.5 else HOP
        sound = piece.samples
        if spoil and rng.random() < 0.25:
            sound = _beside(sound, pool.piece(int(rng.integers(len(pool)))).samples, rng)
        start = int(rng.integers(max(1, len(sound) - frames * hop)))
        sound = sound[start : start + frames * hop]
        cut = torch.from_numpy(np.pad(sound, (0, frames * hop - len(sound))))[None]
        levels = band_levels(cut * level_of(cut), EarConfig.bands, hop)[0]
        mels.append(compressed(spoilt(levels, rng) if spoil else levels))
        wanted.append(bumps_of(piece, start, hop, frames))
    return torch.stack(mels), torch.from_numpy(np.stack(wanted))


def no_music(frames: int, rng: np.random.Generator) -> torch.Tensor:
    """Mel levels [S, bands] of noise that comes and goes and of tones that are held: nothing to count."""
    bands = EarConfig.bands
    tilt = np.interp(np.linspace(0, 5, bands), np.arange(6), rng.normal(0, 10.0, 6) - 30)
    swell = np.interp(np.linspace(0, 8, frames), np.arange(9), rng.normal(0, 3.0, 9))
    noise = 10 ** ((tilt + swell[:, None]) / 20) * rng.rayleigh(1.0, (frames, bands))
    if rng.random() < 0.5:
        tones = rng.random(bands) < 0.1
        noise = noise * 0.1 + 10 ** ((tilt + swell[:, None]) / 20) * tones
    return torch.from_numpy(noise).float()


def _beside(sound: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A sound with another piece softly behind it, which nobody should follow."""
    other = np.roll(np.resize(other, len(sound)), int(rng.integers(len(sound))))
    return sound + other * np.float32(10 ** (rng.uniform(-26, -10) / 20))


def spoilt(levels: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Mel levels [S, bands] as other recordings have them: louder, duller, noisier, with gaps."""
    frames, bands = levels.shape
    knots = np.interp(np.linspace(0, 5, bands), np.arange(6), rng.normal(0, 4.0, 6))
    gain = rng.uniform(-6, 6) + knots * (rng.random() < 0.7)
    levels = levels * torch.from_numpy(10 ** (gain / 20)).float()
    if rng.random() < 0.3:
        floor = 10 ** (rng.uniform(-70, -35) / 20)
        levels = levels + floor * torch.from_numpy(rng.rayleigh(1.0, (frames, bands))).float()
    if rng.random() < 0.15:
        low = int(rng.integers(bands // 2))
        levels[:, low : low + int(rng.integers(4, bands // 2))] *= 0.05
    if rng.random() < 0.2:
        first = int(rng.integers(frames))
        levels[first : first + int(rng.integers(10, 3 * EAR_FPS))] *= 10 ** (rng.uniform(-60, -6) / 20)
    return levels


def bumps_of(piece: Piece, start: int, hop: int, frames: int) -> np.ndarray:
    """What the ear should say of `frames` frames of `hop` samples from sample `start` on: [S, heads]."""
    fps = EAR_RATE / hop
    begin_s = start / EAR_RATE
    beats = (piece.beats_s - begin_s) * fps
    onsets = (piece.onsets[:, 0] - begin_s) * fps
    return np.stack(
        [
            _bumps(beats, np.ones(len(beats)), _BUMP_S["beat"] * EAR_FPS, frames),
            _bumps(beats[piece.downbeats], np.ones(len(beats)), _BUMP_S["downbeat"] * EAR_FPS, frames),
            _bumps(onsets, piece.onsets[:, 1], _BUMP_S["onset"] * EAR_FPS, frames),
        ],
        axis=1,
    )


def _bumps(at: np.ndarray, heights: np.ndarray, width: float, frames: int) -> np.ndarray:
    """Bells of some heights around places in frames, the highest wins: float32 [frames]."""
    out = np.zeros(frames, np.float32)
    around = np.arange(-4, 5)
    places = np.round(at).astype(int)[:, None] + around  # [n, 9]
    bells = np.exp(-0.5 * ((places - at[:, None]) / width) ** 2) * heights[: len(at), None]
    inside = (places >= 0) & (places < frames)
    np.maximum.at(out, places[inside], bells[inside].astype(np.float32))
    return np.clip(out, 0.0, 1.0)
