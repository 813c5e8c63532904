"""What it costs the beats to be told early: beat F against look-ahead, on studio dances.

    python -m benchmarks.look_ahead --dances 20 --seconds 20

The same grids, found every 0.2 s from the last 12 s, are asked for beats at several look-aheads;
negative ones ask before the beat comes. The first four seconds do not count.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from d2m_core.motion import extract_motion
from d2m_core.rhythm import RhythmNet, load_rhythm, rhythm_from_motion
from d2m_core.rhythm.decoding import BeatGrid
from d2m_core.rhythm.live import BeatEmitter, RhythmStream, StreamSettings
from d2m_core.scores import beat_f
from d2m_core.types import PoseSequence
from d2m_core.weights import default_weights
from training.figures.tables import table
from training.seeds import ABLATION_SEED
from training.studio.any_scene import random_scene
from training.studio.stage.noise import mediapipe_like

LOOK_AHEADS_S = (-0.5, -0.25, 0.0, 0.25, 0.5, 1.0, 2.0)
_SETTLED_S = 4.0


def grids_of(poses: PoseSequence, net: RhythmNet) -> tuple[list[tuple[float, BeatGrid]], float]:
    """The grid known at each moment of a stream, and seconds of computing per second of dance."""
    settings = StreamSettings(look_ahead_s=min(LOOK_AHEADS_S))
    stream, found = RhythmStream(net, settings), []
    step = max(1, round(settings.hop_s * poses.fps))
    started = time.process_time()
    for first in range(0, poses.frames, step):
        stream.push(poses.frames_at(slice(first, first + step)))
        if stream.grid is not None:
            found.append((stream.now_s, stream.grid))
    return found, (time.process_time() - started) / poses.duration_s


def emitted(grids: list[tuple[float, BeatGrid]], look_ahead_s: float) -> np.ndarray:
    """All beats that a stream with this look-ahead would have given out, [M]."""
    emitter = BeatEmitter(look_ahead_s)
    return np.array([b for now_s, grid in grids for b in emitter.beats(grid, now_s)])


def late(beats_s: np.ndarray) -> np.ndarray:
    return beats_s[beats_s >= _SETTLED_S]


def measure(net: RhythmNet, dances: int, duration_s: float) -> dict[str, float]:
    """Mean beat F for each look-ahead and for the whole clip, and the cost."""
    rows, costs = [], []
    for seed in tqdm(range(ABLATION_SEED, ABLATION_SEED + dances), unit="dance"):
        scene = random_scene(seed, duration_s)
        poses = mediapipe_like(scene, np.random.default_rng([seed, 0x5C0]))
        truth = scene.dances[0].beats_s
        last_s = duration_s - max(LOOK_AHEADS_S) - 0.5  # so far every look-ahead has spoken
        truth = late(truth[truth < last_s])
        grids, cost = grids_of(poses, net)
        costs.append(cost)
        whole = rhythm_from_motion(extract_motion(poses), net).beats_s
        answers = [emitted(grids, ahead) for ahead in LOOK_AHEADS_S] + [whole]
        rows.append([beat_f(truth, late(beats[beats < last_s])) for beats in answers])
    names = [f"{ahead:g} s" for ahead in LOOK_AHEADS_S] + ["whole clip"]
    means = dict(zip(names, np.mean(rows, 0).round(3).tolist(), strict=True))
    return {**means, "CPU seconds per second": round(float(np.mean(costs)), 3)}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "benchmarks.look_ahead", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dances", type=int, default=20, help="[%(default)s]")
    parser.add_argument("--seconds", type=float, default=20.0, help="[%(default)s]")
    parser.add_argument("--weights", type=Path, help="rhythm network; the project's if not given")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmark"), help="[%(default)s]")
    args = parser.parse_args(argv)
    found = measure(load_rhythm(args.weights or default_weights("rhythm")), args.dances, args.seconds)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "look_ahead.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(table([found]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
