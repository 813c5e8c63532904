"""How our dances move beside captured ones, as numbers.

    python -m training.check_dancer --real DIR

reads the joints of `dance_with_melody` (NAME.npz, NAME.opus), for measurement only: nothing of it goes
into anything that is made.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from d2m_core.band import make_plan
from d2m_core.errors import require
from d2m_core.media import load_audio
from d2m_core.pose.landmarks import ANKLES, ELBOWS, HIPS, KNEES, NOSE, SHOULDERS, WRISTS
from training.figures.tables import table
from training.run.command import command_parser, run_command
from training.studio.dancer.dance import dance

_LANDMARKS = (NOSE, *SHOULDERS, *ELBOWS, *WRISTS, *HIPS, *KNEES, *ANKLES)
_CAPTURED = (0, 3, 12, 4, 13, 5, 14, 7, 16, 8, 17, 9, 18)
"""The joints that are measured, J = 13, among the landmarks and in the captured skeleton."""

_PARTS = {
    name: [_LANDMARKS.index(joint) for joint in joints]
    for name, joints in (("head", (NOSE,)), ("wrist", WRISTS), ("hip", HIPS), ("ankle", ANKLES))
}
"""Their places there."""
_STILL_M_S = 0.1
_KINDS = (("C", "cha-cha"), ("R", "rumba"), ("W", "waltz"))


@dataclass(frozen=True)
class Likeness:
    """Numbers about one dance; speeds are medians and 95 % points in body heights per second."""

    wrist: float
    wrist_95: float
    hip: float
    hip_95: float
    ankle: float
    ankle_95: float
    head: float
    arm_leg: float
    """Mean speed of the wrists over that of the ankles."""
    still: float
    """Share of frames in which the mean joint is slower than 0.1 m/s for a body of 1.7 m."""
    hip_height: float
    """Spread of the hips' height, in percent of the body height."""
    beat_share: float
    """Share of the hips' up and down at the rates of bar, half bar, beat and half beat."""
    hip_acceleration: float
    """95 % point of the hips' vertical acceleration, in body heights per second squared."""


def measure(joints: np.ndarray, fps: float, tempo_bpm: float, metre: int, height: float) -> Likeness:
    """Numbers about joints [F, 13, 3] (x, z across the floor, y down) in metres."""
    joints = gaussian_filter1d(joints / height, 0.03 * fps, axis=0)
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1) * fps  # [F - 1, 13]
    of = {name: speed[:, where] for name, where in _PARTS.items()}
    hips = joints[:, _PARTS["hip"], 1].mean(1)
    fast = hips - gaussian_filter1d(hips, 0.8 * fps)
    power = np.abs(np.fft.rfft(fast * np.hanning(len(fast)))) ** 2
    rate = np.fft.rfftfreq(len(fast), 1 / fps)
    beat = tempo_bpm / 60
    near = np.zeros(len(rate), bool)
    for multiple in (1 / metre, 0.5, 1.0, 2.0):
        near |= np.abs(rate - multiple * beat) < 0.09
    band = (rate > 0.3) & (rate < 7)
    lift = np.diff(hips, 2) * fps**2
    return Likeness(
        float(np.median(of["wrist"])),
        float(np.quantile(of["wrist"], 0.95)),
        float(np.median(of["hip"])),
        float(np.quantile(of["hip"], 0.95)),
        float(np.median(of["ankle"])),
        float(np.quantile(of["ankle"], 0.95)),
        float(np.median(of["head"])),
        float(of["wrist"].mean() / of["ankle"].mean()),
        float((speed.mean(1) < _STILL_M_S / 1.7).mean()),
        100 * float(fast.std()),
        float(power[near & band].sum() / power[band].sum()),
        float(np.quantile(np.abs(lift), 0.95)),
    )


def captured(path: Path, metre: int) -> Likeness:
    """Numbers about one captured dance; its tempo is what librosa hears in its music."""
    import librosa

    with np.load(path, allow_pickle=False) as stored:
        joints = stored["joints"].astype(np.float64) + stored["center"][:, None].astype(np.float64)
        fps = len(joints) / float(stored["span_s"])
    joints = joints[:, list(_CAPTURED)] * np.array([0.01, -0.01, 0.01])
    sound = load_audio(path.with_suffix(".opus"))
    tempo, _ = librosa.beat.beat_track(
        y=sound.samples[0].mean(0).numpy(), sr=sound.sample_rate, start_bpm=100.0
    )
    ankle = joints[:, _PARTS["ankle"], 1].max(1)
    height = 1.12 * float(np.median(ankle - joints[:, 0, 1]))
    return measure(joints, fps, float(np.atleast_1d(tempo)[0]), metre, height)


def drawn(seed: int, style: str, tempo_bpm: float | None = None) -> Likeness:
    """Numbers about one of our dances."""
    plan = make_plan(seed, 40.0, style, tempo_bpm)
    made = dance(plan, seed)
    joints = made.joints[:, list(_LANDMARKS)].astype(np.float64)
    return measure(joints, made.fps, plan.tempo_bpm, plan.metre, made.body.height)


def _rows(name: str, found: list[Likeness]) -> list[dict[str, float | str]]:
    values = {f.name: [asdict(one)[f.name] for one in found] for f in fields(Likeness)}
    points = (("10 %", 0.1), ("median", 0.5), ("90 %", 0.9))
    return [
        {"dances": f"{name}, {label}", **{k: float(np.quantile(v, q)) for k, v in values.items()}}
        for label, q in points
    ]


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("check_dancer", __doc__)
    found.add_argument("--real", type=Path, required=True, help="folder of dance_with_melody")
    found.add_argument("--seeds", type=int, default=24, help="our dances per kind [%(default)s]")
    return found


def _work(words: list[str]) -> str:
    args = parser().parse_args(words)
    require(args.seeds > 0, f"seeds is {args.seeds}; use 1 or more.")
    rows: list[dict[str, float | str]] = []
    for letter, name in _KINDS:
        paths = sorted(args.real.glob(f"DANCE_{letter}_*.npz"))
        require(bool(paths), f"{args.real} holds no {name}, DANCE_{letter}_*.npz; give another folder.")
        rows += _rows(f"{name} captured", [captured(p, 3 if letter == "W" else 4) for p in paths])
    for style in ("latin", "waltz", "pop", "hiphop"):
        rows += _rows(f"{style} ours", [drawn(seed, style) for seed in range(args.seeds)])
    return table(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv)


if __name__ == "__main__":
    raise SystemExit(main())
