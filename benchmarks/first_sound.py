"""How soon the first sound comes once a rhythm is known, and how long all of it takes.

    python -m benchmarks.first_sound [--seconds 30] [--rounds 5]

The embedded model and codec, no dance. CPU seconds are those of all threads and hold on a busy machine.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

from d2m_core.music import SamplingConfig, prepare, stream_music
from d2m_core.pipeline import load_models


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="How soon the first sound comes.")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the music [%(default)s]")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args(argv)
    models = load_models(device="cpu")
    prepare()
    rows = []
    for _ in range(args.rounds):
        start, start_cpu = time.perf_counter(), time.process_time()
        pieces = stream_music(models.model, models.codec, None, None, SamplingConfig(), args.seconds)
        first = next(pieces)
        rows.append((time.perf_counter() - start, time.process_time() - start_cpu, first.duration_s))
        pieces.close()
    seconds, cpu, length = (statistics.median(column) for column in zip(*rows, strict=True))
    sys.stdout.write(f"first sound, {length:.2f} s of it, after {seconds:.2f} s ({cpu:.2f} CPU s)\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
