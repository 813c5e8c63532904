"""Which shape of codec learns most in the same time at the same bit rate.

    python -m benchmarks.codec_shapes --data SHARDS --minutes 5 [--also FOLDER ...]

Trains every shape for as long on one core, from the same seed on the same music, then codes music
that none has heard. Prints Markdown. Shapes that are trained already are not trained again, so a
stopped run goes on; `--train --shapes ...` shares the trainings among processes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.codec import STUDIO, cuts
from benchmarks.codec_rivals import neural
from benchmarks.codec_scores import Score, Speed, score, speed
from d2m_core.codec import load_codec
from training.codec.band_music import held_out
from training.codec.network import parameters_of
from training.codec.settings import CodecTraining
from training.train_codec import train

SHAPES: dict[str, dict[str, Any]] = {
    "16 filters, 50 Hz x 8": {},
    "16 filters, 25 Hz x 16": {"codebooks": 16, "ratios": (8, 8, 5, 3)},
    "16 filters, 100 Hz x 4": {"codebooks": 4, "ratios": (8, 5, 3, 2)},
    "24 filters, 50 Hz x 8": {"filters": 24},
    "32 filters, 50 Hz x 8": {"filters": 32},
    "no LSTM": {"lstm_layers": 0},
    "not causal": {"causal": False},
    "factored books": {"books": "factored"},
}
"""What differs from the first; all take 4 kbit/s."""


@dataclass(frozen=True)
class Trial:
    """One trained shape and what it does to music."""

    name: str
    parameters: int
    steps: int
    scores: list[Score]
    pace: Speed


def folder_of(root: Path, name: str) -> Path:
    """Where a shape's run and, below it, its codec lie."""
    return root / "".join(c if c.isalnum() else "_" for c in name)


def settings_of(name: str, root: Path, data: str, minutes: float) -> CodecTraining:
    """The training of one shape."""
    folder = folder_of(root, name)
    common: dict[str, Any] = {
        "codebooks": 8,
        "quantizer_dropout": 0.2,
        "continuous_steps": 100,
        "rate": 7e-4,
        "batch": 4,
        "device": "cpu",
        "precision": "float32",
        "save_s": 9999.0,
    }
    return CodecTraining(
        out=str(folder / "out"), folder=str(folder), data=data, minutes=minutes, **(common | SHAPES[name])
    )


def steps_of(folder: Path) -> int:
    """How many steps the run in a folder took."""
    lines = (folder / "log.jsonl").read_text().splitlines()
    return max(int(json.loads(line)["step"]) for line in lines)


def judge(root: Path, name: str, sets: dict[str, torch.Tensor]) -> Trial:
    """Scores the trained codec of one shape."""
    folder = folder_of(root, name)
    offers = json.loads((folder / "out" / "config.json").read_text())["target_bandwidths"]
    codec = load_codec(str(folder / "out"), bandwidth=max(offers))
    contestant = neural(codec, name)
    scores = [score(contestant, music, audio, madmom=False)[0] for music, audio in sets.items()]
    pace = speed(codec, sets[STUDIO], threads=1)
    return Trial(name, parameters_of(codec.model), steps_of(folder), scores, pace)


def markdown(trials: Iterable[Trial], minutes: float) -> str:
    """A table for each set of music."""
    trials = list(trials)
    lines = []
    for number, first in enumerate(trials[0].scores):
        lines += [
            f"\n{first.music}, {len(first.mels)} pieces, {minutes:g} minutes of training each, "
            "speed on one thread\n",
            "| shape | M parameters | steps | mel | LSD dB | SI-SDR dB | onset r | beat F | AMLt "
            "| encodes | decodes |",
            "|---" * 11 + "|",
        ]
        for trial in trials:
            s, pace = trial.scores[number], trial.pace
            lines.append(
                f"| {trial.name} | {trial.parameters / 1e6:.2f} | {trial.steps} | {s.mel:.3f} "
                f"| {s.lsd_db:.1f} | {s.si_sdr_db:.1f} | {s.onset_r:.3f} "
                f"| {s.beats.f:.3f} | {s.beats.amlt:.3f} | {pace.encode_x:g} x | {pace.decode_x:g} x |"
            )
    return "\n".join(lines).lstrip() + "\n"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="folder of studio shards")
    parser.add_argument("--minutes", type=float, default=5.0, help="for each [%(default)s]")
    parser.add_argument("--shapes", nargs="*", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="folders of sound files")
    parser.add_argument("--train", action="store_true", help="train only, score nothing")
    parser.add_argument("--out", type=Path, default=Path("runs/shapes"), help="[%(default)s]")
    flags = parser.parse_args(argv)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    for name in flags.shapes:
        if not (folder_of(flags.out, name) / "out" / "model.safetensors").exists():
            train(settings_of(name, flags.out, flags.data, flags.minutes))
    if flags.train:
        return 0
    sets = {STUDIO: held_out(12.0)}
    sets |= {folder.name: cuts(folder, 12.0, 12) for folder in flags.also}
    trials = [judge(flags.out, name, sets) for name in flags.shapes]
    sys.stdout.write(markdown(trials, flags.minutes))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
