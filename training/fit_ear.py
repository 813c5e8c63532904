"""Fits the confidence of `d2m_core.rhythm.heard` to an ear.

    python -m training.fit_ear --groove DIR --samples DIR

Music of the studio that nothing else takes, plain and hard, whole and cut short, and sound without any
pulse is heard; a logistic regression on the `EAR_CUES` then gives the probability that the beats are right
(beat F of 0.7). Prints the numbers to put there, and the calibration error, cross-validated by piece.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from d2m_core.band import Materials
from d2m_core.ear import EAR_FPS, EAR_RATE, EarCurves, EarNet, default_ear, listen, load_ear
from d2m_core.errors import require
from d2m_core.rhythm import beats_of_ear
from d2m_core.rhythm.curves import at_rate
from d2m_core.rhythm.heard import EAR_CUES, cues_of
from d2m_core.scores import beat_f
from d2m_core.types import Waveform
from training.ear.music import materials_of, studio_piece
from training.ear.worn import worn
from training.figures.logistic import FOLDS, Example, report_of
from training.run.command import command_parser, run_command
from training.seeds import EAR_DEVELOPMENT_SEED

RIGHT_F = 0.7
_SECONDS = 20.0
_CUTS_S = (5.0, 10.0)


def examples_of(net: EarNet, pieces: int, materials: Materials) -> Iterator[Example]:
    """Grids of plain and of hard pieces in turn, of parts of them, and of noise."""
    for seed in tqdm(range(EAR_DEVELOPMENT_SEED, EAR_DEVELOPMENT_SEED + pieces), unit="piece"):
        rng = np.random.default_rng([seed, 0xC0F])
        piece = studio_piece(seed, materials, _SECONDS, plain=seed % 2 == 0)
        piece = piece if seed % 3 else worn(piece, rng)
        said = listen(piece.wave, net)
        yield _example(said, piece.beats_s, _SECONDS, 1.0, seed)
        for length_s in _CUTS_S:
            yield _example(said, piece.beats_s, length_s, 0.5, seed)
        said = listen(no_pulse(_SECONDS, rng), net)
        yield _example(said, np.zeros(0), _SECONDS, 0.5, seed)
        for length_s in (*_CUTS_S, 1.5):
            yield _example(said, np.zeros(0), length_s, 0.5, seed)


def no_pulse(seconds: float, rng: np.random.Generator) -> Waveform:
    """Rain, wind, held tones, or a level that stays: sound in which nobody can count."""
    count = round(seconds * EAR_RATE)
    if rng.random() < 0.2:
        return Waveform(torch.full((1, 1, count), float(rng.uniform(0.01, 0.5))), EAR_RATE)
    noise = np.fft.rfft(rng.standard_normal(count))
    tilt = np.maximum(np.arange(len(noise)), 1.0) ** -rng.uniform(0.0, 1.0)
    sound = np.fft.irfft(noise * tilt, count)
    sound = sound / np.abs(sound).max()
    if rng.random() < 0.5:
        time = np.arange(count) / EAR_RATE
        sound = 0.05 * sound + sum(np.sin(2 * np.pi * hz * time) for hz in rng.uniform(80, 2000, 4)) / 8
    return Waveform(torch.from_numpy(sound.astype(np.float32))[None, None], EAR_RATE)


def _example(said: EarCurves, beats_s: np.ndarray, length_s: float, weight: float, group: int) -> Example:
    frames = round(length_s * EAR_FPS)
    cut = EarCurves(said.beat[:frames], said.downbeat[:frames], said.onset[:frames])
    grid = beats_of_ear(cut)
    signs = cues_of(at_rate(cut.beat, EAR_FPS), grid.beats_s, grid.tempo_bpm)
    right = beat_f(beats_s[beats_s < length_s], grid.beats_s) >= RIGHT_F
    return Example(signs, bool(right), weight, group)


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("fit_ear", __doc__)
    add = found.add_argument
    add("--weights", type=Path, help="ear; the project's if not given")
    add("--pieces", type=int, default=120, help="[%(default)s]")
    add("--groove", type=Path, metavar="DIR", help="Groove MIDI Dataset")
    add("--samples", type=Path, metavar="DIR", help="CC0 one-shots and loops")
    return found


def _work(words: list[str]) -> str:
    args = parser().parse_args(words)
    require(args.pieces >= FOLDS, f"pieces is {args.pieces}; use {FOLDS} or more.")
    net = load_ear(args.weights) if args.weights else default_ear()
    examples = list(examples_of(net, args.pieces, materials_of(args.groove, args.samples)))
    return report_of(examples, EAR_CUES)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv)


if __name__ == "__main__":
    raise SystemExit(main())
