"""What edits of music are worth.

Does the candidate that is chosen lead on better, how far does the sound change, how much does a variation
keep, and does music follow a sound that it starts from?

    OMP_NUM_THREADS=1 python -m benchmarks.editing [--pieces 6] [--parts choice sound likeness start]

The embedded model and codec, steady rhythms without a dance. CPU only, minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from d2m_core.grid import steady_beats
from d2m_core.mastering import master_music
from d2m_core.media import resample, to_mono
from d2m_core.music import SamplingConfig, decode_music, generate_tokens, music_from_sound, repaint
from d2m_core.pipeline import Models, load_models
from d2m_core.settings import SoundSettings
from d2m_core.spans import Span, bar_lines
from d2m_core.types import AudioTokens, Rhythm, Waveform
from training.judges.style import load_judge
from training.judges.style_spectra import RATE, Pulse, log_mel

SECONDS, STYLES = 10.0, ("house", "funk", "rock", "dnb", "disco", "swing")


@dataclass(frozen=True, eq=False)
class Piece:
    """Music to be edited."""

    style: str
    seed: int
    rhythm: Rhythm
    tokens: AudioTokens

    @property
    def span(self) -> Span:
        """Its third bar."""
        lines = bar_lines(self.rhythm, SECONDS)
        return Span(float(lines[3]), float(lines[4]))


def pieces(models: Models, count: int) -> Iterator[Piece]:
    """Pieces in turn of `STYLES`, each at a tempo of its own."""
    for index in range(count):
        style = STYLES[index % len(STYLES)]
        beats = steady_beats(104.0 + 7 * index % 40, SECONDS, 0.1)
        curves = np.full((round(SECONDS * 25), 2), 0.5, np.float32)
        rhythm = Rhythm(beats, np.arange(len(beats)) % 4 == 0, curves, 104.0 + 7 * index % 40)
        config = SamplingConfig(seed=index, style=style)
        yield Piece(
            style, index, rhythm, generate_tokens(models.model, None, rhythm, models.codec.spec, config)
        )


def choice(models: Models, count: int, takes: int = 8) -> dict[str, float]:
    """Nats a token of the bar after a span: the candidates' mean, best, worst, what was there, a wrong bar.

    And how far the sound jumps at the end of the span: cosine distance of mel spectra of half a second on
    both sides, of the best candidate and on average over all.
    """
    rows = []
    for piece in pieces(models, count):
        config = SamplingConfig(seed=100 + piece.seed, style=piece.style)
        # One by one, by seeds of their own, so that each can be heard.
        edits = [
            repaint(
                models.model,
                piece.tokens,
                [piece.span],
                piece.rhythm,
                replace(config, seed=config.seed + 1000 * take),
            )
            for take in range(takes)
        ]
        losses = np.array([edit.fits[0].losses[0] for edit in edits])
        jumps = np.array([_jump(models, edit.tokens, edit.changed[0].end_s) for edit in edits])
        strange = _elsewhere(models, piece, config)
        before = edits[0].fits[0].before
        rank = np.corrcoef(losses.argsort().argsort(), jumps.argsort().argsort())[0, 1]
        jump = [jumps.mean(), jumps[losses.argmin()], _jump(models, piece.tokens, edits[0].changed[0].end_s)]
        rows.append([losses.mean(), losses.min(), losses.max(), before, strange, *jump, rank])
    names = "mean chosen worst before elsewhere jump_mean jump_chosen jump_before rank_correlation".split()
    return dict(zip(names, np.mean(rows, axis=0).round(4).tolist(), strict=True))


def _elsewhere(models: Models, piece: Piece, config: SamplingConfig) -> float | None:
    """The loss after a bar of the piece that begins at a wrong place of the bar."""
    mixed = piece.tokens.codes.clone()
    first, end = (round(at * 50) for at in (piece.span.start_s, piece.span.end_s))
    mixed[..., first:end] = piece.tokens.codes[..., first - 37 : end - 37]
    tokens = replace(piece.tokens, codes=mixed)
    return repaint(models.model, tokens, [piece.span], piece.rhythm, config).fits[0].before


def _jump(models: Models, tokens: AudioTokens, at_s: float, around_s: float = 1.5) -> float:
    first, middle, end = (round((at_s + off) * 50) for off in (-around_s, 0.0, around_s))
    part = replace(tokens, codes=tokens.codes[..., max(0, first) : end].contiguous())
    mel = log_mel(to_mono(resample(decode_music(models.codec, part), RATE)).samples[0, 0])
    middle -= max(0, first)
    one, two = mel[middle - 25 : middle].mean(0), mel[middle : middle + 25].mean(0)
    return 1 - float(torch.cosine_similarity(one, two, dim=0))


def sound(models: Models, count: int) -> dict[str, float]:
    """Whether the sound before a span is bit for bit the same, and seconds after it until the sound differs
    by less than -40 and -60 dB of the piece's loudest 20 ms; and how far mastering moves what is before.
    """
    rows = []
    for piece in pieces(models, count):
        config = SamplingConfig(seed=100 + piece.seed, style=piece.style, candidates=2)
        edited = repaint(models.model, piece.tokens, [piece.span], piece.rhythm, config)
        old, new = (decode_music(models.codec, tokens, SECONDS) for tokens in (piece.tokens, edited.tokens))
        first, end = (
            round(at * old.sample_rate) for at in (edited.changed[0].start_s, edited.changed[0].end_s)
        )
        same = bool(torch.equal(old.samples[..., :first], new.samples[..., :first]))
        loud, apart = _levels(old.samples), _levels(new.samples - old.samples)
        hop = 0.02
        ends = []
        for limit in (-40.0, -60.0):
            over = np.flatnonzero(apart > loud.max() + limit)
            ends.append(max(0.0, (over[-1] + 1) * hop - end / old.sample_rate) if len(over) else 0.0)
        mastered = [master_music(wave, piece.rhythm, SoundSettings()) for wave in (old, new)]
        quiet = [_levels(wave.samples)[: int(first / old.sample_rate / hop)] for wave in mastered]
        rows.append([same, *ends, float(np.abs(np.median(quiet[1] - quiet[0])))])
    names = ("same_before", "s_to_-40_dB", "s_to_-60_dB", "mastering_moves_dB")
    return dict(zip(names, np.mean(rows, axis=0).round(3).tolist(), strict=True)) | {
        "longest_-60": float(np.max([row[2] for row in rows]).round(3))
    }


def _levels(samples: torch.Tensor, hop_s: float = 0.02, rate: int = 24_000) -> np.ndarray:
    hop = round(hop_s * rate)
    mono = samples.mean(1)[0]
    power = mono[: len(mono) // hop * hop].view(-1, hop).pow(2).mean(1)
    return 10 * np.log10(power.numpy() + 1e-12)


def likeness(models: Models, count: int) -> dict[str, list[float]]:
    """Share of tokens that stay, by codebook, for likenesses from 0 to 1."""
    found: dict[str, list[np.ndarray]] = {}
    for piece in pieces(models, count):
        inside = slice(round(piece.span.start_s * 50), round(piece.span.end_s * 50))
        for value in (0.0, 0.25, 0.5, 0.75, 0.9, 1.0):
            config = SamplingConfig(seed=100 + piece.seed, style=piece.style)
            new = repaint(
                models.model, piece.tokens, [piece.span], piece.rhythm, config, likeness=value
            ).tokens
            same = (new.codes == piece.tokens.codes)[0, :, inside].float().mean(1).numpy()
            found.setdefault(f"{value:g}", []).append(same)
    return {value: np.mean(rows, axis=0, dtype=float).round(3).tolist() for value, rows in found.items()}


def start(models: Models, count: int) -> dict[str, float]:
    """How often the style judge hears a sound's style in music that starts from it, with no style asked for,
    beside the same seed without the sound; and distances of its embeddings to the sound's and to others'.
    """
    judge = load_judge()
    rows, heard = [], []
    made = list(pieces(models, count))
    for piece in made:
        wave = decode_music(models.codec, piece.tokens, SECONDS)
        free = SamplingConfig(seed=200 + piece.seed)
        after = music_from_sound(models.model, models.codec, wave, None, piece.rhythm, free)
        without = generate_tokens(models.model, None, piece.rhythm, models.codec.spec, free)
        waves = [wave, *(decode_music(models.codec, tokens, SECONDS) for tokens in (after, without))]
        heard.append([_embedded(judge, each, piece.rhythm) for each in waves])
        rows.append([_style(judge, each, piece.rhythm) == piece.style for each in waves])
    sounds = np.array([each[0] for each in heard])
    own, others, none = [], [], []
    for index, (_, after, without) in enumerate(heard):
        away = np.linalg.norm(sounds - after, axis=1)
        own.append(away[index])
        others.append(np.delete(away, index).mean())
        none.append(np.linalg.norm(sounds[index] - without))
    names = ("judge_of_the_sound", "judge_started", "judge_without")
    nearest = [
        np.linalg.norm(sounds - after, axis=1).argmin() == index for index, (_, after, _) in enumerate(heard)
    ]
    return dict(zip(names, np.mean(rows, axis=0).round(3).tolist(), strict=True)) | {
        "distance_own": round(float(np.mean(own)), 3),
        "distance_others": round(float(np.mean(others)), 3),
        "distance_without": round(float(np.mean(none)), 3),
        "nearest_is_own": round(float(np.mean(nearest)), 3),
    }


def _style(judge, wave: Waveform, rhythm: Rhythm) -> str:
    return judge.style_of(wave, Pulse(rhythm.beats_s, rhythm.downbeats))


def _embedded(judge, wave: Waveform, rhythm: Rhythm) -> np.ndarray:
    return judge.embed(wave, Pulse(rhythm.beats_s, rhythm.downbeats)).mean(0)


PARTS = {"choice": choice, "sound": sound, "likeness": likeness, "start": start}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="What edits of music are worth.")
    parser.add_argument("--pieces", type=int, default=6)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    args = parser.parse_args(argv)
    models = load_models(device="cpu")
    for part in args.parts:
        sys.stdout.write(f"{part} {json.dumps(PARTS[part](models, args.pieces))}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
