"""How much of music is left after a codec: spectra, waveform, onsets, beats, octaves, codebooks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.codec_rivals import Coded, Contestant
from d2m_core.codec import Codec, decode_tokens, encode_audio
from d2m_core.rhythm import rhythm_from_audio
from d2m_core.scores import Meeting, meeting_of
from d2m_core.types import Waveform
from training.codec.figures import octave_levels_db, si_sdr
from training.codec.hum import hum_db
from training.codec.quantizer import perplexity
from training.codec.settings import SAMPLE_RATE
from training.codec.spectra import FLOOR, MelScale, mel_scales
from training.judges.madmom import madmom_beats

THREADS = 2
"""For the speed that is reported."""

SPEED_S = 30.0
"""Length of what is timed."""


@dataclass(frozen=True)
class Score:
    """One contestant on one set of music."""

    codec: str
    music: str
    kbits: float
    mel: float
    """Mean |log10| distance of mel magnitudes over all window lengths."""
    lsd_db: float
    """Log-spectral distance: root mean square over bins, mean over frames."""
    si_sdr_db: float
    onset_r: float
    """Correlation of librosa's onset envelopes."""
    beats: Meeting
    """How beats that our ear finds in decoded music meet those it finds in the original, means."""
    madmom: Meeting | None
    """The same by madmom's tracker, where it was asked for."""
    hum_db: float
    """Power of the tones that the decoder adds to every frame alike, under the music."""
    octaves_db: list[float]
    """Power of each of `OCTAVES_HZ` against the original's."""
    perplexity: list[float]
    mels: list[float]
    """`mel` of each piece."""

    @property
    def worst_octave_db(self) -> float:
        """Of all octaves, how far the one farthest off is."""
        return max(self.octaves_db, key=abs)


def score(contestant: Contestant, music: str, audio: torch.Tensor, madmom: bool) -> tuple[Score, Coded]:
    """Codes `audio` [B, 1, N] and holds what comes back against it."""
    coded = contestant.code(audio)
    fake, codes = coded.sound, coded.codes
    mels = [mel_distance(a, b) for a, b in zip(audio[:, 0], fake[:, 0], strict=True)]
    return Score(
        contestant.name,
        music,
        round(coded.kbits, 2),
        round(float(np.mean(mels)), 4),
        round(log_spectral_distance(audio[:, 0], fake[:, 0]), 2),
        round(si_sdr(audio, fake), 2),
        round(mean_of(onset_correlation, audio, fake), 3),
        beats_kept(lambda wave: rhythm_from_audio(wave).beats_s, audio, fake),
        beats_kept(madmom_beats, audio, fake) if madmom else None,
        round(hum_db(audio, fake, contestant.frame), 1),
        octave_levels_db(audio, fake),
        [] if codes is None else [round(p, 1) for p in perplexity(codes, contestant.cardinality)],
        [round(x, 4) for x in mels],
    ), coded


def mean_of(
    compare: Callable[[np.ndarray, np.ndarray], float], real: torch.Tensor, fake: torch.Tensor
) -> float:
    """Mean of `compare` over the pieces of two [B, 1, N]."""
    pairs = zip(real[:, 0].numpy(), fake[:, 0].numpy(), strict=True)
    return float(np.mean([compare(*pair) for pair in pairs]))


@torch.no_grad()
def mel_distance(real: torch.Tensor, fake: torch.Tensor) -> float:
    """Mean |log10| distance of mel magnitudes of [N] over all window lengths."""
    return float(np.mean([float(s(fake[None], real[None]).mel) for s in mel_scales(SAMPLE_RATE)]))


@torch.no_grad()
def log_spectral_distance(real: torch.Tensor, fake: torch.Tensor) -> float:
    """dB between spectra of [B, N], 2048 samples each, of what is above -80 dB."""
    scale = MelScale(SAMPLE_RATE, 2048, 40)
    a, b = (20 * scale.magnitude(x).clamp_min(FLOOR).log10() for x in (real, fake))
    return float((a - b).pow(2).mean(1).sqrt().mean())


def onset_correlation(real: np.ndarray, fake: np.ndarray) -> float:
    """Correlation of the onset envelopes; 0 where one has no onsets at all."""
    from librosa.onset import onset_strength

    first, second = (onset_strength(y=sound, sr=SAMPLE_RATE) for sound in (real, fake))
    if first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def beats_kept(hear: Callable[[Waveform], np.ndarray], real: torch.Tensor, fake: torch.Tensor) -> Meeting:
    """How the beats of decoded music meet those of the original by one ear: means over pieces [B, 1, N]."""
    pairs = zip(real[:, 0].numpy(), fake[:, 0].numpy(), strict=True)
    met = [meeting_of(*(hear(_wave(sound)) for sound in pair)) for pair in pairs]
    return Meeting(
        *(round(float(np.mean([getattr(one, key) for one in met])), 3) for key in ("f", "amlt")), ""
    )


def _wave(sound: np.ndarray) -> Waveform:
    return Waveform(torch.from_numpy(np.ascontiguousarray(sound))[None, None], SAMPLE_RATE)


@dataclass(frozen=True)
class Speed:
    """Both ways of one codec on this CPU with `THREADS` threads."""

    encode_x: float
    """Seconds of sound per second."""
    decode_x: float
    peak_mb: float
    """Memory beyond what the process held before; on Linux, else 0."""


def speed(codec: Codec, audio: torch.Tensor, rounds: int = 3, threads: int = THREADS) -> Speed:
    """Best of some rounds on `SPEED_S` seconds made of `audio` [B, 1, N]."""
    length = round(SPEED_S * SAMPLE_RATE)
    sound = audio.reshape(-1).repeat(1 + length // audio.numel())[:length]
    wave = Waveform(sound[None, None].contiguous(), SAMPLE_RATE)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    held_mb = _forget_peak()
    encode_s, decode_s = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        tokens = encode_audio(codec, wave)
        middle = time.perf_counter()
        decode_tokens(codec, tokens)
        encode_s.append(middle - start)
        decode_s.append(time.perf_counter() - middle)
    peak_mb = max(0.0, _status_mb("VmHWM") - held_mb)
    torch.set_num_threads(before)
    return Speed(round(SPEED_S / min(encode_s), 1), round(SPEED_S / min(decode_s), 1), round(peak_mb))


def _forget_peak() -> float:
    """Lets Linux count this process's peak anew; returns what it holds now in MB."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists() and os.access(clear, os.W_OK):
        clear.write_text("5")
    return _status_mb("VmRSS")


def _status_mb(name: str) -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    for line in status.read_text().splitlines():
        if line.startswith(name + ":"):
            return float(line.split()[1]) / 1024
    return 0.0
