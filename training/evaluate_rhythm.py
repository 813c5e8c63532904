"""Scores the rhythm network on dances rendered to pixels and read back by MediaPipe.

`python -m training.evaluate rhythm` prints them: the beat F-measure (mir_eval, 70 ms), whether the
tempo is within 4 %, and beside them what the same beats score at random phases and what a metronome
scores that is told the true tempo. Real clips are scored against their own soundtrack.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from d2m_core.audio import load_audio
from d2m_core.errors import SettingError
from d2m_core.grid import steady_beats, tempo_of
from d2m_core.metrics import beat_f, beat_f_chance, tempo_correct
from d2m_core.motion import extract_motion
from d2m_core.pose import estimate_poses, select_dancer
from d2m_core.pose_keypoints import load_poses, save_poses
from d2m_core.rhythm import RhythmNet, rhythm_from_audio, rhythm_from_motion
from d2m_core.types import PoseSequence, Rhythm
from d2m_core.video import open_clip
from training.seeds import RENDERED_SEED
from training.studio.drawing import render_scene
from training.studio.plan import make_plan
from training.studio.stage.scene import Scene, stage
from training.studio.stage.shot import Shot
from training.studio.styles import STYLES

TEMPI_BPM = (70.0, 170.0)
_PHASES = 16
VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi")


@dataclass(frozen=True)
class RhythmScore:
    """One dance or clip."""

    name: str
    tempo_bpm: float
    """The reference's tempo."""
    found_bpm: float
    beat_f: float
    chance_f: float
    """The found beats against the reference at random phases."""
    metronome_f: float
    """A steady pulse of the reference's tempo, mean over all phases."""
    tempo_right: bool
    tempo_right_octaves: bool
    confidence: float


def drawn_dance(number: int, count: int, duration_s: float) -> Scene:
    """Dance `number` of `count`, the tempi spread evenly over `TEMPI_BPM`, the styles in turn."""
    seed = RENDERED_SEED + number
    low, high = TEMPI_BPM
    tempo = low + (high - low) * (number + np.random.default_rng(seed).random()) / count
    plan = make_plan(seed, duration_s, STYLES[number % len(STYLES)], tempo)
    return stage(plan, seed, shot=Shot())


def read_back(truth: Scene, folder: Path) -> PoseSequence:
    """The scene's poses as MediaPipe sees them in a rendered clip; kept in `folder`."""
    stamp = f"{truth.duration_s:g}s_{truth.plan.style}_{truth.plan.tempo_bpm:.1f}"
    path = folder / f"{truth.seed}_{stamp}.npz"
    if path.exists():
        return load_poses(path)
    clip_path = folder / f"{truth.seed}.mp4"
    try:
        poses = estimate_poses(open_clip(render_scene(truth, clip_path)))
        save_poses(poses, path)
    finally:
        clip_path.unlink(missing_ok=True)
    return poses


def compare(name: str, reference: Rhythm, found: Rhythm) -> RhythmScore:
    """Found beats against reference beats, with the controls."""
    duration_s = found.duration_s
    truth = reference.beats_s
    phases = (np.arange(_PHASES) + 0.5) / _PHASES * 60 / reference.tempo_bpm
    ticks = [steady_beats(reference.tempo_bpm, duration_s, first) for first in phases]
    return RhythmScore(
        name,
        reference.tempo_bpm,
        found.tempo_bpm,
        beat_f(truth, found.beats_s),
        beat_f_chance(truth, found.beats_s, duration_s),
        float(np.mean([beat_f(truth, tick) for tick in ticks])),
        tempo_correct(reference.tempo_bpm, found.tempo_bpm),
        tempo_correct(reference.tempo_bpm, found.tempo_bpm, octaves=True),
        found.confidence,
    )


def score_dances(net: RhythmNet, count: int, duration_s: float, folder: Path) -> list[RhythmScore]:
    """Scores on `count` rendered dances that the network never saw."""
    scores = []
    for number in tqdm(range(count), desc="dances", unit="dance"):
        truth = drawn_dance(number, count, duration_s)
        found = rhythm_from_motion(extract_motion(read_back(truth, folder)), net)
        beats_s, downbeats = truth.plan.beats_s, truth.plan.downbeats
        reference = Rhythm(beats_s, downbeats, found.curves, tempo_of(beats_s))
        scores.append(compare(str(truth.seed), reference, found))
    return scores


def videos_in(folder: Path) -> list[Path]:
    """The video files directly in `folder`. Raises `SettingError` where there is none."""
    paths = folder.iterdir() if folder.is_dir() else []
    found = sorted(path for path in paths if path.suffix.lower() in VIDEO_SUFFIXES)
    if not found:
        raise SettingError(
            f"{folder} holds no video; name a folder of {', '.join(VIDEO_SUFFIXES)}."
        )
    return found


def score_clips(net: RhythmNet, clips: Path, folder: Path) -> list[RhythmScore]:
    """Scores of real clips against the beats of their own soundtrack; silent ones are left out."""
    scores = []
    for path in videos_in(clips):
        clip = open_clip(path)
        if not clip.has_audio:
            continue
        kept = folder / f"{path.stem}.npz"
        if not kept.exists():
            save_poses(select_dancer(estimate_poses(clip), "largest"), kept)
        found = rhythm_from_motion(extract_motion(load_poses(kept)), net)
        heard = rhythm_from_audio(load_audio(path, duration_s=clip.duration_s))
        scores.append(compare(path.stem, heard, found))
    return scores
