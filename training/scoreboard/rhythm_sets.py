"""Sets of dances that the rhythm network is scored on by `python -m training.evaluate rhythm`.

What is measured, and beside which controls, says `training.scoreboard.rhythm_scores`; intervals and
tables are made in `training.scoreboard.rhythm_report`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from d2m_core.band import make_plan
from d2m_core.errors import SettingError, require
from d2m_core.media import load_audio, open_clip
from d2m_core.motion import extract_motion, find_accents
from d2m_core.motion.accents import STRONG_ACCENT
from d2m_core.pose import estimate_poses, load_poses, save_poses, select_dancer
from d2m_core.rhythm import load_rhythm
from d2m_core.styles import STYLES
from d2m_core.types import PoseSequence, VideoClip
from d2m_core.weights import default_weights
from training.figures.calibration import draw_reliability
from training.judges.trackers import song_beats, tracker
from training.run.kept import kept, recipe
from training.seeds import RENDERED_SEED, RHYTHM_SCORE_SEED
from training.sources.melody import EXCERPT_S, captured_poses, dances_in
from training.sources.names import VIDEO_SUFFIXES
from training.studio.any_scene import random_scene
from training.studio.observe import estimator
from training.studio.picture.drawing import render_scene
from training.studio.stage.noise import mediapipe_like
from training.studio.stage.scene import Scene, stage
from training.studio.stage.shot import Shot

from .cuts import heard_tempi, pieces_of
from .rhythm_report import RIGHT_MEANS, set_calibration, set_json, set_text
from .rhythm_scores import Case, score_cases

SETS = {
    "studio": "unseen studio dances, landmarks with the noise model fitted to MediaPipe",
    "drawn": "unseen studio dances, drawn to pixels and read back by MediaPipe",
    "melody": "Dance with Melody, captured; offset and drift fitted, of the controls as well",
    "clips": "real clips against their own songs",
}
"""Names of the sets, and what they are."""

TEMPI_BPM = (70.0, 170.0)


def drawn_dance(number: int, count: int, duration_s: float) -> Scene:
    """Dance `number` of `count`, the tempi spread evenly over `TEMPI_BPM`, the styles in turn."""
    seed = RENDERED_SEED + number
    low, high = TEMPI_BPM
    tempo = low + (high - low) * (number + np.random.default_rng(seed).random()) / count
    plan = make_plan(seed, duration_s, STYLES[number % len(STYLES)], tempo)
    return stage(plan, seed, shot=Shot())


def read_back(truth: Scene, folder: Path) -> PoseSequence:
    """The scene's poses as MediaPipe sees them in a rendered clip; kept in `folder`."""
    plan = truth.plan
    name = f"{truth.seed}_{truth.duration_s:g}s_{plan.style}_{plan.tempo_bpm:.1f}.npz"
    made_of = recipe(render_scene, estimate_poses, save_poses, scene=truth, estimator=estimator())

    def write(path: Path) -> None:
        clip_path = path.with_suffix(".mp4")
        try:
            save_poses(estimate_poses(open_clip(render_scene(truth, clip_path))), path)
        finally:
            clip_path.unlink(missing_ok=True)

    return kept(folder, name, made_of, write, load_poses)


def case_of(
    name: str,
    poses: PoseSequence,
    beats_s: np.ndarray | None = None,
    downbeats_s: np.ndarray | None = None,
    loose: bool = False,
) -> Case:
    """A case to score; fewer than two reference beats are none."""
    accents = find_accents(poses)
    strong = accents.times_s[accents.strengths >= STRONG_ACCENT]
    if beats_s is not None and len(beats_s) < 2:
        beats_s = downbeats_s = None
    return Case(name, extract_motion(poses), strong, beats_s, downbeats_s, loose, pieces_of(poses))


def studio_cases(count: int, duration_s: float) -> Iterator[Case]:
    """Dances no training saw, their landmarks as the noise model that was fitted to MediaPipe."""
    for seed in range(RHYTHM_SCORE_SEED, RHYTHM_SCORE_SEED + count):
        scene = random_scene(seed, duration_s)
        seen = mediapipe_like(scene, np.random.default_rng([seed, 0x5C0]))
        truth = scene.dances[0]
        yield case_of(str(seed), seen, truth.beats_s, truth.beats_s[truth.downbeats])


def drawn_cases(count: int, duration_s: float, folder: Path) -> Iterator[Case]:
    """Dances no training saw, rendered to pixels and read back by MediaPipe; poses in `folder`."""
    for number in range(count):
        truth = drawn_dance(number, count, duration_s)
        beats_s, downbeats = truth.plan.beats_s, truth.plan.downbeats
        yield case_of(str(truth.seed), read_back(truth, folder), beats_s, beats_s[downbeats])


def melody_cases(melody: Path, folder: Path) -> Iterator[Case]:
    """Captured dances against their songs, whose clocks are only known roughly."""
    for path in dances_in(melody):
        poses = captured_poses(path)
        beats_s = song_beats(path.with_suffix(".opus"), EXCERPT_S, folder)
        yield case_of(path.stem, poses, beats_s, loose=True)


def clip_cases(clips: Path, folder: Path) -> Iterator[Case]:
    """Real clips against their own songs; silent ones have no reference. Poses in `folder`."""
    for path in videos_in(clips):
        clip = open_clip(path)
        beats_s = song_beats(path, clip.duration_s, folder) if clip.has_audio else None
        case = case_of(path.stem, clip_poses(clip, folder), beats_s)
        song = load_audio(path, duration_s=clip.duration_s, mono=True) if clip.has_audio else None
        yield case if song is None else replace(case, heard=heard_tempi(song))


def clip_poses(clip: VideoClip, folder: Path) -> PoseSequence:
    """The poses of the largest dancer of a whole file; kept in `folder`."""
    window, makers = (clip.start_s, clip.duration_s), (estimate_poses, select_dancer, save_poses)
    made_of = recipe(*makers, files=[clip.path], window=window, estimator=estimator())

    def write(path: Path) -> None:
        save_poses(select_dancer(estimate_poses(clip), "largest"), path)

    return kept(folder, f"{clip.path.stem}.npz", made_of, write, load_poses)


def videos_in(folder: Path) -> list[Path]:
    """The video files directly in `folder`. Raises `SettingError` where there is none."""
    paths = folder.iterdir() if folder.is_dir() else []
    found = sorted(path for path in paths if path.suffix.lower() in VIDEO_SUFFIXES)
    if not found:
        raise SettingError(f"{folder} holds no video; name a folder of {', '.join(VIDEO_SUFFIXES)}.")
    return found


def add_rhythm_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `python -m training.evaluate rhythm`."""
    parser.add_argument(
        "--sets",
        nargs="+",
        choices=sorted(SETS),
        metavar="SET",
        help=f"any of {', '.join(SETS)}; unless given, those whose folder is, or studio and drawn",
    )
    parser.add_argument("--melody", type=Path, help="folder of the set Dance with Melody")
    parser.add_argument("--clips", type=Path, help="folder of real dance clips")
    parser.add_argument("--weights", type=Path, help="rhythm network; the project's if not given")
    parser.add_argument(
        "--poses",
        type=Path,
        default=Path("runs/rhythm_eval"),
        help="poses and songs' beats are kept here [%(default)s]",
    )
    parser.add_argument(
        "--studio-dances", type=int, default=60, help="dances of the set studio [%(default)s]"
    )
    parser.add_argument("--dances", type=int, default=60, help="dances of the set drawn [%(default)s]")
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="of studio and drawn dances [%(default)s]"
    )


def rhythm_scores(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Scores the sets that the flags ask for: everything as JSON, and the tables.

    The reliability curves go into `rhythm_reliability.png` in the folder `args.out`. Raises
    `SettingError` for a set without its folder.
    """
    folders = {"melody": args.melody, "clips": args.clips}
    given = [name for name, folder in folders.items() if folder]
    names = args.sets or given or ["studio", "drawn"]
    for name in names:
        flag = f"--{name}"
        require(folders.get(name, True) is not None, f"The set {name} needs its folder: {flag} DIR")
    weights = args.weights or default_weights("rhythm")
    net = load_rhythm(weights)
    makers = {
        "studio": lambda: studio_cases(args.studio_dances, args.seconds),
        "drawn": lambda: drawn_cases(args.dances, args.seconds, args.poses),
        "melody": lambda: melody_cases(args.melody, args.poses / "melody"),
        "clips": lambda: clip_cases(args.clips, args.poses / "clips"),
    }
    report: dict[str, Any] = {}
    texts, curves = [], {}
    for name in names:
        cases = list(tqdm(makers[name](), desc=f"{name}: reading", unit="clip"))
        scores = score_cases(cases, net)
        about = SETS[name] + (f" (tracker: {tracker()})" if name in folders else "")
        report[name] = set_json(about, scores)
        texts.append(set_text(name, about, scores))
        calibrated = set_calibration(scores)
        if calibrated is not None:
            curves[name] = calibrated
    if curves:
        draw_reliability(curves, RIGHT_MEANS, args.out / "rhythm_reliability.png")
    return report, "".join(texts)
