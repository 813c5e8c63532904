"""Where the time of a clip goes: every part of the chain done alone, one after the other.

    python -m benchmarks.shares [--clip my.mp4]

CPU seconds of all threads, which hold on a busy machine, and shares of their sum. Without a clip one is
drawn: 10 s at 1080p30. The first two rows are of a fresh Python.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from benchmarks.chain import given_or_drawn
from benchmarks.side_by_side import ROOT
from benchmarks.start_up import cpu_s
from d2m_core.media import open_clip
from d2m_core.media.sizes import Sizes
from d2m_core.media.video import frames_at
from d2m_core.motion import dance_motion
from d2m_core.music import SamplingConfig, decode_music, generate_tokens
from d2m_core.pipeline import DanceMusic, Models, dance_to_music, load_models, write_result
from d2m_core.pose import pose_model
from d2m_core.pose.cuts import Cuts
from d2m_core.pose.landmarker import landmarkers
from d2m_core.pose.look import closer_parts, looker
from d2m_core.pose.needed import Needed
from d2m_core.rhythm import find_rhythm
from d2m_core.types import MOTION_FPS, VideoClip

_STILLS = 5
"""So many are looked at where somebody fills the picture for 10 s, the first of them closer."""

Made = TypeVar("Made")


class Shares:
    """CPU seconds by part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def of(self, part: str, work: Callable[[], Made]) -> Made:
        with self.timed(part):
            return work()

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        start = time.process_time()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.process_time() - start

    def table(self) -> str:
        whole = sum(self.seconds.values())
        rows = [f"{part:<34}{s:>7.2f}{s / whole:>8.1%}" for part, s in self.seconds.items()]
        return "\n".join([f"{'':<34}{'CPU s':>7}{'share':>8}", *rows, f"{'sum':<34}{whole:>7.2f}"]) + "\n"


def started(code: str, compiled: str) -> float:
    """CPU seconds of a fresh Python that runs `code`, the second time."""
    return [cpu_s(["-c", code], ROOT, compiled) for _ in range(2)][1]


def see(clip: VideoClip, shares: Shares) -> None:
    """What finding somebody alone is made of."""
    shares.of("decoding", lambda: sum(1 for _ in frames_at(clip)))
    bundle, sizes = pose_model("full"), Sizes(clip, 720)
    needed, cuts, stills = Needed(sizes), Cuts(), []
    step = max(1, round(clip.duration_s * MOTION_FPS / _STILLS))
    with landmarkers(bundle) as opens:
        film = shares.of("opening the landmarkers", lambda: opens.of_film(1))
        for number, shown in enumerate(frames_at(clip)):
            rgb = shares.of("scaling and colours", lambda f=shown.frame: sizes.draw(f, needed.height))
            if number % step == 0:
                stills.append(sizes.draw(shown.frame, sizes.largest))
            shares.of("cuts", lambda rgb=rgb: cuts.see(rgb))
            ms = round(number * 1000 / MOTION_FPS)
            found = shares.of("MediaPipe: following", lambda rgb=rgb, ms=ms: film.find(rgb, ms))
            needed.see(found[0] if found else None)
        with shares.timed("MediaPipe: stills"), looker(opens, 1) as eyes:
            for number, rgb in enumerate(stills):
                eyes.look(rgb, closer_parts(rgb) if number == 0 else ()).result()


def hear(result: DanceMusic, models: Models, shares: Shares) -> None:
    """What comes after the poses."""
    motion = shares.of("rhythm", lambda: dance_motion(result.poses))
    shares.of("rhythm", lambda: find_rhythm(motion, models.rhythm, None, "dance", poses=result.poses))
    spec, rhythm = models.codec.spec, result.rhythm
    tokens = shares.of(
        "music: tokens",
        lambda: generate_tokens(models.model, motion, rhythm, spec, SamplingConfig(), codec=models.codec),
    )
    shares.of("music: codec", lambda: decode_music(models.codec, tokens, result.clip.duration_s))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Where the time of a clip goes.")
    parser.add_argument("--clip", type=Path, help="a clip of yours instead of the drawn one")
    args = parser.parse_args(argv)
    shares = Shares()
    with tempfile.TemporaryDirectory() as folder:
        path = given_or_drawn(args.clip, Path(folder))
        shares.seconds["starting Python and torch"] = started("import torch", folder)
        also = started("import torch, mediapipe.tasks.python.vision", folder)
        shares.seconds["MediaPipe's import"] = also - shares.seconds["starting Python and torch"]
        models = shares.of("loading the models", lambda: load_models(device="cpu"))
        result = dance_to_music(path, models)  # what is done once only is done now
        clip = open_clip(path)
        see(clip, shares)
        hear(result, models, shares)
        shares.of("film", lambda: write_result(result, Path(folder) / "film.mp4"))
    sys.stdout.write(shares.table())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
