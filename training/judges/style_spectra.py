"""Spectra of studio music with their styles, which the style classifier learns on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tqdm import tqdm

from d2m_core.codec import Codec, decode_tokens, encode_audio
from d2m_core.errors import SettingError
from d2m_core.grid import position
from d2m_core.media import resample, to_mono
from d2m_core.types import Waveform
from training.pairs.pair import MUSIC, Facts
from training.pairs.shards import PairFolder, shards_in
from training.run.kept import kept, recipe
from training.run.provenance import tensors_sha256

RATE, HOP, FFT, BANDS = 24_000, 480, 1024, 64
EXCERPT_S = 5.0
FRAMES = round(EXCERPT_S * RATE / HOP)
CODED_S = 12.0
"""So much of each piece is heard through codecs."""
HOLD_OUT = 9
"""Every ninth piece is kept back: the 14 styles take turns, and 9 shares no factor with 14."""

SPEEDS = (0.6, 1.7)
"""Excerpts are taken so much slower or faster: a dancer may want any style at any tempo, and house
at 75 BPM is still house."""

_FLOOR_DB, _RANGE_DB = -80.0, 80.0


@lru_cache(maxsize=1)
def _bank() -> torch.Tensor:
    import librosa

    return torch.from_numpy(librosa.filters.mel(sr=RATE, n_fft=FFT, n_mels=BANDS, fmin=30.0))


def log_mel(mono: torch.Tensor) -> torch.Tensor:
    """Mel spectrum [frames, bands] of mono sound [N] at 24 kHz, 0..1 over the upper 80 dB.

    The loudest band of the piece is 1: level does not tell of style.
    """
    window = torch.hann_window(FFT)
    power = torch.stft(mono, FFT, HOP, window=window, return_complex=True).abs() ** 2
    decibels = 10 * torch.log10(_bank() @ power + 1e-10)  # [bands, frames]
    decibels = decibels - decibels.max()
    return ((decibels - _FLOOR_DB) / _RANGE_DB).clamp(0, 1).t().contiguous()


def at_speed(mel: torch.Tensor, speed: float) -> torch.Tensor:
    """A spectrum [frames, bands] played so many times as fast; the pitch stays."""
    size = max(1, round(len(mel) / speed))
    resized = torch.nn.functional.interpolate(mel.t()[None], size=size, mode="linear")
    return resized[0].t()


@dataclass(frozen=True, eq=False)
class Pulse:
    """The beats that a piece is to be heard on."""

    beats_s: np.ndarray
    """float64 [M]."""
    downbeats: np.ndarray | None = None
    """bool [M]; without them the first beat starts a bar."""

    def beat_at(self, times_s: np.ndarray) -> np.ndarray:
        """Beats since the first start of a bar, float64; without two beats those of 120 BPM."""
        if len(self.beats_s) < 2:
            return np.asarray(times_s, np.float64) * 2
        starts = np.flatnonzero(self.downbeats) if self.downbeats is not None else np.zeros(0)
        return position(self.beats_s, times_s) - (starts[0] if len(starts) else 0)


@dataclass(frozen=True, eq=False)
class Excerpt:
    """Part of a piece, and where its frames lie in its bars."""

    mel: torch.Tensor
    """float32 [frames, bands]."""
    beat: np.ndarray
    """float64 [frames]: beats since the start of a bar, may be negative."""


@dataclass(frozen=True, eq=False)
class StyleData:
    """Pieces as spectra, with their beats and styles."""

    mels: list[torch.Tensor]
    """float16 [frames, bands] each."""
    pulses: list[Pulse]
    labels: np.ndarray
    """int64 [pieces]: index into `styles`."""
    styles: tuple[str, ...]
    coded: tuple[list[torch.Tensor], ...] = ()
    """The same pieces, or their beginnings, through a codec each."""
    sizes: tuple[int, ...] = ()
    """Pieces of each folder that they come from, one after the other; without it, of one."""

    @property
    def held_out(self) -> list[int]:
        """Numbers of the pieces that only measure: every ninth of each folder."""
        return [i for i, place in enumerate(self._places()) if place % HOLD_OUT == HOLD_OUT - 1]

    @property
    def train(self) -> list[int]:
        """Numbers of the others."""
        return [i for i, place in enumerate(self._places()) if place % HOLD_OUT != HOLD_OUT - 1]

    def _places(self) -> list[int]:
        """Of each piece, its place in its folder."""
        return [place for size in self.sizes or (len(self.mels),) for place in range(size)]

    def excerpt(self, number: int, rng: np.random.Generator) -> Excerpt:
        """A random part of one piece, as it is or through a codec, at a random tempo (`SPEEDS`) and
        on slightly wrong beats."""
        versions = (self.mels, *self.coded)
        mel = versions[int(rng.integers(len(versions)))][number]
        speed = float(np.exp(rng.uniform(*np.log(SPEEDS))))
        taken = min(round(FRAMES * speed), len(mel))
        first = int(rng.integers(len(mel) - taken + 1))
        late = rng.normal(scale=0.01)
        times_s = (first + np.linspace(0, taken, FRAMES, endpoint=False)) * HOP / RATE + late
        resized = at_speed(mel[first : first + taken].float(), taken / FRAMES)
        return Excerpt(resized, self.pulses[number].beat_at(times_s))

    def windows(
        self, number: int, speed: float = 1.0, most: int | None = None, codec: int | None = None
    ) -> list[Excerpt]:
        """The first `most` windows of a piece, or all, `speed` times as fast; `codec` as coded by
        that of `coded`."""
        mels = self.mels if codec is None else self.coded[codec]
        mel = at_speed(mels[number].float(), speed)
        times_s = np.arange(len(mel)) * HOP / RATE * speed
        return cut(mel, self.pulses[number].beat_at(times_s))[:most]


def bent(heard: Excerpt, rng: np.random.Generator) -> Excerpt:
    """An excerpt as another sound system or codec might give it: tilt, low-pass, blur, gain."""
    mel = heard.mel.clone()
    tilt = np.interp(np.linspace(0, 4, BANDS), np.arange(5), rng.normal(scale=0.05, size=5))
    mel = mel + torch.from_numpy(tilt).float() + float(rng.normal(scale=0.03))
    if rng.random() < 0.4:
        mel[:, int(rng.integers(BANDS // 2, BANDS)) :] -= float(rng.uniform(0.1, 0.5))
    if rng.random() < 0.3:
        mel = 0.5 * mel + 0.25 * (mel.roll(1, 0) + mel.roll(-1, 0))
    if rng.random() < 0.5:
        mel = mel + 0.02 * torch.from_numpy(rng.normal(size=mel.shape)).float()
    return Excerpt(mel.clamp(0, 1.2), heard.beat)


def cut(mel: torch.Tensor, beat: np.ndarray) -> list[Excerpt]:
    """Windows of `FRAMES` of a piece, half overlapping; a short piece is repeated."""
    if len(mel) < FRAMES:
        times = -(-FRAMES // len(mel))
        mel, beat = mel.repeat(times, 1), np.tile(beat, times)
    firsts = range(0, len(mel) - FRAMES + 1, FRAMES // 2)
    return [Excerpt(mel[f : f + FRAMES], beat[f : f + FRAMES]) for f in firsts]


def read_styles(folder: Path, store: Path, codecs: Sequence[Codec] = ()) -> StyleData:
    """All music of a data set of pairs as spectra, and its beginnings through `codecs`; they are
    kept in the folder `store`. Raises `SettingError`."""
    pairs = PairFolder(folder)
    mels = _spectra(pairs, store, None)
    if any(len(mel) < FRAMES for mel in mels):
        raise SettingError(f"{folder} holds pieces under {EXCERPT_S:g} s; make longer ones.")
    coded = tuple(_spectra(pairs, store, codec) for codec in codecs)
    styles = tuple(sorted({entry.style for entry in pairs.entries}))
    labels = np.array([styles.index(entry.style) for entry in pairs.entries], np.int64)
    facts = [pairs.read(entry.name, kinds=()).facts for entry in pairs.entries]
    pulses = [pulse_of(each) for each in facts]
    return StyleData(mels, pulses, labels, styles, coded, (len(mels),))


def joined(parts: Sequence[StyleData]) -> StyleData:
    """Several folders as one. Raises `SettingError` where their styles differ."""
    first = parts[0]
    if any(part.styles != first.styles for part in parts):
        raise SettingError(
            "The folders hold different styles: "
            + "; ".join(", ".join(part.styles) for part in parts)
            + ". Make each with all of them."
        )
    return StyleData(
        [mel for part in parts for mel in part.mels],
        [pulse for part in parts for pulse in part.pulses],
        np.concatenate([part.labels for part in parts]),
        first.styles,
        tuple(
            [mel for each in versions for mel in each]
            for versions in zip(*(part.coded for part in parts), strict=True)
        ),
        tuple(size for part in parts for size in part.sizes),
    )


def _spectra(pairs: PairFolder, store: Path, codec: Codec | None) -> list[torch.Tensor]:
    """The spectrum of every pair's music, kept in `store`."""
    names = [entry.name for entry in pairs.entries]
    what = "spectra" if codec is None else codec.spec.name
    name = pairs.folder.name if codec is None else f"{pairs.folder.name}-{what}"

    def write(target: Path) -> None:
        save_file({name: _spectrum(pairs, name, codec) for name in tqdm(names, what, unit="piece")}, target)

    def read(target: Path) -> list[torch.Tensor]:
        with safe_open(target, framework="pt") as file:
            return [file.get_tensor(name) for name in names]

    through = None if codec is None else {"spec": codec.spec, "weights": tensors_sha256(codec.state_dict())}
    made_of = recipe(log_mel, files=shards_in(pairs.folder), pairs=names, codec=through)
    return kept(store, f"{name}.safetensors", made_of, write, read)


def _spectrum(pairs: PairFolder, name: str, codec: Codec | None) -> torch.Tensor:
    music = pairs.read(name, kinds=(MUSIC,)).music
    if music is None:
        raise SettingError(f"{name} has no music; give pairs with music.")
    mono = to_mono(resample(music, RATE))
    if codec is not None:
        start = Waveform(mono.samples[..., : round(CODED_S * RATE)], RATE)
        tokens = encode_audio(codec, resample(start, codec.spec.sample_rate))
        mono = resample(decode_tokens(codec, tokens, start.samples.shape[-1] / RATE), RATE)
    return log_mel(mono.samples[0, 0]).half()


def pulse_of(facts: Facts) -> Pulse:
    """The beats of a pair."""
    return Pulse(np.array(facts.beats_s, np.float64), np.array(facts.downbeats, bool))
