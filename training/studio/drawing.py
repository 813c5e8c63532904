"""Draws a dance: a clothed, shaded dancer in a room, frame by frame, into an H.264 file.

    python -m training.studio.drawing --seed 7 --tempo 118 --seconds 12 --out clip.mp4

writes the clip and, beside it, `clip.json` with the beats that were danced.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from d2m_core.errors import MediaError
from d2m_core.files import replacing
from d2m_core.grid import steady_beats
from d2m_core.types import MOTION_FPS, Waveform

from .band.song import BEATS_PER_BAR
from .dancer.dance import Dance, dance
from .picture.figure import Figure
from .picture.look import random_look, room

if TYPE_CHECKING:
    from av.container import OutputContainer


def draw_dance(dance: Dance, width: int, height: int, fps: float) -> Iterator[np.ndarray]:
    """RGB frames uint8 [H, W, 3] of the dance at times k / fps; clothes and room from its seed."""
    look = random_look(dance.seed)
    joints = _at_rate(dance, fps)
    camera = dance.camera.fitted(joints, width / height)
    empty = room(look, camera, width, height)
    for body in joints:
        yield Figure(body, camera, look, width, height, dance.body.height).draw(empty)


def _at_rate(dance: Dance, fps: float) -> np.ndarray:
    """Scene joints float64 [round(duration * fps), J, 3]."""
    frames = max(1, round(dance.duration_s * fps))
    if frames == len(dance.joints) or len(dance.joints) < 2:
        return dance.joints[:frames].astype(np.float64)
    from scipy.interpolate import CubicSpline

    known = np.arange(len(dance.joints)) / dance.fps
    times = np.minimum(np.arange(frames) / fps, known[-1])
    return CubicSpline(known, dance.joints.astype(np.float64))(times)


def render_dance(
    dance: Dance,
    path: Path,
    width: int = 640,
    height: int = 360,
    fps: float = 30.0,
    samples: Waveform | None = None,
) -> Path:
    """Writes the drawn dance as an H.264 mp4, with sound if given; nothing stays on failure."""
    import av

    path = Path(path)
    rate = Fraction(fps).limit_denominator(1001)
    try:
        with replacing(path) as part, av.open(str(part), "w", format="mp4") as out:
            stream = out.add_stream("libx264", rate=rate, options={"crf": "18", "preset": "medium"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            sound = _Sound(out, samples) if samples is not None else None
            for rgb in draw_dance(dance, width, height, float(rate)):
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


def demo_dance(seed: int, tempo_bpm: float, duration_s: float, fps: float) -> Dance:
    """A dance on a steady grid in 4/4 that starts on a downbeat, at the energy of a demo."""
    beats = steady_beats(tempo_bpm, duration_s)
    downbeats = np.arange(len(beats)) % BEATS_PER_BAR == 0
    bars = np.arange(0.0, duration_s + 1.0, 1.0 / MOTION_FPS)
    energy = 0.72 + 0.13 * np.sin(2 * np.pi * bars / max(duration_s, 1.0) - np.pi / 2)
    made = dance(beats, downbeats, duration_s, seed, fps=fps, energy=energy)
    return replace(made, duration_s=duration_s)


def main(argv: list[str] | None = None) -> int:
    """Command line: draws one dance and writes its beats beside it."""
    parser = argparse.ArgumentParser(prog="python -m training.studio.drawing", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="dancer, clothes, room and moves")
    parser.add_argument("--tempo", type=float, default=118.0, help="beats per minute")
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--out", type=Path, required=True, help="the .mp4 to write")
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--fps", type=float, default=30.0)
    args = parser.parse_args(argv)
    made = demo_dance(args.seed, args.tempo, args.seconds, args.fps)
    render_dance(made, args.out, args.width, args.height, args.fps)
    facts = {
        "beats_s": made.beats_s.tolist(), "downbeats": made.downbeats.tolist(),
        "tempo_bpm": args.tempo,
        "seed": args.seed, "duration_s": args.seconds, "moves": made.moves,
    }  # fmt: skip
    note = args.out.with_suffix(".json")
    with replacing(note) as part:
        part.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{args.out}\n{note}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
