"""How much memory a film's sound takes while it is written, by the length of the film.

    python -m benchmarks.films --minutes 10 30

Each film is written in a process of its own, with and without the clip's own sound (stereo, 48 kHz) under
music of 24 kHz. Peak memory is what the system counted for the process; `MB a minute` is reckoned between the
shortest and the longest film, and from it what two hours would take. The music is held as a whole: 5.8 MB a
minute.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch

from d2m_core.media import open_clip
from d2m_core.media.mux import mux
from d2m_core.types import Waveform
from training.figures.tables import table

MUSIC_RATE, OWN_RATE, FPS = 24_000, 48_000, 10
TWO_HOURS = 120.0


def make_film(path: Path, minutes: float) -> Path:
    """A film of grey pictures with noise in stereo."""
    rng = np.random.default_rng(1)
    noise = (0.05 * rng.normal(size=(2, OWN_RATE))).astype(np.float32)
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = out.add_stream("aac", rate=OWN_RATE, layout="stereo")
        for second in range(round(60 * minutes)):
            for k in range(FPS):
                frame = av.VideoFrame(64, 48, "yuv420p")
                frame.pts, frame.time_base = second * FPS + k, Fraction(1, FPS)
                out.mux(video.encode(frame))
            heard = av.AudioFrame.from_ndarray(noise, format="fltp", layout="stereo")
            heard.sample_rate, heard.pts, heard.time_base = OWN_RATE, second * OWN_RATE, Fraction(1, OWN_RATE)
            out.mux(sound.encode(heard))
        out.mux(video.encode(None))
        out.mux(sound.encode(None))
    return path


def write(
    film: Path, minutes: float, gain: float, answer: multiprocessing.SimpleQueue[tuple[float, float]]
) -> None:
    """Writes the film with music; answers with the peak in MB and the seconds that it took."""
    torch.set_num_threads(1)
    music = torch.empty(1, 1, round(60 * minutes * MUSIC_RATE)).uniform_(-0.3, 0.3)
    started = time.perf_counter()
    mux(open_clip(film), Waveform(music, MUSIC_RATE), film.with_name("out.mp4"), gain)
    took_s = time.perf_counter() - started
    answer.put((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, took_s))


def measured(folder: Path, minutes: float, gain: float) -> tuple[float, float]:
    """Peak memory in MB and seconds of one film, in a fresh process."""
    film = folder / f"{minutes:g}.mp4"
    if not film.exists():
        make_film(film, minutes)
    context = multiprocessing.get_context("spawn")
    answer: multiprocessing.SimpleQueue[tuple[float, float]] = context.SimpleQueue()
    process = context.Process(target=write, args=(film, minutes, gain, answer))
    process.start()
    process.join()
    return answer.get()


def measure(lengths: list[float]) -> list[dict[str, object]]:
    """One row for each length and each of music alone, music with the clip's own sound."""
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for gain in (0.0, 0.5):
            found = [(minutes, *measured(Path(folder), minutes, gain)) for minutes in sorted(lengths)]
            (low, low_mb, _), (high, high_mb, _) = found[0], found[-1]
            per_minute = (high_mb - low_mb) / (high - low)
            for minutes, peak_mb, took_s in found:
                rows.append(
                    {
                        "minutes": minutes,
                        "own sound": "yes" if gain else "no",
                        "peak MB": round(peak_mb),
                        "ratio to the shortest": round(peak_mb / low_mb, 2),
                        "MB a minute": round(per_minute, 1),
                        "two hours, MB": round(high_mb + (TWO_HOURS - high) * per_minute),
                        "seconds": round(took_s, 1),
                    }
                )
    return rows


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "benchmarks.films", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, nargs="+", default=[10.0, 30.0], help="[10 30]")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmark"), help="[%(default)s]")
    args = parser.parse_args(argv)
    if len(set(args.minutes)) < 2:
        parser.error("give at least two lengths")
    rows = measure(args.minutes)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "films.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(table(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
