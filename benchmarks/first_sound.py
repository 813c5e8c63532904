"""How soon the first sound comes once a rhythm is known, and how long all of it takes.

    python -m benchmarks.first_sound [--seconds 30] [--rounds 5] [--model MODEL --codec FOLDER]

The embedded model and codec or others, steady beats. CPU seconds are those of all threads and hold on a busy
machine. The last figure is what a second of music takes when all of it is written and decoded.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from d2m_core.grid import steady_beats
from d2m_core.music import SamplingConfig, prepare, stream_music
from d2m_core.pipeline import load_models
from d2m_core.types import MOTION_FPS, Rhythm

TEMPO_BPM = 117.0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="How soon the first sound comes.")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the music [%(default)s]")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", type=Path, help="a transformer of yours")
    parser.add_argument("--codec", help="and its codec")
    parser.add_argument("--style", default="house")
    args = parser.parse_args(argv)
    models = load_models(args.model, args.codec, device="cpu")
    beats_s = steady_beats(TEMPO_BPM, args.seconds)
    curves = np.zeros((round(args.seconds * MOTION_FPS), 2), np.float32)
    beats = Rhythm(beats_s, np.arange(len(beats_s)) % 4 == 0, curves, TEMPO_BPM)
    config = SamplingConfig(style=args.style)
    prepare()
    rows = []
    for _ in range(args.rounds):
        start, start_cpu = time.perf_counter(), time.process_time()
        pieces = stream_music(models.model, models.codec, None, beats, config, args.seconds)
        first = next(pieces)
        soon = time.perf_counter() - start, time.process_time() - start_cpu, first.duration_s
        for _ in pieces:
            pass
        rows.append((*soon, (time.process_time() - start_cpu) / args.seconds))
    seconds, cpu, length, each = (statistics.median(column) for column in zip(*rows, strict=True))
    sys.stdout.write(
        f"first sound, {length:.2f} s of it, after {seconds:.2f} s ({cpu:.2f} CPU s); "
        f"{each:.3f} CPU s for a second of music\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
