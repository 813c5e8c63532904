"""Draws a scene: clothed, shaded dancers in a room, frame by frame, into an H.264 file.

    python -m training.studio.picture.drawing --seed 7 --tempo 118 --seconds 12 --out clip.mp4

writes the clip and, beside it, `clip.json` with the beats that were danced.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from d2m_core.band import make_plan
from d2m_core.errors import MediaError, require
from d2m_core.files import replacing
from d2m_core.grid import check_tempo
from d2m_core.types import Waveform
from training.run.command import command_parser, run_command
from training.studio.stage.scene import Scene, stage
from training.studio.stage.shot import Shot

from .film import CLEAN, Film, developed
from .painter import Painter

if TYPE_CHECKING:
    from av.container import OutputContainer


DEMO_STYLE = "pop"


def draw_scene(
    scene: Scene, width: int, height: int, fps: float | None = None, film: Film = CLEAN
) -> Iterator[np.ndarray]:
    """RGB frames uint8 [H, W, 3] of the scene at times k / fps (the scene's own rate by default).

    A picture of another aspect than the shot's shows more or less at the left and right.
    """
    fps = scene.fps if fps is None else fps
    frames = max(1, round(scene.duration_s * fps))
    painter = Painter(scene, width, height)
    for frame in range(frames):
        picture = painter.paint(frame / fps)
        if film.shutter > 0:
            later = painter.paint((frame + film.shutter) / fps)
            picture = cv2.addWeighted(picture, 0.5, later, 0.5, 0.0)
        yield developed(picture, film, frame, scene.seed)


def render_scene(
    scene: Scene,
    path: Path,
    width: int = 640,
    height: int = 360,
    fps: float | None = None,
    samples: Waveform | None = None,
    film: Film = CLEAN,
    crf: int = 18,
) -> Path:
    """Writes the drawn scene as an H.264 mp4, with sound if given; nothing stays on failure.

    `crf` is x264's quality: 18 looks like the drawing, more makes smaller files.
    """
    import av

    path = Path(path)
    rate = Fraction(scene.fps if fps is None else fps).limit_denominator(1001)
    try:
        with replacing(path) as part, av.open(str(part), "w", format="mp4") as out:
            options = {"crf": str(crf), "preset": "medium", "threads": "1"}
            stream = out.add_stream("libx264", rate=rate, options=options)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            sound = _Sound(out, samples) if samples is not None else None
            for rgb in draw_scene(scene, width, height, float(rate), film):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
            out.mux(stream.encode(None))
            if sound is not None:
                sound.write()
    except (OSError, av.FFmpegError) as error:
        raise MediaError(f"{path} cannot be written ({error}); choose another place.") from error
    return path


class _Sound:
    """An AAC track, added before the picture is written and filled after it."""

    def __init__(self, out: OutputContainer, samples: Waveform) -> None:
        self.out, self.samples = out, samples
        self.stream = out.add_stream("aac", rate=samples.sample_rate)

    def write(self) -> None:
        import av

        mono = self.samples.samples[0].mean(0, keepdim=True).contiguous().numpy()  # [1, N]
        frame = av.AudioFrame.from_ndarray(mono, format="fltp", layout="mono")
        frame.sample_rate = self.samples.sample_rate
        self.out.mux(self.stream.encode(frame))
        self.out.mux(self.stream.encode(None))


def demo_dance(seed: int, tempo_bpm: float, duration_s: float, fps: float, aspect: float = 16 / 9) -> Scene:
    """A lively dance to the letter, alone before a calm camera."""
    plan = make_plan(seed, duration_s, DEMO_STYLE, tempo_bpm)
    times = np.arange(plan.frames) / max(plan.frames, 1)
    energy = (0.72 - 0.13 * np.cos(2 * np.pi * times)).astype(np.float32)
    return stage(replace(plan, energy=energy), seed, looseness=0.0, fps=fps, shot=Shot(aspect=aspect))


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("studio.picture.drawing", __doc__)
    add = found.add_argument
    add("--seed", type=int, default=7, help="dancer, clothes, room and moves")
    add("--tempo", type=float, default=118.0, help="beats per minute")
    add("--seconds", type=float, default=12.0)
    add("--out", type=Path, required=True, help="the .mp4 to write")
    add("--width", type=int, default=640)
    add("--height", type=int, default=360)
    add("--fps", type=float, default=30.0)
    return found


def _work(words: list[str]) -> str:
    """Draws one dance and writes its beats beside it."""
    args = parser().parse_args(words)
    require(args.seconds >= 1, f"seconds is {args.seconds:g}; use 1 or more.")
    made = demo_dance(args.seed, check_tempo(args.tempo), args.seconds, args.fps, args.width / args.height)
    render_scene(made, args.out, args.width, args.height, args.fps)
    note = args.out.with_suffix(".json")
    with replacing(note) as part:
        part.write_text(json.dumps(facts(made), indent=1) + "\n", encoding="utf-8")
    return f"{args.out}\n{note}\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv)


def facts(scene: Scene) -> dict:
    """What is known about the lead's dance, for the note beside a clip."""
    lead, plan = scene.dances[0], scene.plan
    return {
        "beats_s": plan.beats_s.tolist(),
        "downbeats": plan.downbeats.tolist(),
        "tempo_bpm": plan.tempo_bpm,
        "seed": scene.seed,
        "duration_s": scene.duration_s,
        "moves": lead.moves,
        "style": plan.style,
        "sections": [{"kind": s.kind, "first_bar": s.first_bar, "bars": s.bars} for s in plan.sections],
        "hits": [
            {"time_s": float(plan.seconds(hit.beat)), "strength": hit.strength}
            for hit in plan.hits
            if 0 <= plan.seconds(hit.beat) < plan.duration_s
        ],
    }


if __name__ == "__main__":
    raise SystemExit(main())
