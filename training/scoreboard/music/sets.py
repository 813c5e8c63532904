"""Sets of dances that the music is scored on by `python -m training.evaluate music`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from d2m_core.band import Plan, installed_materials, make_plan, play
from d2m_core.errors import require
from d2m_core.media import load_audio, open_clip, save_audio, to_mono
from d2m_core.motion import extract_motion, find_accents
from d2m_core.motion.accents import STRONG_ACCENT
from d2m_core.scores.metrics import motion_beats
from d2m_core.styles import STYLES
from d2m_core.types import MotionFeatures, PoseSequence, Waveform
from training.judges.trackers import song_beats
from training.run.kept import kept, recipe
from training.scoreboard.rhythm_sets import clip_poses, drawn_dance, read_back, videos_in
from training.seeds import UNSEEN_SEED
from training.sources import Recording, SourceOptions, given_poses, recordings
from training.sources.melody import EXCERPT_S, captured_poses, dances_in
from training.studio.materials import band_of
from training.studio.pairs import see
from training.studio.stage.scene import stage

SETS = {
    "drawn": "unseen studio dances, drawn to pixels and read back by MediaPipe",
    "studio": "unseen studio dances, landmarks with the noise model fitted to MediaPipe",
    "melody": "Dance with Melody, captured; offset and drift fitted for dance F and AMLt, controls as well",
    "clips": "real clips against their own songs",
    "aist": "AIST++, test songs of the song-disjoint split",
}
"""Names of the sets, and what they are."""

NEEDS_FOLDER = ("melody", "clips", "aist")

SPREAD = 20
"""Drawn dances are taken evenly from so many: all tempi and styles, however few are asked for."""


@dataclass(frozen=True, eq=False)
class Dance:
    """One dance to write music for, and all that it is scored against."""

    name: str
    motion: MotionFeatures
    accents_s: np.ndarray
    """float64 [A]: the strong accents that one sees."""
    motion_beats_s: dict[str, np.ndarray]
    """Of each form of the beat alignment score, float64."""
    style: str | None = None
    """The style it was danced to, where known."""
    beats_s: np.ndarray | None = None
    """float64 [M]: the dance's true beats where a program made it, else those heard in its song."""
    downbeats: np.ndarray | None = None
    """bool [M], where known."""
    made: bool = False
    """Whether a program made it."""
    loose: bool = False
    """Whether `beats_s` are only known up to an offset and a drift (`training.judges.clocks`)."""
    soundtrack: Waveform | None = None
    """Mono; the song it was danced to, or what the studio's band plays on its plan."""

    @property
    def duration_s(self) -> float:
        return self.motion.duration_s


@dataclass(frozen=True)
class SetOptions:
    """Which dances, how long, and where things lie."""

    dances: int = 20
    seconds: float = 10.0
    poses: Path = Path("runs/rhythm_eval")
    """Poses and song beats that took long to find are kept here, those of the rhythm scores too."""
    folders: tuple[tuple[str, Path | None], ...] = ()
    """The folder of each set that needs one."""

    def folder(self, name: str) -> Path:
        """Raises `SettingError` where it was not given."""
        found = dict(self.folders).get(name)
        require(found is not None, f"The set {name} needs its folder: --{name} DIR.")
        assert found is not None
        return found


def dances_of(name: str, options: SetOptions) -> Iterator[Dance]:
    """The dances of a set. Raises `SettingError` for a set whose folder lacks."""
    makers = {
        "drawn": drawn_dances,
        "studio": studio_dances,
        "melody": melody_dances,
        "clips": clip_dances,
        "aist": aist_dances,
    }
    return makers[name](options)


def spread(count: int, wanted: int) -> list[int]:
    """`wanted` numbers below `count`, evenly spread; all where there are fewer."""
    return sorted({int(i) for i in np.linspace(0, count - 1, min(count, wanted)).round()})


def dance_of(
    name: str,
    poses: PoseSequence,
    beats_s: np.ndarray | None = None,
    downbeats: np.ndarray | None = None,
    *,
    made: bool = False,
    loose: bool = False,
    style: str | None = None,
    soundtrack: Waveform | None = None,
) -> Dance:
    """A dance from its poses; fewer than two reference beats are none."""
    accents = find_accents(poses)
    motion = extract_motion(poses)
    joints = poses.world[:, 0].astype(np.float64)
    slow = {
        "aist++": motion_beats(joints, poses.fps, "aist++"),
        "bailando": motion_beats(joints, poses.fps, "bailando"),
    }
    if beats_s is not None:
        inside = beats_s < motion.duration_s
        downbeats = None if downbeats is None else downbeats[inside]
        beats_s = beats_s[inside] if inside.sum() > 1 else None
    return Dance(
        name,
        motion,
        accents.stronger_than(STRONG_ACCENT).times_s,
        slow,
        style,
        beats_s,
        downbeats,
        made,
        loose,
        soundtrack,
    )


def drawn_dances(options: SetOptions) -> Iterator[Dance]:
    """Rendered to pixels and read back by MediaPipe; the poses are kept."""
    count = max(SPREAD, options.dances)
    for number in spread(count, options.dances):
        truth = drawn_dance(number, count, options.seconds)
        poses = read_back(truth, options.poses)
        yield _made(f"{truth.seed}_{truth.plan.style}", poses, truth.plan, options)


def studio_dances(options: SetOptions) -> Iterator[Dance]:
    """Landmarks as MediaPipe might have returned them."""
    for seed in range(UNSEEN_SEED, UNSEEN_SEED + options.dances):
        plan = make_plan(seed, options.seconds, STYLES[seed % len(STYLES)])
        yield _made(f"{seed}_{plan.style}", see(stage(plan, seed)), plan, options)


def _made(name: str, poses: PoseSequence, plan: Plan, options: SetOptions) -> Dance:
    return dance_of(
        name,
        poses,
        plan.beats_s,
        plan.downbeats,
        made=True,
        style=plan.style,
        soundtrack=_band(plan, options.poses / "band"),
    )


def _band(plan: Plan, folder: Path) -> Waveform:
    """What the studio's band plays on a plan, mono; kept in `folder`."""

    def write(path: Path) -> None:
        song = play(plan, installed_materials())
        mono = song.samples.mean(0, keepdims=True)[None]
        save_audio(Waveform(torch.from_numpy(np.ascontiguousarray(mono)), song.sample_rate), path)

    name = f"{plan.seed}_{plan.duration_s:g}s_{plan.style}_{plan.tempo_bpm:.1f}.wav"
    made_of = recipe(play, save_audio, plan=plan, band=band_of(installed_materials()))
    return kept(folder, name, made_of, write, lambda path: to_mono(load_audio(path)))


def melody_dances(options: SetOptions) -> Iterator[Dance]:
    """Captured dances against their songs, whose clocks are only known roughly."""
    paths = dances_in(options.folder("melody"))
    for number in spread(len(paths), options.dances):
        path = paths[number]
        seconds = min(options.seconds, EXCERPT_S)
        song = path.with_suffix(".opus")
        yield dance_of(
            path.stem,
            captured_poses(path, seconds),
            song_beats(song, EXCERPT_S, options.poses / "melody"),
            loose=True,
            soundtrack=load_audio(song, duration_s=seconds, mono=True),
        )


def clip_dances(options: SetOptions) -> Iterator[Dance]:
    """Real clips against their own songs; silent ones have no reference."""
    folder = options.poses / "clips"
    paths = videos_in(options.folder("clips"))
    for path in (paths[number] for number in spread(len(paths), options.dances)):
        clip, beats, song = open_clip(path), None, None
        if clip.has_audio:
            beats = song_beats(path, clip.duration_s, folder)
            song = load_audio(path, duration_s=clip.duration_s, mono=True)
        yield dance_of(path.stem, clip_poses(clip, folder), beats, soundtrack=song)


def aist_dances(options: SetOptions) -> Iterator[Dance]:
    """Dances of AIST++ whose song is in none of its training dances, against their songs.

    The songs are the user's own files in `music` inside the folder, or else the videos' sound.
    Raises `SettingError` where the folder has no such dance.
    """
    root = options.folder("aist")
    music = root / "music"
    given = SourceOptions(root, music=music if music.is_dir() else None)
    found = [each for each in recordings("aist", given) if isinstance(each, Recording)]
    test = [each for each in found if each.split == "test" and each.poses is not None]
    require(len(test) > 0, f"{root} holds no test dance of AIST++ with keypoints and sound.")
    for number in spread(len(test), options.dances):
        recording = test[number]
        poses = given_poses(recording)
        poses = poses.frames_at(slice(max(1, round(options.seconds * poses.fps))))
        sound = recording.music or recording.video
        beats = song = None
        if sound is not None:
            beats = song_beats(sound, poses.duration_s, options.poses / "aist")
            song = load_audio(sound, duration_s=poses.duration_s, mono=True)
        yield dance_of(recording.name, poses, beats, soundtrack=song)


def styles_for(dances: Sequence[Dance], known: Sequence[str]) -> list[str]:
    """A style to ask for with each dance: its own where the model knows it, else all in turn."""
    return [
        dance.style if dance.style and dance.style in known else known[number % len(known)]
        for number, dance in enumerate(dances)
    ]
