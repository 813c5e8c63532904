"""Music made for the scores, and what is heard in it; kept, so that a rerun only scores."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from d2m_core.grid import tempo_of
from d2m_core.media import load_audio, save_audio
from d2m_core.music import SamplingConfig, decode_music, generate_tokens
from d2m_core.pipeline import Models
from d2m_core.scores.metrics import onsets
from d2m_core.types import MotionFeatures, Rhythm, Waveform
from d2m_core.weights import default_weights
from training.judges.trackers import beats_heard, listener, tracker
from training.run.kept import kept, place_for, read_json, recipe, write_json
from training.run.provenance import file_sha256, tensors_sha256


@dataclass(frozen=True, eq=False)
class Take:
    """One piece of music that the model wrote."""

    wave: Waveform
    codes: torch.Tensor
    """int64 [K, T]."""
    kept: Path
    """Where it lies, without the suffix."""


@dataclass(frozen=True, eq=False)
class Heard:
    """What a listener finds in a sound."""

    beats_s: np.ndarray
    """float64 [M], by a tracker that is told nothing."""
    onsets_s: np.ndarray
    """float64 [N], as `metrics.onsets` finds them."""

    @property
    def tempo_bpm(self) -> float:
        """NaN under two beats."""
        return tempo_of(self.beats_s) if len(self.beats_s) > 1 else float("nan")

    def until(self, duration_s: float) -> Heard:
        """Only the first seconds."""
        beats, hits = self.beats_s, self.onsets_s
        return Heard(beats[beats < duration_s], hits[hits < duration_s])


class Maker:
    """Writes music with one model, or takes it from `folder` where it was written before."""

    def __init__(self, models: Models, model_path: Path | None, folder: Path) -> None:
        self.models, self.folder = models, folder
        self.checksum = file_sha256(model_path or default_weights("model"))
        self.codec_checksum = tensors_sha256(models.codec.state_dict())

    def take(
        self,
        name: str,
        motion: MotionFeatures | None,
        rhythm: Rhythm | None,
        sampling: SamplingConfig,
        duration_s: float,
    ) -> Take:
        """Music for a dance, or free music where both are None. `name` starts the file's name."""
        made_of = recipe(
            generate_tokens,
            decode_music,
            model=self.checksum,
            codec={"spec": self.models.codec.spec, "weights": self.codec_checksum},
            motion=motion,
            rhythm=rhythm,
            sampling=sampling,
            duration_s=duration_s,
        )
        tokens, sound = (place_for(self.folder, name + suffix, made_of) for suffix in (".npy", ".wav"))
        if not (sound.there and tokens.there):
            codec = self.models.codec
            made = generate_tokens(
                self.models.model, motion, rhythm, codec.spec, sampling, duration_s=duration_s, codec=codec
            )
            codes = made.codes[0].cpu().numpy().astype(np.int16)
            sound.write(partial(save_audio, decode_music(codec, made, duration_s)))
            tokens.write(partial(np.save, arr=codes))
        codes = np.load(tokens.path, allow_pickle=False)
        wave = load_audio(sound.path, mono=True)
        return Take(wave, torch.from_numpy(codes.astype(np.int64)), sound.path.with_suffix(""))


def hear(wave: Waveform, at: Path | None = None) -> Heard:
    """Beats (madmom's where installed, else ours) and onsets of a sound, remembered beside `at`."""
    if at is None:
        return _heard(wave)

    def write(path: Path) -> None:
        heard = _heard(wave)
        write_json({name: times.round(4).tolist() for name, times in vars(heard).items()})(path)

    made_of = recipe(hear, sound=wave.samples.numpy(), rate=wave.sample_rate, listener=listener())
    known = kept(at.parent, f"{at.name}_{tracker()}.json", made_of, write, read_json)
    return Heard(**{name: np.array(times, np.float64) for name, times in known.items()})


def _heard(wave: Waveform) -> Heard:
    return Heard(np.asarray(beats_heard(wave), np.float64), np.asarray(onsets(wave), np.float64))


def clicks(times_s: np.ndarray, duration_s: float, sample_rate: int = 24_000) -> Waveform:
    """A metronome: a short tone at each time, mono."""
    samples = np.zeros(round(duration_s * sample_rate), np.float32)
    length = round(0.03 * sample_rate)
    at = np.arange(length) / sample_rate
    tone = (0.5 * np.sin(2 * np.pi * 1500 * at) * np.exp(-at / 0.008)).astype(np.float32)
    for time_s in times_s:
        first = round(float(time_s) * sample_rate)
        part = samples[first : first + length]
        part += tone[: len(part)]
    return Waveform(torch.from_numpy(samples)[None, None], sample_rate)
