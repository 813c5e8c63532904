"""A pair of dance and music as a training item: its motion, its curves, its codec tokens."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from d2m_core.align.bend import bend_back
from d2m_core.codec import Codec, encode_audio
from d2m_core.errors import SettingError
from d2m_core.media import to_mono
from d2m_core.motion import MOTION_NAMES, extract_motion
from d2m_core.music.straightening import straighten
from d2m_core.rhythm import RhythmNet, rhythm_from_motion
from d2m_core.straight import StepGrid, StraightMap, lay_out
from d2m_core.types import MotionFeatures, Rhythm, Waveform
from d2m_core.weights import ON_STEPS
from training.pairs.pair import Facts, Pair, as_float16

from .items import TrainItem

_CHROMA_S = 0.17
"""Length of the windows that pitches are told apart in; the nearest power of two is taken."""

_SILENT = 1e-4


@dataclass(frozen=True)
class Encoding:
    """How pairs become items."""

    data: Path
    out: Path
    codec: str
    rhythm: str | None = None
    """Rhythm network whose curves stand in for the music's own in half of the items."""
    bandwidth: float | None = None
    """kbit/s where the codec offers several; its highest otherwise."""
    straight: bool | None = None
    """As `in_straight_time` takes it."""


def in_straight_time(asked: bool | None, codec: str) -> bool:
    """Whether music is laid on the straight grid of its tempo: as asked, else where its codec is made for
    that."""
    return codec in ON_STEPS if asked is None else asked


def encode_pair(
    pair: Pair, codec: Codec, rhythm: RhythmNet | None = None, straight: bool | None = None
) -> TrainItem:
    """The training item of a pair with music, beats and curves; `rhythm` and `straight` as in `Encoding`."""
    facts = pair.facts
    if pair.music is None or pair.curves is None or facts.tempo_bpm is None:
        raise SettingError(
            f"Pair {pair.name} has no music with beats; make pairs with both, or leave it out."
        )
    mono, rate = to_mono(pair.music), codec.spec.token_rate
    motion = None if pair.seen is None else extract_motion(pair.seen)
    curves = _curves(pair.name, pair.curves, motion, rhythm)
    if motion is not None:
        motion = replace(motion, values=_fitted(motion.values, len(curves)))
    beats_s, downbeats = np.array(facts.beats_s, np.float64), np.array(facts.downbeats, np.bool_)
    heard = Rhythm(beats_s, downbeats, curves.astype(np.float32), facts.tempo_bpm)
    if in_straight_time(straight, codec.spec.name):
        mono, motion, heard = _straightened(mono, motion, heard, facts, rate)
    codes = encode_audio(codec, mono).codes
    return TrainItem(
        codes=codes[0].numpy().astype(np.int16),
        curves=heard.curves.astype(np.float16),
        beats_s=heard.beats_s,
        downbeats=heard.downbeats,
        codec=codec.spec,
        tempo_bpm=heard.tempo_bpm,
        motion=None if motion is None else as_float16(motion.values),
        motion_names=MOTION_NAMES,
        style=facts.style,
        sound=sound_of(mono, rate, codes.shape[-1]),
    )


def straight_way(facts: Facts, token_rate: float) -> StraightMap | None:
    """The way of a pair to straight time; None where its beats begin token steps already, or are no two."""
    beats_s, downbeats = np.array(facts.beats_s, np.float64), np.array(facts.downbeats, np.bool_)
    if len(beats_s) < 2 or StepGrid.of(beats_s, downbeats, token_rate) is not None:
        return None
    return lay_out(beats_s, downbeats, token_rate)[1]


def _straightened(
    mono: Waveform, motion: MotionFeatures | None, heard: Rhythm, facts: Facts, token_rate: float
) -> tuple[Waveform, MotionFeatures | None, Rhythm]:
    """A pair in straight time, as a dance is read there when music is written; its music is bent with it."""
    way = straight_way(facts, token_rate)
    if way is None:
        return mono, motion, heard
    laid = straighten(motion, heard, mono.duration_s, token_rate)
    there = np.stack([way.dance_s, way.straight_s], axis=1)  # the other way round than music is bent back
    return bend_back(mono, there, laid.duration_s), laid.motion, laid.rhythm


def sound_of(mono: Waveform, token_rate: float, steps: int) -> np.ndarray:
    """Chroma and level of each token step, as `TrainItem.sound`."""
    import librosa

    samples, rate = mono.samples[0, 0].numpy(), mono.sample_rate
    hop = round(rate / token_rate)
    size = 2 ** round(math.log2(_CHROMA_S * rate))
    chroma = librosa.feature.chroma_stft(
        y=samples, sr=rate, n_fft=size, hop_length=hop, tuning=0.0, norm=1, pad_mode="constant"
    )
    level = librosa.feature.rms(y=samples, frame_length=2 * hop, hop_length=hop, pad_mode="constant")
    decibels = 20 * np.log10(np.maximum(level, _SILENT))
    found = np.concatenate([chroma, decibels]).T[:steps]
    return np.pad(found, ((0, max(0, steps - len(found))), (0, 0)), mode="edge").astype(np.float16)


def _curves(name: str, own: np.ndarray, motion: MotionFeatures | None, net: RhythmNet | None) -> np.ndarray:
    """Rhythm curves [F, R]: the music's own, or those read from the dance."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), 77])
    if net is None or motion is None or rng.random() < 0.5:
        return own
    return _fitted(rhythm_from_motion(motion, net).curves, len(own))


def _fitted(values: np.ndarray, frames: int) -> np.ndarray:
    """Exactly `frames` rows; poses and music may differ by one."""
    short = max(0, frames - len(values))
    return np.pad(values, ((0, short), (0, 0)), mode="edge")[:frames]
